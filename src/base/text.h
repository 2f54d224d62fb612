/*
 * Looking at text: numbers, UTF-8, names, nearness.
 */
#ifndef LULL_BASE_TEXT_H
#define LULL_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buffer.h"

/* True if all of `text` is a decimal number within [low, high]; no sign but '-', no space, no leading '+'. */
bool text_to_int64(const char *text, int64_t low, int64_t high, int64_t *number) MUST_CHECK;
/* True if the bytes are UTF-8 (RFC 3629: no surrogate, nothing overlong, nothing above U+10FFFF). */
bool text_is_utf8(const char *bytes, size_t length) MUST_CHECK;
/* Appends the bytes as UTF-8; what is not UTF-8 becomes U+FFFD. */
void text_append_utf8(struct buffer *buffer, const char *bytes, size_t length);
/* Appends the bytes as the inside of a JSON string, without its quotes; what is not UTF-8 becomes U+FFFD. */
void text_append_json(struct buffer *buffer, const char *bytes, size_t length);
/* 1 to `longest` letters a-z A-Z, digits, '_' or '-', and '.' if `dots`; begins with a letter or digit. */
bool text_is_name(const char *text, size_t longest, bool dots) MUST_CHECK;
bool text_starts_with(const char *text, const char *start) MUST_CHECK;
/* The candidate that a person most likely meant, NULL if none is near; `candidates` ends with NULL. */
const char *text_nearest(const char *text, const char *const *candidates) MUST_CHECK;
/* Same bytes? Takes the same time whatever they are. */
bool text_same_secret(const void *a, const void *b, size_t length) MUST_CHECK;
/* Lower-case hexadecimal; `hex` has room for 2 * length + 1. */
void text_hex(const void *bytes, size_t length, char *hex);

#endif
