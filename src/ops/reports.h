/*
 * Taking an agent's reports. Each has a natural key, so one that comes twice changes nothing.
 */
#ifndef LULL_OPS_REPORTS_H
#define LULL_OPS_REPORTS_H

#include "core/order.h"
#include "store/executions.h"
#include "store/tx.h"

/* Applies the reports of one exchange, in their order. `refused` gets those of attempts that this agent never got. */
bool reports_take(struct tx *tx, struct agent_id agent, const struct report *reports, size_t count, struct arena *arena,
		  struct refused_report **refused, size_t *refused_count, struct error *error) MUST_CHECK;

/*
 * An open attempt will never be heard of again. Where it was not reported as begun and `may_have_begun` is false, it
 * never began: it is taken back, or has ended as it was told to. Else it is lost, with this detail. Its execution
 * goes on. Tasks that the agent does without a process have no effect outside of it, so they count as not begun.
 */
bool reports_give_up(struct tx *tx, struct attempt_row *attempt, bool may_have_begun, const char *detail,
		     struct error *error) MUST_CHECK;

#endif
