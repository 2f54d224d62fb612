/*
 * Bytes that grow. There is always a NUL after the last byte once something was appended,
 * so that `at` can be read as text. A zeroed buffer is empty and owns nothing.
 */
#ifndef LULL_BASE_BUFFER_H
#define LULL_BASE_BUFFER_H

#include <stdarg.h>
#include <stddef.h>

#include "base/attr.h"

struct buffer {
	char *at;          /* NULL while nothing was appended */
	size_t length;     /* bytes in use, without the NUL */
	size_t room;       /* bytes allocated */
};

/* Gives the memory back; the buffer is empty afterwards. */
void buffer_fini(struct buffer *buffer);
/* Empties the buffer and keeps its memory. */
void buffer_reset(struct buffer *buffer);
/* Makes room for `bytes` more and answers where they go; follow with buffer_grew. */
char *buffer_reserve(struct buffer *buffer, size_t bytes) MUST_CHECK;
/* Says that `bytes` were written to the place that buffer_reserve answered. */
void buffer_grew(struct buffer *buffer, size_t bytes);
void buffer_append(struct buffer *buffer, const void *bytes, size_t length);
void buffer_text(struct buffer *buffer, const char *text);
void buffer_char(struct buffer *buffer, char c);
void buffer_printf(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);
/* The content as text that ends in NUL, "" if empty; valid until the next append. */
const char *buffer_cstr(const struct buffer *buffer) MUST_CHECK;
/* The content as memory for free(), NUL at its end; the buffer is empty afterwards. */
char *buffer_take(struct buffer *buffer) MUST_CHECK;

#endif
