/*
 * A struct error as others see it: a problem document (RFC 9457), application/problem+json.
 *
 *	{"type":"urn:lull:error:held","title":"refused by a hold","status":503,"detail":"…",
 *	 "hold":12,"reason":"kernel upgrade","until":"2026-11-21T06:00:00.000Z"}
 *
 * `hold`, `reason` and `until` come with ERR_HELD only, the last two only where they are known. `type` is
 * the error's name from error.def; here alone stands how.
 */
#ifndef LULL_HTTP_PROBLEM_H
#define LULL_HTTP_PROBLEM_H

#include "base/attr.h"
#include "base/error.h"
#include "base/instant.h"
#include "http/request.h"

#define PROBLEM_MEDIA_TYPE "application/problem+json"
enum { PROBLEM_TYPE_BYTES = 64 };

/* "urn:lull:error:held" for ERR_HELD; answers `type`. */
const char *problem_type(enum error_code code, char type[PROBLEM_TYPE_BYTES]);
/*
 * The code for a `type` (NULL: none was given), or what comes nearest to the HTTP status where the type is
 * not ours; never ERR_NONE, and ERR_HELD only for its own type.
 */
enum error_code problem_code(const char *type, int http_status) MUST_CHECK;

/*
 * Makes `response` (zeroed, or with headers of the caller) the problem document of `error`. Where trying again
 * helps it has Retry-After: until the hold's planned end, at most an hour; 30 s if that is unknown; 1 s if busy.
 */
void problem_fill(struct http_response *response, const struct error *error, instant now);

#endif
