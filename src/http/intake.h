/*
 * From what a library has read of a request's header to a struct http_request that handlers may trust: decodes
 * path and query, and asks every guard. Pure.
 */
#ifndef LULL_HTTP_INTAKE_H
#define LULL_HTTP_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "http/request.h"

/* A header as the library has it. */
struct intake {
	const char *method;
	const char *path;                  /* percent codes still in it */
	const struct http_field *headers;  /* in the order received */
	size_t header_count;
	struct http_field *query;          /* percent codes still in it; pointed to the decoded texts afterwards */
	size_t query_count;
	const char *version;               /* what follows path and query */
	/*
	 * The bytes received, from the method to the empty line, which the library has cut in place: NUL stands for
	 * each byte of a line's end, for '?' and for the space before the version, and all texts point into it.
	 */
	const char *raw, *raw_end;
};

/* What this server asks of every request. */
struct intake_rule {
	size_t body_bytes;                 /* a longer body is refused */
	bool checks_host;
	const char *const *hosts;          /* guard_host */
};

/* Bytes that the decoded texts take at most. */
size_t intake_text_bytes(const struct intake *intake) MUST_CHECK;
/*
 * Fills method, path, query and headers of `request` (zeroed); the decoded texts go to `text`, which has the room
 * that intake_text_bytes asks for and lives as long as the request. *body_bytes as in guard_framing.
 * False: ERR_INVALID, ERR_FORBIDDEN, ERR_METHOD, ERR_TOO_LARGE, ERR_HEADERS; request and query may be half filled.
 */
bool intake_check(const struct intake *intake, const struct intake_rule *rule, char *text,
		  struct http_request *request, int64_t *body_bytes, struct error *error) MUST_CHECK;

#endif
