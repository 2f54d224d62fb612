/*
 * What the server wants of the agent.
 */
#ifndef LULL_AGENT_ORDERS_H
#define LULL_AGENT_ORDERS_H

#include "agent/work.h"
#include "wire/exchange.h"

/* Carries out the orders that are newer than *got, in their order, and raises *got. */
void orders_take(struct agent *agent, const struct exchange_answer *answer, int64_t *got);
/* The server does not want this attempt any more: what runs of it is killed, its file deleted, nothing told. */
void orders_forget(struct agent *agent, struct attempt_id attempt);

#endif
