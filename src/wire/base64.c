#include "wire/base64.h"

#include <stdint.h>
#include <string.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_append(struct buffer *buffer, const void *bytes, size_t length)
{
	const unsigned char *in = bytes;
	size_t grown = (length + 2) / 3 * 4;
	char *out = buffer_reserve(buffer, grown);
	for (size_t i = 0; i < length; i += 3) {
		size_t left = length - i;
		uint32_t three = (uint32_t)in[i] << 16 | (left > 1 ? (uint32_t)in[i + 1] << 8 : 0) |
				 (left > 2 ? in[i + 2] : 0);
		*out++ = letters[three >> 18];
		*out++ = letters[three >> 12 & 63];
		*out++ = left > 1 ? letters[three >> 6 & 63] : '=';
		*out++ = left > 2 ? letters[three & 63] : '=';
	}
	buffer_grew(buffer, grown);
}

/* The value of a letter; -1 for what is none. */
static int value_of(char letter)
{
	if (letter >= 'A' && letter <= 'Z')
		return letter - 'A';
	if (letter >= 'a' && letter <= 'z')
		return letter - 'a' + 26;
	if (letter >= '0' && letter <= '9')
		return letter - '0' + 52;
	return letter == '+' ? 62 : letter == '/' ? 63 : -1;
}

bool base64_read(const char *text, struct arena *arena, char **bytes, size_t *length)
{
	size_t letter_count = strlen(text);
	if (letter_count % 4 != 0)
		return false;
	size_t padding = letter_count == 0 ? 0 : (text[letter_count - 1] == '=') + (text[letter_count - 2] == '=');
	char *out = ARENA_ARRAY(arena, char, letter_count / 4 * 3 + 1);
	size_t written = 0;
	uint32_t bits = 0;
	int bit_count = 0;
	for (size_t i = 0; i < letter_count - padding; i++) {
		int value = value_of(text[i]);
		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		bit_count += 6;
		if (bit_count < 8)
			continue;
		bit_count -= 8;
		out[written++] = (char)(bits >> bit_count & 0xFF);
		bits &= (1U << bit_count) - 1;
	}
	if (bits != 0)
		return false;
	*bytes = out;
	*length = written;
	return true;
}
