#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"

struct row {
	const char *name;
	const char *title;
	int http_status;
	int exit_code;
};

static const struct row rows[ERROR_CODES] = {
	[ERR_NONE] = { "ERR_NONE", "no error", 200, 0 },
#define X(code, title, status, exit_code) [code] = { #code, title, status, exit_code },
#include "base/error.def"
#undef X
};

/* vsnprintf may have cut a character in two: drop what is left of it. */
static void trim_broken_end(char *text, size_t written, size_t room)
{
	if (written < room)
		return;
	size_t length = room - 1;
	size_t start = length;
	while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
		start--;
	if (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0xC0)
		text[start - 1] = '\0';
}

bool error_set(struct error *error, enum error_code code, const char *format, ...)
{
	ASSERT(code > ERR_NONE && code < ERROR_CODES);
	char detail[sizeof(error->detail)];
	va_list arguments;
	va_start(arguments, format);
	int written = vsnprintf(detail, sizeof(detail), format, arguments);
	va_end(arguments);
	trim_broken_end(detail, (size_t)written, sizeof(detail));
	*error = (struct error){ .code = code };
	memcpy(error->detail, detail, sizeof(detail));
	return false;
}

bool error_prefix(struct error *error, const char *format, ...)
{
	char detail[2 * sizeof(error->detail)];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(detail, sizeof(detail), format, arguments);
	va_end(arguments);
	size_t length = strlen(detail);
	snprintf(detail + length, sizeof(detail) - length, ": %s", error->detail);
	int written = snprintf(error->detail, sizeof(error->detail), "%.*s", (int)sizeof(detail) - 1, detail);
	trim_broken_end(error->detail, (size_t)written, sizeof(error->detail));
	return false;
}

void error_clear(struct error *error)
{
	*error = (struct error){ .code = ERR_NONE };
}

const char *error_name(enum error_code code)
{
	return rows[code].name;
}

const char *error_title(enum error_code code)
{
	return rows[code].title;
}

int error_http_status(enum error_code code)
{
	return rows[code].http_status;
}

int error_exit_code(enum error_code code)
{
	return rows[code].exit_code;
}

enum error_code error_from_name(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (strcmp(rows[i].name, name) == 0)
			return (enum error_code)i;
	return ERR_INTERNAL;
}
