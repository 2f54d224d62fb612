/*
 * What is in flight, and what follows: one read, one answer.
 */
#ifndef LULL_OPS_OVERVIEW_H
#define LULL_OPS_OVERVIEW_H

#include "core/census.h"
#include "core/hold.h"
#include "ops/identity.h"
#include "store/tx.h"

/*
 * What waits is counted up to a bound: a command's answer must not grow with a million that wait, a read may look
 * a little longer.
 */
enum { OVERVIEW_BLOCKERS = 200, OVERVIEW_WAITING = 100000, OVERVIEW_WAITING_OF_COMMAND = 1000 };

struct overview {
	const struct hold_set *holds;
	struct census census;            /* under the rule of the hold asked about, or of all */
	struct verdict verdict;          /* for everything */
	bool is_truncated;               /* more is in flight than the census names; the verdict stands */
	int64_t running;                 /* executions begun and not ended, or attempts, as the census counts */
	int64_t waiting;                 /* executions that wait to start */
	bool is_waiting_more;            /* … at least: the count stopped at its bound */
	size_t agent_count;
	const char **silent_agents;
	size_t silent_count;
};

/*
 * `hold` NULL: under all holds in force. Cheap where nothing is in flight; `most_waiting` is the bound of the count.
 * The caller has checked who asks.
 */
bool overview_take(struct tx *tx, const struct hold *hold, int64_t most_waiting, struct overview *overview,
		   struct error *error) MUST_CHECK;
/* Only whether anything is in flight that such a hold waits for: what a waiting client is woken for. */
bool overview_is_drained(struct tx *tx, const struct hold *hold, bool *is_drained, struct error *error) MUST_CHECK;

#endif
