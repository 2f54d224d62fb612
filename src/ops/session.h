/*
 * Agents that said hello, as the write lane remembers them: what they may take, which orders they have not
 * confirmed, which exchange of theirs waits. Nothing of it is state: an agent whose session is gone says hello
 * again, and rows say the rest.
 */
#ifndef LULL_OPS_SESSION_H
#define LULL_OPS_SESSION_H

#include "core/order.h"
#include "ops/memory.h"
#include "store/agents.h"

/* An order that was sent and not confirmed by `got` yet. */
struct sent_order {
	int64_t seq;
	enum order_kind kind;
	struct attempt_id attempt;
	instant sent_ms;
};

/* An exchange as it lies in the lane; its answer goes into the arena. */
struct exchange_call {
	void *call;                      /* what tx_finish is told */
	const void *client;              /* tells who waits; only compared */
	struct arena *arena;
	const struct exchange *exchange;
	struct exchange_answer *answer;
	instant until;                   /* wait no longer */
};

struct session {
	int64_t number;
	struct agent_id agent;
	const char *name;
	const char *pool;
	const char *labels;
	int32_t slots;
	instant contact_ms;              /* as the store has it */
	int64_t seq;                     /* of the newest order */
	struct sent_order *sent;         /* by rising seq */
	size_t sent_count;
	size_t sent_room;
	int32_t free;                    /* slots that can take an order now */
	bool needs_look;                 /* its attempts may want a stop, a kill or a taking back */
	bool is_waiting;
	size_t order_bytes;              /* of texts in the answer of the waiting exchange */
	bool is_new;                     /* its exchange came in this batch */
	struct exchange_call waiting;
	struct session *next_hungry;     /* in memory->hungry while it waits */
	struct session *previous_hungry;
	size_t need_count_seen;          /* needs that `needs` was made of */
	struct need_id *needs;           /* those that this agent meets */
	size_t need_count;
};

/* Begins the session of an agent; an older one of the same agent ends, its exchange answered empty. */
struct session *session_begin(struct tx *tx, const struct agent_row *agent);
/* Ends the session of an agent, if it has one: its next exchange is told to say hello. */
void session_end(struct tx *tx, struct agent_id agent);
/* NULL: no such session, say hello. */
struct session *session_find(struct tx *tx, int64_t number);
/* The newest session of an agent; NULL if there is none. */
struct session *session_of_agent(struct tx *tx, struct agent_id agent);
/* Ends every session; the exchanges that wait are named by tx_finish. */
void session_forget_all(struct memory *memory, struct tx *tx);

/* Numbers an order, keeps it until it is confirmed, and puts it into the answer of the waiting exchange. */
void session_order(struct tx *tx, struct session *session, const struct order *order);
/*
 * Was an answer with orders sent a moment ago and not confirmed yet? Then nothing else is ordered: an answer that
 * overtakes it would make the agent drop what it brings. Once the moment is over, it counts as lost.
 */
bool session_is_in_doubt(const struct session *session, instant now) MUST_CHECK;
/*
 * Can an order be added: is a slot free, and is the answer not too long yet? An answer is bounded, since the agent
 * bounds what it takes; the rest goes with the next exchange.
 */
bool session_has_room(const struct session *session) MUST_CHECK;
bool session_answer_is_full(const struct session *session) MUST_CHECK;
/* Drops what `got` confirms. */
void session_confirm(struct session *session, int64_t got);
/* Start orders that are not confirmed. */
int32_t session_unconfirmed_starts(const struct session *session) MUST_CHECK;

/* The exchange becomes the session's waiting one; an older one is answered as it stands. */
void session_wait(struct tx *tx, struct session *session, const struct exchange_call *exchange);
/* Answers the waiting exchange, if there is one. */
void session_answer(struct tx *tx, struct session *session);
/* The needs that this agent meets: its pool, and labels that it carries. */
bool session_needs(struct tx *tx, struct session *session, struct error *error) MUST_CHECK;

#endif
