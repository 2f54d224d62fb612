/*
 * The step of an execution: what its attempts make of its tasks and of itself.
 *
 * There is no table of tasks. How a task stands follows from the revision and the attempts made of it: the
 * latest try counts, and one that was taken back counts as none, since it never began.
 *
 *	waiting ──► ready ──► open ──► succeeded
 *	   │         ▲ │        ├────► failed
 *	   │         └─┼────────┘ taken back, or lost where on_lost is retry
 *	   └───────────┴──► skipped
 *
 * waiting:   a task that it needs has not succeeded yet.
 * ready:     all it needs has succeeded: it has a row in `ready`, unless its execution is queued (see below).
 * open:      its latest attempt is handed, running, stopping or killing.
 * failed:    its latest attempt ended, but not well; the result says how.
 * skipped:   it will never start, because another task failed or the execution is told to end.
 *
 * An execution that is queued has one row in `ready`, of kind `start`, for execution_first_task. When that is
 * handed out it runs, and its other ready tasks get rows of kind `advance`. When nothing of a running one ever
 * began (its attempts were all taken back) it is queued again: all its rows give way to the one of kind `start`.
 */
#ifndef LULL_CORE_EXECUTION_H
#define LULL_CORE_EXECUTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "core/flow.h"
#include "core/life.h"

enum task_status {
	TASK_WAITING, TASK_READY, TASK_OPEN, TASK_SUCCEEDED, TASK_FAILED, TASK_SKIPPED,
	TASK_STATUSES
};

/* An attempt as the step needs it. The order of attempts does not matter. */
struct attempt_view {
	int32_t task;
	int32_t try;
	enum attempt_state state;
	enum result result;              /* where it ended */
	bool is_news;                    /* it changed since the step before */
};

struct task_view {
	enum task_status status;
	enum result result;              /* of the latest try that ended, RESULT_NONE while there is none */
	int32_t tries;                   /* the highest number used; the next attempt is try tries + 1 */
};

struct execution_update {
	enum execution_state state;      /* what the execution is now; open, or how it ended */
	bool is_halted;                  /* no further task starts: all its rows leave `ready` */
	struct task_view *tasks;         /* one for each task of the flow */
	int32_t *ready;                  /* tasks that need a row in `ready` which they have not had yet */
	size_t ready_count;
};

/*
 * Answers what is so after the attempts' news. `state` is what the execution was before it and is open; the one
 * answered is the same or one that execution_may_become allows. The arrays live in the arena.
 *
 * How it ends, once nothing is open and nothing can start: `succeeded` if every task did, whatever was asked
 * meanwhile; `lost` if an attempt of it is lost for good, since nobody knows what it did; `stopped` or `killed`
 * if it was told so and a task did not end by itself; otherwise `failed`, or `timed_out` if nothing worse came.
 */
void execution_step(const struct flow *flow, const struct attempt_view *attempts, size_t count,
		    enum execution_state state, struct arena *arena, struct execution_update *update);

/* How the tasks of an execution stand, an ended one's too; one for each of the flow, in the arena. */
struct task_view *execution_tasks(const struct flow *flow, const struct attempt_view *attempts, size_t count,
				  enum execution_state state, struct arena *arena) MUST_CHECK;
/* The task whose row stands for a queued execution: the first that needs no other. */
int32_t execution_first_task(const struct flow *flow) MUST_CHECK;
const char *task_status_name(enum task_status status) MUST_CHECK;

#endif
