/*
 * Accepting executions, with keys, and interrupting them in every state.
 */
#include <string.h>

#include "lib/stage.h"
#include "store/backlogs.h"

static const char one_yaml[] =
	"id: one\nnamespace: t\ninputs:\n  - { id: day, type: integer }\ntasks:\n"
	"  - { id: a, type: shell, commands: [ x ] }\n";
static const char chain_yaml[] =
	"id: chain\nnamespace: t\ntasks:\n  - { id: a, type: shell, commands: [ x ] }\n"
	"  - { id: b, type: shell, commands: [ x ], needs: [ a ] }\n";

static const struct statement count_executions = { "SELECT count(*) FROM execution", "" };
static const struct statement count_ready = { "SELECT count(*) FROM ready", "" };
static const struct statement count_audits = {
	"SELECT count(*) FROM audit WHERE act IN ('execution.stop', 'execution.kill', 'execution.cancel')", "",
};

static int set_up(void **state)
{
	static struct stage stage;
	stage_open(&stage);
	stage_apply(&stage, one_yaml);
	stage_apply(&stage, chain_yaml);
	*state = &stage;
	return 0;
}

static int tear_down(void **state)
{
	stage_check(*state);
	stage_close(*state);
	return 0;
}

/* Submits all of these as one request of a batch of its own. */
static bool submit_many(struct stage *stage, const struct submit_item *items, struct submit_result *results,
			size_t count, struct error *error)
{
	struct submit submit = { .credential = &stage->admin, .items = items, .count = count, .is_batch = true,
				 .results = results };
	struct submit *submits[] = { &submit };
	if (!stage_begin(stage, error) || !stage_end(stage, submit_all(&stage->tx, submits, 1, error), error))
		return false;
	*error = submit.error;
	return submit.error.code == ERR_NONE;
}

static void a_request_is_taken_whole_or_not_at_all(void **state)
{
	static const struct flow_pair wrong = { "day", "monday" };
	struct error error;
	struct stage *stage = *state;
	struct submit_result results[4];
	struct submit_item items[] = { { .flow = "t.one", .key = "k" }, { .flow = "t.chain" }, { .flow = "t.none" },
				       { .flow = "t.one" } };
	assert_refuses(submit_many(stage, items, results, 4, &error), ERR_NOT_FOUND, "items[2]");
	items[2] = (struct submit_item){ .flow = "t.one", .inputs = &wrong, .input_count = 1 };
	assert_refuses(submit_many(stage, items, results, 4, &error), ERR_INVALID, "items[2]");
	assert_int_equal(stage_number(stage, &count_executions), 0);
	assert_int_equal(stage_number(stage, &count_ready), 0);
	items[2] = items[1];
	assert_works(submit_many(stage, items, results, 4, &error));
	for (int64_t i = 0; i < 4; i++)
		assert_int_equal(results[i].number, results[0].number + i);
	assert_int_equal(results[0].number, 1);
	assert_false(results[0].is_repeated);
	assert_int_equal(stage_number(stage, &count_ready), 4);
}

/* Requests of other callers in the same transaction stand, whatever becomes of one. */
static void a_refused_request_leaves_its_neighbours(void **state)
{
	struct error error;
	struct stage *stage = *state;
	struct submit_result results[3];
	struct submit_item good = { .flow = "t.one", .key = "k" }, bad[] = { { .flow = "t.one", .key = "k2" },
									    { .flow = "t.none" } };
	struct credential nobody = { .has_token = true };
	struct submit one = { .credential = &stage->admin, .items = &good, .count = 1, .results = results };
	struct submit two = { .credential = &stage->admin, .items = bad, .count = 2, .results = results + 1 };
	struct submit three = { .credential = &nobody, .items = &good, .count = 1, .results = results + 2 };
	struct submit *submits[] = { &two, &three, &one };
	assert_works(stage_begin(stage, &error));
	assert_works(stage_end(stage, submit_all(&stage->tx, submits, 3, &error), &error));
	assert_int_equal(one.error.code, ERR_NONE);
	assert_int_equal(two.error.code, ERR_NOT_FOUND);
	assert_int_equal(three.error.code, ERR_UNAUTHENTIC);
	assert_int_equal(stage_number(stage, &count_executions), 1);
	/* The refused one's key was not used. */
	assert_works(submit_many(stage, bad, results, 1, &error));
	assert_false(results[0].is_repeated);
}

static void a_key_makes_a_submit_repeatable_for_a_day(void **state)
{
	struct error error;
	struct stage *stage = *state;
	struct submit_result first, again;
	assert_works(stage_try_submit(stage, "t.one", 0, "k", &first, &error));
	assert_works(stage_try_submit(stage, "t.one", 0, "k", &again, &error));
	assert_true(again.is_repeated);
	assert_int_equal(again.number, first.number);
	assert_refuses(stage_try_submit(stage, "t.one", 1, "k", &again, &error), ERR_CONFLICT, "\"k\"");
	assert_works(stage_try_submit(stage, "t.chain", 1, "k", &again, &error));
	assert_false(again.is_repeated);
	assert_works(stage_try_submit(stage, "t.one", 0, "K", &again, &error));
	assert_false(again.is_repeated);
	stage->now += (instant)SUBMIT_KEY_HOURS * 3600 * 1000 - 1;
	assert_works(stage_try_submit(stage, "t.one", 0, "k", &again, &error));
	assert_true(again.is_repeated);
	stage->now += 1;
	assert_works(stage_try_submit(stage, "t.one", 5, "k", &again, &error));
	assert_false(again.is_repeated);
	assert_int_not_equal(again.number, first.number);
	/* A tick forgets what is too old, and no more. */
	stage->now += 1;
	static const struct statement keys = { "SELECT count(*) FROM submit_key", "" };
	assert_works(stage_begin(stage, &error));
	assert_works(stage_end(stage, submit_forget_keys(&stage->tx, &error), &error));
	assert_int_equal(stage_number(stage, &keys), 1);
	assert_works(stage_try_submit(stage, "t.one", 5, "k", &first, &error));
	assert_int_equal(first.number, again.number);
}

/* Two callers with one key meet in one transaction: there is one execution. */
static void one_key_twice_at_once_makes_one(void **state)
{
	struct error error;
	struct stage *stage = *state;
	struct submit_result results[3] = { { 0 } };
	struct submit_item same = { .flow = "t.one", .key = "k" }, differs = same;
	differs.priority = 3;
	struct submit one = { .credential = &stage->admin, .items = &same, .count = 1, .results = results };
	struct submit two = one, three = one;
	two.results = results + 1;
	three.items = &differs;
	three.results = results + 2;
	struct submit *submits[] = { &one, &two, &three };
	assert_works(stage_begin(stage, &error));
	assert_works(stage_end(stage, submit_all(&stage->tx, submits, 3, &error), &error));
	assert_int_equal(stage_number(stage, &count_executions), 1);
	assert_int_equal(one.error.code, ERR_NONE);
	assert_int_equal(two.error.code, ERR_NONE);
	assert_true(results[1].is_repeated);
	assert_int_equal(results[1].number, results[0].number);
	assert_int_equal(three.error.code, ERR_CONFLICT);
}

/* However far a submit comes before the store fails, nothing of it stays, and the numbers have no gap. */
static void a_failing_store_leaves_nothing_of_a_submit(void **state)
{
	struct error error;
	struct stage *stage = *state;
	struct submit_result result;
	bool ok = false;
	for (int64_t n = 1; !ok; n++) {
		stage_fail_at(stage, n);
		ok = stage_try_submit(stage, "t.chain", 0, "k", &result, &error);
		stage_fail_at(stage, 0);
		if (!ok)
			assert_int_equal(error.code, ERR_STORE);
		assert_int_equal(stage_number(stage, &count_executions), ok);
		assert_int_equal(stage_number(stage, &count_ready), ok);
		stage_check(stage);
		assert_in_range(n, 1, 100);
	}
	assert_int_equal(result.number, 1);
	assert_true(stage->failures > 5);
}

static int64_t session, got;

static void swap(struct stage *stage, struct stage_exchange *exchange, struct report *reports, size_t count,
		 int32_t free)
{
	struct error error;
	stage->now += 10;
	stage_exchange_fini(exchange);
	exchange->exchange = (struct exchange){ .session = session, .got = got, .free = free, .reports = reports,
						.report_count = count };
	assert_works(stage_exchange(stage, exchange, &error));
	assert_true(exchange->is_answered);
	got = exchange->op.answer.seq;
}

/* A running execution of t.chain, whose first task is handed, or has begun. */
static int64_t start_chain(struct stage *stage, bool has_begun, struct attempt_id *id)
{
	struct stage_exchange exchange = { .is_answered = false };
	int64_t number = stage_submit(stage, "t.chain");
	session = stage_hello(stage, "one", 4);
	got = 0;
	swap(stage, &exchange, NULL, 0, 4);
	assert_int_equal(exchange.op.answer.order_count, 1);
	*id = exchange.op.answer.orders[0].attempt;
	struct report begin = { .attempt = *id, .kind = REPORT_BEGAN, .at_ms = stage->now };
	if (has_begun)
		swap(stage, &exchange, &begin, 1, 3);
	stage_exchange_fini(&exchange);
	return number;
}

static void what_has_not_begun_is_cancelled(void **state)
{
	struct error error;
	struct stage *stage = *state;
	for (int i = INTERRUPT_STOP; i <= INTERRUPT_CANCEL; i++) {
		int64_t number = stage_submit(stage, "t.chain");
		assert_works(stage_interrupt(stage, number, (enum interruption)i, &error));
		assert_int_equal(stage_state(stage, number), EXECUTION_CANCELLED);
		assert_int_equal(stage_number(stage, &count_ready), 0);
		stage_check(stage);
		assert_refuses(stage_interrupt(stage, number, (enum interruption)i, &error), ERR_CONFLICT,
			       "has ended already: cancelled");
	}
	assert_int_equal(stage_number(stage, &count_audits), 3);
	assert_refuses(stage_interrupt(stage, 99, INTERRUPT_STOP, &error), ERR_NOT_FOUND, "99");
}

static void what_runs_is_told_and_starts_nothing_more(void **state)
{
	static const enum order_kind orders[] = { ORDER_STOP, ORDER_KILL };
	static const enum execution_state ends[] = { EXECUTION_STOPPED, EXECUTION_KILLED };
	struct error error;
	struct stage *stage = *state;
	for (int i = INTERRUPT_STOP; i <= INTERRUPT_KILL; i++) {
		struct stage_exchange exchange = { .is_answered = false };
		struct attempt_id id;
		int64_t number = start_chain(stage, true, &id);
		assert_refuses(stage_interrupt(stage, number, INTERRUPT_CANCEL, &error), ERR_CONFLICT,
			       "only a queued one");
		assert_works(stage_interrupt(stage, number, (enum interruption)i, &error));
		stage_check(stage);
		swap(stage, &exchange, NULL, 0, 3);
		assert_int_equal(exchange.op.answer.order_count, 1);
		assert_int_equal(exchange.op.answer.orders[0].kind, orders[i]);
		assert_true(attempt_id_same(exchange.op.answer.orders[0].attempt, id));
		/* Told once. */
		swap(stage, &exchange, NULL, 0, 3);
		assert_int_equal(exchange.op.answer.order_count, 0);
		struct report end = { .attempt = id, .kind = REPORT_ENDED, .at_ms = stage->now,
				      .result = i == INTERRUPT_STOP ? RESULT_STOPPED : RESULT_KILLED };
		swap(stage, &exchange, &end, 1, 4);
		assert_int_equal(exchange.op.answer.order_count, 0);
		assert_int_equal(stage_state(stage, number), ends[i]);
		stage_exchange_fini(&exchange);
	}
}

/* A stop is no longer waited for: it becomes a kill. A kill never becomes a stop. */
static void a_kill_follows_a_stop(void **state)
{
	struct error error;
	struct stage *stage = *state;
	struct stage_exchange exchange = { .is_answered = false };
	struct attempt_id id;
	int64_t number = start_chain(stage, true, &id);
	assert_works(stage_interrupt(stage, number, INTERRUPT_STOP, &error));
	assert_works(stage_interrupt(stage, number, INTERRUPT_STOP, &error));
	assert_int_equal(stage_state(stage, number), EXECUTION_STOPPING);
	assert_works(stage_interrupt(stage, number, INTERRUPT_KILL, &error));
	assert_int_equal(stage_state(stage, number), EXECUTION_KILLING);
	bool is_taken = stage_interrupt(stage, number, INTERRUPT_STOP, &error);
	assert_true(is_taken || error.code == ERR_CONFLICT);
	assert_int_equal(stage_state(stage, number), EXECUTION_KILLING);
	swap(stage, &exchange, NULL, 0, 3);
	assert_int_equal(exchange.op.answer.order_count, 1);
	assert_int_equal(exchange.op.answer.orders[0].kind, ORDER_KILL);
	/* Its work was done before the order came; the rest of the flow was cut off all the same. */
	struct report end = { .attempt = id, .kind = REPORT_ENDED, .at_ms = stage->now, .result = RESULT_SUCCEEDED };
	swap(stage, &exchange, &end, 1, 4);
	assert_int_equal(stage_state(stage, number), EXECUTION_KILLED);
	stage_exchange_fini(&exchange);
}

static void what_is_taken_back_after_a_stop_has_stopped(void **state)
{
	struct error error;
	struct stage *stage = *state;
	struct stage_exchange exchange = { .is_answered = false };
	struct attempt_id id;
	int64_t number = start_chain(stage, false, &id);
	assert_works(stage_interrupt(stage, number, INTERRUPT_STOP, &error));
	struct report back = { .attempt = id, .kind = REPORT_TAKEN_BACK };
	swap(stage, &exchange, &back, 1, 4);
	assert_int_equal(exchange.op.answer.order_count, 0);
	assert_int_equal(stage_state(stage, number), EXECUTION_STOPPED);
	stage_exchange_fini(&exchange);
}

/* Between two tasks nothing is open: a stop ends the execution at once. */
static void what_waits_for_its_next_task_ends_at_once(void **state)
{
	struct error error;
	struct stage *stage = *state;
	struct stage_exchange exchange = { .is_answered = false };
	struct attempt_id id;
	int64_t number = start_chain(stage, true, &id);
	struct report end = { .attempt = id, .kind = REPORT_ENDED, .at_ms = stage->now, .result = RESULT_SUCCEEDED };
	swap(stage, &exchange, &end, 1, 0);
	assert_int_equal(stage_number(stage, &count_ready), 1);
	assert_works(stage_interrupt(stage, number, INTERRUPT_KILL, &error));
	assert_int_equal(stage_state(stage, number), EXECUTION_KILLED);
	assert_int_equal(stage_number(stage, &count_ready), 0);
	swap(stage, &exchange, NULL, 0, 4);
	assert_int_equal(exchange.op.answer.order_count, 0);
	stage_exchange_fini(&exchange);
}

/* Whoever waits gets the order at once, and not with its next exchange. */
static void a_waiting_agent_is_told_at_once(void **state)
{
	struct error error;
	struct stage *stage = *state;
	struct stage_exchange exchange = { .is_answered = false };
	struct attempt_id id;
	int64_t number = start_chain(stage, true, &id);
	exchange.exchange = (struct exchange){ .session = session, .got = got, .free = 3, .wait_ms = 30000 };
	assert_works(stage_exchange(stage, &exchange, &error));
	assert_false(exchange.is_answered);
	assert_works(stage_interrupt(stage, number, INTERRUPT_KILL, &error));
	assert_true(exchange.is_answered);
	assert_int_equal(exchange.op.answer.orders[0].kind, ORDER_KILL);
	stage_exchange_fini(&exchange);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_request_is_taken_whole_or_not_at_all),
		TEST(a_refused_request_leaves_its_neighbours),
		TEST(a_key_makes_a_submit_repeatable_for_a_day),
		TEST(one_key_twice_at_once_makes_one),
		TEST(a_failing_store_leaves_nothing_of_a_submit),
		TEST(what_has_not_begun_is_cancelled),
		TEST(what_runs_is_told_and_starts_nothing_more),
		TEST(a_kill_follows_a_stop),
		TEST(what_is_taken_back_after_a_stop_has_stopped),
		TEST(what_waits_for_its_next_task_ends_at_once),
		TEST(a_waiting_agent_is_told_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
