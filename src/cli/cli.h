/*
 * The command line: one table of commands (commands.def), from which parsing, help and the names that are guessed
 * at come; one file a group of commands (cmd_*.c); everything else here serves them.
 *
 * Nearly every command is a client: it asks a server over HTTP and shows the answer. The three that are not stand in
 * `struct cli_house`, for this layer knows neither server nor agent.
 *
 * Standard output holds what was asked for and nothing else; errors and remarks go to standard error. The exit code
 * is that of error.def, 1 where an execution that was waited for did not succeed, and 130 after Ctrl-C.
 */
#ifndef LULL_CLI_CLI_H
#define LULL_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"

/* What `lull serve` was told. */
struct cli_serve {
	const char *data;
	const char *listen;
	bool is_insecure;
	bool has_agent;
	int32_t slots;                   /* 0: not said */
	const char *run_as;              /* NULL: not said */
	const char *const *hosts;
	size_t host_count;
};

/* What the program is besides a client. */
struct cli_house {
	bool (*serve)(const struct cli_serve *told, struct error *error);
	/* `count` arguments, as option and value by turns. */
	bool (*agent)(int count, char **arguments, struct error *error);
	/* As agent_stop in agent/agent.h. */
	bool (*agent_stop)(const char *data, bool now, int64_t wait_ms, int64_t *pid, struct error *error);
	const char *version;
};

/* Does what the arguments of main say. Answers the exit code. */
int cli_run(int count, char **arguments, const struct cli_house *house) MUST_CHECK;

#endif
