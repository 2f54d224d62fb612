/*
 * Appending JSON. Commas come by themselves; begin and end must match.
 *
 *	struct writer out = { .buffer = &body };
 *	writer_begin_object(&out);
 *	writer_key_text(&out, "state", "running");
 *	writer_end_object(&out);
 */
#ifndef LULL_JSON_WRITER_H
#define LULL_JSON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/instant.h"

struct writer {
	struct buffer *buffer;
	int depth;             /* objects and arrays begun and not ended */
	bool needs_comma;      /* a value stands before the next one */
};

/* '{' and its '}', '[' and its ']', as values of their own. */
void writer_begin_object(struct writer *out);
void writer_end_object(struct writer *out);
void writer_begin_array(struct writer *out);
void writer_end_array(struct writer *out);
/* The name of the next value; `key` is ours and needs no escaping. */
void writer_key(struct writer *out, const char *key);
/* A text; NULL writes null. What is not UTF-8 becomes U+FFFD. */
void writer_text(struct writer *out, const char *text);
/* As writer_text, for bytes that may hold NULs (written as \u0000) and have no end mark. */
void writer_bytes(struct writer *out, const char *bytes, size_t length);
/* The other values. */
void writer_int(struct writer *out, int64_t number);
void writer_bool(struct writer *out, bool value);
void writer_null(struct writer *out);
/* `literal` is JSON already. */
void writer_raw(struct writer *out, const char *literal, size_t length);

/* Name and value in one. An instant of 0 and a NULL text are written as null, a duration below 0 too. */
void writer_key_text(struct writer *out, const char *key, const char *text);
void writer_key_int(struct writer *out, const char *key, int64_t number);
void writer_key_bool(struct writer *out, const char *key, bool value);
void writer_key_instant(struct writer *out, const char *key, instant at);
void writer_key_duration(struct writer *out, const char *key, int64_t ms);
/* Name, then '{' or '['. */
void writer_key_object(struct writer *out, const char *key);
void writer_key_array(struct writer *out, const char *key);

#endif

