#include "core/graph.h"

#include "base/assert.h"

/* The first need of `task` whose turn does not come, -1 if there is none. */
static int32_t stuck_need(const struct flow_task *task, const bool *is_done)
{
	for (size_t i = 0; i < task->need_count; i++)
		if (!is_done[task->needs[i]])
			return task->needs[i];
	return -1;
}

/*
 * Marks every task whose turn comes. Rounds until one brings nothing new: a list in order takes two, and the
 * worst (each task needs the next one) LIMIT_TASKS, each of which looks at one need a task.
 */
static void run_dry(const struct flow *flow, bool *is_done)
{
	for (bool is_new = true; is_new;) {
		is_new = false;
		for (size_t i = 0; i < flow->task_count; i++) {
			if (is_done[i] || stuck_need(&flow->tasks[i], is_done) >= 0)
				continue;
			is_done[i] = true;
			is_new = true;
		}
	}
}

/* Turns the cycle so that its earliest task stands first. */
static void begin_with_earliest(int32_t *cycle, size_t count, int32_t *turned)
{
	size_t earliest = 0;
	for (size_t i = 1; i < count; i++)
		if (cycle[i] < cycle[earliest])
			earliest = i;
	for (size_t i = 0; i < count; i++)
		turned[i] = cycle[(earliest + i) % count];
}

bool graph_find_cycle(const struct flow *flow, struct arena *arena, int32_t **cycle, size_t *count)
{
	bool *is_done = ARENA_ARRAY(arena, bool, flow->task_count);
	run_dry(flow, is_done);
	int32_t at = 0;
	while ((size_t)at < flow->task_count && is_done[at])
		at++;
	if ((size_t)at == flow->task_count)
		return false;

	/* Each stuck task needs a stuck one, so following them comes round. */
	int32_t *path = ARENA_ARRAY(arena, int32_t, flow->task_count);
	int32_t *place = ARENA_ARRAY(arena, int32_t, flow->task_count);     /* in the path, from 1 */
	int32_t length = 0;
	while (!place[at]) {
		path[length++] = at;
		place[at] = length;
		at = stuck_need(&flow->tasks[at], is_done);
		ASSERT(at >= 0);
	}
	*count = (size_t)(length - place[at] + 1);
	*cycle = ARENA_ARRAY(arena, int32_t, *count);
	begin_with_earliest(path + place[at] - 1, *count, *cycle);
	return true;
}
