/*
 * Looking at executions, and interrupting them.
 */
#ifndef LULL_OPS_EXECUTIONS_H
#define LULL_OPS_EXECUTIONS_H

#include "core/execution.h"
#include "core/flow.h"
#include "ops/identity.h"
#include "store/executions.h"
#include "store/tx.h"

/* An execution with what a person wants to know of it. Everything is valid until the transaction ends. */
struct execution_view {
	struct execution_row row;
	const char *flow_name;           /* namespace.id */
	const char *account_name;
	const struct flow *flow;
	struct flow_pair *inputs;
	size_t input_count;
	struct task_view *tasks;         /* one for each of the flow's; NULL in lists */
	struct attempt_row *attempts;
	const char **agent_names;        /* of each attempt */
	size_t attempt_count;
	struct hold_id held_by;          /* what keeps it from starting, or from its next task; 0: nothing */
	const char *held_reason;
};

/* False: ERR_NOT_FOUND too, for one of another tenant as well. */
bool executions_show(struct tx *tx, const struct credential *credential, int64_t number, struct execution_view *view,
		     struct error *error) MUST_CHECK;

struct execution_filter {
	const char *flow;                /* NULL: any */
	bool has_state;
	enum execution_state state;
	int64_t before;                  /* a number; 0: from the newest on */
	size_t limit;
};

/*
 * Newest first. *next is where to go on, 0 at the end: a filter that few meet can give a short page, even an empty one,
 * with a *next, since one page looks at LIMIT_LIST_SCAN executions at most.
 */
bool executions_page(struct tx *tx, const struct credential *credential, const struct execution_filter *filter,
		     struct execution_view **views, size_t *count, int64_t *next, struct error *error) MUST_CHECK;

/* What an attempt wrote, from `offset` on, appended to `bytes`. `try` 0: the latest. *row is the attempt. */
bool executions_log(struct tx *tx, const struct credential *credential, int64_t number, const char *task, int32_t try,
		    int64_t offset, struct buffer *bytes, struct attempt_row *row, struct error *error) MUST_CHECK;
/* Appends the log of one attempt of a view. */
bool executions_log_of(struct tx *tx, const struct attempt_row *attempt, struct buffer *bytes,
		       struct error *error) MUST_CHECK;

enum interruption { INTERRUPT_STOP, INTERRUPT_KILL, INTERRUPT_CANCEL };

/*
 * Stop and kill: what runs is told to stop or die, nothing further starts; what has not begun is cancelled. Cancel:
 * only what has not begun, else ERR_CONFLICT. One that ended stays as it is: ERR_CONFLICT.
 */
bool executions_interrupt(struct tx *tx, const struct credential *credential, int64_t number,
			  enum interruption interruption, const char *reason, struct error *error) MUST_CHECK;

#endif
