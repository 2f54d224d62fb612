#include "http/target.h"

#include <string.h>

#include "base/text.h"

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	char lower = c | 0x20;
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The byte that the percent code at `at` stands for, -1 if it is none. */
static int coded_byte(const char *at)
{
	int high = digit_of(at[1]);
	int low = high < 0 ? -1 : digit_of(at[2]);
	return low < 0 ? -1 : high * 16 + low;
}

/* Decodes until the end; refuses every byte that `refused` is true for, if it was coded. */
static bool decode(const char *raw, char *decoded, bool (*refused)(int byte), struct error *error)
{
	char *out = decoded;
	for (; *raw; raw++) {
		if (*raw != '%') {
			*out++ = *raw;
			continue;
		}
		int byte = coded_byte(raw);
		if (byte < 0)
			return error_set(error, ERR_INVALID, "the URL has a '%%' without two hexadecimal digits");
		if (refused(byte))
			return error_set(error, ERR_INVALID, "the URL may not hold %%%02X there", (unsigned)byte);
		*out++ = (char)byte;
		raw += 2;
	}
	*out = '\0';
	if (!text_is_utf8(decoded, (size_t)(out - decoded)))
		return error_set(error, ERR_INVALID, "the URL is not UTF-8");
	return true;
}

static bool is_refused_in_path(int byte)
{
	return byte < 0x20 || byte == 0x7F || byte == '/';
}

static bool is_refused_in_query(int byte)
{
	return byte == 0;
}

static bool has_dot_segment(const char *path)
{
	for (const char *slash = path; slash; slash = strchr(slash + 1, '/')) {
		const char *segment = slash + 1;
		size_t length = strcspn(segment, "/");
		if (length > 0 && length <= 2 && strspn(segment, ".") == length)
			return true;
	}
	return false;
}

bool target_decode_path(const char *raw, char *decoded, struct error *error)
{
	if (raw[0] != '/')
		return error_set(error, ERR_INVALID, "the path of a URL begins with '/'");
	for (const char *c = raw; *c; c++)
		if ((unsigned char)*c <= 0x20 || *c == 0x7F)
			return error_set(error, ERR_INVALID, "the URL holds a space or control character");
	if (!decode(raw, decoded, is_refused_in_path, error))
		return false;
	if (has_dot_segment(decoded))
		return error_set(error, ERR_INVALID, "the URL has a segment \".\" or \"..\"");
	return true;
}

bool target_decode_part(const char *raw, char *decoded, struct error *error)
{
	return decode(raw, decoded, is_refused_in_query, error);
}
