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

static void append_escaped(struct buffer *buffer, const char *bytes, size_t length)
{
	static const char *const shorts[128] = {
		['"'] = "\\\"", ['\\'] = "\\\\", ['\n'] = "\\n", ['\r'] = "\\r", ['\t'] = "\\t",
	};
	size_t start = 0;
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)bytes[i];
		if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7F)
			continue;
		buffer_append(buffer, bytes + start, i - start);
		if (shorts[c])
			buffer_text(buffer, shorts[c]);
		else
			buffer_printf(buffer, "\\u%04x", c);
		start = i + 1;
	}
	buffer_append(buffer, bytes + start, length - start);
}

void writer_bytes(struct writer *out, const char *bytes, size_t length)
{
	separate(out);
	buffer_char(out->buffer, '"');
	if (text_is_utf8(bytes, length)) {
		append_escaped(out->buffer, bytes, length);
	} else {
		struct buffer clean = { 0 };
		text_append_utf8(&clean, bytes, length);
		append_escaped(out->buffer, clean.at, clean.length);
		buffer_fini(&clean);
	}
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
