#include "http/guard.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

static bool has_control_character(const char *value)
{
	for (; *value; value++)
		if (((unsigned char)*value < 0x20 && *value != '\t') || *value == 0x7F)
			return true;
	return false;
}

/* Counts the headers of this name and keeps the last one's value. */
static size_t count_of(const struct http_field *headers, size_t count, const char *name, const char **value)
{
	size_t found = 0;
	for (size_t i = 0; i < count; i++) {
		if (strcasecmp(headers[i].name, name) != 0)
			continue;
		*value = headers[i].value;
		found++;
	}
	return found;
}

bool guard_framing(const struct http_field *headers, size_t count, int64_t *body_bytes, struct error *error)
{
	for (size_t i = 0; i < count; i++)
		if (has_control_character(headers[i].value))
			return error_set(error, ERR_INVALID, "a header's value holds a control character");

	const char *host = NULL, *length = NULL, *encoding = NULL;
	if (count_of(headers, count, "Host", &host) != 1)
		return error_set(error, ERR_INVALID, "a request has exactly one Host header");
	size_t lengths = count_of(headers, count, "Content-Length", &length);
	size_t encodings = count_of(headers, count, "Transfer-Encoding", &encoding);
	if (lengths + encodings > 1)
		return error_set(error, ERR_INVALID, "a request has one Content-Length or one Transfer-Encoding");
	if (encodings && strcasecmp(encoding, "chunked") != 0)
		return error_set(error, ERR_INVALID, "the only Transfer-Encoding that is understood is \"chunked\"");
	int64_t bytes = encodings ? -1 : 0;
	if (lengths && (length[0] == '-' || !text_to_int64(length, 0, INT64_MAX, &bytes)))
		return error_set(error, ERR_INVALID, "Content-Length is not a number of bytes");
	*body_bytes = bytes;
	return true;
}

/* "name:port", "name", "[address]:port" without what is around the name; false if it is too long or malformed. */
static bool host_name(const char *host, char *name, size_t room)
{
	bool in_brackets = host[0] == '[';
	const char *start = host + in_brackets;
	size_t length = strcspn(start, in_brackets ? "]" : ":");
	const char *rest = start + length + in_brackets;
	if (length == 0 || length >= room || (in_brackets && start[length] != ']'))
		return false;
	if (*rest && (*rest != ':' || strspn(rest + 1, "0123456789") != strlen(rest + 1)))
		return false;
	memcpy(name, start, length);
	name[length] = '\0';
	return true;
}

bool guard_host(const char *host, const char *const *hosts, struct error *error)
{
	char name[256];
	unsigned char address[sizeof(struct in6_addr)];
	if (!host_name(host, name, sizeof(name)))
		return error_set(error, ERR_INVALID, "the Host header is not a name or address with an optional port");
	if (strcasecmp(name, "localhost") == 0 || inet_pton(AF_INET, name, address) == 1
	    || inet_pton(AF_INET6, name, address) == 1)
		return true;
	for (; hosts && *hosts; hosts++)
		if (strcasecmp(*hosts, name) == 0)
			return true;
	return error_set(error, ERR_INVALID, "this server does not go by the name %s; use its address, or add the name "
			 "to the hosts in its settings", name);
}

static bool is_own_origin(const char *origin, const char *host)
{
	const char *authority = text_starts_with(origin, "https://") ? origin + 8
			      : text_starts_with(origin, "http://") ? origin + 7 : NULL;
	return authority && host && strcasecmp(authority, host) == 0;
}

bool guard_origin(const struct http_request *request, struct error *error)
{
	if (request->method == HTTP_GET || request->method == HTTP_OPTIONS)
		return true;
	const char *site = http_request_header(request, "Sec-Fetch-Site");
	if (site && strcasecmp(site, "cross-site") == 0)
		return error_set(error, ERR_FORBIDDEN, "a page of another site may not do this");
	const char *origin = http_request_header(request, "Origin");
	if (origin && !is_own_origin(origin, http_request_header(request, "Host")))
		return error_set(error, ERR_FORBIDDEN, "a page of %s may not do this", origin);
	return true;
}
