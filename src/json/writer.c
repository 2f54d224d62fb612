#include "json/writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/text.h"

static void separate(struct writer *out)
{
	if (out->needs_comma)
		buffer_char(out->buffer, ',');
	out->needs_comma = true;
}

static void begin(struct writer *out, char bracket)
{
	separate(out);
	buffer_char(out->buffer, bracket);
	out->needs_comma = false;
	out->depth++;
}

static void end(struct writer *out, char bracket)
{
	ASSERT(out->depth > 0);
	buffer_char(out->buffer, bracket);
	out->needs_comma = true;
	out->depth--;
}

void writer_begin_object(struct writer *out)
{
	begin(out, '{');
}

void writer_end_object(struct writer *out)
{
	end(out, '}');
}

void writer_begin_array(struct writer *out)
{
	begin(out, '[');
}

void writer_end_array(struct writer *out)
{
	end(out, ']');
}

void writer_key(struct writer *out, const char *key)
{
	separate(out);
	buffer_char(out->buffer, '"');
	buffer_text(out->buffer, key);
	buffer_append(out->buffer, "\":", 2);
	out->needs_comma = false;
}

void writer_bytes(struct writer *out, const char *bytes, size_t length)
{
	separate(out);
	buffer_char(out->buffer, '"');
	text_append_json(out->buffer, bytes, length);
	buffer_char(out->buffer, '"');
}

void writer_text(struct writer *out, const char *text)
{
	if (text)
		writer_bytes(out, text, strlen(text));
	else
		writer_null(out);
}

void writer_raw(struct writer *out, const char *literal, size_t length)
{
	separate(out);
	buffer_append(out->buffer, literal, length);
}

void writer_int(struct writer *out, int64_t number)
{
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%" PRId64, number);
	writer_raw(out, digits, (size_t)length);
}

void writer_bool(struct writer *out, bool value)
{
	if (value)
		writer_raw(out, "true", 4);
	else
		writer_raw(out, "false", 5);
}

void writer_null(struct writer *out)
{
	writer_raw(out, "null", 4);
}

void writer_key_text(struct writer *out, const char *key, const char *text)
{
	writer_key(out, key);
	writer_text(out, text);
}

void writer_key_int(struct writer *out, const char *key, int64_t number)
{
	writer_key(out, key);
	writer_int(out, number);
}

void writer_key_bool(struct writer *out, const char *key, bool value)
{
	writer_key(out, key);
	writer_bool(out, value);
}

void writer_key_instant(struct writer *out, const char *key, instant at)
{
	char text[INSTANT_TEXT_BYTES];
	writer_key_text(out, key, at ? instant_format(at, text) : NULL);
}

void writer_key_duration(struct writer *out, const char *key, int64_t ms)
{
	char text[DURATION_TEXT_BYTES];
	writer_key_text(out, key, ms >= 0 ? duration_format(ms, text) : NULL);
}

void writer_key_object(struct writer *out, const char *key)
{
	writer_key(out, key);
	writer_begin_object(out);
}

void writer_key_array(struct writer *out, const char *key)
{
	writer_key(out, key);
	writer_begin_array(out);
}
