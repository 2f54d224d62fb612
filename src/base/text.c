#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool text_to_int64(const char *text, int64_t low, int64_t high, int64_t *number)
{
	const char *digits = text[0] == '-' ? text + 1 : text;
	if (*digits < '0' || *digits > '9' || strlen(digits) > 19)
		return false;
	char *end;
	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (errno || *end || value < low || value > high)
		return false;
	*number = value;
	return true;
}

/* Bytes of the character at `at`, 0 if it is none. */
static size_t utf8_length(const unsigned char *at, size_t left)
{
	static const struct { unsigned char first_low, first_high, second_low, second_high, length; } forms[] = {
		{ 0x00, 0x7F, 0x00, 0x00, 1 }, { 0xC2, 0xDF, 0x80, 0xBF, 2 }, { 0xE0, 0xE0, 0xA0, 0xBF, 3 },
		{ 0xE1, 0xEC, 0x80, 0xBF, 3 }, { 0xED, 0xED, 0x80, 0x9F, 3 }, { 0xEE, 0xEF, 0x80, 0xBF, 3 },
		{ 0xF0, 0xF0, 0x90, 0xBF, 4 }, { 0xF1, 0xF3, 0x80, 0xBF, 4 }, { 0xF4, 0xF4, 0x80, 0x8F, 4 },
	};
	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		if (at[0] < forms[i].first_low || at[0] > forms[i].first_high)
			continue;
		if (forms[i].length > left)
			return 0;
		if (forms[i].length > 1 && (at[1] < forms[i].second_low || at[1] > forms[i].second_high))
			return 0;
		for (size_t k = 2; k < forms[i].length; k++)
			if ((at[k] & 0xC0) != 0x80)
				return 0;
		return forms[i].length;
	}
	return 0;
}

bool text_is_utf8(const char *bytes, size_t length)
{
	for (size_t i = 0; i < length;) {
		size_t step = utf8_length((const unsigned char *)bytes + i, length - i);
		if (step == 0)
			return false;
		i += step;
	}
	return true;
}

void text_append_utf8(struct buffer *buffer, const char *bytes, size_t length)
{
	size_t good = 0;
	for (size_t i = 0; i < length;) {
		size_t step = utf8_length((const unsigned char *)bytes + i, length - i);
		if (step) {
			i += step;
			continue;
		}
		buffer_append(buffer, bytes + good, i - good);
		buffer_text(buffer, "\xEF\xBF\xBD");
		good = ++i;
	}
	buffer_append(buffer, bytes + good, length - good);
}

/* As text_append_json, for bytes that are UTF-8. */
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

void text_append_json(struct buffer *buffer, const char *bytes, size_t length)
{
	if (text_is_utf8(bytes, length)) {
		append_escaped(buffer, bytes, length);
		return;
	}
	struct buffer clean = { 0 };
	text_append_utf8(&clean, bytes, length);
	append_escaped(buffer, clean.at, clean.length);
	buffer_fini(&clean);
}

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool text_is_name(const char *text, size_t longest, bool dots)
{
	size_t length = strlen(text);
	if (length == 0 || length > longest || !is_alphanumeric(text[0]))
		return false;
	for (size_t i = 0; i < length; i++)
		if (!is_alphanumeric(text[i]) && text[i] != '_' && text[i] != '-' && !(dots && text[i] == '.'))
			return false;
	return true;
}

bool text_starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* Edits (insert, delete, replace, swap of neighbours) from a to b, both shorter than 64. */
static int distance(const char *a, const char *b)
{
	int rows[3][65];
	int length_a = (int)strlen(a), length_b = (int)strlen(b);
	int *before = rows[0], *previous = rows[1], *current = rows[2];
	for (int k = 0; k <= length_b; k++)
		previous[k] = k;
	for (int i = 1; i <= length_a; i++) {
		current[0] = i;
		for (int k = 1; k <= length_b; k++) {
			int best = previous[k - 1] + (a[i - 1] != b[k - 1]);
			if (previous[k] + 1 < best)
				best = previous[k] + 1;
			if (current[k - 1] + 1 < best)
				best = current[k - 1] + 1;
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1] && before[k - 2] + 1 < best)
				best = before[k - 2] + 1;
			current[k] = best;
		}
		int *spare = before;
		before = previous;
		previous = current;
		current = spare;
	}
	return previous[length_b];
}

const char *text_nearest(const char *text, const char *const *candidates)
{
	size_t length = strlen(text);
	if (length == 0 || length > 63)
		return NULL;
	const char *nearest = NULL;
	int least = length <= 3 ? 2 : length <= 6 ? 3 : 4;
	for (; *candidates; candidates++) {
		if (strlen(*candidates) > 63)
			continue;
		int edits = distance(text, *candidates);
		bool begins = length >= 3 && strncmp(text, *candidates, length) == 0;
		if (begins && edits > 1)
			edits = 1;
		if (edits < least) {
			least = edits;
			nearest = *candidates;
		}
	}
	return nearest;
}

bool text_same_secret(const void *a, const void *b, size_t length)
{
	const volatile unsigned char *x = a, *y = b;
	unsigned char different = 0;
	for (size_t i = 0; i < length; i++)
		different |= x[i] ^ y[i];
	return different == 0;
}

void text_hex(const void *bytes, size_t length, char *hex)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *at = bytes;
	for (size_t i = 0; i < length; i++) {
		hex[2 * i] = digits[at[i] >> 4];
		hex[2 * i + 1] = digits[at[i] & 15];
	}
	hex[2 * length] = '\0';
}
