/*
 * How a shell task becomes a process: its arguments, environment and files.
 *
 * The commands are joined by newlines and given to `/bin/sh -e -c`; above LAYOUT_SCRIPT_BYTES they go to a file.
 * A single command that begins with '/' and has nothing that a shell would look at is executed directly, as make
 * does.
 *
 * The environment holds PATH, HOME, LANG, LULL_ATTEMPT, LULL_MARK (work.h), LULL_EXECUTION,
 * LULL_FLOW, LULL_TASK, LULL_TENANT, the
 * task's own env, which may replace the first three but no name that begins with LULL_ or INPUT_, and the inputs as
 * INPUT_<NAME>. An input above LIMIT_INPUT_BYTES lies in a file that INPUT_<NAME>_FILE names. So no input ever
 * reaches a command under a bare name or as a part of its script.
 */
#ifndef LULL_AGENT_LAYOUT_H
#define LULL_AGENT_LAYOUT_H

#include "base/arena.h"
#include "spool/run_order.h"
#include "wire/exchange.h"

struct agent_user;

enum { LAYOUT_SCRIPT_BYTES = 100 * 1000 };

/*
 * Lays out a start order of a shell task; `mark` is a whole entry of its environment, `scratch` the path of its
 * scratch folder. All lives in the arena.
 */
void layout_run_order(const struct order *order, const char *attempt, const char *mark, const char *scratch,
		      const struct agent_user *user, struct arena *arena, struct run_order *run);

#endif
