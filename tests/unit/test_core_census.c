#include "lib/test.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "core/census.h"

static const struct subject everything = { .kind = SUBJECT_EVERYTHING };
static const struct subject server = { .kind = SUBJECT_SERVER, .node = 2 };
static const struct subject machine = { .kind = SUBJECT_MACHINE, .machine = "db1" };
static const struct subject agent = { .kind = SUBJECT_AGENT, .agent = { 3 } };

/* One of each that can be met; `what` is what the rows below call it. */
static const struct census_entry entries[] = {
	{ .kind = CENSUS_EXECUTION, .what = "begun", .execution = { 12 } },
	{ .kind = CENSUS_EXECUTION, .what = "parked", .execution = { 13 }, .parked_by = { 9 } },
	{ .kind = CENSUS_ATTEMPT,
	  .what = "here",
	  .execution = { 12 },
	  .agent = { 3 },
	  .agent_name = "a3",
	  .machine = "db1" },
	{ .kind = CENSUS_ATTEMPT,
	  .what = "handed",
	  .execution = { 12 },
	  .agent = { 3 },
	  .agent_name = "a3",
	  .machine = "db1",
	  .is_handed = true },
	{ .kind = CENSUS_ATTEMPT,
	  .what = "silent",
	  .execution = { 12 },
	  .agent = { 3 },
	  .agent_name = "a3",
	  .machine = "db1",
	  .is_unknown = true },
	{ .kind = CENSUS_ATTEMPT,
	  .what = "there",
	  .execution = { 12 },
	  .agent = { 4 },
	  .agent_name = "a4",
	  .machine = "db2" },
	{ .kind = CENSUS_POLL, .what = "poll", .node = 2, .machine = "db1" },
	{ .kind = CENSUS_POLL, .what = "farpoll", .node = 5, .machine = "db2" },
	{ .kind = CENSUS_QUEUED, .what = "queued", .execution = { 14 } },
};
enum { CLOSED, ADVANCES, STARTS };
static const struct openness opennesses[] = {
	[CLOSED] = { false, false }, [ADVANCES] = { false, true }, [STARTS] = { true, true },
};

/* The entries whose names occur in `names`, and a rule. */
static struct census census_of(const char *names, bool counts_executions, struct census_entry room[COUNT_OF(entries)])
{
	struct census census = { .list = room, .counts_executions = counts_executions };
	char padded[200];
	snprintf(padded, sizeof(padded), " %s ", names);
	for (size_t i = 0; i < COUNT_OF(entries); i++) {
		char name[32];
		snprintf(name, sizeof(name), " %s ", entries[i].what);
		if (strstr(padded, name))
			room[census.count++] = entries[i];
	}
	return census;
}

/* Whom does each entry block? E everything, S server, M machine, A agent; small: only while tasks may go on. */
static void an_entry_blocks_what_it_touches(void **state)
{
	(void)state;
	static const struct { const char *what, *blocks_by_execution, *blocks_by_task; } rows[] = {
		{ "begun", "Ema", "Ema" },
		{ "parked", "Ema", "Ema" },
		{ "here", "MA", "EMA" },
		{ "handed", "MA", "EMA" },
		{ "silent", "EMA", "EMA" },
		{ "there", "", "E" },
		{ "poll", "ESM", "ESM" },
		{ "farpoll", "E", "E" },
		{ "queued", "E", "E" },
	};
	static const struct { char big, small; const struct subject *subject; } subjects[] = {
		{ 'E', '-', &everything }, { 'S', '-', &server }, { 'M', 'm', &machine }, { 'A', 'a', &agent },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		for (int rule = 0; rule < 2; rule++) {
			struct census_entry room[COUNT_OF(entries)];
			struct census census = census_of(rows[i].what, rule == 0, room);
			const char *blocks = rule == 0 ? rows[i].blocks_by_execution : rows[i].blocks_by_task;
			assert_int_equal(census.count, 1);
			for (size_t k = 0; k < COUNT_OF(subjects); k++) {
				bool always = strchr(blocks, subjects[k].big),
				     coming = strchr(blocks, subjects[k].small);
				assert_int_equal(census_entry_blocks(&census, room, subjects[k].subject,
								     opennesses[CLOSED]),
						 always);
				assert_int_equal(census_entry_blocks(&census, room, subjects[k].subject,
								     opennesses[ADVANCES]),
						 always || coming);
			}
		}
	}
}

static void the_verdict_is_yes_only_where_nothing_is_or_can_be(void **state)
{
	(void)state;
	static const struct {
		const char *census;
		const struct subject *subject;
		int openness;
		enum safe safe;
		enum verdict_reason reason;
		bool is_settled, is_drained;
		size_t blockers;
	} rows[] = {
		{ "", &everything, CLOSED, SAFE_YES, VERDICT_CLEAR, true, true, 0 },
		{ "", &everything, ADVANCES, SAFE_YES, VERDICT_CLEAR, true, true, 0 },
		{ "", &everything, STARTS, SAFE_NO, VERDICT_OPEN, true, true, 0 },
		{ "", &server, STARTS, SAFE_NO, VERDICT_OPEN, true, true, 0 },
		{ "begun here", &everything, CLOSED, SAFE_NO, VERDICT_BUSY, true, false, 1 },
		{ "begun here", &server, CLOSED, SAFE_YES, VERDICT_CLEAR, true, false, 0 },
		{ "begun here", &agent, CLOSED, SAFE_NO, VERDICT_BUSY, true, false, 1 },
		{ "begun there", &agent, CLOSED, SAFE_YES, VERDICT_CLEAR, true, false, 0 },
		{ "begun there", &agent, ADVANCES, SAFE_NO, VERDICT_BUSY, true, false, 1 },
		{ "begun handed", &everything, CLOSED, SAFE_NO, VERDICT_BUSY, false, false, 1 },
		{ "silent", &agent, CLOSED, SAFE_UNKNOWN, VERDICT_SILENT, true, false, 1 },
		{ "silent", &everything, CLOSED, SAFE_UNKNOWN, VERDICT_SILENT, true, false, 1 },
		{ "silent", &server, CLOSED, SAFE_YES, VERDICT_CLEAR, true, false, 0 },
		{ "silent", &agent, STARTS, SAFE_NO, VERDICT_SILENT, true, false, 1 },
		{ "silent here", &agent, CLOSED, SAFE_NO, VERDICT_BUSY, true, false, 2 },
		{ "poll", &server, CLOSED, SAFE_NO, VERDICT_BUSY, true, false, 1 },
		{ "farpoll", &server, CLOSED, SAFE_YES, VERDICT_CLEAR, true, false, 0 },
		{ "queued", &everything, STARTS, SAFE_NO, VERDICT_BUSY, true, false, 1 },
		{ "parked", &everything, CLOSED, SAFE_NO, VERDICT_BUSY, true, false, 1 },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct census_entry room[COUNT_OF(entries)];
		struct census census = census_of(rows[i].census, true, room);
		struct verdict verdict = verdict_of(&census, rows[i].subject, opennesses[rows[i].openness]);
		if (verdict.safe != rows[i].safe || verdict.reason != rows[i].reason)
			fail_msg("row %zu, census \"%s\": %s, %s", i, rows[i].census, safe_name(verdict.safe),
				 verdict_sentence(&verdict));
		assert_int_equal(verdict.is_settled, rows[i].is_settled);
		assert_int_equal(verdict.is_drained, rows[i].is_drained);
		assert_int_equal(verdict.blocker_count, rows[i].blockers);
		assert_int_equal(verdict.is_idle, verdict.reason == VERDICT_OPEN);
	}
}

/* Over every census that can be made of the entries, by both rules, for every subject and openness. */
static void yes_is_never_said_lightly(void **state)
{
	(void)state;
	const struct subject *subjects[] = { &everything, &server, &machine, &agent };
	for (unsigned chosen = 0; chosen < BIT(COUNT_OF(entries)); chosen++) {
		struct census_entry room[COUNT_OF(entries)];
		struct census census = { .list = room };
		for (size_t i = 0; i < COUNT_OF(entries); i++)
			if (chosen & BIT(i))
				room[census.count++] = entries[i];
		for (size_t i = 0; i < COUNT_OF(subjects) * COUNT_OF(opennesses) * 2; i++) {
			const struct subject *subject = subjects[i % COUNT_OF(subjects)];
			struct openness openness = opennesses[i / COUNT_OF(subjects) % COUNT_OF(opennesses)];
			census.counts_executions = i / COUNT_OF(subjects) / COUNT_OF(opennesses);
			struct verdict verdict = verdict_of(&census, subject, openness);
			assert_int_equal(verdict.safe == SAFE_YES, verdict.blocker_count == 0 && !openness.can_start);
			assert_true(verdict.unknown_count <= verdict.blocker_count);
			if (verdict.safe == SAFE_UNKNOWN)
				assert_int_equal(verdict.unknown_count, verdict.blocker_count);
			/* All is safe only where every part is. */
			if (verdict.safe == SAFE_YES && subject->kind == SUBJECT_EVERYTHING &&
			    !openness.can_advance) {
				assert_true(verdict.is_drained);
				for (size_t k = 1; !census.counts_executions && k < COUNT_OF(subjects); k++)
					assert_int_equal(verdict_of(&census, subjects[k], openness).safe, SAFE_YES);
			}
		}
	}
}

static void an_estimate_is_the_last_ones_or_none(void **state)
{
	(void)state;
	struct census_entry list[3] = {
		{ .kind = CENSUS_POLL, .remaining = { 100, 900, false } },
		{ .kind = CENSUS_POLL, .remaining = { 300, 400, false } },
		{ .kind = CENSUS_POLL, .remaining = { -1, -1, true } },
	};
	struct census census = { .list = list, .count = 2 };
	struct remaining remaining = verdict_of(&census, &everything, opennesses[CLOSED]).remaining;
	assert_int_equal(remaining.usual_ms, 300);
	assert_int_equal(remaining.late_ms, 900);
	assert_false(remaining.is_overdue);
	census.count = 3;
	remaining = verdict_of(&census, &everything, opennesses[CLOSED]).remaining;
	assert_int_equal(remaining.usual_ms, -1);
	assert_true(remaining.is_overdue);
	census.count = 0;
	assert_int_equal(verdict_of(&census, &everything, opennesses[CLOSED]).remaining.usual_ms, 0);
}

static void each_entry_says_what_would_clear_it(void **state)
{
	(void)state;
	static const char *const clears[COUNT_OF(entries)] = {
		"it ends by itself, or is stopped",
		"hold 9 ends and it goes on, or it is stopped",
		"it ends by itself, or is stopped",
		"a3 begins it and it ends, or it is taken back",
		"its agent, a3, is started or reached again and reports",
		"it ends by itself, or is stopped",
		"it ends by itself within ten minutes",
		"it ends by itself within ten minutes",
		"it starts and ends, or its dispatch is held",
	};
	struct arena arena = { 0 };
	for (size_t i = 0; i < COUNT_OF(entries); i++)
		assert_string_equal(census_entry_clears(&entries[i], &arena), clears[i]);
	arena_fini(&arena);
}

static void what_counts_is_counted_once(void **state)
{
	(void)state;
	struct census_entry room[COUNT_OF(entries)];
	struct census census = census_of("begun here there silent poll queued", true, room);
	assert_int_equal(census_count(&census, CENSUS_EXECUTION), 1);
	assert_int_equal(census_count(&census, CENSUS_ATTEMPT), 1);
	census.counts_executions = false;
	assert_int_equal(census_count(&census, CENSUS_ATTEMPT), 3);
	assert_int_equal(census_count(&census, CENSUS_POLL), 1);
	for (int i = 0; i < SUBJECTS; i++) {
		enum subject_kind kind;
		assert_true(subject_kind_parse(subject_kind_name((enum subject_kind)i), &kind));
		assert_int_equal(kind, i);
	}
	for (int i = 0; i < CENSUS_KINDS; i++)
		for (int k = 0; k < i; k++)
			assert_string_not_equal(census_kind_name((enum census_kind)i),
						census_kind_name((enum census_kind)k));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_blocks_what_it_touches),
		cmocka_unit_test(the_verdict_is_yes_only_where_nothing_is_or_can_be),
		cmocka_unit_test(yes_is_never_said_lightly),
		cmocka_unit_test(an_estimate_is_the_last_ones_or_none),
		cmocka_unit_test(each_entry_says_what_would_clear_it),
		cmocka_unit_test(what_counts_is_counted_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
