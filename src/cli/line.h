/*
 * A command line, parsed by the command's row: options may stand anywhere behind the command, as --name VALUE,
 * --name=VALUE, -n VALUE or -nVALUE; "--" ends them; a lone "-" is an argument.
 */
#ifndef LULL_CLI_LINE_H
#define LULL_CLI_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "cli/command.h"

struct given {
	const struct option *option;
	const char *value;               /* "" where the option takes none */
};

struct line {
	const struct command *command;
	const char **arguments;
	size_t argument_count;
	struct given *given;             /* in the order of the line */
	size_t given_count;
};

/*
 * Parses what follows the command's name. With --help, the count of arguments is not looked at. Texts are borrowed
 * from `words`, lists live in the arena. False: ERR_INVALID, with the nearest known option or the usage.
 */
bool line_parse(const struct command *command, int count, char **words, struct arena *arena, struct line *line,
		struct error *error) MUST_CHECK;

/* Was the option given? */
bool line_has(const struct line *line, const char *option) MUST_CHECK;
/* The value given last; NULL where the option was not given. */
const char *line_value(const struct line *line, const char *option) MUST_CHECK;
/* Walks all values of an option: begin with *place = 0; NULL at the end. */
const char *line_next(const struct line *line, const char *option, size_t *place) MUST_CHECK;
/* A number; not given: `fallback`. False: ERR_INVALID. */
bool line_int(const struct line *line, const char *option, int64_t low, int64_t high, int64_t fallback,
	      int64_t *number, struct error *error) MUST_CHECK;
/* A duration as "15m" or "PT15M"; not given: `fallback`. False: ERR_INVALID. */
bool line_duration(const struct line *line, const char *option, int64_t fallback, int64_t *ms,
		   struct error *error) MUST_CHECK;
/* An argument that is a number from 1 on, called `what` in the error. False: ERR_INVALID. */
bool line_number(const struct line *line, size_t argument, const char *what, int64_t *number,
		 struct error *error) MUST_CHECK;

#endif
