/*
 * Putting work into the backlogs and taking it out, with the backlogs' heads kept true.
 */
#ifndef LULL_OPS_WAITING_H
#define LULL_OPS_WAITING_H

#include "core/flow.h"
#include "store/backlogs.h"
#include "store/executions.h"
#include "store/tx.h"

/* The backlog of a task in a flow; made if there is none. */
bool waiting_backlog(struct tx *tx, const struct execution_row *execution, const struct flow_task *task,
		     enum backlog_kind kind, struct backlog_id *backlog, struct error *error) MUST_CHECK;
/* The ready row of a task of an execution in that backlog: its key follows from the execution. */
struct ready_row waiting_row(struct backlog_id backlog, const struct execution_row *execution, int32_t task) MUST_CHECK;

/* Adds rows; heads are moved forward, and what was closed opens. */
bool waiting_add(struct tx *tx, const struct ready_row *rows, size_t count, struct error *error) MUST_CHECK;
/* Removes rows, those that are not there too; heads follow. */
bool waiting_remove(struct tx *tx, const struct ready_row *rows, size_t count, struct error *error) MUST_CHECK;
/* Reads a backlog's first row anew and saves what became of its head. */
bool waiting_refresh(struct tx *tx, struct backlog_id backlog, struct error *error) MUST_CHECK;

#endif
