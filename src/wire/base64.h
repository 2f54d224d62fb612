/*
 * Base64 with its padding (RFC 4648, section 4), for bytes that are no text.
 */
#ifndef LULL_WIRE_BASE64_H
#define LULL_WIRE_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buffer.h"

/* Appends the letters of the bytes. */
void base64_append(struct buffer *buffer, const void *bytes, size_t length);
/* The bytes, in the arena. False: `text` is not base64 (a wrong letter, padding or length, bits left over). */
bool base64_read(const char *text, struct arena *arena, char **bytes, size_t *length) MUST_CHECK;

#endif
