#include <inttypes.h>
#include <string.h>

#include "core/execution.h"
#include "lib/stage.h"
#include "store/backlogs.h"

static const struct statement all_executions = { "SELECT id FROM execution ORDER BY id", "" };
static const struct statement all_backlogs = { "SELECT id FROM backlog ORDER BY id", "" };
static const struct statement ready_of = {
	"SELECT r.backlog, r.rank, r.ready_ms, r.task, b.kind, n.pool, n.labels, b.flow, b.tenant FROM backlog b "
	"JOIN ready r ON r.backlog = b.id JOIN need n ON n.id = b.need WHERE r.execution = ?1 ORDER BY r.task", "i",
};
static const struct statement strays = {
	"SELECT (SELECT count(*) FROM ready WHERE execution NOT IN (SELECT id FROM execution)) + "
	"(SELECT count(*) FROM attempt WHERE execution NOT IN (SELECT id FROM execution)) + "
	"(SELECT count(*) FROM ready WHERE backlog NOT IN (SELECT id FROM backlog))", "",
};

/* The numbers that a statement lists. */
static int64_t *list(struct tx *tx, const struct statement *statement, size_t *count)
{
	struct error error;
	struct rows rows;
	size_t room = 64;
	int64_t *numbers = ARENA_ARRAY(tx->arena, int64_t, room);
	bool more;
	*count = 0;
	assert_works(store_select(tx->store, statement, NULL, &rows, &error));
	for (;;) {
		assert_works(rows_next(&rows, &more, &error));
		if (!more)
			break;
		if (*count == room) {
			int64_t *wider = ARENA_ARRAY(tx->arena, int64_t, 2 * room);
			memcpy(wider, numbers, room * sizeof(*wider));
			numbers = wider;
			room *= 2;
		}
		numbers[(*count)++] = rows_int(&rows, 0);
	}
	rows_end(&rows);
	return numbers;
}

static void check_backlog(struct tx *tx, int64_t id)
{
	struct error error;
	struct backlog_row backlog;
	struct ready_row first;
	size_t count;
	assert_works(backlogs_get(tx, (struct backlog_id){ id }, &backlog, &error));
	assert_works(ready_first(tx, backlog.id, 1, &first, &count, &error));
	assert_int_equal(backlog.is_open, count);
	if (!count)
		return;
	assert_int_equal(backlog.head_rank, first.rank);
	assert_int_equal(backlog.head_ms, first.ready_ms);
}

static struct task_view *view(struct tx *tx, const struct execution_row *execution, const struct flow *flow,
			      bool *is_any_open)
{
	struct error error;
	struct attempt_row *attempts;
	size_t count;
	assert_works(attempts_of(tx, execution->id, &attempts, &count, &error));
	struct attempt_view *views = ARENA_ARRAY(tx->arena, struct attempt_view, count);
	*is_any_open = false;
	for (size_t i = 0; i < count; i++) {
		views[i] = (struct attempt_view){ .task = attempts[i].id.task, .try = attempts[i].id.try,
						  .state = attempts[i].state, .result = attempts[i].result };
		bool is_open = attempt_is_open(attempts[i].state);
		*is_any_open |= is_open;
		/* Only the newest try of a task may be open. */
		bool is_last = i + 1 == count || attempts[i + 1].id.task != attempts[i].id.task;
		if (is_open && !is_last)
			fail_msg("try %d of task %d of execution %" PRId64 " is open beside a newer one",
				 attempts[i].id.try, attempts[i].id.task, execution_id_number(execution->id));
	}
	return execution_tasks(flow, views, count, execution->state, tx->arena);
}

static void check_row(const struct rows *row, const struct execution_row *execution, const struct flow *flow,
		      struct arena *arena)
{
	const struct flow_task *task = &flow->tasks[rows_int(row, 3)];
	enum backlog_kind kind = execution->state == EXECUTION_QUEUED ? BACKLOG_START : BACKLOG_ADVANCE;
	assert_int_equal(rows_int(row, 1), -execution->priority);
	assert_int_equal(rows_int(row, 2), execution->created_ms);
	assert_int_equal(rows_int(row, 4), kind);
	assert_string_equal(rows_text(row, 5, arena), task->pool);
	assert_int_equal(rows_int(row, 7), execution->flow.value);
	assert_int_equal(rows_int(row, 8), execution_id_tenant(execution->id).value);
}

/* Exactly one row for each task that should have one. */
static void check_ready(struct tx *tx, const struct execution_row *execution, const struct flow *flow,
			const struct task_view *tasks)
{
	struct error error;
	struct rows rows;
	const struct value key[] = { STORE_INT(execution->id.value) };
	bool is_open = execution_is_open(execution->state);
	bool is_queued = execution->state == EXECUTION_QUEUED;
	size_t *seen = ARENA_ARRAY(tx->arena, size_t, flow->task_count);
	bool more;
	assert_works(store_select(tx->store, &ready_of, key, &rows, &error));
	for (;;) {
		assert_works(rows_next(&rows, &more, &error));
		if (!more)
			break;
		check_row(&rows, execution, flow, tx->arena);
		seen[rows_int(&rows, 3)]++;
	}
	rows_end(&rows);
	for (size_t i = 0; i < flow->task_count; i++) {
		bool wanted = is_queued ? (int32_t)i == execution_first_task(flow)
					: is_open && tasks[i].status == TASK_READY;
		if (seen[i] != wanted)
			fail_msg("execution %" PRId64 " is %s, task %s is %s and has %zu ready rows",
				 execution_id_number(execution->id), execution_state_name(execution->state),
				 flow->tasks[i].id, task_status_name(tasks[i].status), seen[i]);
	}
}

static void check_execution(struct tx *tx, int64_t id)
{
	struct error error;
	struct execution_row execution;
	const struct flow *flow;
	bool found, is_any_open;
	assert_works(executions_get(tx, (struct execution_id){ id }, &execution, &found, &error));
	assert_works(memory_flow(tx, execution.flow, execution.revision, &flow, &error));
	struct task_view *tasks = view(tx, &execution, flow, &is_any_open);
	check_ready(tx, &execution, flow, tasks);
	bool is_open = execution_is_open(execution.state);
	bool is_queued = execution.state == EXECUTION_QUEUED;
	bool has_ready = false;
	for (size_t i = 0; i < flow->task_count; i++)
		has_ready |= tasks[i].status == TASK_READY;
	assert_int_equal(is_open, execution.ended_ms == 0);
	assert_int_equal(execution.started_ms == 0, is_queued || execution.state == EXECUTION_CANCELLED);
	if (is_any_open && (!is_open || is_queued))
		fail_msg("execution %" PRId64 " is %s and has an open attempt", execution_id_number(execution.id),
			 execution_state_name(execution.state));
	if (is_open && !is_queued && !is_any_open && !has_ready)
		fail_msg("execution %" PRId64 " is %s, but nothing of it is open or could start",
			 execution_id_number(execution.id), execution_state_name(execution.state));
}

void stage_check(struct stage *stage)
{
	struct arena arena = { 0 };
	struct tx tx = { .store = stage->store, .arena = &arena, .now = stage->now, .memory = stage->memory };
	size_t count;
	int64_t *ids = list(&tx, &all_executions, &count);
	for (size_t i = 0; i < count; i++)
		check_execution(&tx, ids[i]);
	ids = list(&tx, &all_backlogs, &count);
	for (size_t i = 0; i < count; i++)
		check_backlog(&tx, ids[i]);
	assert_int_equal(stage_number(stage, &strays), 0);
	arena_fini(&arena);
}
