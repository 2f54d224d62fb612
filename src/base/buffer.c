#include "base/buffer.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/heap.h"

void buffer_fini(struct buffer *buffer)
{
	free(buffer->at);
	*buffer = (struct buffer){ 0 };
}

void buffer_reset(struct buffer *buffer)
{
	buffer->length = 0;
	if (buffer->at)
		buffer->at[0] = '\0';
}

char *buffer_reserve(struct buffer *buffer, size_t bytes)
{
	ASSERT(bytes < SIZE_MAX / 4);
	size_t needed = buffer->length + bytes + 1;
	if (needed > buffer->room) {
		size_t room = buffer->room ? buffer->room : 64;
		while (room < needed)
			room *= 2;
		buffer->at = heap_grow(buffer->at, room, 1);
		buffer->room = room;
	}
	return buffer->at + buffer->length;
}

void buffer_grew(struct buffer *buffer, size_t bytes)
{
	buffer->length += bytes;
	ASSERT(buffer->length < buffer->room);
	buffer->at[buffer->length] = '\0';
}

void buffer_append(struct buffer *buffer, const void *bytes, size_t length)
{
	char *at = buffer_reserve(buffer, length);
	if (length)
		memcpy(at, bytes, length);
	buffer_grew(buffer, length);
}

void buffer_text(struct buffer *buffer, const char *text)
{
	buffer_append(buffer, text, strlen(text));
}

void buffer_char(struct buffer *buffer, char c)
{
	*buffer_reserve(buffer, 1) = c;
	buffer_grew(buffer, 1);
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	ASSERT(length >= 0);
	char *at = buffer_reserve(buffer, (size_t)length);
	va_start(arguments, format);
	vsnprintf(at, (size_t)length + 1, format, arguments);
	va_end(arguments);
	buffer_grew(buffer, (size_t)length);
}

const char *buffer_cstr(const struct buffer *buffer)
{
	return buffer->at ? buffer->at : "";
}

char *buffer_take(struct buffer *buffer)
{
	if (!buffer->at)
		buffer_append(buffer, "", 0);
	char *taken = buffer->at;
	*buffer = (struct buffer){ 0 };
	return taken;
}
