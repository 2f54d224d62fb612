/*
 * The handlers that commands.def names, each in the file of its group. All answer as command.h says of `run`.
 */
#ifndef LULL_CLI_HANDLERS_H
#define LULL_CLI_HANDLERS_H

#include <stdbool.h>

#include "base/error.h"

struct errand;

/* Declares every handler of the table. */
#define X(name, arguments, least, most, kind, handler, ...) \
	bool handler(struct errand *errand, struct error *error);
#include "cli/commands.def"
#undef X

#endif
