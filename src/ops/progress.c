#include "ops/progress.h"

#include <string.h>

#include "base/assert.h"
#include "core/execution.h"
#include "ops/memory.h"
#include "ops/waiting.h"

static bool is_among(const struct attempt_row *attempts, size_t count, struct attempt_id id)
{
	for (size_t i = 0; i < count; i++)
		if (attempt_id_same(attempts[i].id, id))
			return true;
	return false;
}

/*
 * All attempts of the execution as the step sees them. A flow of one task that ran once needs no look at the
 * store: the attempt that changed is all there is.
 */
static bool view_attempts(struct tx *tx, const struct execution_row *execution, const struct flow *flow,
			  const struct attempt_row *changed, size_t changed_count, struct attempt_view **views,
			  size_t *view_count, struct error *error)
{
	const struct attempt_row *all = changed;
	size_t count = changed_count;
	bool is_whole = flow->task_count == 1 && changed_count == 1 && changed[0].id.try == 1;
	if (!is_whole) {
		struct attempt_row *rows;
		if (!attempts_of(tx, execution->id, &rows, &count, error))
			return false;
		all = rows;
	}
	*views = ARENA_ARRAY(tx->arena, struct attempt_view, count);
	for (size_t i = 0; i < count; i++)
		(*views)[i] = (struct attempt_view){
			.task = all[i].id.task,
			.try = all[i].id.try,
			.state = all[i].state,
			.result = all[i].result,
			.is_news = is_among(changed, changed_count, all[i].id),
		};
	*view_count = count;
	return true;
}

/*
 * May a task have a ready row? Those that are not open and have not ended; and one that was lost and waited for its
 * next try, when the execution was halted: it counts as failed from then on.
 */
static bool may_wait(const struct task_view *task)
{
	return task->status == TASK_READY || task->status == TASK_SKIPPED ||
	       (task->status == TASK_FAILED && task->result == RESULT_LOST);
}

/* Takes out of the backlogs what the execution may have there. */
static bool withdraw(struct tx *tx, const struct execution_row *execution, const struct flow *flow,
		     const struct execution_update *update, enum execution_state before, struct error *error)
{
	struct ready_row *rows = ARENA_ARRAY(tx->arena, struct ready_row, flow->task_count);
	size_t count = 0;
	enum backlog_kind kind = before == EXECUTION_QUEUED ? BACKLOG_START : BACKLOG_ADVANCE;
	for (size_t i = 0; i < flow->task_count; i++) {
		if (!may_wait(&update->tasks[i]) || (kind == BACKLOG_START && (int32_t)i != execution_first_task(flow)))
			continue;
		struct backlog_id backlog;
		if (!waiting_backlog(tx, execution, &flow->tasks[i], kind, &backlog, error))
			return false;
		rows[count++] = waiting_row(backlog, execution, (int32_t)i);
	}
	return waiting_remove(tx, rows, count, error);
}

static bool offer(struct tx *tx, const struct execution_row *execution, const struct flow *flow,
		  const struct execution_update *update, struct error *error)
{
	struct ready_row *rows = ARENA_ARRAY(tx->arena, struct ready_row, update->ready_count);
	enum backlog_kind kind = update->state == EXECUTION_QUEUED ? BACKLOG_START : BACKLOG_ADVANCE;
	for (size_t i = 0; i < update->ready_count; i++) {
		struct backlog_id backlog;
		if (!waiting_backlog(tx, execution, &flow->tasks[update->ready[i]], kind, &backlog, error))
			return false;
		rows[i] = waiting_row(backlog, execution, update->ready[i]);
	}
	return waiting_add(tx, rows, update->ready_count, error);
}

static void note_durations(struct tx *tx, const struct execution_row *execution, const struct attempt_row *changed,
			   size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (changed[i].state == ATTEMPT_ENDED && changed[i].result == RESULT_SUCCEEDED && changed[i].began_ms)
			memory_sample(memory_of(tx), &(struct sample){
				.flow = execution->flow, .revision = execution->revision, .task = changed[i].id.task,
				.duration_ms = changed[i].ended_ms - changed[i].began_ms });
	if (execution->state == EXECUTION_SUCCEEDED && execution->started_ms)
		memory_sample(memory_of(tx), &(struct sample){
			.flow = execution->flow, .revision = execution->revision, .task = -1,
			.duration_ms = execution->ended_ms - execution->started_ms });
}

bool progress_execution(struct tx *tx, struct execution_row *execution, const struct attempt_row *changed,
			size_t changed_count, struct error *error)
{
	const struct flow *flow;
	struct attempt_view *views;
	size_t view_count;
	if (!memory_flow(tx, execution->flow, execution->revision, &flow, error) ||
	    !view_attempts(tx, execution, flow, changed, changed_count, &views, &view_count, error))
		return false;

	struct execution_update update;
	enum execution_state before = execution->state;
	execution_step(flow, views, view_count, before, tx->arena, &update);
	bool is_requeued = update.state == EXECUTION_QUEUED && before != EXECUTION_QUEUED;
	/* The only task of a flow has no row while it is open: the look is spared. */
	bool has_rows = flow->task_count > 1 || before == EXECUTION_QUEUED || may_wait(&update.tasks[0]);
	if ((update.is_halted || is_requeued) && has_rows && !withdraw(tx, execution, flow, &update, before, error))
		return false;
	execution->state = update.state;
	if (is_requeued)
		execution->started_ms = 0;
	if (!offer(tx, execution, flow, &update, error))
		return false;

	tx_effect(tx, EFFECT_HOLDS, 0);
	if (!execution_is_open(update.state)) {
		execution->ended_ms = tx->now;
		tx_effect(tx, EFFECT_EXECUTION, execution->id.value);
	}
	note_durations(tx, execution, changed, changed_count);
	return update.state == before || executions_save(tx, execution, 1, error);
}
