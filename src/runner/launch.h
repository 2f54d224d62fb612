/*
 * Starts the command of a run order: in a session of its own, in its scratch folder, with the order's environment
 * and nothing else, standard input from /dev/null, both outputs into one pipe, default signals, umask 022.
 */
#ifndef LULL_RUNNER_LAUNCH_H
#define LULL_RUNNER_LAUNCH_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "spool/run_order.h"

/* Signals that a runner ignores and a command gets with their default meaning. Ends with 0. */
extern const int launch_ignored_signals[];

/*
 * Forks without copying (vfork) and answers the command's process. One that cannot be executed says why on its
 * output and ends with 127 (not found) or 126, as a shell does. False: ERR_SYSTEM, there is no process.
 */
bool launch_command(const struct run_order *order, int null, int output, int folder, struct arena *arena, pid_t *pid,
		    struct error *error) MUST_CHECK;

#endif
