/*
 * What a request's header may not be, whoever asks. Pure: looks at what it is given, decides nothing else.
 * False always means that the request is refused with `error`.
 */
#ifndef LULL_HTTP_GUARD_H
#define LULL_HTTP_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "http/request.h"

/*
 * Two readers of one request must agree where it ends (RFC 9112, 6.3), or one request can carry another
 * unseen: at most one Content-Length, digits only; at most one Transfer-Encoding, which is "chunked" and has no
 * Content-Length beside it; exactly one Host (RFC 9112, 3.2); no control character in a value (RFC 9110, 5.5).
 * *body_bytes: the announced length, 0 without a body, -1 if it comes in chunks. False: ERR_INVALID.
 */
bool guard_framing(const struct http_field *headers, size_t count, int64_t *body_bytes, struct error *error)
	MUST_CHECK;

/*
 * The Host header's name is "localhost", a numeric address or in `hosts` (NULL-ended; NULL: empty), whatever its
 * port and case. A page that makes its own name point to us (DNS rebinding) sends its own name, and stops here.
 * False: ERR_INVALID.
 */
bool guard_host(const char *host, const char *const *hosts, struct error *error) MUST_CHECK;

/*
 * A browser that follows a foreign page's wish says so: an unsafe method (not GET, HEAD, OPTIONS) is refused if
 * Sec-Fetch-Site is cross-site, or if an Origin is given that is not http:// or https:// and this request's Host.
 * False: ERR_FORBIDDEN.
 */
bool guard_origin(const struct http_request *request, struct error *error) MUST_CHECK;

#endif
