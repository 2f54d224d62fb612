/*
 * One attempt from its order to its end.
 *
 *	order ──► spooled (head written, locked) ──► command runs ──► what it left is killed ──► end written, unlocked
 *	   └► refused: in the spool already, fenced, or no room: nothing has begun
 *
 * From the moment the head is written the attempt counts as begun, whatever happens. The timeout is kept here,
 * so that it holds without an agent. An attempt is over only when no descendant of the runner is left: whatever
 * a command leaves behind becomes the runner's child (it is a subreaper) and is killed.
 */
#ifndef LULL_RUNNER_RUN_H
#define LULL_RUNNER_RUN_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/attr.h"
#include "spool/run_order.h"
#include "spool/spool.h"

struct runner {
	struct spool spool;
	int agent;                      /* the socket to the agent */
	int signals;                    /* a signalfd: children, stop, kill */
	int null;
	char spare[32];                 /* name of the scratch folder kept for the next attempt */
	int64_t turn;
	bool is_alone;                  /* the agent went away */
	bool is_fenced;                 /* a newer agent owns the spool */
};

/* Carries out the order and tells the agent. */
void run_attempt(struct runner *runner, const struct run_order *order, struct arena *arena);

#endif
