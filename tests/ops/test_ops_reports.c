/*
 * What agents report, and what becomes of it: repeated, in odd order, after losses, across hellos.
 */
#include <string.h>

#include "base/limits.h"
#include "lib/stage.h"

static const char one_yaml[] = "id: one\nnamespace: t\ntasks:\n  - { id: a, type: shell, commands: [ x ] }\n";
static const char again_yaml[] =
	"id: again\nnamespace: t\non_lost: retry\ntasks:\n  - { id: a, type: shell, commands: [ x ] }\n";
static const char pair_yaml[] =
	"id: pair\nnamespace: t\non_lost: retry\ntasks:\n  - { id: a, type: shell, commands: [ x ] }\n"
	"  - { id: b, type: shell, commands: [ x ] }\n";
static const char noop_yaml[] = "id: noop\nnamespace: t\ntasks:\n  - { id: a, type: noop }\n";

/* An agent that does as it is told, one exchange at a time. */
struct hand {
	struct stage stage;
	int64_t session;
	int64_t got;
	int32_t free;
	struct stage_exchange last;
};

static int set_up(void **state)
{
	static struct hand hand;
	hand = (struct hand){ .free = 4 };
	stage_open(&hand.stage);
	stage_apply(&hand.stage, one_yaml);
	stage_apply(&hand.stage, again_yaml);
	stage_apply(&hand.stage, pair_yaml);
	stage_apply(&hand.stage, noop_yaml);
	hand.session = stage_hello(&hand.stage, "one", 4);
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

/* Reports, takes what there is, does not wait. */
static const struct exchange_answer *swap(struct hand *hand, struct report *reports, size_t count)
{
	struct error error;
	stage_exchange_fini(&hand->last);
	hand->stage.now += 10;
	hand->last.exchange = (struct exchange){ .session = hand->session, .got = hand->got, .free = hand->free,
						 .reports = reports, .report_count = count };
	assert_works(stage_exchange(&hand->stage, &hand->last, &error));
	assert_true(hand->last.is_answered);
	hand->got = hand->last.op.answer.seq;
	stage_check(&hand->stage);
	return &hand->last.op.answer;
}

/* Takes the only order that there is; a start. */
static struct attempt_id take_start(struct hand *hand)
{
	const struct exchange_answer *answer = swap(hand, NULL, 0);
	assert_int_equal(answer->order_count, 1);
	assert_int_equal(answer->orders[0].kind, ORDER_START);
	return answer->orders[0].attempt;
}

static struct report begins(const struct hand *hand, struct attempt_id id)
{
	return (struct report){ .attempt = id, .kind = REPORT_BEGAN, .at_ms = hand->stage.now };
}

static struct report ends(const struct hand *hand, struct attempt_id id, enum result result)
{
	return (struct report){ .attempt = id, .kind = REPORT_ENDED, .at_ms = hand->stage.now, .result = result };
}

static struct attempt_row row_of(struct hand *hand, struct attempt_id id)
{
	struct error error;
	struct attempt_row row;
	bool found;
	assert_works(attempts_get(&hand->stage.tx, id, &row, &found, &error));
	assert_true(found);
	return row;
}

static void a_repeated_report_changes_nothing(void **state)
{
	struct hand *hand = *state;
	int64_t number = stage_submit(&hand->stage, "t.one");
	struct attempt_id id = take_start(hand);
	struct report both[] = { begins(hand, id), ends(hand, id, RESULT_FAILED) };
	both[1].exit_code = 7;
	swap(hand, both, 2);
	assert_int_equal(stage_state(&hand->stage, number), EXECUTION_FAILED);
	struct attempt_row first = row_of(hand, id);
	struct report others[] = { begins(hand, id), ends(hand, id, RESULT_SUCCEEDED), both[1],
				   { .attempt = id, .kind = REPORT_TAKEN_BACK } };
	int64_t before = hand->stage.store->rows_written;
	const struct exchange_answer *answer = swap(hand, others, 4);
	assert_int_equal(answer->refused_count, 0);
	assert_int_equal(hand->stage.store->rows_written, before);
	struct attempt_row last = row_of(hand, id);
	assert_int_equal(last.result, RESULT_FAILED);
	assert_int_equal(last.exit_code, 7);
	assert_int_equal(last.ended_ms, first.ended_ms);
}

static void an_end_before_its_beginning_counts(void **state)
{
	struct hand *hand = *state;
	int64_t number = stage_submit(&hand->stage, "t.one");
	struct attempt_id id = take_start(hand);
	struct report end = ends(hand, id, RESULT_SUCCEEDED);
	end.began_ms = hand->stage.now;
	swap(hand, &end, 1);
	assert_int_equal(stage_state(&hand->stage, number), EXECUTION_SUCCEEDED);
	struct report begin = begins(hand, id);
	swap(hand, &begin, 1);
	assert_int_equal(stage_state(&hand->stage, number), EXECUTION_SUCCEEDED);
	assert_int_equal(row_of(hand, id).began_ms, end.began_ms);
}

static void an_agents_clock_is_clamped(void **state)
{
	struct hand *hand = *state;
	stage_submit(&hand->stage, "t.one");
	struct attempt_id id = take_start(hand);
	struct report both[] = { begins(hand, id), ends(hand, id, RESULT_SUCCEEDED) };
	both[0].at_ms = 1;
	both[1].at_ms = hand->stage.now * 2;
	swap(hand, both, 2);
	struct attempt_row row = row_of(hand, id);
	assert_int_equal(row.began_ms, row.handed_ms);
	assert_int_equal(row.ended_ms, hand->stage.now);
}

static void a_report_of_what_was_never_handed_is_refused(void **state)
{
	struct hand *hand = *state;
	stage_submit(&hand->stage, "t.one");
	struct attempt_id id = take_start(hand);
	struct attempt_id other = id;
	other.try = 2;
	struct report reports[] = { ends(hand, other, RESULT_SUCCEEDED), begins(hand, id) };
	const struct exchange_answer *answer = swap(hand, reports, 2);
	assert_int_equal(answer->refused_count, 1);
	assert_true(attempt_id_same(answer->refused[0].attempt, other));
	assert_int_equal(row_of(hand, id).state, ATTEMPT_RUNNING);

	int64_t own = hand->session;
	hand->session = stage_hello(&hand->stage, "two", 4);
	hand->got = 0;
	struct report end = ends(hand, id, RESULT_SUCCEEDED);
	answer = swap(hand, &end, 1);
	assert_int_equal(answer->refused_count, 1);
	assert_string_equal(answer->refused[0].detail, "this attempt was handed to another agent");
	assert_int_equal(row_of(hand, id).state, ATTEMPT_RUNNING);
	assert_int_not_equal(own, hand->session);
}

static void taken_back_waits_in_its_old_place(void **state)
{
	struct hand *hand = *state;
	int64_t first = stage_submit(&hand->stage, "t.one");
	hand->stage.now += 1000;
	hand->free = 1;
	struct attempt_id id = take_start(hand);
	int64_t second = stage_submit(&hand->stage, "t.one");
	assert_int_equal(id.execution % EXECUTION_NUMBER_LIMIT, first);
	hand->free = 0;
	struct report back = { .attempt = id, .kind = REPORT_TAKEN_BACK };
	swap(hand, &back, 1);
	assert_int_equal(stage_state(&hand->stage, first), EXECUTION_QUEUED);
	hand->free = 1;
	struct attempt_id next = take_start(hand);
	assert_int_equal(next.execution, id.execution);
	assert_int_equal(next.try, 2);
	assert_int_equal(stage_state(&hand->stage, second), EXECUTION_QUEUED);
}

static void lost_fails_unless_it_may_be_tried_again(void **state)
{
	struct hand *hand = *state;
	int64_t once = stage_submit(&hand->stage, "t.one");
	struct attempt_id id = take_start(hand);
	struct report lost = ends(hand, id, RESULT_LOST);
	swap(hand, &lost, 1);
	assert_int_equal(stage_state(&hand->stage, once), EXECUTION_LOST);

	int64_t again = stage_submit(&hand->stage, "t.again");
	id = take_start(hand);
	lost = ends(hand, id, RESULT_LOST);
	hand->free = 0;
	swap(hand, &lost, 1);
	hand->free = 1;
	assert_int_equal(stage_state(&hand->stage, again), EXECUTION_RUNNING);
	id = take_start(hand);
	assert_int_equal(id.try, 2);
	struct report end = ends(hand, id, RESULT_SUCCEEDED);
	swap(hand, &end, 1);
	assert_int_equal(stage_state(&hand->stage, again), EXECUTION_SUCCEEDED);
}

/* A lost task waits for its next try; then the execution is halted: nothing of it may stay in the queue. */
static void nothing_waits_of_what_was_halted_before_its_next_try(void **state)
{
	struct error error;
	struct hand *hand = *state;
	int64_t alone = stage_submit(&hand->stage, "t.again");
	struct report lost = ends(hand, take_start(hand), RESULT_LOST);
	hand->free = 0;
	swap(hand, &lost, 1);
	assert_works(stage_interrupt(&hand->stage, alone, INTERRUPT_STOP, &error));
	assert_int_equal(stage_state(&hand->stage, alone), EXECUTION_LOST);

	int64_t two = stage_submit(&hand->stage, "t.pair");
	hand->free = 2;
	struct attempt_id a = take_start(hand), b = take_start(hand);
	struct report reports[] = { ends(hand, a, RESULT_LOST), ends(hand, b, RESULT_FAILED) };
	hand->free = 0;
	swap(hand, &reports[0], 1);
	swap(hand, &reports[1], 1);
	assert_int_equal(stage_state(&hand->stage, two), EXECUTION_LOST);
	hand->free = 4;
	assert_int_equal(swap(hand, NULL, 0)->order_count, 0);
}

/* Hello of the agent "one" with these attempts. */
static struct hello_answer greet(struct hand *hand, const char *boot, struct known_attempt *known, size_t count)
{
	static struct attempt_id forget[8];
	struct error error;
	struct arena arena = { 0 };
	struct hello_answer answer;
	struct hello hello = { .agent = "one", .pool = "default", .slots = 4, .boot = boot, .spool = "s-one",
			       .host = "host", .version = "1", .attempts = known, .attempt_count = count };
	assert_works(stage_try_hello(&hand->stage, &hello, &arena, &answer, &error));
	assert_in_range(answer.forget_count, 0, COUNT_OF(forget));
	if (answer.forget_count)
		memcpy(forget, answer.forget, answer.forget_count * sizeof(*forget));
	answer.forget = forget;
	arena_fini(&arena);
	hand->session = answer.session;
	hand->got = 0;
	stage_check(&hand->stage);
	return answer;
}

static void what_the_agent_never_began_is_queued_again(void **state)
{
	struct hand *hand = *state;
	int64_t number = stage_submit(&hand->stage, "t.one");
	struct attempt_id id = take_start(hand);
	greet(hand, "b1", NULL, 0);
	assert_int_equal(row_of(hand, id).state, ATTEMPT_TAKEN_BACK);
	assert_int_equal(stage_state(&hand->stage, number), EXECUTION_QUEUED);
}

static void what_ran_and_is_unknown_is_lost(void **state)
{
	struct hand *hand = *state;
	int64_t number = stage_submit(&hand->stage, "t.one");
	struct attempt_id id = take_start(hand);
	struct report begin = begins(hand, id);
	swap(hand, &begin, 1);
	greet(hand, "b1", NULL, 0);
	assert_int_equal(stage_state(&hand->stage, number), EXECUTION_LOST);
	assert_int_equal(row_of(hand, id).result, RESULT_LOST);
}

static void what_was_handed_before_another_boot_is_lost(void **state)
{
	struct hand *hand = *state;
	int64_t number = stage_submit(&hand->stage, "t.one");
	take_start(hand);
	greet(hand, "b2", NULL, 0);
	assert_int_equal(stage_state(&hand->stage, number), EXECUTION_LOST);
}

static void what_needs_no_process_is_always_queued_again(void **state)
{
	struct hand *hand = *state;
	int64_t number = stage_submit(&hand->stage, "t.noop");
	struct attempt_id id = take_start(hand);
	struct report begin = begins(hand, id);
	swap(hand, &begin, 1);
	greet(hand, "b2", NULL, 0);
	assert_int_equal(stage_state(&hand->stage, number), EXECUTION_QUEUED);
}

static void what_the_agent_still_knows_goes_on(void **state)
{
	struct hand *hand = *state;
	int64_t number = stage_submit(&hand->stage, "t.one");
	struct attempt_id id = take_start(hand), strange = id;
	strange.try = 9;
	struct known_attempt known[] = { { id, KNOWN_BEGUN }, { strange, KNOWN_BEGUN } };
	struct hello_answer answer = greet(hand, "b2", known, 2);
	assert_int_equal(answer.forget_count, 1);
	assert_true(attempt_id_same(answer.forget[0], strange));
	assert_int_equal(stage_state(&hand->stage, number), EXECUTION_RUNNING);
	struct report end = ends(hand, id, RESULT_SUCCEEDED);
	swap(hand, &end, 1);
	assert_int_equal(stage_state(&hand->stage, number), EXECUTION_SUCCEEDED);
	known[0].phase = KNOWN_ENDED;
	assert_int_equal(greet(hand, "b2", known, 1).forget_count, 1);
}

/* It was told to stop before it began, and its agent came back without it: so it is stopped, and nothing is lost. */
static void what_was_stopped_before_it_began_is_stopped(void **state)
{
	struct error error;
	struct hand *hand = *state;
	int64_t number = stage_submit(&hand->stage, "t.one");
	struct attempt_id id = take_start(hand);
	assert_works(stage_interrupt(&hand->stage, number, INTERRUPT_STOP, &error));
	greet(hand, "b1", NULL, 0);
	assert_int_equal(row_of(hand, id).result, RESULT_STOPPED);
	assert_int_equal(stage_state(&hand->stage, number), EXECUTION_STOPPED);

	number = stage_submit(&hand->stage, "t.one");
	take_start(hand);
	assert_works(stage_interrupt(&hand->stage, number, INTERRUPT_KILL, &error));
	greet(hand, "b2", NULL, 0);
	assert_int_equal(stage_state(&hand->stage, number), EXECUTION_LOST);
}

static void an_older_session_has_ended(void **state)
{
	struct error error;
	struct hand *hand = *state;
	struct stage_exchange late = { .exchange = { .session = hand->session } };
	greet(hand, "b1", NULL, 0);
	assert_refuses(stage_exchange(&hand->stage, &late, &error), ERR_CONFLICT, "say hello again");
	stage_exchange_fini(&late);
	stage_restart(&hand->stage);
	late.exchange.session = hand->session;
	assert_refuses(stage_exchange(&hand->stage, &late, &error), ERR_CONFLICT, "say hello again");
	stage_exchange_fini(&late);
}

static void a_second_agent_of_the_name_is_refused(void **state)
{
	struct error error;
	struct hand *hand = *state;
	struct arena arena = { 0 };
	struct hello_answer answer;
	struct hello hello = { .agent = "one", .pool = "default", .slots = 4, .boot = "b9", .spool = "other",
			       .host = "elsewhere", .version = "1" };
	assert_refuses(stage_try_hello(&hand->stage, &hello, &arena, &answer, &error), ERR_CONFLICT,
		       "an agent named \"one\" runs already, on host host");
	/* The first is believed alive for its lease, also by a server that has started anew. */
	stage_submit(&hand->stage, "t.one");
	struct report begin = begins(hand, take_start(hand));
	swap(hand, &begin, 1);
	stage_restart(&hand->stage);
	hand->stage.now += 1000;
	assert_refuses(stage_try_hello(&hand->stage, &hello, &arena, &answer, &error), ERR_CONFLICT, "runs already");
	assert_int_equal(row_of(hand, begin.attempt).state, ATTEMPT_RUNNING);
	/* Silent or not, it may still run what it began; only its machine started anew ends that for sure. */
	hand->stage.now += LIMIT_LEASE_MS + 1;
	assert_refuses(stage_try_hello(&hand->stage, &hello, &arena, &answer, &error), ERR_CONFLICT, "runs already");
	hello.host = "host";
	assert_works(stage_try_hello(&hand->stage, &hello, &arena, &answer, &error));
	arena_fini(&arena);
}

/* Parts of output are cut anew when an answer was lost: nothing of them may go. */
static void output_that_is_cut_anew_stays_whole(void **state)
{
	struct error error;
	struct hand *hand = *state;
	struct buffer log = { 0 };
	stage_submit(&hand->stage, "t.one");
	struct attempt_id id = take_start(hand);
	static const char text[] = "0123456789abcdef";
	struct report parts[] = {
		{ .attempt = id, .kind = REPORT_OUTPUT, .offset = 0, .bytes = text, .length = 4 },
		{ .attempt = id, .kind = REPORT_OUTPUT, .offset = 0, .bytes = text, .length = 10 },
		{ .attempt = id, .kind = REPORT_OUTPUT, .offset = 0, .bytes = text, .length = 2 },
		{ .attempt = id, .kind = REPORT_OUTPUT, .offset = 8, .bytes = text + 8, .length = 4 },
		{ .attempt = id, .kind = REPORT_OUTPUT, .offset = 12, .bytes = text + 12, .length = 4 },
	};
	for (size_t i = 0; i < COUNT_OF(parts); i++)
		swap(hand, &parts[i], 1);
	for (int64_t offset = 0; offset <= 16; offset++) {
		log.length = 0;
		assert_works(outputs_read(&hand->stage.tx, id, offset, 1000, &log, &error));
		assert_int_equal(log.length, 16 - offset);
		assert_memory_equal(log.at, text + offset, log.length);
	}
	buffer_fini(&log);
}

static void the_silent_are_believed_until_lost_after(void **state)
{
	struct error error;
	struct hand *hand = *state;
	struct stage *stage = &hand->stage;
	int64_t number = stage_submit(stage, "t.one");
	take_start(hand);
	instant heard = stage->now;
	stage_restart(stage);
	for (int i = 0; i < 2; i++) {
		stage->now = heard + LIMIT_LOST_AFTER_MS + (i ? LIMIT_LEASE_MS : -1000);
		assert_works(stage_begin(stage, &error));
		assert_works(stage_end(stage, agents_reap(&stage->tx, LIMIT_LOST_AFTER_MS, &error), &error));
		assert_int_equal(stage_state(stage, number), i ? EXECUTION_LOST : EXECUTION_RUNNING);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_repeated_report_changes_nothing),
		TEST(an_end_before_its_beginning_counts),
		TEST(an_agents_clock_is_clamped),
		TEST(a_report_of_what_was_never_handed_is_refused),
		TEST(taken_back_waits_in_its_old_place),
		TEST(lost_fails_unless_it_may_be_tried_again),
		TEST(nothing_waits_of_what_was_halted_before_its_next_try),
		TEST(what_the_agent_never_began_is_queued_again),
		TEST(what_ran_and_is_unknown_is_lost),
		TEST(what_was_handed_before_another_boot_is_lost),
		TEST(what_needs_no_process_is_always_queued_again),
		TEST(what_the_agent_still_knows_goes_on),
		TEST(what_was_stopped_before_it_began_is_stopped),
		TEST(an_older_session_has_ended),
		TEST(a_second_agent_of_the_name_is_refused),
		TEST(output_that_is_cut_anew_stays_whole),
		TEST(the_silent_are_believed_until_lost_after),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
