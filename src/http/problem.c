#include "http/problem.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/text.h"
#include "sys/clock.h"

#define TYPE_START "urn:lull:error:"
#define NAME_START "ERR_"

enum { RETRY_LONGEST_S = 3600, RETRY_UNKNOWN_S = 30, RETRY_BUSY_S = 1 };

const char *problem_type(enum error_code code, char type[PROBLEM_TYPE_BYTES])
{
	int length = snprintf(type, PROBLEM_TYPE_BYTES, TYPE_START "%s", error_name(code) + strlen(NAME_START));
	ASSERT(length < PROBLEM_TYPE_BYTES);
	for (char *c = type + strlen(TYPE_START); *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return type;
}

enum error_code problem_code(const char *type, int http_status)
{
	char known[PROBLEM_TYPE_BYTES];
	for (int code = ERR_NONE + 1; type && code < ERROR_CODES; code++)
		if (strcmp(type, problem_type((enum error_code)code, known)) == 0)
			return (enum error_code)code;
	if (http_status == error_http_status(ERR_BUSY))
		return ERR_BUSY;
	for (int code = ERR_NONE + 1; code < ERROR_CODES; code++)
		if (error_http_status((enum error_code)code) == http_status)
			return (enum error_code)code;
	return http_status >= 400 && http_status < 500 ? ERR_INVALID : ERR_INTERNAL;
}

/* Seconds after which to try again, 0 if that does not help. */
static int64_t retry_after_s(const struct error *error, instant now)
{
	if (error->code == ERR_BUSY || error->code == ERR_TOO_MANY)
		return RETRY_BUSY_S;
	if (error->code != ERR_HELD)
		return 0;
	if (error->until_ms == INSTANT_NONE)
		return RETRY_UNKNOWN_S;
	int64_t seconds = (error->until_ms - now + 999) / 1000;
	return seconds < 1 ? 1 : seconds > RETRY_LONGEST_S ? RETRY_LONGEST_S : seconds;
}

static void append_text(struct buffer *body, const char *name, const char *value)
{
	buffer_printf(body, ",\"%s\":\"", name);
	text_append_json(body, value, strlen(value));
	buffer_char(body, '"');
}

void problem_fill(struct http_response *response, const struct error *error, instant now)
{
	char type[PROBLEM_TYPE_BYTES], until[INSTANT_TEXT_BYTES];
	struct buffer *body = &response->body;
	response->status = error_http_status(error->code);
	response->content_type = PROBLEM_MEDIA_TYPE;
	buffer_reset(body);
	buffer_printf(body, "{\"type\":\"%s\",\"title\":\"%s\",\"status\":%d", problem_type(error->code, type),
		      error_title(error->code), response->status);
	append_text(body, "detail", error->detail);
	if (error->code == ERR_HELD) {
		buffer_printf(body, ",\"hold\":%" PRId64, error->hold);
		if (error->reason[0])
			append_text(body, "reason", error->reason);
		if (error->until_ms != INSTANT_NONE)
			append_text(body, "until", instant_format(error->until_ms, until));
	}
	buffer_char(body, '}');

	int64_t seconds = retry_after_s(error, now);
	if (seconds) {
		char text[24];
		snprintf(text, sizeof(text), "%" PRId64, seconds);
		http_response_header(response, "Retry-After", text);
	}
}

void http_problem(struct http_request *request, const struct error *error)
{
	struct http_response response = { 0 };
	problem_fill(&response, error, clock_now());
	http_answer(request, &response);
}
