#include "http/intake.h"

#include <string.h>

#include "base/limits.h"
#include "http/guard.h"
#include "http/target.h"

/*
 * The library ends a text where it finds a NUL and hides the rest, and unfolds folded lines elsewhere. So a text is
 * as it was sent if it lies within the raw bytes, and nothing but its own end stands before what comes next.
 */
static bool is_whole(const struct intake *intake, const char *text, const char *next, ptrdiff_t longest_end)
{
	if (text < intake->raw || text >= intake->raw_end || next < text || next > intake->raw_end)
		return false;
	const char *end = text + strlen(text);
	if (next - end > longest_end)
		return false;
	for (; end < next; end++)
		if (*end)
			return false;
	return true;
}

/* Looks at the path and at the headers' values: one NUL or two behind each, the empty line's too behind the last. */
static bool are_whole(const struct intake *intake)
{
	const char *behind_path = intake->query_count ? intake->query[0].name : intake->version;
	if (!is_whole(intake, intake->path, behind_path, 2))
		return false;
	for (size_t i = 0; i < intake->header_count; i++) {
		bool is_last = i + 1 == intake->header_count;
		const char *next = is_last ? intake->raw_end : intake->headers[i + 1].name;
		if (!is_whole(intake, intake->headers[i].value, next, is_last ? 4 : 2))
			return false;
	}
	return true;
}

size_t intake_text_bytes(const struct intake *intake)
{
	size_t bytes = strlen(intake->path) + 1;
	for (size_t i = 0; i < intake->query_count; i++)
		bytes += strlen(intake->query[i].name) + strlen(intake->query[i].value) + 2;
	return bytes;
}

static bool check_sizes(const struct intake *intake, struct error *error)
{
	if (intake->raw_end - intake->raw > LIMIT_HEADER_BYTES)
		return error_set(error, ERR_HEADERS, "a request's headers have at most %d bytes", LIMIT_HEADER_BYTES);
	if (intake_text_bytes(intake) > LIMIT_URL_BYTES)
		return error_set(error, ERR_HEADERS, "a URL has at most %d bytes", LIMIT_URL_BYTES);
	if (intake->query_count > LIMIT_QUERY_PARAMETERS)
		return error_set(error, ERR_INVALID, "a URL has at most %d query parameters", LIMIT_QUERY_PARAMETERS);
	return true;
}

/* Decodes to *text and moves *text behind it; *part points to it afterwards. */
static bool decode_part(const char **part, char **text, struct error *error)
{
	char *decoded = *text;
	*text += strlen(*part) + 1;
	if (!target_decode_part(*part, decoded, error))
		return false;
	*part = decoded;
	return true;
}

static bool decode_target(const struct intake *intake, char *text, struct http_request *request, struct error *error)
{
	if (!target_decode_path(intake->path, text, error))
		return false;
	request->path = text;
	text += strlen(intake->path) + 1;
	for (size_t i = 0; i < intake->query_count; i++)
		if (!decode_part(&intake->query[i].name, &text, error)
		    || !decode_part(&intake->query[i].value, &text, error))
			return false;
	request->query = intake->query;
	request->query_count = intake->query_count;
	return true;
}

bool intake_check(const struct intake *intake, const struct intake_rule *rule, char *text,
		  struct http_request *request, int64_t *body_bytes, struct error *error)
{
	if (!check_sizes(intake, error))
		return false;
	if (!are_whole(intake))
		return error_set(error, ERR_INVALID, "a header is folded, or a NUL is in it or in the URL");
	request->headers = intake->headers;
	request->header_count = intake->header_count;
	if (!guard_framing(request->headers, request->header_count, body_bytes, error))
		return false;
	if (rule->checks_host && !guard_host(http_request_header(request, "Host"), rule->hosts, error))
		return false;
	if (!decode_target(intake, text, request, error))
		return false;

	const char *name = strcmp(intake->method, "HEAD") == 0 ? "GET" : intake->method;
	request->method = http_method_from_name(name);
	if (request->method == HTTP_METHODS)
		return error_set(error, ERR_METHOD, "the method %.20s is not served here", intake->method);
	if (*body_bytes > (int64_t)rule->body_bytes)
		return error_set(error, ERR_TOO_LARGE, "a request's body has at most %zu bytes", rule->body_bytes);
	return guard_origin(request, error);
}
