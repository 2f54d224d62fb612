/*
 * Handing work out. At the end of each batch of the write lane, in the same transaction, what may start meets
 * the exchanges that wait: so one COMMIT covers both the submit and its hand-out, and nobody polls.
 *
 * Every claim asks the gate under the holds of its own transaction; "enter" is a transaction of the same lane.
 * So once it has committed, no claim that its hold covers can be committed any more: the fence is exact.
 */
#ifndef LULL_OPS_DISPATCH_H
#define LULL_OPS_DISPATCH_H

#include "ops/session.h"
#include "store/executions.h"
#include "store/tx.h"

/*
 * For struct lane_settings.at_end: gives work to the exchanges that wait and answers those that got an order or
 * are due.
 */
bool dispatch_at_end(struct tx *tx, struct error *error) MUST_CHECK;

/* The start order of an attempt, from rows; its texts live in `arena`. */
bool dispatch_start_order(struct tx *tx, const struct execution_row *execution, struct attempt_id attempt,
			  struct arena *arena, struct order *order, struct error *error) MUST_CHECK;
/*
 * Orders that `got` does not cover and whose answer must be lost are sent again, all of them, under their old
 * numbers and before any other: the agent drops what comes after a higher number. Needs a waiting session.
 */
bool dispatch_resend(struct tx *tx, struct session *session, struct error *error) MUST_CHECK;
/* Sends stop, kill and taking back to a waiting session as its open attempts want them. */
bool dispatch_look(struct tx *tx, struct session *session, struct error *error) MUST_CHECK;
/* Has every session look at its attempts at the end of this batch: holds changed. */
void dispatch_look_all(struct tx *tx);

#endif
