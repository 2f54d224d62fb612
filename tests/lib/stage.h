/*
 * A stage for ops: a real store in a temporary folder and the ops on it, as a write lane would run them, but
 * without a thread, with time as an argument and with failures at will.
 *
 * One act is one transaction: stage_begin, ops, stage_commit. The words below do that around one op each. An act
 * whose op meets a failure of the engine is rolled back and the ops' memory forgotten, as the lane does it.
 */
#ifndef LULL_TEST_STAGE_H
#define LULL_TEST_STAGE_H

#include "core/order.h"
#include "lib/test.h"
#include "ops/agents.h"
#include "ops/executions.h"
#include "ops/holds.h"
#include "ops/identity.h"
#include "ops/memory.h"
#include "ops/submit.h"

struct stage {
	char folder[64];
	char where[128];                 /* for store_open */
	struct store *store;
	struct memory *memory;
	struct arena arena;              /* of the act */
	struct tx tx;
	instant started_ms;
	instant now;                     /* of the next act */
	struct credential admin;
	struct credential agent;
	int64_t failures;                /* acts that were rolled back */
};

/* An exchange on the stage; its answer stays until stage_exchange_fini. */
struct stage_exchange {
	struct arena arena;
	struct exchange exchange;
	struct agents_exchange op;
	bool is_answered;
	bool is_turned_away;             /* answered because a batch was rolled back */
	struct error error;
};

/* Opens a new stage with the account admin; the clock stands at 2026-01-01. */
void stage_open(struct stage *stage);
/* Closes it and removes its folder. */
void stage_close(struct stage *stage);
/* The server dies and starts again: the store stays, the memory goes. */
void stage_restart(struct stage *stage);

/* From the next act on the n-th operation on the store fails (n >= 1), once; 0: none. */
void stage_fail_at(struct stage *stage, int64_t n);
/* Operations on the store since stage_fail_at was called. */
int64_t stage_operations(void) MUST_CHECK;

/* Begins an act; false where the store fails. */
bool stage_begin(struct stage *stage, struct error *error) MUST_CHECK;
/* Ends an act after which the lane would commit: hands out, commits, tells who was answered. */
bool stage_commit(struct stage *stage, struct error *error) MUST_CHECK;
/* Ends an act that failed. */
void stage_roll_back(struct stage *stage);
/* Ends an act by what its op answered: a refusal commits, a failure rolls back. Answers `ok` or false. */
bool stage_end(struct stage *stage, bool ok, struct error *error) MUST_CHECK;

/* Applies a flow; fails the test where it is refused. */
void stage_apply(struct stage *stage, const char *yaml);
/* Submits one execution of a flow. */
bool stage_try_submit(struct stage *stage, const char *flow, int32_t priority, const char *key,
		      struct submit_result *result, struct error *error) MUST_CHECK;
/* As above with priority 0 and no key, and must succeed; its number. */
int64_t stage_submit(struct stage *stage, const char *flow);
/* Stops, kills or cancels. */
bool stage_interrupt(struct stage *stage, int64_t number, enum interruption what, struct error *error) MUST_CHECK;
/* Enters maintenance by the preset default; the hold's id. */
bool stage_try_enter(struct stage *stage, int64_t *id, struct error *error) MUST_CHECK;
int64_t stage_enter(struct stage *stage);
/* Ends a hold. */
bool stage_end_hold(struct stage *stage, int64_t id, struct error *error) MUST_CHECK;

/* Says hello; `answer` lives in the arena given. */
bool stage_try_hello(struct stage *stage, const struct hello *hello, struct arena *arena,
		     struct hello_answer *answer, struct error *error) MUST_CHECK;
/* A hello of an agent without attempts on boot "b1" with spool "s-<name>"; its session. */
int64_t stage_hello(struct stage *stage, const char *name, int32_t slots);
/* Runs an exchange that the caller has filled in (session, got, free, wait_ms, reports); it may wait afterwards. */
bool stage_exchange(struct stage *stage, struct stage_exchange *exchange, struct error *error) MUST_CHECK;
void stage_exchange_fini(struct stage_exchange *exchange);

/* The state of an execution, as it stands in the store. */
enum execution_state stage_state(struct stage *stage, int64_t number) MUST_CHECK;
/* The only number that a statement without parameters answers. */
int64_t stage_number(struct stage *stage, const struct statement *statement) MUST_CHECK;
/*
 * Fails the test unless the rows agree with each other: an open execution has exactly the ready rows and open
 * attempts that core/execution.h says, an ended one has none, and each backlog's head is its first row.
 */
void stage_check(struct stage *stage);

#endif
