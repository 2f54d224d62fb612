/*
 * What agents ask: hello and exchange. See wire/exchange.h for the protocol.
 */
#ifndef LULL_OPS_AGENTS_H
#define LULL_OPS_AGENTS_H

#include "core/order.h"
#include "ops/identity.h"
#include "store/agents.h"
#include "store/tx.h"

/*
 * Begins a session. What the server had handed to this agent and is not among its attempts goes to the queue again
 * or is lost. False: ERR_CONFLICT if another agent of that name was heard within its lease; ERR_INVALID.
 */
bool agents_hello(struct tx *tx, const struct credential *credential, const struct hello *hello, struct arena *arena,
		  struct hello_answer *answer, struct error *error) MUST_CHECK;

/* One exchange of an array; `answer` and its texts live in `arena`. */
struct agents_exchange {
	const struct credential *credential;
	const struct exchange *exchange;
	struct exchange_answer answer;
	struct arena *arena;
	void *call;                      /* for tx_finish */
	const void *client;              /* for agents_hang_up */
	bool waits;                      /* answered by tx_finish, of this transaction or a later one */
	struct error error;              /* refused: ERR_CONFLICT, say hello again */
};

/* Takes the reports of all, then lets them wait for orders; dispatch_at_end gives these. False: the engine failed. */
bool agents_exchange(struct tx *tx, struct agents_exchange **exchanges, size_t count, struct error *error) MUST_CHECK;

/* The client of a waiting exchange is gone: it is answered, so that nothing is handed to nobody. */
void agents_hang_up(struct tx *tx, const void *client);
/* A tick: answers the exchanges that have waited long enough, and sends orders again whose answer was lost. */
bool agents_expire(struct tx *tx, struct error *error) MUST_CHECK;
/* A tick: attempts of agents that were silent for longer than lost_after are lost; their executions go on. */
bool agents_reap(struct tx *tx, int64_t lost_after_ms, struct error *error) MUST_CHECK;

/* Since when an agent could have been heard and was not: its contact, but not before the server's start. */
instant agents_last_heard(struct tx *tx, const struct agent_row *agent) MUST_CHECK;

#endif
