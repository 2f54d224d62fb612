/*
 * What a lane's ops remember between batches: things that are costly to read and that the store would answer
 * the same. Everything here can be thrown away at any moment, and is, when a batch is rolled back.
 *
 *	flows      parsed revisions; a committed revision never changes
 *	holds      the set in force, with the version it was read under
 *	needs      which pools and labels are asked for; rows are only ever added
 *	sessions   agents that said hello, and their waiting exchanges (write lane only)
 *	samples    durations that a tick writes into the forecasts (write lane only)
 */
#ifndef LULL_OPS_MEMORY_H
#define LULL_OPS_MEMORY_H

#include "base/map.h"
#include "core/flow.h"
#include "core/hold.h"
#include "store/backlogs.h"
#include "store/tx.h"

struct session;

enum { MEMORY_FLOWS = 1024, MEMORY_FLOW_BYTES = 16 << 20, MEMORY_SAMPLES = 4096 };

struct sample {
	struct flow_id flow;
	int64_t revision;
	int32_t task;                    /* -1: the whole flow */
	int64_t duration_ms;
};

struct memory {
	instant started_ms;              /* of the server: no lease runs before it */
	struct map flows;
	size_t flow_bytes;               /* of their sources */
	struct arena holds_arena;
	struct hold_set holds;           /* version 0: not read */
	struct arena needs_arena;
	struct need_row *needs;
	size_t need_count;
	bool has_needs;
	struct map sessions;             /* by the session's number */
	struct map sessions_of_agent;    /* by the agent's id: its newest */
	struct session *hungry;          /* sessions whose exchange waits, in the order in which they came */
	struct session *last_hungry;
	bool has_new_work;               /* something may have become startable */
	bool has_looks;                  /* some session has needs_look set */
	struct tenant_id turn;           /* the tenant that was served last */
	struct sample *samples;
	size_t sample_count;
};

/* For struct lane_settings; `context` is a pointer to the instant at which the server started. */
void *memory_open(void *context);
void memory_forget(void *memory, struct tx *tx);
void memory_close(void *memory);

/* The transaction's memory. */
struct memory *memory_of(struct tx *tx);
/* A parsed revision, valid until the transaction ends. False: ERR_STORE too if there is no such revision. */
bool memory_flow(struct tx *tx, struct flow_id flow, int64_t revision, const struct flow **parsed,
		 struct error *error) MUST_CHECK;
/* The holds in force as this transaction sees them, valid until it ends. */
bool memory_holds(struct tx *tx, const struct hold_set **holds, struct error *error) MUST_CHECK;
/* All needs that any backlog has. */
bool memory_needs(struct tx *tx, const struct need_row **needs, size_t *count, struct error *error) MUST_CHECK;
/* The need of a task; added to the store if it is new. */
bool memory_need_of(struct tx *tx, const struct flow_task *task, struct need_id *need, struct error *error) MUST_CHECK;
/* Notes how long something took; the eldest notes of a flood are dropped. */
void memory_sample(struct memory *memory, const struct sample *sample);
/* For struct lane_settings: gives up the flows once they are more than MEMORY_FLOWS or MEMORY_FLOW_BYTES. */
void memory_trim(void *memory);

#endif
