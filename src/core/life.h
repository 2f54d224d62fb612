/*
 * The lives of an execution and of an attempt.
 *
 *	             ┌──────────── cancelled
 *	queued ──────┤
 *	   ▲         └► running ──┬──► succeeded, failed, timed_out, lost
 *	   │              │  ▲    │
 *	   └── taken back ┘  │    ├──► stopping ──┬──► stopped (or how it ended)
 *	                     │    │      │        │
 *	                     │    └──► killing ───┴──► killed (or how it ended)
 *
 * queued:    accepted and on disk; no attempt of it was ever begun. "Held" is no state: the gate says it.
 * running:   at least one attempt was handed out; its next tasks wait in backlogs of kind `advance`.
 * stopping:  no further task starts; its attempts were told to stop.
 * killing:   as stopping, and its attempts were told to die.
 * ended:     nothing of it lives, its result is final, it has no row in `ready` and no open attempt.
 *
 *	handed ──► running ──► ended (a result)
 *	   │          │  └► stopping ─► killing ─► ended
 *	   └► taken back (the task goes to the queue again, as a new try)
 *
 * handed:    given to an agent; it may begin at any moment until it is reported as begun or taken back.
 * running:   the agent reported that it began.
 * An attempt is open from handed until it ended or was taken back; an open attempt is in the census.
 */
#ifndef LULL_CORE_LIFE_H
#define LULL_CORE_LIFE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

/* Stored: never renumber. Those up to EXECUTION_KILLING are open. */
enum execution_state {
	EXECUTION_QUEUED = 0,
	EXECUTION_RUNNING = 1,
	EXECUTION_STOPPING = 2,
	EXECUTION_KILLING = 3,
	EXECUTION_SUCCEEDED = 4,
	EXECUTION_FAILED = 5,
	EXECUTION_TIMED_OUT = 6,
	EXECUTION_STOPPED = 7,
	EXECUTION_KILLED = 8,
	EXECUTION_CANCELLED = 9,
	EXECUTION_LOST = 10,
	EXECUTION_STATES
};

/* Stored: never renumber. Those up to ATTEMPT_KILLING are open. */
enum attempt_state {
	ATTEMPT_HANDED = 0,
	ATTEMPT_RUNNING = 1,
	ATTEMPT_STOPPING = 2,
	ATTEMPT_KILLING = 3,
	ATTEMPT_ENDED = 4,
	ATTEMPT_TAKEN_BACK = 5,
	ATTEMPT_STATES
};

/* How an attempt ended. Stored: never renumber. */
enum result {
	RESULT_NONE = 0,
	RESULT_SUCCEEDED = 1,
	RESULT_FAILED = 2,
	RESULT_TIMED_OUT = 3,
	RESULT_STOPPED = 4,
	RESULT_KILLED = 5,
	RESULT_LOST = 6,
	RESULTS
};

/* Names as the API writes them; parsing answers false for a name that is none. */
const char *execution_state_name(enum execution_state state) MUST_CHECK;
bool execution_state_parse(const char *name, enum execution_state *state) MUST_CHECK;
const char *attempt_state_name(enum attempt_state state) MUST_CHECK;
const char *result_name(enum result result) MUST_CHECK;
bool result_parse(const char *name, enum result *result) MUST_CHECK;

/* Is it in a state that is no end? */
bool execution_is_open(enum execution_state state) MUST_CHECK;
bool attempt_is_open(enum attempt_state state) MUST_CHECK;
/* May the state be followed by `next`? One table says it; nothing assigns a state without asking. */
bool execution_may_become(enum execution_state state, enum execution_state next) MUST_CHECK;
bool attempt_may_become(enum attempt_state state, enum attempt_state next) MUST_CHECK;

#endif
