/*
 * The processes of an attempt, found again through /proc. Nothing here believes in process groups or sessions:
 * a command may leave both. What it cannot leave is its descent from a subreaper, or, once that is gone, the
 * environment that it was started with (a program that wipes its own environment and outlives its runner's
 * sudden death is out of reach; the session and subreaper of the agent catch what they can).
 */
#ifndef LULL_SPOOL_PROCESS_TREE_H
#define LULL_SPOOL_PROCESS_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/attr.h"

/* Sends `signal` to every live descendant of the calling process; answers how many there are. */
size_t process_tree_signal(int signal);

enum process_tree_left {
	PROCESS_TREE_NONE,             /* nothing of it lives */
	PROCESS_TREE_SOME,             /* killed, but they may take a moment to die, or have children: look again */
	PROCESS_TREE_REFUSED,          /* some live and may not be killed by this process */
};

/*
 * Kills every live process whose environment has the entry `mark` ("LULL_MARK=…"), with all its descendants.
 * `also` (may be NULL) says of a process whether it is to be killed whatever its environment is.
 */
enum process_tree_left process_tree_kill_marked(const char *mark, bool (*also)(void *context, pid_t pid, pid_t parent),
						void *context) MUST_CHECK;

#endif
