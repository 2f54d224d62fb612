/*
 * Every small execution, walked whole: all graphs of one to three tasks, both rules for what is lost, and from each
 * situation every move of the outside. After each move what the step says is held against what must be so.
 */
#include "lib/test.h"

#include <string.h>

#include "base/arena.h"
#include "base/map.h"
#include "core/execution.h"
#include "core/graph.h"

enum { MOST_TASKS = 3, MOST_TRIES = 2, MOST_ATTEMPTS = MOST_TASKS * MOST_TRIES };

struct situation {
	enum execution_state state;
	struct attempt_view attempts[MOST_ATTEMPTS];
	size_t count;
	bool has_row[MOST_TASKS];        /* in `ready` */
};

struct walk {
	const struct flow *flow;
	struct arena arena;
	struct map seen;
	size_t ends[EXECUTION_STATES];
};

/* A number for each situation, so that each is looked at once. Attempts were made in different orders: sum them. */
static int64_t key_of(const struct situation *now)
{
	int64_t key = (int64_t)now->state + 1;
	int64_t attempts = 0;
	for (size_t i = 0; i < now->count; i++) {
		int64_t place = now->attempts[i].task * MOST_TRIES + now->attempts[i].try - 1;
		int64_t how = 1 + (int64_t)now->attempts[i].state * RESULTS + now->attempts[i].result;
		attempts += how << (6 * place);
	}
	for (size_t i = 0; i < MOST_TASKS; i++)
		key = key * 2 + now->has_row[i];
	return key << 36 | attempts;
}

/* The latest attempt of a task that was not taken back. */
static const struct attempt_view *counting(const struct situation *now, size_t task)
{
	const struct attempt_view *latest = NULL;
	for (size_t i = 0; i < now->count; i++)
		if (now->attempts[i].task == (int32_t)task && now->attempts[i].state != ATTEMPT_TAKEN_BACK)
			latest = &now->attempts[i];
	return latest;
}

static bool has_latest(const struct walk *walk, const struct situation *now, enum result result)
{
	for (size_t i = 0; i < walk->flow->task_count; i++) {
		const struct attempt_view *latest = counting(now, i);
		if (latest && latest->result == result)
			return true;
	}
	return false;
}

/* How it has to end, in the words of execution.h. */
static enum execution_state right_end(const struct walk *walk, const struct situation *now,
				      enum execution_state before)
{
	bool all_succeeded = true, all_by_themselves = true;
	for (size_t i = 0; i < walk->flow->task_count; i++) {
		const struct attempt_view *latest = counting(now, i);
		all_succeeded = all_succeeded && latest && latest->result == RESULT_SUCCEEDED;
		all_by_themselves = all_by_themselves && latest && latest->result <= RESULT_TIMED_OUT;
	}
	if (all_succeeded)
		return EXECUTION_SUCCEEDED;
	if (has_latest(walk, now, RESULT_LOST))
		return EXECUTION_LOST;
	if (!all_by_themselves && before == EXECUTION_STOPPING)
		return EXECUTION_STOPPED;
	if (!all_by_themselves && before == EXECUTION_KILLING)
		return EXECUTION_KILLED;
	return has_latest(walk, now, RESULT_FAILED) ? EXECUTION_FAILED : EXECUTION_TIMED_OUT;
}

static void check(struct walk *walk, const struct situation *now, const struct execution_update *update,
		  enum execution_state before)
{
	size_t open = 0, rows = 0, failed = 0;
	for (size_t i = 0; i < walk->flow->task_count; i++) {
		const struct attempt_view *latest = counting(now, i);
		bool is_open = latest && attempt_is_open(latest->state);
		assert_int_equal(is_open, update->tasks[i].status == TASK_OPEN);
		if (now->state == EXECUTION_RUNNING)
			assert_int_equal(now->has_row[i], update->tasks[i].status == TASK_READY);
		open += is_open;
		rows += now->has_row[i];
		failed += update->tasks[i].status == TASK_FAILED;
	}
	if (failed > 0)
		assert_true(update->is_halted);
	if (execution_is_open(now->state)) {
		assert_true(open + rows > 0);
		assert_int_equal(now->state == EXECUTION_QUEUED, counting(now, 0) == NULL &&
									 counting(now, 1) == NULL &&
									 counting(now, 2) == NULL);
	} else {
		assert_int_equal(open + rows, 0);
		assert_int_equal(now->state, right_end(walk, now, before));
	}
}

static void explore(struct walk *walk, const struct situation *now);

/* The outside did something: step, keep the rows as ops do, check, and go on from there. */
static void follow(struct walk *walk, const struct situation *moved)
{
	struct situation now = *moved;
	enum execution_state before = now.state;
	struct execution_update update;
	execution_step(walk->flow, now.attempts, now.count, before, &walk->arena, &update);
	now.state = update.state;
	if (update.is_halted || !execution_is_open(update.state) ||
	    (update.state == EXECUTION_QUEUED && before != EXECUTION_QUEUED))
		memset(now.has_row, 0, sizeof(now.has_row));
	for (size_t i = 0; i < update.ready_count; i++) {
		assert_false(now.has_row[update.ready[i]]);
		now.has_row[update.ready[i]] = true;
	}
	for (size_t i = 0; i < now.count; i++)
		now.attempts[i].is_news = false;
	check(walk, &now, &update, before);
	arena_reset(&walk->arena);
	explore(walk, &now);
}

static void hand_out(struct walk *walk, const struct situation *now, size_t task)
{
	int32_t tries = 0;
	for (size_t i = 0; i < now->count; i++)
		tries += now->attempts[i].task == (int32_t)task;
	for (size_t i = 0; i < walk->flow->tasks[task].need_count; i++) {
		const struct attempt_view *need = counting(now, (size_t)walk->flow->tasks[task].needs[i]);
		assert_non_null(need);
		assert_int_equal(need->result, RESULT_SUCCEEDED);
	}
	if (tries == MOST_TRIES)
		return;
	struct situation moved = *now;
	moved.has_row[task] = false;
	moved.attempts[moved.count++] =
		(struct attempt_view){ (int32_t)task, tries + 1, ATTEMPT_HANDED, RESULT_NONE, true };
	follow(walk, &moved);
}

static void end_attempt(struct walk *walk, const struct situation *now, size_t attempt)
{
	for (int result = RESULT_SUCCEEDED; result < RESULTS; result++) {
		bool is_cut = result == RESULT_STOPPED || result == RESULT_KILLED;
		if (is_cut && now->state == EXECUTION_RUNNING)
			continue;
		struct situation moved = *now;
		moved.attempts[attempt].state = ATTEMPT_ENDED;
		moved.attempts[attempt].result = (enum result)result;
		moved.attempts[attempt].is_news = true;
		follow(walk, &moved);
	}
	struct situation moved = *now;
	moved.attempts[attempt].state = ATTEMPT_TAKEN_BACK;
	moved.attempts[attempt].is_news = true;
	follow(walk, &moved);
}

/* Several ends in one exchange are one step. */
static void end_all(struct walk *walk, const struct situation *now, enum result result)
{
	struct situation moved = *now;
	for (size_t i = 0; i < moved.count; i++) {
		if (!attempt_is_open(moved.attempts[i].state))
			continue;
		moved.attempts[i].state = ATTEMPT_ENDED;
		moved.attempts[i].result = result;
		moved.attempts[i].is_news = true;
	}
	follow(walk, &moved);
}

static void interrupt(struct walk *walk, const struct situation *now, enum execution_state state)
{
	if (now->state == EXECUTION_QUEUED || !execution_may_become(now->state, state))
		return;
	struct situation moved = *now;
	moved.state = state;
	follow(walk, &moved);
}

static void explore(struct walk *walk, const struct situation *now)
{
	static char mark;
	if (map_get(&walk->seen, key_of(now)))
		return;
	map_put(&walk->seen, key_of(now), &mark);
	if (!execution_is_open(now->state)) {
		walk->ends[now->state]++;
		return;
	}
	bool any_open = false;
	for (size_t i = 0; i < walk->flow->task_count; i++)
		if (now->has_row[i])
			hand_out(walk, now, i);
	for (size_t i = 0; i < now->count; i++) {
		if (!attempt_is_open(now->attempts[i].state))
			continue;
		any_open = true;
		end_attempt(walk, now, i);
	}
	if (any_open) {
		end_all(walk, now, RESULT_SUCCEEDED);
		end_all(walk, now, RESULT_LOST);
	}
	interrupt(walk, now, EXECUTION_STOPPING);
	interrupt(walk, now, EXECUTION_KILLING);
}

/* A flow whose task i needs task k where bit 3 * i + k of `edges` is set. */
static void make_flow(struct flow *flow, struct flow_task tasks[MOST_TASKS], int32_t needs[MOST_TASKS][MOST_TASKS],
		      size_t count, unsigned edges, enum on_lost on_lost)
{
	memset(tasks, 0, MOST_TASKS * sizeof(*tasks));
	*flow = (struct flow){ .tasks = tasks, .task_count = count, .on_lost = on_lost };
	for (size_t i = 0; i < count; i++) {
		tasks[i].needs = needs[i];
		for (size_t k = 0; k < count; k++)
			if (edges & BIT(MOST_TASKS * i + k))
				needs[i][tasks[i].need_count++] = (int32_t)k;
	}
}

/* Does following `edges` come back to where it began? By trying every walk of up to three steps. */
static bool comes_round(unsigned edges)
{
	for (size_t a = 0; a < MOST_TASKS; a++)
		for (size_t b = 0; b < MOST_TASKS; b++)
			for (size_t c = 0; c < MOST_TASKS; c++) {
				bool ab = edges & BIT(MOST_TASKS * a + b), bc = edges & BIT(MOST_TASKS * b + c);
				bool ba = edges & BIT(MOST_TASKS * b + a), ca = edges & BIT(MOST_TASKS * c + a);
				if ((a == b && ab) || (ab && ba) || (ab && bc && ca))
					return true;
			}
	return false;
}

static void a_cycle_is_found_wherever_there_is_one(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	for (unsigned edges = 0; edges < BIT(MOST_TASKS * MOST_TASKS); edges++) {
		struct flow flow;
		struct flow_task tasks[MOST_TASKS];
		int32_t needs[MOST_TASKS][MOST_TASKS], *cycle;
		size_t count;
		make_flow(&flow, tasks, needs, MOST_TASKS, edges, ON_LOST_FAIL);
		bool is_found = graph_find_cycle(&flow, &arena, &cycle, &count);
		assert_int_equal(is_found, comes_round(edges));
		for (size_t i = 0; is_found && i < count; i++) {
			assert_true(edges & BIT(MOST_TASKS * cycle[i] + cycle[(i + 1) % count]));
			assert_true(cycle[0] <= cycle[i]);
		}
		arena_reset(&arena);
	}
	arena_fini(&arena);
}

static void every_small_execution_is_right_after_every_move(void **state)
{
	(void)state;
	size_t ends[EXECUTION_STATES] = { 0 };
	for (size_t count = 1; count <= MOST_TASKS; count++) {
		for (unsigned edges = 0; edges < BIT(MOST_TASKS * count); edges++) {
			if (comes_round(edges))
				continue;
			for (enum on_lost on_lost = ON_LOST_FAIL; on_lost <= ON_LOST_RETRY; on_lost++) {
				struct flow flow;
				struct flow_task tasks[MOST_TASKS];
				int32_t needs[MOST_TASKS][MOST_TASKS];
				make_flow(&flow, tasks, needs, count, edges, on_lost);
				struct walk walk = { .flow = &flow };
				struct situation start = { .state = EXECUTION_QUEUED };
				start.has_row[execution_first_task(&flow)] = true;
				explore(&walk, &start);
				for (int i = 0; i < EXECUTION_STATES; i++)
					ends[i] += walk.ends[i];
				map_fini(&walk.seen);
				arena_fini(&walk.arena);
			}
		}
	}
	for (int i = EXECUTION_SUCCEEDED; i < EXECUTION_STATES; i++)
		assert_int_equal(ends[i] > 0, i != EXECUTION_CANCELLED);
}

static void a_task_tells_its_status_by_name(void **state)
{
	(void)state;
	for (int i = 0; i < TASK_STATUSES; i++)
		for (int k = 0; k < i; k++)
			assert_string_not_equal(task_status_name((enum task_status)i),
						task_status_name((enum task_status)k));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cycle_is_found_wherever_there_is_one),
		cmocka_unit_test(every_small_execution_is_right_after_every_move),
		cmocka_unit_test(a_task_tells_its_status_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
