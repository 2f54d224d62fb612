/*
 * Tasks that need no process: noop, log, sleep. The agent does them itself; they leave nothing in the spool, and
 * where the agent goes away in the middle the server gives them out again.
 */
#ifndef LULL_AGENT_LOCAL_H
#define LULL_AGENT_LOCAL_H

#include "agent/work.h"
#include "wire/exchange.h"

/* Begins a waiting work of such a type; a noop or log has ended when this returns. */
void local_start(struct agent *agent, struct work *work, const struct order *order);
/* Ends a sleeping work now, by a stop or kill order. */
void local_interrupt(struct agent *agent, struct work *work, enum result result);
/* Wakes those whose time has come. */
void local_tick(struct agent *agent);

#endif
