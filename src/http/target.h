/*
 * Decoding what follows the method: path and query (RFC 3986). Pure.
 */
#ifndef LULL_HTTP_TARGET_H
#define LULL_HTTP_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"

/*
 * Decodes a path into `decoded`, which has room for strlen(raw) + 1. Refused, because one name would stand for
 * two things or hide from whoever reads a log: a path that does not begin with '/', a broken percent code, an
 * encoded '/', a control character, a bare space, what is not UTF-8, a segment "." or "..". False: ERR_INVALID.
 */
bool target_decode_path(const char *raw, char *decoded, struct error *error) MUST_CHECK;

/*
 * Decodes the name or value of a query parameter in the same way; '+' was made a space already. Refused: a broken
 * percent code, NUL, what is not UTF-8. `decoded` has room for strlen(raw) + 1. False: ERR_INVALID.
 */
bool target_decode_part(const char *raw, char *decoded, struct error *error) MUST_CHECK;

#endif
