/*
 * The table of commands, and looking things up in it.
 */
#ifndef LULL_CLI_COMMAND_H
#define LULL_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"

struct errand;

enum { COMMAND_OPTIONS = 12, COMMAND_WORDS = 2, ANY_COUNT = 1 << 20 };

struct option {
	const char *name;                /* "reason", given as --reason; NULL ends a list */
	char letter;                     /* 'r', given as -r; '\0': none */
	const char *value;               /* what the value is called in the help; NULL: it takes none */
	const char *says;
};

/* Does the command ask a server? Then it has --json, --url and --token-file. */
enum command_kind { ASKS, ALONE };

struct command {
	const char *name;                /* "maintenance enter" */
	const char *arguments;           /* as the help shows them, "" for none */
	int least, most;                 /* how many arguments it takes */
	enum command_kind kind;
	/* True: errand->exit_code says what came of it. */
	bool (*run)(struct errand *errand, struct error *error);
	const char *summary;             /* a sentence without its end, beginning with a verb */
	const char *example;
	struct option options[COMMAND_OPTIONS];
};

extern const struct command commands[];
extern const size_t command_count;
/* What every command has, and what every command that asks a server has; a name of NULL ends each. */
extern const struct option options_of_all[];
extern const struct option options_of_asking[];

/*
 * The command that the first words name, the longest such name; *words is how many of them belong to the name.
 * Words that begin with '-' and all that follow belong to no name. NULL: none.
 */
const struct command *command_find(int count, char **words, int *word_count) MUST_CHECK;
/* Is there a command whose name begins with this word and goes on? */
bool command_is_group(const char *word) MUST_CHECK;
/* Sets ERR_INVALID for words that are no command, with the nearest one. Always answers false. */
bool command_unknown(int count, char **words, struct error *error);
/* Walks the options of a command, those of all included: begin with *place = 0; NULL at the end. */
const struct option *command_option(const struct command *command, size_t *place) MUST_CHECK;

#endif
