#include "cli/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { PACE_TERMINAL_MS = 1000, PACE_PLAIN_MS = 5 * 1000, PACE_QUIET_MS = 30 * 1000, USUAL_WIDTH = 80 };

void progress_init(struct progress *progress, bool is_quiet)
{
	*progress = (struct progress){ .is_quiet = is_quiet, .is_terminal = isatty(STDERR_FILENO) };
}

/* Clears the lines drawn last, the cursor stands where they began. */
static void wipe(struct progress *progress)
{
	if (progress->drawn_lines)
		fprintf(stderr, "\033[%zuA\033[J", progress->drawn_lines);
	progress->drawn_lines = 0;
}

void progress_fini(struct progress *progress)
{
	wipe(progress);
	buffer_fini(&progress->facts);
	buffer_fini(&progress->lines);
	buffer_fini(&progress->shown);
}

static void append_clean(struct buffer *buffer, const char *text)
{
	for (; *text; text++)
		buffer_char(buffer, (unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
}

void progress_line(struct progress *progress, const char *fact, const char *rest)
{
	append_clean(&progress->facts, fact);
	buffer_char(&progress->facts, '\n');
	append_clean(&progress->lines, fact);
	append_clean(&progress->lines, rest);
	buffer_char(&progress->lines, '\n');
}

static size_t terminal_width(void)
{
	struct winsize size;
	return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : USUAL_WIDTH;
}

/* Draws each line cut to the terminal's width, since one that wraps could not be drawn over. */
static void draw(struct progress *progress)
{
	size_t width = terminal_width() - 1;
	wipe(progress);
	for (const char *line = buffer_cstr(&progress->lines); *line; ) {
		size_t length = strcspn(line, "\n"), used = 0, bytes = 0;
		while (bytes < length) {
			bool is_start = ((unsigned char)line[bytes] & 0xc0) != 0x80;
			if (is_start && used == width)
				break;
			used += is_start;
			bytes++;
		}
		fprintf(stderr, "%.*s\n", (int)bytes, line);
		progress->drawn_lines++;
		line += length + 1;
	}
}

void progress_show(struct progress *progress)
{
	bool is_new = strcmp(buffer_cstr(&progress->facts), buffer_cstr(&progress->shown)) != 0;
	if (progress->is_quiet)
		is_new = false;
	else if (progress->is_terminal)
		draw(progress);
	else if (is_new)
		fputs(buffer_cstr(&progress->lines), stderr);
	struct buffer shown = progress->shown;
	progress->shown = progress->facts;
	progress->facts = shown;
	buffer_reset(&progress->facts);
	buffer_reset(&progress->lines);
}

void progress_remark(struct progress *progress, const char *format, ...)
{
	va_list arguments;
	wipe(progress);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

int64_t progress_pace_ms(const struct progress *progress)
{
	return progress->is_quiet ? PACE_QUIET_MS : progress->is_terminal ? PACE_TERMINAL_MS : PACE_PLAIN_MS;
}
