/*
 * One transaction, as ops see it: where to read and write, what time it is, what should happen after COMMIT.
 *
 * An op takes a tx and touches nothing else: no clock, no memory beyond the arena, no global. So a batch that
 * failed can be rolled back and each of its calls run again, alone.
 */
#ifndef LULL_STORE_TX_H
#define LULL_STORE_TX_H

#include <stdint.h>

#include "base/arena.h"
#include "base/instant.h"
#include "store/store.h"

/*
 * A hint about what changed, performed after COMMIT only. What must happen is a row; an effect that is lost
 * delays something until the next tick looks, and loses nothing.
 */
enum effect_kind {
	EFFECT_EXECUTION,        /* subject: an execution's id; it ended or was accepted */
	EFFECT_HOLDS,            /* holds changed, or something in flight ended: look at drain again */
	EFFECT_KINDS
};

struct effect {
	enum effect_kind kind;
	int64_t subject;         /* 0 where the kind has none */
};

struct tx {
	struct store *store;
	struct arena *arena;     /* for as long as the batch */
	instant now;             /* the same for the whole batch; never before an earlier batch's */
	void *memory;            /* what the ops remember between batches; emptied when a batch is rolled back */
	struct effect *effects;
	size_t effect_count;
	size_t effect_room;
	void **finished;         /* waiting calls that this transaction answers, see tx_finish */
	size_t finished_count;
	size_t finished_room;
};

/* Adds an effect; the same one twice in a row is kept once. */
void tx_effect(struct tx *tx, enum effect_kind kind, int64_t subject);
/* Says that a call which an earlier batch left waiting has its answer now. */
void tx_finish(struct tx *tx, void *call);

#endif
