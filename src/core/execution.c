#include "core/execution.h"

#include "base/assert.h"

static const char *const status_names[TASK_STATUSES] = {
	[TASK_WAITING]   = "waiting",
	[TASK_READY]     = "ready",
	[TASK_OPEN]      = "open",
	[TASK_SUCCEEDED] = "succeeded",
	[TASK_FAILED]    = "failed",
	[TASK_SKIPPED]   = "skipped",
};

/* The latest attempt of a task that counts, and whether any of its attempts is news. */
struct latest {
	const struct attempt_view *attempt;
	bool has_news;
};

static struct latest *find_latest(const struct flow *flow, const struct attempt_view *attempts, size_t count,
				  struct arena *arena, struct task_view *tasks)
{
	struct latest *latest = ARENA_ARRAY(arena, struct latest, flow->task_count);
	for (const struct attempt_view *attempt = attempts; attempt < attempts + count; attempt++) {
		ASSERT(attempt->task >= 0 && (size_t)attempt->task < flow->task_count);
		ASSERT((attempt->state == ATTEMPT_ENDED) == (attempt->result != RESULT_NONE));
		struct latest *of_task = &latest[attempt->task];
		struct task_view *task = &tasks[attempt->task];
		if (attempt->try > task->tries)
			task->tries = attempt->try;
		of_task->has_news = of_task->has_news || attempt->is_news;
		if (attempt->state == ATTEMPT_TAKEN_BACK)
			continue;
		if (!of_task->attempt || attempt->try > of_task->attempt->try)
			of_task->attempt = attempt;
	}
	return latest;
}

/* How a task stands by its attempts alone; one that is lost and may be tried again is `waiting`. */
static enum task_status status_of(const struct flow *flow, const struct attempt_view *latest)
{
	if (!latest)
		return TASK_WAITING;
	if (attempt_is_open(latest->state))
		return TASK_OPEN;
	if (latest->result == RESULT_SUCCEEDED)
		return TASK_SUCCEEDED;
	return latest->result == RESULT_LOST && flow->on_lost == ON_LOST_RETRY ? TASK_WAITING : TASK_FAILED;
}

static bool needs_are_met(const struct flow_task *task, const struct task_view *tasks)
{
	for (size_t i = 0; i < task->need_count; i++)
		if (tasks[task->needs[i]].status != TASK_SUCCEEDED)
			return false;
	return true;
}

/* Sorts those that wait: which of them may start, and which never will. */
static void sort_waiting(const struct flow *flow, struct execution_update *update)
{
	for (size_t i = 0; i < flow->task_count; i++) {
		struct task_view *task = &update->tasks[i];
		if (task->status != TASK_WAITING)
			continue;
		if (update->is_halted)
			task->status = task->result == RESULT_LOST ? TASK_FAILED : TASK_SKIPPED;
		else if (needs_are_met(&flow->tasks[i], update->tasks))
			task->status = TASK_READY;
	}
}

static size_t count_tasks(const struct flow *flow, const struct task_view *tasks, enum task_status status)
{
	size_t count = 0;
	for (size_t i = 0; i < flow->task_count; i++)
		count += tasks[i].status == status;
	return count;
}

static bool has_result(const struct flow *flow, const struct task_view *tasks, enum result result)
{
	for (size_t i = 0; i < flow->task_count; i++)
		if (tasks[i].status == TASK_FAILED && tasks[i].result == result)
			return true;
	return false;
}

/* All is over: how did it end? */
static enum execution_state end_of(const struct flow *flow, const struct task_view *tasks, enum execution_state state)
{
	if (count_tasks(flow, tasks, TASK_SUCCEEDED) == flow->task_count)
		return EXECUTION_SUCCEEDED;
	if (has_result(flow, tasks, RESULT_LOST))
		return EXECUTION_LOST;
	bool was_cut = count_tasks(flow, tasks, TASK_SKIPPED) > 0 || has_result(flow, tasks, RESULT_STOPPED) ||
		       has_result(flow, tasks, RESULT_KILLED);
	if (was_cut && state == EXECUTION_STOPPING)
		return EXECUTION_STOPPED;
	if (was_cut && state == EXECUTION_KILLING)
		return EXECUTION_KILLED;
	/* An attempt that somebody else stopped, when nobody asked Lull to, did fail. */
	bool has_failed = has_result(flow, tasks, RESULT_FAILED) || has_result(flow, tasks, RESULT_STOPPED) ||
			  has_result(flow, tasks, RESULT_KILLED);
	return has_failed ? EXECUTION_FAILED : EXECUTION_TIMED_OUT;
}

static bool any_counts(const struct flow *flow, const struct latest *latest)
{
	for (size_t i = 0; i < flow->task_count; i++)
		if (latest[i].attempt)
			return true;
	return false;
}

static enum execution_state state_after(const struct flow *flow, const struct latest *latest,
					const struct task_view *tasks, enum execution_state state)
{
	if (count_tasks(flow, tasks, TASK_OPEN) + count_tasks(flow, tasks, TASK_READY) == 0)
		return end_of(flow, tasks, state);
	if (state == EXECUTION_QUEUED || state == EXECUTION_RUNNING)
		return any_counts(flow, latest) ? EXECUTION_RUNNING : EXECUTION_QUEUED;
	return state;
}

/* Only what just happened to a task, or to one that it needs, can have made it ready. */
static bool became_ready(const struct flow_task *task, const struct latest *own, const struct latest *latest)
{
	if (own->has_news)
		return true;
	for (size_t i = 0; i < task->need_count; i++)
		if (latest[task->needs[i]].has_news)
			return true;
	return false;
}

static void list_ready(const struct flow *flow, const struct latest *latest, enum execution_state before,
		       struct arena *arena, struct execution_update *update)
{
	update->ready_count = 0;
	update->ready = ARENA_ARRAY(arena, int32_t, flow->task_count);
	if (update->state == EXECUTION_QUEUED) {
		if (before != EXECUTION_QUEUED)
			update->ready[update->ready_count++] = execution_first_task(flow);
		return;
	}
	for (size_t i = 0; i < flow->task_count; i++)
		if (update->tasks[i].status == TASK_READY &&
		    (before == EXECUTION_QUEUED || became_ready(&flow->tasks[i], &latest[i], latest)))
			update->ready[update->ready_count++] = (int32_t)i;
}

/* How the tasks stand, and whether the execution is halted: no further task of it starts. */
static struct latest *view_tasks(const struct flow *flow, const struct attempt_view *attempts, size_t count,
				 enum execution_state state, struct arena *arena, struct execution_update *update)
{
	*update = (struct execution_update){ .tasks = ARENA_ARRAY(arena, struct task_view, flow->task_count) };
	struct latest *latest = find_latest(flow, attempts, count, arena, update->tasks);
	update->is_halted = state != EXECUTION_QUEUED && state != EXECUTION_RUNNING;
	for (size_t i = 0; i < flow->task_count; i++) {
		const struct attempt_view *attempt = latest[i].attempt;
		update->tasks[i].status = status_of(flow, attempt);
		update->tasks[i].result = attempt && attempt->state == ATTEMPT_ENDED ? attempt->result : RESULT_NONE;
		update->is_halted = update->is_halted || update->tasks[i].status == TASK_FAILED;
	}
	sort_waiting(flow, update);
	return latest;
}

struct task_view *execution_tasks(const struct flow *flow, const struct attempt_view *attempts, size_t count,
				  enum execution_state state, struct arena *arena)
{
	struct execution_update update;
	view_tasks(flow, attempts, count, state, arena, &update);
	return update.tasks;
}

void execution_step(const struct flow *flow, const struct attempt_view *attempts, size_t count,
		    enum execution_state state, struct arena *arena, struct execution_update *update)
{
	ASSERT(execution_is_open(state));
	struct latest *latest = view_tasks(flow, attempts, count, state, arena, update);
	update->state = state_after(flow, latest, update->tasks, state);
	list_ready(flow, latest, state, arena, update);
	ASSERT(update->state == state || execution_may_become(state, update->state));
}

int32_t execution_first_task(const struct flow *flow)
{
	for (size_t i = 0; i < flow->task_count; i++)
		if (flow->tasks[i].need_count == 0)
			return (int32_t)i;
	ASSERT(!"a flow without a cycle has a task that needs no other");
}

const char *task_status_name(enum task_status status)
{
	ASSERT(status < TASK_STATUSES);
	return status_names[status];
}
