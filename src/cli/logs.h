/*
 * Printing what the tasks of an execution wrote.
 */
#ifndef LULL_CLI_LOGS_H
#define LULL_CLI_LOGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "cli/errand.h"

/*
 * Prints the output of all tasks, each under its name where there are several; or the bytes of one task as they
 * were; or the server's JSON. `task` NULL: all.
 */
bool logs_print(struct errand *errand, int64_t number, const char *task, struct error *error) MUST_CHECK;

#endif
