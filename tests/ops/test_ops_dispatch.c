/*
 * Who gets what, in which order, and how often it is said.
 */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "lib/stage.h"
#include "store/accounts.h"

static const char one_yaml[] = "id: one\nnamespace: t\ntasks:\n  - { id: a, type: noop }\n";
static const char two_yaml[] =
	"id: two\nnamespace: t\ntasks:\n  - { id: a, type: noop }\n  - { id: b, type: noop, needs: [ a ] }\n";
static const char other_yaml[] = "id: other\nnamespace: t\ntasks:\n  - { id: a, type: noop }\n";
static const char labelled_yaml[] =
	"id: labelled\nnamespace: t\ntasks:\n  - { id: a, type: noop, labels: [ gpu, linux ] }\n";
static const char pooled_yaml[] = "id: pooled\nnamespace: t\ntasks:\n  - { id: a, type: noop, pool: big }\n";

static int set_up(void **state)
{
	static struct stage stage;
	stage_open(&stage);
	stage_apply(&stage, one_yaml);
	stage_apply(&stage, two_yaml);
	stage_apply(&stage, other_yaml);
	stage_apply(&stage, labelled_yaml);
	stage_apply(&stage, pooled_yaml);
	*state = &stage;
	return 0;
}

static int tear_down(void **state)
{
	stage_check(*state);
	stage_close(*state);
	return 0;
}

/* Puts an exchange; it may wait. */
static void ask(struct stage *stage, struct stage_exchange *exchange, int64_t session, int64_t got, int32_t free,
		int64_t wait_ms)
{
	struct error error;
	stage->now += 10;
	stage_exchange_fini(exchange);
	exchange->exchange = (struct exchange){ .session = session, .got = got, .free = free, .wait_ms = wait_ms };
	assert_works(stage_exchange(stage, exchange, &error));
}

static int64_t number_of(const struct order *order)
{
	return order->attempt.execution % EXECUTION_NUMBER_LIMIT;
}

static int64_t submit(struct stage *stage, const char *flow, int32_t priority)
{
	struct error error;
	struct submit_result result;
	stage->now += 10;
	assert_works(stage_try_submit(stage, flow, priority, NULL, &result, &error));
	return result.number;
}

/* Fails the test unless the answer has these executions, in this order. */
static void assert_orders(const struct stage_exchange *exchange, const int64_t *numbers, size_t count)
{
	assert_true(exchange->is_answered);
	assert_int_equal(exchange->op.answer.order_count, count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(exchange->op.answer.orders[i].kind, ORDER_START);
		assert_int_equal(number_of(&exchange->op.answer.orders[i]), numbers[i]);
	}
}

static void priority_goes_before_age(void **state)
{
	struct stage *stage = *state;
	struct stage_exchange exchange = { .is_answered = false };
	int64_t low = submit(stage, "t.one", -1), first = submit(stage, "t.one", 0);
	int64_t second = submit(stage, "t.other", 0), third = submit(stage, "t.one", 0);
	int64_t high = submit(stage, "t.other", 100);
	int64_t session = stage_hello(stage, "one", 10);
	ask(stage, &exchange, session, 0, 10, 0);
	assert_orders(&exchange, (int64_t[]){ high, first, second, third, low }, 5);
	stage_exchange_fini(&exchange);
}

static void what_has_begun_goes_before_what_has_not(void **state)
{
	struct error error;
	struct stage *stage = *state;
	struct stage_exchange exchange = { .is_answered = false };
	int64_t begun = submit(stage, "t.two", -100);
	int64_t session = stage_hello(stage, "one", 10);
	ask(stage, &exchange, session, 0, 1, 0);
	struct report end = { .attempt = exchange.op.answer.orders[0].attempt, .kind = REPORT_ENDED,
			      .result = RESULT_SUCCEEDED };
	submit(stage, "t.one", 100);
	stage_exchange_fini(&exchange);
	exchange.exchange = (struct exchange){ .session = session, .got = 1, .free = 1, .reports = &end,
					       .report_count = 1 };
	assert_works(stage_exchange(stage, &exchange, &error));
	assert_orders(&exchange, &begun, 1);
	assert_int_equal(exchange.op.answer.orders[0].attempt.task, 1);
	stage_exchange_fini(&exchange);
}

static void no_more_than_the_free_slots(void **state)
{
	struct stage *stage = *state;
	struct stage_exchange exchange = { .is_answered = false };
	for (int i = 0; i < 9; i++)
		submit(stage, "t.one", 0);
	int64_t session = stage_hello(stage, "one", 4);
	ask(stage, &exchange, session, 0, 3, 0);
	assert_int_equal(exchange.op.answer.order_count, 3);
	/* It says that it has more free than slots; and one that is in no order in hand. */
	ask(stage, &exchange, session, 3, 100, 0);
	assert_int_equal(exchange.op.answer.order_count, 4);
	ask(stage, &exchange, session, 7, 0, 0);
	assert_int_equal(exchange.op.answer.order_count, 0);
	stage_exchange_fini(&exchange);
}

static struct hello agent_with(const char *name, const char *pool, const char **labels, size_t count)
{
	return (struct hello){ .agent = name, .pool = pool, .slots = 4, .boot = "b", .spool = name, .host = "h",
			       .version = "1", .labels = labels, .label_count = count };
}

static void only_who_has_pool_and_labels(void **state)
{
	static const char *labels[] = { "linux", "gpus", "gpu", "x" }, *some[] = { "linux", "gpus" };
	const struct {
		struct hello hello;
		const char *flow;        /* NULL: gets nothing */
	} agents[] = {
		{ agent_with("a", "default", some, 2), NULL },
		{ agent_with("b", "default", NULL, 0), NULL },
		{ agent_with("c", "other", labels, 4), NULL },
		{ agent_with("d", "big", labels, 4), "t.pooled" },
		{ agent_with("e", "default", labels, 4), "t.labelled" },
	};
	struct error error;
	struct stage *stage = *state;
	int64_t labelled = submit(stage, "t.labelled", 0), pooled = submit(stage, "t.pooled", 0);
	for (size_t i = 0; i < COUNT_OF(agents); i++) {
		struct stage_exchange exchange = { .is_answered = false };
		struct arena arena = { 0 };
		struct hello_answer answer;
		assert_works(stage_try_hello(stage, &agents[i].hello, &arena, &answer, &error));
		ask(stage, &exchange, answer.session, 0, 4, 0);
		int64_t wanted = agents[i].flow && strcmp(agents[i].flow, "t.pooled") == 0 ? pooled : labelled;
		assert_orders(&exchange, &wanted, agents[i].flow != NULL);
		stage_exchange_fini(&exchange);
		arena_fini(&arena);
	}
}

/* A need that comes up while an agent waits reaches it, too. */
static void who_waits_gets_what_comes(void **state)
{
	static const char *labels[] = { "gpu", "linux" };
	struct error error;
	struct stage *stage = *state;
	struct arena arena = { 0 };
	struct hello_answer answer;
	struct stage_exchange plain = { .is_answered = false }, able = { .is_answered = false };
	struct hello hello = agent_with("able", "default", labels, 2);
	assert_works(stage_try_hello(stage, &hello, &arena, &answer, &error));
	int64_t session = stage_hello(stage, "plain", 4);
	ask(stage, &plain, session, 0, 4, 30000);
	ask(stage, &able, answer.session, 0, 4, 30000);
	int64_t number = submit(stage, "t.labelled", 0);
	assert_orders(&able, &number, 1);
	assert_false(plain.is_answered);
	number = submit(stage, "t.one", 0);
	assert_orders(&plain, &number, 1);
	stage_exchange_fini(&plain);
	stage_exchange_fini(&able);
	arena_fini(&arena);
}

/* A tenant beside main, with an account of its own that may submit. */
static struct credential add_tenant(struct stage *stage, int64_t id)
{
	static const struct statement insert_tenant = {
		"INSERT INTO tenant (id, name, created_ms) VALUES (?1, ?2, 0)", "it",
	};
	struct error error;
	struct credential credential = { .has_token = true };
	char name[24];
	snprintf(name, sizeof(name), "tenant%d", (int)id);
	credential_digest(name, credential.digest);
	const struct value values[] = { STORE_INT(id), store_text(name) };
	const struct account_row account = { .id = { 100 + id }, .tenant = { id }, .name = name,
					     .role = ROLE_TENANT_ADMINISTRATOR };
	const struct token_row token = { .digest = credential.digest, .account = account.id, .name = "t" };
	assert_works(stage_begin(stage, &error));
	assert_works(store_run(stage->store, &insert_tenant, values, NULL, &error));
	assert_works(accounts_save(&stage->tx, &account, &error) && tokens_add(&stage->tx, &token, &error));
	assert_works(stage_end(stage, true, &error));
	return credential;
}

static void tenants_take_turns(void **state)
{
	struct stage *stage = *state;
	struct credential main_admin = stage->admin, others[] = { add_tenant(stage, 2), add_tenant(stage, 3) };
	struct stage_exchange exchange = { .is_answered = false };
	int64_t seen[4] = { 0 };
	for (int i = 0; i < 20; i++)
		submit(stage, "t.one", 100);
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		stage->admin = others[i];
		stage_apply(stage, one_yaml);
		submit(stage, "t.one", -100);
		submit(stage, "t.one", -100);
	}
	stage->admin = main_admin;
	int64_t session = stage_hello(stage, "one", 1);
	for (int64_t got = 0; got < 6; got++) {
		ask(stage, &exchange, session, got, 1, 0);
		assert_int_equal(exchange.op.answer.order_count, 1);
		seen[exchange.op.answer.orders[0].attempt.execution / EXECUTION_NUMBER_LIMIT]++;
	}
	for (int tenant = 1; tenant <= 3; tenant++)
		assert_int_equal(seen[tenant], 2);
	stage_exchange_fini(&exchange);
}

/* Its answer was lost: it comes again under its number, first by itself and then with what is new. */
static void a_lost_answer_comes_again_before_anything_new(void **state)
{
	struct error error;
	struct stage *stage = *state;
	struct stage_exchange lost = { .is_answered = false }, next = { .is_answered = false };
	int64_t first = submit(stage, "t.one", 0);
	int64_t session = stage_hello(stage, "one", 4);
	ask(stage, &lost, session, 0, 4, 0);
	assert_orders(&lost, &first, 1);
	int64_t seq = lost.op.answer.orders[0].seq;
	ask(stage, &next, session, 0, 4, 30000);
	int64_t second = submit(stage, "t.one", 0);
	assert_false(next.is_answered);
	stage->now += 1000;
	int64_t third = submit(stage, "t.one", 0);
	assert_orders(&next, (int64_t[]){ first, second, third }, 3);
	for (int64_t i = 0; i < 3; i++)
		assert_int_equal(next.op.answer.orders[i].seq, seq + i);
	assert_true(attempt_id_same(next.op.answer.orders[0].attempt, lost.op.answer.orders[0].attempt));
	stage_exchange_fini(&lost);
	/* Nobody has confirmed it: without anything new a tick brings it again. */
	ask(stage, &lost, session, 0, 4, 30000);
	assert_false(lost.is_answered);
	stage->now += 1000;
	assert_works(stage_begin(stage, &error) && stage_end(stage, agents_expire(&stage->tx, &error), &error));
	assert_orders(&lost, (int64_t[]){ first, second, third }, 3);
	ask(stage, &next, session, seq + 2, 1, 0);
	assert_orders(&next, NULL, 0);
	stage_exchange_fini(&lost);
	stage_exchange_fini(&next);
}

static void a_newer_exchange_ends_the_waiting_one(void **state)
{
	struct stage *stage = *state;
	struct stage_exchange older = { .is_answered = false }, newer = { .is_answered = false };
	int64_t session = stage_hello(stage, "one", 4);
	ask(stage, &older, session, 0, 4, 30000);
	assert_false(older.is_answered);
	ask(stage, &newer, session, 0, 4, 30000);
	assert_orders(&older, NULL, 0);
	assert_false(newer.is_answered);
	stage_hello(stage, "one", 4);
	assert_orders(&newer, NULL, 0);
	stage_exchange_fini(&older);
	stage_exchange_fini(&newer);
}

static void waiting_ends_by_time_or_by_hanging_up(void **state)
{
	struct error error;
	struct stage *stage = *state;
	struct stage_exchange one = { .is_answered = false }, two = { .is_answered = false };
	ask(stage, &one, stage_hello(stage, "one", 4), 0, 4, 1000);
	ask(stage, &two, stage_hello(stage, "two", 4), 0, 4, 30000);
	stage->now += 980;
	assert_works(stage_begin(stage, &error) && stage_end(stage, agents_expire(&stage->tx, &error), &error));
	assert_false(one.is_answered);
	stage->now += 20;
	assert_works(stage_begin(stage, &error) && stage_end(stage, agents_expire(&stage->tx, &error), &error));
	assert_true(one.is_answered);
	assert_false(two.is_answered);
	assert_works(stage_begin(stage, &error));
	agents_hang_up(&stage->tx, &two);
	assert_works(stage_end(stage, true, &error));
	assert_orders(&two, NULL, 0);
	/* Nothing is handed to who is gone. */
	int64_t number = submit(stage, "t.one", 0);
	assert_int_equal(stage_state(stage, number), EXECUTION_QUEUED);
	stage_exchange_fini(&one);
	stage_exchange_fini(&two);
}

/*
 * DESIGN.md asks for at most seven row writes for an execution of one task: execution, ready row, attempt, begun,
 * ready row gone, attempt ended, execution ended. What a batch shares (numbers, the backlog's head) is counted apart.
 */
static void seven_rows_are_written_for_one_task(void **state)
{
	enum { MANY = 50, SHARED = 8 };
	struct error error;
	struct stage *stage = *state;
	struct stage_exchange exchange = { .is_answered = false };
	struct submit_item items[MANY];
	struct submit_result results[MANY];
	struct report reports[2 * MANY];
	int64_t session = stage_hello(stage, "one", MANY);
	submit(stage, "t.one", 0);
	ask(stage, &exchange, session, 0, 1, 0);
	for (int i = 0; i < MANY; i++)
		items[i] = (struct submit_item){ .flow = "t.one" };
	struct submit submit = { .credential = &stage->admin, .items = items, .count = MANY, .is_batch = true,
				 .results = results };
	struct submit *submits[] = { &submit };
	int64_t before = stage->store->rows_written;
	assert_works(stage_begin(stage, &error));
	assert_works(stage_end(stage, submit_all(&stage->tx, submits, 1, &error), &error));
	ask(stage, &exchange, session, 1, MANY, 0);
	assert_int_equal(exchange.op.answer.order_count, MANY);
	for (int i = 0; i < MANY; i++) {
		struct attempt_id id = exchange.op.answer.orders[i].attempt;
		reports[2 * i] = (struct report){ .attempt = id, .kind = REPORT_BEGAN, .at_ms = stage->now };
		reports[2 * i + 1] = (struct report){ .attempt = id, .kind = REPORT_ENDED, .at_ms = stage->now,
						      .result = RESULT_SUCCEEDED };
	}
	stage_exchange_fini(&exchange);
	exchange.exchange = (struct exchange){ .session = session, .got = MANY + 1, .reports = reports,
					       .report_count = COUNT_OF(reports) };
	assert_works(stage_exchange(stage, &exchange, &error));
	for (int i = 0; i < MANY; i++)
		assert_int_equal(stage_state(stage, results[i].number), EXECUTION_SUCCEEDED);
	assert_in_range(stage->store->rows_written - before, 1, 7 * MANY + SHARED);
	stage_exchange_fini(&exchange);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(priority_goes_before_age),
		TEST(what_has_begun_goes_before_what_has_not),
		TEST(no_more_than_the_free_slots),
		TEST(only_who_has_pool_and_labels),
		TEST(who_waits_gets_what_comes),
		TEST(tenants_take_turns),
		TEST(a_lost_answer_comes_again_before_anything_new),
		TEST(a_newer_exchange_ends_the_waiting_one),
		TEST(waiting_ends_by_time_or_by_hanging_up),
		TEST(seven_rows_are_written_for_one_task),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
