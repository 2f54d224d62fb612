/*
 * Random lives: people submit, interrupt, enter and end; agents take, begin, end, crash and come back; answers get
 * lost, the store fails, the server starts anew. After every step the rows must agree with each other, nothing new
 * may begin under a hold, no task may begin twice, and in the end everything accepted has ended.
 * A failure names its seed; LULL_SEED=<n> replays it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/heap.h"
#include "base/limits.h"
#include "lib/stage.h"

enum { AGENTS = 2, SLOTS = 3, MOST_KNOWN = 64, MOST_BEGUN = 4096, MOST_FLYING = 2, MOST_HOLDS = 3 };
enum { LIVES = 8, STEPS = 600 };

enum phase { PHASE_NONE, PHASE_HANDED, PHASE_BEGUN, PHASE_ENDED, PHASE_TAKEN_BACK };

struct known {
	struct attempt_id id;
	enum phase phase;
	bool is_begin_told;
	bool is_told_to_end;
	enum result result;
	instant began_ms;
	instant ended_ms;
};

/* An exchange under way, with its own copy of what it reports. */
struct flight {
	struct stage_exchange exchange;
	struct report reports[2 * MOST_KNOWN];
};

struct agent {
	char name[8];
	int boot;
	int64_t session;                 /* 0: has to say hello */
	int64_t got;
	struct known known[MOST_KNOWN];
	struct flight *flying[MOST_FLYING];
	size_t flying_count;
};

struct world {
	struct stage stage;
	struct agent agents[AGENTS];
	int64_t holds[MOST_HOLDS];
	size_t hold_count;
	int64_t submitted;
	struct attempt_id begun[MOST_BEGUN];     /* by flows that may not run twice */
	size_t begun_count;
};

static const char *const flows[] = {
	"id: one\nnamespace: t\ntasks:\n  - { id: a, type: shell, commands: [ x ] }\n",
	"id: again\nnamespace: t\non_lost: retry\ntasks:\n  - { id: a, type: shell, commands: [ x ] }\n",
	"id: pair\nnamespace: t\non_lost: retry\ntasks:\n  - { id: a, type: shell, commands: [ x ] }\n"
	"  - { id: b, type: shell, commands: [ x ] }\n",
	"id: graph\nnamespace: t\ntasks:\n  - { id: a, type: shell, commands: [ x ] }\n"
	"  - { id: b, type: noop, needs: [ a ] }\n  - { id: c, type: shell, commands: [ x ], needs: [ a ] }\n"
	"  - { id: d, type: shell, commands: [ x ], needs: [ b, c ] }\n  - { id: e, type: shell, commands: [ x ] }\n",
};
static const char *const names[] = { "t.one", "t.again", "t.pair", "t.graph" };

static struct known *find(struct agent *agent, struct attempt_id id)
{
	for (size_t i = 0; i < MOST_KNOWN; i++)
		if (agent->known[i].phase != PHASE_NONE && attempt_id_same(agent->known[i].id, id))
			return &agent->known[i];
	return NULL;
}

static struct known *add(struct agent *agent, struct attempt_id id)
{
	for (size_t i = 0; i < MOST_KNOWN; i++) {
		if (agent->known[i].phase != PHASE_NONE)
			continue;
		agent->known[i] = (struct known){ .id = id, .phase = PHASE_HANDED };
		return &agent->known[i];
	}
	fail_msg("%s has more attempts than slots by far", agent->name);
	return NULL;
}

static void take_order(struct agent *agent, const struct order *order)
{
	struct known *known = find(agent, order->attempt);
	if (order->seq <= agent->got)
		return;
	if (order->seq != agent->got + 1)
		fail_msg("%s got order %" PRId64 " after order %" PRId64, agent->name, order->seq, agent->got);
	agent->got = order->seq;
	if (order->kind == ORDER_START) {
		assert_null(known);
		add(agent, order->attempt);
	} else if (known && known->phase == PHASE_HANDED) {
		known->phase = PHASE_TAKEN_BACK;
	} else if (known && known->phase == PHASE_BEGUN && order->kind != ORDER_TAKE_BACK) {
		known->is_told_to_end = true;
		known->result = order->kind == ORDER_KILL ? RESULT_KILLED : RESULT_STOPPED;
	}
}

/* What the server has recorded now need not be said again. */
static void confirm(struct agent *agent, const struct stage_exchange *exchange)
{
	for (size_t i = 0; i < exchange->exchange.report_count; i++) {
		const struct report *report = &exchange->exchange.reports[i];
		struct known *known = find(agent, report->attempt);
		if (!known)
			continue;
		if (report->kind == REPORT_BEGAN)
			known->is_begin_told = true;
		else
			known->phase = PHASE_NONE;
	}
}

static void land(struct agent *agent, size_t i)
{
	stage_exchange_fini(&agent->flying[i]->exchange);
	free(agent->flying[i]);
	agent->flying[i] = agent->flying[--agent->flying_count];
}

/* One of the answers arrives, not always the first, or it is lost on its way. */
static void receive(struct agent *agent)
{
	size_t start = test_random(MOST_FLYING);
	for (size_t k = 0; k < agent->flying_count; k++) {
		size_t i = (start + k) % agent->flying_count;
		struct stage_exchange *exchange = &agent->flying[i]->exchange;
		if (!exchange->is_answered)
			continue;
		if (exchange->is_turned_away) {
			agent->session = 0;
		} else if (test_random(8) && exchange->exchange.session == agent->session) {
			assert_int_equal(exchange->op.answer.refused_count, 0);
			confirm(agent, exchange);
			for (size_t o = 0; o < exchange->op.answer.order_count; o++)
				take_order(agent, &exchange->op.answer.orders[o]);
		}
		land(agent, i);
		return;
	}
}

/* The agent drops its connections: the server is told, and answers nobody. */
static void hang_up(struct world *world, struct agent *agent)
{
	struct error error;
	while (agent->flying_count) {
		struct stage_exchange *exchange = &agent->flying[0]->exchange;
		if (!exchange->is_answered && stage_begin(&world->stage, &error)) {
			agents_hang_up(&world->stage.tx, exchange);
			(void)!stage_end(&world->stage, true, &error);
		}
		if (exchange->is_answered)
			land(agent, 0);
	}
}

static void say_hello(struct world *world, struct agent *agent)
{
	static const enum known_phase phases[] = {
		[PHASE_HANDED] = KNOWN_HANDED, [PHASE_BEGUN] = KNOWN_BEGUN, [PHASE_ENDED] = KNOWN_ENDED,
		[PHASE_TAKEN_BACK] = KNOWN_HANDED,
	};
	struct error error;
	struct arena arena = { 0 };
	struct known_attempt attempts[MOST_KNOWN];
	struct hello_answer answer;
	const char *boot = arena_printf(&arena, "boot-%d", agent->boot);
	struct hello hello = { .agent = agent->name, .pool = "default", .slots = SLOTS, .boot = boot,
			       .spool = agent->name, .host = "host", .version = "1", .attempts = attempts };
	for (size_t i = 0; i < MOST_KNOWN; i++)
		if (agent->known[i].phase != PHASE_NONE)
			attempts[hello.attempt_count++] =
				(struct known_attempt){ agent->known[i].id, phases[agent->known[i].phase] };
	/* Orders belong to a session: whatever still comes is dropped. */
	hang_up(world, agent);
	if (stage_try_hello(&world->stage, &hello, &arena, &answer, &error)) {
		for (size_t i = 0; i < answer.forget_count; i++) {
			struct known *known = find(agent, answer.forget[i]);
			if (known)
				known->phase = PHASE_NONE;
		}
		agent->session = answer.session;
		agent->got = 0;
	} else {
		assert_int_equal(error.code, ERR_STORE);
	}
	arena_fini(&arena);
}

static size_t write_reports(struct agent *agent, struct report *reports)
{
	size_t count = 0;
	for (size_t i = 0; i < MOST_KNOWN; i++) {
		const struct known *known = &agent->known[i];
		struct report report = { .attempt = known->id, .at_ms = known->began_ms, .kind = REPORT_BEGAN };
		if ((known->phase == PHASE_BEGUN || known->phase == PHASE_ENDED) && !known->is_begin_told)
			reports[count++] = report;
		report.at_ms = known->ended_ms;
		report.began_ms = known->began_ms;
		report.result = known->result;
		report.kind = known->phase == PHASE_TAKEN_BACK ? REPORT_TAKEN_BACK : REPORT_ENDED;
		if (known->phase == PHASE_ENDED || known->phase == PHASE_TAKEN_BACK)
			reports[count++] = report;
	}
	return count;
}

static void ask(struct world *world, struct agent *agent)
{
	struct error error;
	int32_t used = 0;
	if (agent->flying_count == MOST_FLYING)
		receive(agent);
	if (agent->flying_count == MOST_FLYING || !agent->session)
		return;
	for (size_t i = 0; i < MOST_KNOWN; i++)
		used += agent->known[i].phase == PHASE_HANDED || agent->known[i].phase == PHASE_BEGUN;
	if (used > SLOTS)
		fail_msg("%s has %d attempts in %d slots", agent->name, used, SLOTS);
	struct flight *flight = heap_new(1, sizeof(*flight));
	flight->exchange.exchange = (struct exchange){
		.session = agent->session, .got = agent->got, .free = SLOTS - used,
		.wait_ms = test_random(2) ? 30000 : 0, .reports = flight->reports,
		.report_count = write_reports(agent, flight->reports),
	};
	agent->flying[agent->flying_count++] = flight;
	if (stage_exchange(&world->stage, &flight->exchange, &error))
		return;
	assert_true(error.code == ERR_CONFLICT || error.code == ERR_STORE);
	agent->session = 0;
	land(agent, agent->flying_count - 1);
}

/* Some attempt of the agent goes on: it begins, or it ends. */
static void work(struct world *world, struct agent *agent)
{
	static const enum result results[] = { RESULT_SUCCEEDED, RESULT_SUCCEEDED, RESULT_SUCCEEDED, RESULT_FAILED,
					       RESULT_TIMED_OUT, RESULT_LOST };
	struct known *known = &agent->known[test_random(MOST_KNOWN)];
	for (size_t k = 0; k < MOST_KNOWN && known->phase != PHASE_HANDED && known->phase != PHASE_BEGUN; k++)
		known = known + 1 == agent->known + MOST_KNOWN ? agent->known : known + 1;
	if (known->phase == PHASE_HANDED) {
		known->phase = PHASE_BEGUN;
		known->began_ms = world->stage.now;
		if (world->begun_count < MOST_BEGUN)
			world->begun[world->begun_count++] = known->id;
	} else if (known->phase == PHASE_BEGUN) {
		known->phase = PHASE_ENDED;
		known->ended_ms = world->stage.now;
		if (!known->is_told_to_end)
			known->result = results[test_random(COUNT_OF(results))];
	}
}

/* The agent dies and comes back: what it had received and not begun is gone; on a new boot, what ran is, too. */
static void crash(struct world *world, struct agent *agent, bool is_boot)
{
	hang_up(world, agent);
	agent->session = 0;
	agent->boot += is_boot;
	for (size_t i = 0; i < MOST_KNOWN; i++) {
		enum phase *phase = &agent->known[i].phase;
		if (*phase == PHASE_HANDED || *phase == PHASE_TAKEN_BACK || (is_boot && *phase == PHASE_BEGUN))
			*phase = PHASE_NONE;
	}
}

static void submit(struct world *world)
{
	struct error error;
	struct submit_result result;
	int32_t priority = (int32_t)test_random(3) - 1;
	if (stage_try_submit(&world->stage, names[test_random(COUNT_OF(names))], priority, NULL, &result, &error))
		world->submitted = result.number;
	else
		assert_int_equal(error.code, ERR_STORE);
}

static void interrupt(struct world *world)
{
	struct error error;
	if (!world->submitted)
		return;
	int64_t recent = world->submitted < 12 ? world->submitted : 12;
	int64_t number = world->submitted - (int64_t)test_random((uint64_t)recent);
	if (!stage_interrupt(&world->stage, number, (enum interruption)test_random(3), &error))
		assert_true(error.code == ERR_CONFLICT || error.code == ERR_STORE);
}

static void enter(struct world *world)
{
	struct error error;
	int64_t id;
	if (world->hold_count == MOST_HOLDS)
		return;
	if (stage_try_enter(&world->stage, &id, &error))
		world->holds[world->hold_count++] = id;
}

static void end_one(struct world *world)
{
	struct error error;
	if (!world->hold_count)
		return;
	size_t i = test_random(world->hold_count);
	if (stage_end_hold(&world->stage, world->holds[i], &error))
		world->holds[i] = world->holds[--world->hold_count];
}

/* What the ticks of the engine do. */
static void tick(struct world *world)
{
	struct error error;
	struct stage *stage = &world->stage;
	if (!stage_begin(stage, &error))
		return;
	bool ok = agents_expire(&stage->tx, &error) && agents_reap(&stage->tx, LIMIT_LOST_AFTER_MS, &error);
	(void)!stage_end(stage, ok, &error);
}

/* Nothing was handed out as a start since the eldest hold began. */
static void check_held(struct world *world)
{
	static const struct statement begun_since = {
		"SELECT count(*) FROM execution WHERE started_ms > "
		"coalesce((SELECT min(began_ms) FROM hold WHERE phase < 3), 9000000000000)", "",
	};
	assert_int_equal(stage_number(&world->stage, &begun_since), 0);
}

static void step(struct world *world)
{
	struct agent *agent = &world->agents[test_random(AGENTS)];
	uint64_t what = test_random(100);
	world->stage.now += 1 + (instant)test_random(400);
	stage_fail_at(&world->stage, test_random(20) ? 0 : 1 + (int64_t)test_random(40));
	if (what < 18)
		submit(world);
	else if (what < 23)
		interrupt(world);
	else if (what < 26)
		enter(world);
	else if (what < 31)
		end_one(world);
	else if (what < 35)
		tick(world);
	else if (what < 36)
		crash(world, agent, test_random(4) == 0);
	else if (what < 37)
		hang_up(world, agent);
	else if (what < 60)
		work(world, agent);
	else if (what < 75)
		receive(agent);
	else if (agent->session)
		ask(world, agent);
	else
		say_hello(world, agent);
	if (test_random(400) == 0)
		stage_restart(&world->stage);
	if (test_random(300) == 0)
		world->stage.now += LIMIT_LOST_AFTER_MS + 60000;
	stage_fail_at(&world->stage, 0);
	stage_check(&world->stage);
	check_held(world);
}

/* Everything comes to its end once nobody disturbs any more. */
static void settle(struct world *world)
{
	static const struct statement open = { "SELECT count(*) FROM execution WHERE state < 4", "" };
	struct error error;
	while (world->hold_count)
		assert_works(stage_end_hold(&world->stage, world->holds[--world->hold_count], &error));
	for (int round = 0; round < 3000 && stage_number(&world->stage, &open); round++) {
		struct agent *agent = &world->agents[round % AGENTS];
		world->stage.now += 100;
		for (int i = 0; i < 2 * SLOTS; i++)
			work(world, agent);
		if (agent->session)
			ask(world, agent);
		else
			say_hello(world, agent);
		tick(world);
		receive(agent);
	}
	stage_check(&world->stage);
	assert_int_equal(stage_number(&world->stage, &open), 0);
}

/*
 * An attempt begins at most once, whatever is lost; a task of a flow that fails where it is lost, too, but for the
 * noop of t.graph: what needs no process is queued again wherever it is lost.
 */
static void check_begun(struct world *world)
{
	static const struct statement once = {
		"SELECT count(*) FROM execution e JOIN flow f ON f.id = e.flow "
		"WHERE e.id = ?1 AND f.name IN ('one', 'graph')", "i",
	};
	enum { NOOP = 1 };
	struct error error;
	for (size_t i = 0; i < world->begun_count; i++) {
		for (size_t k = 0; k < i; k++) {
			const struct attempt_id *a = &world->begun[i], *b = &world->begun[k];
			const struct value key[] = { STORE_INT(a->execution) };
			int64_t is_once = 0;
			bool found;
			if (a->execution != b->execution || a->task != b->task)
				continue;
			assert_works(store_number(world->stage.store, &once, key, &is_once, &found, &error));
			if ((is_once && a->task != NOOP) || a->try == b->try)
				fail_msg("task %d of execution %" PRId64 " began twice", a->task,
					 a->execution % EXECUTION_NUMBER_LIMIT);
		}
	}
}

static void live(void)
{
	struct world *world = heap_new(1, sizeof(*world));
	stage_open(&world->stage);
	for (size_t i = 0; i < COUNT_OF(flows); i++)
		stage_apply(&world->stage, flows[i]);
	for (int i = 0; i < AGENTS; i++)
		snprintf(world->agents[i].name, sizeof(world->agents[i].name), "agent%d", i);
	for (int i = 0; i < STEPS; i++)
		step(world);
	settle(world);
	check_begun(world);
	for (int i = 0; i < AGENTS; i++)
		hang_up(world, &world->agents[i]);
	stage_close(&world->stage);
	free(world);
}

static void lives(void **state)
{
	(void)state;
	for (int i = 0; i < LIVES; i++)
		live();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "whatever happens, rows agree, holds hold and all that was accepted ends", lives, NULL, NULL, NULL },
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
