#include "lib/test.h"

#include <stdio.h>
#include <string.h>

#include "core/hold.h"

enum { NOW = 1000 };

static struct hold make_hold(enum preset preset, enum hold_phase phase)
{
	struct hold hold = {
		.id = { 7 },
		.phase = phase,
		.policy = *preset_policy(preset),
		.owner_name = "ann",
		.reason = "disk",
		.created_ms = 1,
	};
	if (phase == HOLD_DRAINING || phase == HOLD_SUSPENDED)
		hold.began_ms = 10;
	if (phase == HOLD_SUSPENDED)
		hold.suspended_ms = 20;
	if (phase == HOLD_ENDED) {
		hold.ended_ms = 30;
		hold.ended_by = "ann";
	}
	return hold;
}

static struct hold_update take(struct hold *hold, enum hold_event_kind kind, instant now)
{
	struct hold_event event = { .kind = kind, .now = now, .by = "bob" };
	struct hold_update update;
	struct error error;
	assert_works(hold_step(hold, &event, &update, &error));
	return update;
}

/* What each event makes of each phase, for the preset `default`: a phase, "-" for refused. */
static void every_event_meets_every_phase(void **state)
{
	(void)state;
	static const struct { const char *after[HOLD_PHASES]; } rows[HOLD_EVENTS] = {
		/*                  planned      draining     suspended    ended */
		[HOLD_BEGIN]    = { { "draining", "-",         "-",         "-" } },
		[HOLD_SUSPEND]  = { { "-",        "suspended", "-",         "-" } },
		[HOLD_DRAIN]    = { { "-",        "-",         "draining",  "-" } },
		[HOLD_STOP]     = { { "-",        "draining",  "suspended", "-" } },
		[HOLD_KILL]     = { { "-",        "draining",  "suspended", "-" } },
		[HOLD_EXTEND]   = { { "planned",  "draining",  "suspended", "-" } },
		[HOLD_DRAINED]  = { { "-",        "draining",  "suspended", "-" } },
		[HOLD_OCCUPIED] = { { "-",        "draining",  "suspended", "-" } },
		[HOLD_RESTART]  = { { "planned",  "draining",  "suspended", "-" } },
		[HOLD_TICK]     = { { "planned",  "draining",  "suspended", "-" } },
		[HOLD_END]      = { { "ended",    "ended",     "ended",     "-" } },
	};
	for (int kind = 0; kind < HOLD_EVENTS; kind++) {
		for (int phase = 0; phase < HOLD_PHASES; phase++) {
			struct hold hold = make_hold(PRESET_DEFAULT, (enum hold_phase)phase), before = hold;
			struct hold_event event = { .kind = (enum hold_event_kind)kind, .now = NOW, .by = "bob" };
			struct hold_update update;
			struct error error;
			if (*rows[kind].after[phase] == '-') {
				assert_refuses(hold_step(&hold, &event, &update, &error), ERR_CONFLICT, "hold 7");
				assert_memory_equal(&hold, &before, sizeof(hold));
				continue;
			}
			assert_works(hold_step(&hold, &event, &update, &error));
			assert_string_equal(hold_phase_name(hold.phase), rows[kind].after[phase]);
			assert_int_equal(update.before, phase);
			assert_true(hold.phase == before.phase || hold_may_become(before.phase, hold.phase));
			assert_true(update.is_changed || memcmp(&hold, &before, sizeof(hold)) == 0);
		}
	}
}

static void phases_follow_each_other_as_drawn(void **state)
{
	(void)state;
	static const char *const next[HOLD_PHASES] = {
		[HOLD_PLANNED] = "draining ended ",
		[HOLD_DRAINING] = "suspended ended ",
		[HOLD_SUSPENDED] = "draining ended ",
		[HOLD_ENDED] = "",
	};
	for (int from = 0; from < HOLD_PHASES; from++) {
		char text[100] = "";
		for (int to = 0; to < HOLD_PHASES; to++)
			if (hold_may_become((enum hold_phase)from, (enum hold_phase)to))
				strcat(strcat(text, hold_phase_name((enum hold_phase)to)), " ");
		assert_string_equal(text, next[from]);
	}
	for (int i = 0; i < HOLD_THENS; i++) {
		enum hold_then then;
		assert_true(hold_then_parse(hold_then_name((enum hold_then)i), &then));
		assert_int_equal(then, i);
	}
}

static void suspending_with_work_in_flight_is_refused_unless_forced_or_killed(void **state)
{
	(void)state;
	for (int row = 0; row < 8; row++) {
		struct hold hold = make_hold(PRESET_DEFAULT, HOLD_DRAINING);
		hold.policy.running = row & 4 ? RUNNING_KILL : RUNNING_FINISH;
		struct hold_event event = {
			.kind = HOLD_SUSPEND, .now = NOW, .has_blockers = row & 1, .is_forced = row & 2
		};
		struct hold_update update;
		struct error error;
		if (row == 1) {
			assert_refuses(hold_step(&hold, &event, &update, &error), ERR_CONFLICT,
				       "hold 7 is not drained");
			continue;
		}
		assert_works(hold_step(&hold, &event, &update, &error));
		assert_int_equal(hold.suspended_ms, NOW);
		assert_int_equal(update.order, (row & 1) && (row & 4) ? HOLD_ORDERS_KILL : HOLD_ORDERS_NOTHING);
	}
}

static void a_policy_without_that_phase_is_never_suspended(void **state)
{
	(void)state;
	for (int preset = 0; preset < PRESETS; preset++) {
		struct hold hold = make_hold((enum preset)preset, HOLD_DRAINING);
		struct hold_event event = { .kind = HOLD_SUSPEND, .now = NOW, .is_forced = true };
		struct hold_update update;
		struct error error;
		bool never = preset == PRESET_KESTRA || preset == PRESET_OCTOPUS || preset == PRESET_GOCD;
		assert_int_equal(hold_step(&hold, &event, &update, &error), !never);
	}
}

static void only_cloudifys_suspends_by_itself_when_drained(void **state)
{
	(void)state;
	for (int preset = 0; preset < PRESETS; preset++) {
		struct hold hold = make_hold((enum preset)preset, HOLD_DRAINING);
		struct hold_update update = take(&hold, HOLD_DRAINED, NOW);
		assert_true(update.is_news_drained);
		assert_int_equal(hold.phase, preset == PRESET_CLOUDIFY ? HOLD_SUSPENDED : HOLD_DRAINING);
	}
}

static void drained_is_told_once_each_time_it_becomes_true(void **state)
{
	(void)state;
	struct hold hold = make_hold(PRESET_DEFAULT, HOLD_DRAINING);
	assert_true(take(&hold, HOLD_DRAINED, 100).is_news_drained);
	assert_false(take(&hold, HOLD_DRAINED, 101).is_changed);
	assert_int_equal(hold.drained_ms, 100);
	assert_true(take(&hold, HOLD_OCCUPIED, 102).is_changed);
	assert_false(take(&hold, HOLD_OCCUPIED, 103).is_changed);
	assert_true(take(&hold, HOLD_DRAINED, 104).is_news_drained);
	assert_int_equal(hold.drained_ms, 104);
}

static void what_runs_is_stopped_or_killed_when_the_policy_says_so(void **state)
{
	(void)state;
	static const enum hold_order orders[RUNNINGS] = {
		[RUNNING_FINISH] = HOLD_ORDERS_NOTHING,
		[RUNNING_STOP] = HOLD_ORDERS_STOP,
		[RUNNING_KILL] = HOLD_ORDERS_KILL,
	};
	for (int running = 0; running < RUNNINGS; running++) {
		struct hold hold = make_hold(PRESET_DEFAULT, HOLD_PLANNED);
		hold.policy.running = (enum running)running;
		hold.grace_ms = 50;
		assert_int_equal(take(&hold, HOLD_BEGIN, NOW).order, orders[running]);
		assert_int_equal(hold_next_ms(&hold), running == RUNNING_STOP ? NOW + 50 : INSTANT_NONE);
	}
}

/* Ticks `hold` whenever it says that it is due, and writes what it did: "500 stop, 560 kill, ". */
static const char *run_until(struct hold *hold, instant until, char text[200])
{
	size_t at = 0;
	text[0] = '\0';
	for (instant next = hold_next_ms(hold); next != INSTANT_NONE && next <= until; next = hold_next_ms(hold)) {
		struct hold_update update = take(hold, HOLD_TICK, next);
		assert_true(update.is_changed);
		const char *what = update.order == HOLD_ORDERS_STOP   ? "stop"
				   : update.order == HOLD_ORDERS_KILL ? "kill"
								      : hold_phase_name(hold->phase);
		at += (size_t)snprintf(text + at, 200 - at, "%d %s, ", (int)next, what);
	}
	return text;
}

static void the_ladder_stops_at_the_deadline_and_kills_after_the_grace(void **state)
{
	(void)state;
	static const struct {
		enum hold_then then;
		int64_t grace_ms;
		instant expires_ms;
		const char *told;
	} rows[] = {
		{ THEN_WAIT, 0, 0, "" },
		{ THEN_WAIT, 60, 0, "" },
		{ THEN_STOP, 0, 0, "500 stop, " },
		{ THEN_STOP, 60, 0, "500 stop, 560 kill, " },
		{ THEN_KILL, 60, 0, "500 kill, " },
		{ THEN_STOP, 60, 540, "500 stop, 540 ended, " },
		{ THEN_KILL, 0, 400, "400 ended, " },
		{ THEN_WAIT, 0, 400, "400 ended, " },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		for (int phase = HOLD_DRAINING; phase <= HOLD_SUSPENDED; phase++) {
			struct hold hold = make_hold(PRESET_DEFAULT, (enum hold_phase)phase);
			char told[200];
			hold.deadline_ms = 500;
			hold.then = rows[i].then;
			hold.grace_ms = rows[i].grace_ms;
			hold.expires_ms = rows[i].expires_ms;
			assert_string_equal(run_until(&hold, 10000, told), rows[i].told);
		}
	}
}

static void a_drained_hold_orders_nothing_until_it_is_occupied_again(void **state)
{
	(void)state;
	struct hold hold = make_hold(PRESET_DEFAULT, HOLD_DRAINING);
	char told[200];
	hold.deadline_ms = 500;
	hold.then = THEN_STOP;
	take(&hold, HOLD_DRAINED, 400);
	assert_string_equal(run_until(&hold, 10000, told), "");
	take(&hold, HOLD_OCCUPIED, 700);
	assert_int_equal(take(&hold, HOLD_TICK, 700).order, HOLD_ORDERS_STOP);

	/* The same for the kill, by the grace or by the deadline. */
	hold.grace_ms = 50;
	take(&hold, HOLD_DRAINED, 710);
	assert_string_equal(run_until(&hold, 10000, told), "");
	take(&hold, HOLD_OCCUPIED, 800);
	assert_int_equal(take(&hold, HOLD_TICK, 800).order, HOLD_ORDERS_KILL);
}

/* After an outage everything is due at once; each tick takes one step, in the right order. */
static void what_was_missed_is_caught_up_step_by_step(void **state)
{
	(void)state;
	struct hold hold = make_hold(PRESET_DEFAULT, HOLD_PLANNED);
	hold.planned_ms = 100;
	hold.deadline_ms = 500;
	hold.then = THEN_STOP;
	hold.grace_ms = 60;
	assert_int_equal(hold_next_ms(&hold), 100);
	take(&hold, HOLD_TICK, 9000);
	assert_int_equal(hold.phase, HOLD_DRAINING);
	assert_int_equal(hold.began_ms, 9000);
	assert_int_equal(take(&hold, HOLD_TICK, 9000).order, HOLD_ORDERS_STOP);
	/* The grace counts from the stop that was really ordered. */
	assert_int_equal(hold_next_ms(&hold), 9060);
	assert_false(take(&hold, HOLD_TICK, 9059).is_changed);
	assert_int_equal(take(&hold, HOLD_TICK, 9060).order, HOLD_ORDERS_KILL);
	assert_int_equal(hold_next_ms(&hold), INSTANT_NONE);
}

static void a_planned_hold_that_expired_never_begins(void **state)
{
	(void)state;
	struct hold hold = make_hold(PRESET_DEFAULT, HOLD_PLANNED);
	hold.planned_ms = 100;
	hold.expires_ms = 200;
	take(&hold, HOLD_TICK, 300);
	assert_int_equal(hold.phase, HOLD_ENDED);
	assert_int_equal(hold.began_ms, INSTANT_NONE);
	assert_string_equal(hold.ended_by, "expiry");
}

static void only_gocds_ends_when_a_node_starts_alone(void **state)
{
	(void)state;
	for (int preset = 0; preset < PRESETS; preset++) {
		for (int phase = HOLD_PLANNED; phase < HOLD_ENDED; phase++) {
			struct hold hold = make_hold((enum preset)preset, (enum hold_phase)phase);
			take(&hold, HOLD_RESTART, NOW);
			bool ends = preset == PRESET_GOCD && phase != HOLD_PLANNED;
			assert_int_equal(hold.phase, ends ? HOLD_ENDED : phase);
			if (ends)
				assert_string_equal(hold.ended_by, "restart");
		}
	}
}

static void an_extension_moves_the_ladder_but_not_into_the_past(void **state)
{
	(void)state;
	struct hold hold = make_hold(PRESET_DEFAULT, HOLD_DRAINING);
	struct hold_event event = { .kind = HOLD_EXTEND,
				    .now = NOW,
				    .deadline_ms = NOW + 5,
				    .then = THEN_KILL,
				    .grace_ms = 3,
				    .expires_ms = NOW + 9 };
	struct hold_update update;
	struct error error;
	assert_works(hold_step(&hold, &event, &update, &error));
	assert_int_equal(hold_next_ms(&hold), NOW + 5);
	/* A deadline that passed may stay as it is while something else is changed. */
	event.now = NOW + 6;
	event.expires_ms = NOW + 20;
	assert_works(hold_step(&hold, &event, &update, &error));
	event.deadline_ms = NOW + 4;
	assert_refuses(hold_step(&hold, &event, &update, &error), ERR_INVALID, "the new deadline has passed already");
	event.deadline_ms = 0;
	event.expires_ms = NOW + 6;
	assert_refuses(hold_step(&hold, &event, &update, &error), ERR_INVALID, "end the hold instead");
	event.expires_ms = 0;
	event.grace_ms = -1;
	assert_refuses(hold_step(&hold, &event, &update, &error), ERR_INVALID, "negative");
	assert_int_equal(hold.expires_ms, NOW + 20);
}

static void going_back_to_draining_begins_the_drain_anew(void **state)
{
	(void)state;
	struct hold hold = make_hold(PRESET_CLOUDIFY, HOLD_DRAINING);
	take(&hold, HOLD_DRAINED, 100);
	assert_int_equal(hold.phase, HOLD_SUSPENDED);
	take(&hold, HOLD_DRAIN, 200);
	assert_int_equal(hold.suspended_ms, INSTANT_NONE);
	assert_true(take(&hold, HOLD_DRAINED, 300).is_news_drained);
	assert_int_equal(hold.suspended_ms, 300);
}

/* Any events at any time: hold_step asserts its invariants, and an ended hold stays as it is. */
static void no_sequence_of_events_breaks_a_hold(void **state)
{
	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct hold hold = make_hold((enum preset)test_random(PRESETS), HOLD_PLANNED);
		hold.planned_ms = (instant)test_random(300);
		hold.deadline_ms = (instant)test_random(300);
		hold.then = (enum hold_then)test_random(HOLD_THENS);
		hold.grace_ms = (int64_t)test_random(50);
		hold.expires_ms = (instant)test_random(2) * (instant)test_random(500);
		instant now = 1;
		for (int step = 0; step < 40; step++) {
			struct hold before = hold;
			struct hold_event event = {
				.kind = (enum hold_event_kind)test_random(HOLD_EVENTS),
				.now = now += (instant)test_random(20),
				.by = "bob",
				.has_blockers = test_random(2),
				.is_forced = test_random(2),
				.deadline_ms = (instant)test_random(600),
				.then = (enum hold_then)test_random(HOLD_THENS),
				.grace_ms = (int64_t)test_random(50) - 1,
				.expires_ms = (instant)test_random(900),
			};
			struct hold_update update;
			struct error error;
			bool is_taken = hold_step(&hold, &event, &update, &error);
			if (!is_taken || !update.is_changed)
				assert_memory_equal(&hold, &before, sizeof(hold));
			if (hold.phase != before.phase)
				assert_true(hold_may_become(before.phase, hold.phase));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_event_meets_every_phase),
		cmocka_unit_test(phases_follow_each_other_as_drawn),
		cmocka_unit_test(suspending_with_work_in_flight_is_refused_unless_forced_or_killed),
		cmocka_unit_test(a_policy_without_that_phase_is_never_suspended),
		cmocka_unit_test(only_cloudifys_suspends_by_itself_when_drained),
		cmocka_unit_test(drained_is_told_once_each_time_it_becomes_true),
		cmocka_unit_test(what_runs_is_stopped_or_killed_when_the_policy_says_so),
		cmocka_unit_test(the_ladder_stops_at_the_deadline_and_kills_after_the_grace),
		cmocka_unit_test(a_drained_hold_orders_nothing_until_it_is_occupied_again),
		cmocka_unit_test(what_was_missed_is_caught_up_step_by_step),
		cmocka_unit_test(a_planned_hold_that_expired_never_begins),
		cmocka_unit_test(only_gocds_ends_when_a_node_starts_alone),
		cmocka_unit_test(an_extension_moves_the_ladder_but_not_into_the_past),
		cmocka_unit_test(going_back_to_draining_begins_the_drain_anew),
		cmocka_unit_test(no_sequence_of_events_breaks_a_hold),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
