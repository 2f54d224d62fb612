/*
 * The spool as the agent sees it: what older agents left there, how an attempt without a runner is brought to its
 * end, and that nothing recorded is lost while no server answers.
 *
 * A file is judged by its lock and its records (spool/attempt_file.h). Of another boot nothing can be alive. What
 * has neither a runner nor an end is swept: everything that carries the attempt's number is killed, and only
 * when two looks in a row found nothing is the attempt told as lost. What this agent may not kill keeps the
 * attempt open; it is looked for again and again.
 */
#ifndef LULL_AGENT_ADOPT_H
#define LULL_AGENT_ADOPT_H

#include <stdbool.h>

#include "agent/work.h"
#include "base/error.h"
#include "spool/attempt_file.h"

/* Makes works of all that the spool holds, and removes scratch folders of nobody. False: ERR_SYSTEM. */
bool adopt_all(struct agent *agent, struct error *error) MUST_CHECK;
/* The work has ended as its end record says. */
void adopt_end(struct agent *agent, struct work *work, const struct attempt_end *end);
/* A runner found the file of a waiting or given work in the spool: the work is what the file says. */
void adopt_again(struct agent *agent, struct work *work);
/* The runner of the work is gone: it ended, or it is swept, or it never began and is lost. */
void adopt_orphan(struct agent *agent, struct work *work);
/* Looks at adopted and swept works, and syncs what has ended while no server answers. */
void adopt_tick(struct agent *agent);
/* Brings to the disk what has ended and is not there yet. */
void adopt_sync(struct agent *agent);

#endif
