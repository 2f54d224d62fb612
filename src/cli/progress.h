/*
 * What a waiting command shows meanwhile, on standard error: on a terminal a picture that is drawn again in its
 * place, elsewhere plain lines, written only when a fact changed. Ages change all the time and are no facts.
 */
#ifndef LULL_CLI_PROGRESS_H
#define LULL_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buffer.h"

struct progress {
	bool is_quiet;                   /* shows nothing */
	bool is_terminal;
	size_t drawn_lines;              /* on the terminal, to be drawn over */
	struct buffer facts;             /* of the picture being made */
	struct buffer lines;             /* facts with what is no fact */
	struct buffer shown;             /* the facts that were shown last */
};

/* Quiet with --json. */
void progress_init(struct progress *progress, bool is_quiet);
/* Takes the picture off the terminal. */
void progress_fini(struct progress *progress);
/* A line of the picture: a fact, and what is none (""); control characters become '?'. */
void progress_line(struct progress *progress, const char *fact, const char *rest);
/* Shows the picture made of the lines since the last time. */
void progress_show(struct progress *progress);
/* A remark in a line of its own, above the picture. */
void progress_remark(struct progress *progress, const char *format, ...) PRINTF_LIKE(2, 3);

/* How often a picture wants to be renewed. */
int64_t progress_pace_ms(const struct progress *progress) MUST_CHECK;

#endif
