/*
 * Waiting for executions to end, and saying how they did.
 */
#ifndef LULL_CLI_ENDING_H
#define LULL_CLI_ENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "cli/errand.h"

/*
 * Waits until these executions ended, shows progress meanwhile and what came of them at the end, as JSON where that
 * was asked for: one document, a list for several. Sets errand->exit_code if one did not succeed. False:
 * ERR_NOT_YET, the timeout (or WAIT_FOR_EVER) came first; others as wait_for.
 */
bool ending_wait(struct errand *errand, const int64_t *numbers, size_t count, int64_t timeout_ms,
		 struct error *error) MUST_CHECK;

#endif
