#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/instant.h"

static enum log_level weakest = LOG_INFO;
static const char *speaker = "lull";

void log_setup(enum log_level level, const char *who)
{
	weakest = level;
	speaker = who;
}

void log_line(enum log_level level, const char *format, ...)
{
	static const char *const names[] = { "error", "warning", "info", "debug" };
	if (level > weakest)
		return;

	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	char at[INSTANT_TEXT_BYTES], line[1024];
	instant_format((instant)now.tv_sec * 1000 + now.tv_nsec / 1000000, at);
	int length = snprintf(line, sizeof(line), "%s %s %s ", at, speaker, names[level]);

	va_list arguments;
	va_start(arguments, format);
	size_t room = sizeof(line) - (size_t)length - 1;
	int wanted = vsnprintf(line + length, room, format, arguments);
	va_end(arguments);
	length += wanted < (int)room ? wanted : (int)room - 1;
	for (int i = 0; i < length; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7F)
			line[i] = '?';
	line[length++] = '\n';
	/* A log that cannot be written has nowhere to say so. */
	ssize_t written = write(STDERR_FILENO, line, (size_t)length);
	(void)written;
}
