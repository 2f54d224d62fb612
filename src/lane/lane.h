/*
 * A lane is a thread with a connection to the store. It takes the calls that wait, runs them in one
 * transaction, commits once, then answers all: one fsync serves many callers, and no op needs a lock.
 *
 *	put ──► queue of its kind ──► run ─► … ─► at_end ─► COMMIT ──► done (each call), effects
 *	                                │                      │
 *	                                │ engine failed        │ unknown whether it stands
 *	                                ▼                      ▼
 *	                            ROLLBACK, forget,       done (ERR_UNKNOWN), fatal
 *	                            each call alone
 *
 * What may be relied on:
 *  1. A call is answered exactly once, by its `done`, on the lane's thread; when that has ended, on the thread
 *     that stopped it or that wakes the call.
 *  2. `done` without an error means that what the call did is on disk.
 *  3. A batch takes kinds in the order of kinds.def, whole calls only, until 2 ms or 512 rows have passed. One
 *     that ran a command is committed at once, every other time at least.
 *  4. A call that was refused (its own error set) has written nothing; the others of its batch stand.
 *  5. `run` may be called more than once for a call; the last time counts.
 *  6. tx->now never goes back, whatever the clock does.
 *
 * A write lane is the only writer of an SQLite store. Read lanes share one queue and run each call in a read
 * transaction of its own.
 */
#ifndef LULL_LANE_LANE_H
#define LULL_LANE_LANE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "store/tx.h"

enum call_kind {
#define X(kind, name, most) kind,
#include "lane/kinds.def"
#undef X
	CALL_KINDS
};

struct call;

/*
 * What a call does. `run` gets one call, or with is_array all those of the same type that stood together.
 * It sets a call's error to refuse that call, before writing anything for it, and may set `waits` to keep the
 * call unanswered until a later transaction names it with tx_finish. False: the engine failed.
 */
struct call_type {
	const char *name;
	enum call_kind kind;
	bool is_array;
	bool (*run)(struct tx *tx, struct call **calls, size_t count, struct error *error);
};

/*
 * What to wait for before a read is run again. While `run` leaves `is_watching` set, the lane keeps the call
 * until an effect of that kind and subject, or its deadline, where run is called once more with `is_late` set.
 */
struct call_watch {
	bool is_watching;
	bool is_late;
	enum effect_kind kind;
	int64_t subject;
	int64_t deadline_ms;         /* by the monotonic clock */
	int64_t seen;                /* the lane's own */
};

struct call {
	const struct call_type *type;
	size_t rows;                 /* rows it writes, roughly; at least 1 */
	void (*done)(struct call *call);
	struct arena arena;          /* the call's own; results go here */
	struct error error;          /* code ERR_NONE: done as asked */
	bool waits;                  /* see call_type */
	struct call_watch watch;     /* read lanes only */
	struct call *next;           /* the lane's own */
};

struct lane_settings {
	const char *store;           /* address for store_open */
	int readers;                 /* 0: a write lane; else so many threads that read */
	/*
	 * For each thread, what its ops remember between batches; may be NULL. `forget` empties it after a
	 * rollback and names every call that waits in it by tx_finish; the lane turns those away.
	 */
	void *(*memory_open)(void *context);
	void (*memory_forget)(void *memory, struct tx *tx);
	void (*memory_close)(void *memory);
	/* After the answers, when nothing points into it any more: gives up what has grown too large; may be NULL. */
	void (*memory_trim)(void *memory);
	/* Write lane: last thing before COMMIT; may be NULL. False: the engine failed. */
	bool (*at_end)(struct tx *tx, struct error *error);
	/* Write lane: after COMMIT; may be NULL. */
	void (*effects)(void *context, const struct effect *effects, size_t count);
	/* The outcome of a COMMIT is not known: the process has to start anew. May be NULL. */
	void (*fatal)(void *context, const struct error *error);
	void *context;
};

struct lane;

/* Opens the store (see store_open) and starts the threads. */
bool lane_open(const struct lane_settings *settings, struct lane **lane, struct error *error) MUST_CHECK;
/* Runs what was put before, answers what waits with ERR_BUSY, ends the threads. lane_put refuses from then on. */
void lane_stop(struct lane *lane);
/* Stops it if need be; nobody may know the lane any more. NULL accepted. */
void lane_close(struct lane *lane);

/*
 * Hands a call over until its `done`. False: ERR_BUSY, its queue is full or the lane closes; the call stays the
 * caller's.
 */
bool lane_put(struct lane *lane, struct call *call, struct error *error) MUST_CHECK;

/* Wakes the reads that watch what these effects name. Thread-safe. */
void lane_wake(struct lane *lane, const struct effect *effects, size_t count);
/* Runs the watching reads whose deadline is past once more; called by a tick. */
void lane_expire(struct lane *lane);

struct lane_figures {
	int64_t batches;
	int64_t calls;
	int64_t rows_written;
	int64_t longest_batch_us;
	size_t queued[CALL_KINDS];
};

/* Since the lane was opened. Thread-safe. */
void lane_measure(struct lane *lane, struct lane_figures *figures);

#endif
