/*
 * Holds over real rows: what they keep from starting, what they take back, what is in flight under them.
 */
#include <string.h>

#include "base/limits.h"
#include "lib/stage.h"
#include "ops/overview.h"

static const char one_yaml[] = "id: one\nnamespace: t\ntasks:\n  - { id: a, type: shell, commands: [ x ] }\n";
static const char chain_yaml[] =
	"id: chain\nnamespace: t\ntasks:\n  - { id: a, type: shell, commands: [ x ] }\n"
	"  - { id: b, type: shell, commands: [ x ], needs: [ a ] }\n";

struct hand {
	struct stage stage;
	int64_t session;
	int64_t got;
	struct stage_exchange last;
};

static int set_up(void **state)
{
	static struct hand hand;
	hand = (struct hand){ .got = 0 };
	stage_open(&hand.stage);
	stage_apply(&hand.stage, one_yaml);
	stage_apply(&hand.stage, chain_yaml);
	hand.session = stage_hello(&hand.stage, "one", 8);
	*state = &hand;
	return 0;
}

static int tear_down(void **state)
{
	struct hand *hand = *state;
	stage_check(&hand->stage);
	stage_exchange_fini(&hand->last);
	stage_close(&hand->stage);
	return 0;
}

static const struct exchange_answer *swap(struct hand *hand, struct report *report)
{
	struct error error;
	stage_exchange_fini(&hand->last);
	hand->stage.now += 10;
	hand->last.exchange = (struct exchange){ .session = hand->session, .got = hand->got, .free = 8,
						 .reports = report, .report_count = report != NULL };
	assert_works(stage_exchange(&hand->stage, &hand->last, &error));
	assert_true(hand->last.is_answered);
	hand->got = hand->last.op.answer.seq;
	stage_check(&hand->stage);
	return &hand->last.op.answer;
}

static struct attempt_id take(struct hand *hand, struct report *report, enum order_kind kind)
{
	const struct exchange_answer *answer = swap(hand, report);
	assert_int_equal(answer->order_count, 1);
	assert_int_equal(answer->orders[0].kind, kind);
	return answer->orders[0].attempt;
}

static void take_nothing(struct hand *hand, struct report *report)
{
	assert_int_equal(swap(hand, report)->order_count, 0);
}

static struct report reports(const struct hand *hand, struct attempt_id id, enum report_kind kind)
{
	return (struct report){ .attempt = id, .kind = kind, .at_ms = hand->stage.now, .result = RESULT_SUCCEEDED };
}

static void end_hold(struct hand *hand, int64_t id)
{
	struct error error;
	assert_works(stage_end_hold(&hand->stage, id, &error));
}

/* What is so under all holds. `drained` is asked the cheap way, too: both have to agree. */
static struct overview look(struct hand *hand)
{
	struct error error;
	struct overview overview;
	bool is_drained;
	assert_works(stage_begin(&hand->stage, &error));
	assert_works(overview_take(&hand->stage.tx, NULL, 1000, &overview, &error));
	assert_works(overview_is_drained(&hand->stage.tx, NULL, &is_drained, &error));
	assert_int_equal(overview.verdict.is_drained, is_drained);
	store_rollback(hand->stage.store);
	return overview;
}

static void nothing_starts_under_a_hold(void **state)
{
	struct hand *hand = *state;
	int64_t before = stage_submit(&hand->stage, "t.one");
	int64_t hold = stage_enter(&hand->stage);
	int64_t after = stage_submit(&hand->stage, "t.one");
	take_nothing(hand, NULL);
	assert_int_equal(stage_state(&hand->stage, before), EXECUTION_QUEUED);
	assert_int_equal(stage_state(&hand->stage, after), EXECUTION_QUEUED);
	struct overview overview = look(hand);
	assert_int_equal(overview.waiting, 2);
	assert_int_equal(overview.running, 0);
	assert_int_equal(overview.verdict.safe, SAFE_YES);
	assert_true(overview.verdict.is_drained && overview.verdict.is_settled);
	end_hold(hand, hold);
	assert_int_equal(swap(hand, NULL)->order_count, 2);
}

/* One row for the hold, one for the version, two for the audit: whatever waits. */
static void entering_writes_the_same_few_rows_whatever_waits(void **state)
{
	struct hand *hand = *state;
	int64_t written[2];
	for (int i = 0; i < 2; i++) {
		for (int k = 0; k < 100 * i; k++)
			stage_submit(&hand->stage, "t.one");
		written[i] = -hand->stage.store->rows_written;
		end_hold(hand, stage_enter(&hand->stage));
		written[i] += hand->stage.store->rows_written;
	}
	assert_int_equal(written[0], written[1]);
}

static void ending_one_of_two_holds_lets_nothing_go(void **state)
{
	struct hand *hand = *state;
	stage_submit(&hand->stage, "t.one");
	int64_t first = stage_enter(&hand->stage), second = stage_enter(&hand->stage);
	end_hold(hand, first);
	take_nothing(hand, NULL);
	struct error error;
	assert_refuses(stage_end_hold(&hand->stage, first, &error), ERR_CONFLICT, "ended");
	end_hold(hand, second);
	take(hand, NULL, ORDER_START);
}

static void a_waiting_agent_gets_work_when_the_hold_ends(void **state)
{
	struct error error;
	struct hand *hand = *state;
	int64_t hold = stage_enter(&hand->stage);
	stage_submit(&hand->stage, "t.one");
	hand->last.exchange = (struct exchange){ .session = hand->session, .free = 8, .wait_ms = 30000 };
	assert_works(stage_exchange(&hand->stage, &hand->last, &error));
	assert_false(hand->last.is_answered);
	end_hold(hand, hold);
	assert_true(hand->last.is_answered);
	assert_int_equal(hand->last.op.answer.order_count, 1);
}

static void what_was_handed_is_taken_back_and_kept(void **state)
{
	struct hand *hand = *state;
	int64_t number = stage_submit(&hand->stage, "t.chain");
	struct attempt_id id = take(hand, NULL, ORDER_START);
	int64_t hold = stage_enter(&hand->stage);
	assert_false(look(hand).verdict.is_settled);
	assert_int_equal(look(hand).verdict.safe, SAFE_NO);
	assert_true(attempt_id_same(take(hand, NULL, ORDER_TAKE_BACK), id));
	assert_false(look(hand).verdict.is_settled);
	struct report back = reports(hand, id, REPORT_TAKEN_BACK);
	take_nothing(hand, &back);
	assert_int_equal(stage_state(&hand->stage, number), EXECUTION_QUEUED);
	assert_int_equal(look(hand).verdict.safe, SAFE_YES);
	end_hold(hand, hold);
	id = take(hand, NULL, ORDER_START);
	assert_int_equal(id.try, 2);
}

/* It began before the order to take it back came: then it runs, and is in flight until it ends. */
static void what_began_meanwhile_runs_on(void **state)
{
	struct hand *hand = *state;
	int64_t number = stage_submit(&hand->stage, "t.one");
	struct attempt_id id = take(hand, NULL, ORDER_START);
	stage_enter(&hand->stage);
	take(hand, NULL, ORDER_TAKE_BACK);
	struct report begin = reports(hand, id, REPORT_BEGAN);
	take_nothing(hand, &begin);
	struct overview overview = look(hand);
	assert_true(overview.verdict.is_settled);
	assert_false(overview.verdict.is_drained);
	assert_int_equal(overview.verdict.blocker_count, 1);
	struct report end = reports(hand, id, REPORT_ENDED);
	take_nothing(hand, &end);
	assert_int_equal(stage_state(&hand->stage, number), EXECUTION_SUCCEEDED);
	assert_int_equal(look(hand).verdict.safe, SAFE_YES);
}

/* Under `default` what has begun goes on to its end, and between two tasks it is still in flight. */
static void what_has_begun_goes_on(void **state)
{
	struct error error;
	struct hand *hand = *state;
	int64_t number = stage_submit(&hand->stage, "t.chain");
	struct attempt_id id = take(hand, NULL, ORDER_START);
	stage_enter(&hand->stage);
	struct report end = reports(hand, id, REPORT_ENDED);
	/* The slots are full: the next task has to wait. */
	struct stage_exchange full = { .exchange = { .session = hand->session, .got = hand->got, .reports = &end,
						     .report_count = 1 } };
	assert_works(stage_exchange(&hand->stage, &full, &error));
	stage_exchange_fini(&full);
	struct overview overview = look(hand);
	assert_false(overview.verdict.is_drained);
	assert_true(overview.verdict.is_settled);
	assert_int_equal(overview.running, 1);
	id = take(hand, NULL, ORDER_START);
	assert_int_equal(id.task, 1);
	/* A next task is handed under the hold, and is not taken back. */
	take_nothing(hand, NULL);
	end = reports(hand, id, REPORT_ENDED);
	take_nothing(hand, &end);
	assert_int_equal(stage_state(&hand->stage, number), EXECUTION_SUCCEEDED);
	assert_int_equal(look(hand).verdict.safe, SAFE_YES);
}

static void without_a_hold_idle_is_not_safe(void **state)
{
	struct hand *hand = *state;
	struct overview overview = look(hand);
	assert_int_equal(overview.verdict.safe, SAFE_NO);
	assert_true(overview.verdict.is_idle);
}

static void a_silent_agents_work_is_unknown(void **state)
{
	struct error error;
	struct hand *hand = *state;
	stage_submit(&hand->stage, "t.one");
	struct attempt_id id = take(hand, NULL, ORDER_START);
	struct report begin = reports(hand, id, REPORT_BEGAN);
	take_nothing(hand, &begin);
	stage_enter(&hand->stage);
	hand->stage.now += LIMIT_LEASE_MS - 20;
	assert_int_equal(look(hand).verdict.safe, SAFE_NO);
	hand->stage.now += LIMIT_LEASE_MS;
	struct overview overview = look(hand);
	assert_int_equal(overview.verdict.safe, SAFE_UNKNOWN);
	assert_int_equal(overview.silent_count, 1);
	assert_string_equal(overview.silent_agents[0], "one");
	/* Given up, it is still unknown: nobody knows whether it runs. Only the agent can say. */
	hand->stage.now += LIMIT_LOST_AFTER_MS;
	assert_works(stage_begin(&hand->stage, &error));
	assert_works(stage_end(&hand->stage, agents_reap(&hand->stage.tx, LIMIT_LOST_AFTER_MS, &error), &error));
	assert_int_equal(look(hand).verdict.safe, SAFE_UNKNOWN);
	stage_restart(&hand->stage);
	assert_int_equal(look(hand).verdict.safe, SAFE_UNKNOWN);
	hand->session = stage_hello(&hand->stage, "one", 8);
	assert_int_equal(look(hand).verdict.safe, SAFE_YES);
}

/* A lease does not run while no server could hear the agent. */
static void nobody_is_silent_to_a_server_that_was_away(void **state)
{
	struct hand *hand = *state;
	stage_submit(&hand->stage, "t.one");
	take(hand, NULL, ORDER_START);
	stage_enter(&hand->stage);
	hand->stage.now += 10 * LIMIT_LEASE_MS;
	stage_restart(&hand->stage);
	assert_int_equal(look(hand).silent_count, 0);
	assert_int_equal(look(hand).verdict.safe, SAFE_NO);
	hand->stage.now += LIMIT_LEASE_MS + 1;
	assert_int_equal(look(hand).verdict.safe, SAFE_UNKNOWN);
}

/* The hold itself is a row, and the drained instant with it. */
static void holds_outlive_the_server_and_note_since_when_they_are_drained(void **state)
{
	struct error error;
	struct hand *hand = *state;
	struct hold hold;
	stage_submit(&hand->stage, "t.one");
	int64_t id = stage_enter(&hand->stage);
	stage_restart(&hand->stage);
	hand->session = stage_hello(&hand->stage, "one", 8);
	hand->got = 0;
	take_nothing(hand, NULL);
	instant since = 0;
	for (int i = 0; i < 4; i++) {
		bool is_drained = i != 2;
		hand->stage.now += 100;
		since = i == 0 || i == 3 ? hand->stage.now : i == 2 ? 0 : since;
		assert_works(stage_begin(&hand->stage, &error));
		assert_works(stage_end(&hand->stage, holds_note_drained(&hand->stage.tx, is_drained, &error), &error));
		assert_works(stage_begin(&hand->stage, &error));
		bool ok = holds_show(&hand->stage.tx, &hand->stage.admin, id, &hold, &error);
		assert_int_equal(hold.drained_ms, since);
		assert_works(stage_end(&hand->stage, ok, &error));
	}
	end_hold(hand, id);
	take(hand, NULL, ORDER_START);
}

/* Wherever the store fails while maintenance is entered: either the hold stands, or nothing of it does. */
static void a_failing_store_leaves_nothing_of_an_enter(void **state)
{
	static const struct statement holds = { "SELECT count(*) FROM hold", "" };
	struct error error;
	struct hand *hand = *state;
	int64_t id;
	bool ok = false;
	stage_submit(&hand->stage, "t.one");
	for (int64_t n = 1; !ok; n++) {
		stage_fail_at(&hand->stage, n);
		ok = stage_try_enter(&hand->stage, &id, &error);
		stage_fail_at(&hand->stage, 0);
		assert_int_equal(stage_number(&hand->stage, &holds), ok);
		assert_in_range(n, 1, 100);
	}
	hand->session = stage_hello(&hand->stage, "one", 8);
	take_nothing(hand, NULL);
	assert_int_equal(look(hand).holds->count, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(nothing_starts_under_a_hold),
		TEST(entering_writes_the_same_few_rows_whatever_waits),
		TEST(ending_one_of_two_holds_lets_nothing_go),
		TEST(a_waiting_agent_gets_work_when_the_hold_ends),
		TEST(what_was_handed_is_taken_back_and_kept),
		TEST(what_began_meanwhile_runs_on),
		TEST(what_has_begun_goes_on),
		TEST(without_a_hold_idle_is_not_safe),
		TEST(a_silent_agents_work_is_unknown),
		TEST(nobody_is_silent_to_a_server_that_was_away),
		TEST(holds_outlive_the_server_and_note_since_when_they_are_drained),
		TEST(a_failing_store_leaves_nothing_of_an_enter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
