/*
 * Help, made from the table of commands.
 */
#ifndef LULL_CLI_HELP_H
#define LULL_CLI_HELP_H

#include <stdio.h>

#include "cli/command.h"

/* Lists all commands, or those whose name begins with the word `group` (NULL: all). */
void help_list(FILE *out, const char *group);
/* Says all of one command. */
void help_command(FILE *out, const struct command *command);

#endif
