/*
 * No statement looks through a table that grows. The statements are those that a life of the whole main job
 * prepared: SQLite itself lists them, by its own text, and tells the plan of each.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "lib/stage.h"
#include "ops/forecasts.h"
#include "ops/overview.h"
#include "store/backlogs.h"
#include "store/flows.h"

enum { ENOUGH = 55 };

static sqlite3 *db;

/* SQLite calls this for each connection that is opened. */
static int note_connection(sqlite3 *opened, char **problem, const struct sqlite3_api_routines *routines)
{
	(void)problem;
	(void)routines;
	db = opened;
	return SQLITE_OK;
}

/* Tables of few rows, and partial indexes that hold only what is open or in force. */
static const char *const bounded[] = {
	"SCAN need", "SCAN tenant", "SCAN fence", "SCAN migration", "SCAN CONSTANT ROW", "SCAN waiting", "SCAN (",
	"USING INDEX attempt_open", "USING COVERING INDEX attempt_open", "USING COVERING INDEX backlog_open",
	"USING INDEX backlog_open", "USING INDEX hold_in_force", "USING INDEX agent_given_up",
	"USING COVERING INDEX agent_given_up",
};

static bool is_bounded(const char *plan)
{
	if (strncmp(plan, "SCAN", 4) != 0)
		return strstr(plan, "AUTOMATIC") == NULL;
	for (size_t i = 0; i < COUNT_OF(bounded); i++)
		if (strstr(plan, bounded[i]))
			return true;
	return false;
}

/* Each step of the plan of `sql` is bounded. */
static void check_plan(const char *sql)
{
	sqlite3_stmt *plan;
	char *explain = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql);
	if (sqlite3_prepare_v2(db, explain, -1, &plan, NULL) != SQLITE_OK)
		fail_msg("%s: %s", explain, sqlite3_errmsg(db));
	while (sqlite3_step(plan) == SQLITE_ROW) {
		const char *step = (const char *)sqlite3_column_text(plan, 3);
		if (!is_bounded(step))
			fail_msg("%s\n\t%s", sql, step);
	}
	sqlite3_finalize(plan);
	sqlite3_free(explain);
}

/* Every statement that this connection has prepared; how many. */
static size_t check_plans(void)
{
	const char *texts[256];
	size_t count = 0;
	for (sqlite3_stmt *one = sqlite3_next_stmt(db, NULL); one; one = sqlite3_next_stmt(db, one)) {
		assert_true(count < COUNT_OF(texts));
		texts[count++] = sqlite3_sql(one);
	}
	for (size_t i = 0; i < count; i++)
		check_plan(texts[i]);
	return count;
}

static const char again_yaml[] =
	"id: again\nnamespace: t\non_lost: retry\ntasks:\n  - { id: a, type: shell, commands: [ x ] }\n"
	"  - { id: b, type: noop, needs: [ a ] }\n";

/* An exchange that takes what there is; its first order's attempt. */
static struct attempt_id swap(struct stage *stage, int64_t session, int64_t *got, struct report *reports, size_t count)
{
	struct error error;
	struct stage_exchange exchange = { .exchange = { .session = session, .got = *got, .free = 4,
							 .reports = reports, .report_count = count } };
	stage->now += LIMIT_LEASE_MS / 2;
	assert_works(stage_exchange(stage, &exchange, &error));
	*got = exchange.op.answer.seq;
	struct attempt_id id = exchange.op.answer.order_count ? exchange.op.answer.orders[0].attempt
							      : (struct attempt_id){ 0 };
	stage_exchange_fini(&exchange);
	return id;
}

static void run_flows(struct stage *stage)
{
	struct error error;
	struct submit_result result;
	int64_t got = 0, session = stage_hello(stage, "one", 4);
	assert_works(stage_try_submit(stage, "t.again", 3, "key", &result, &error));
	assert_works(stage_try_submit(stage, "t.again", 3, "key", &result, &error));
	struct attempt_id id = swap(stage, session, &got, NULL, 0);
	struct report reports[] = {
		{ .attempt = id, .kind = REPORT_BEGAN, .at_ms = stage->now },
		{ .attempt = id, .kind = REPORT_OUTPUT, .bytes = "x", .length = 1 },
		{ .attempt = id, .kind = REPORT_ENDED, .at_ms = stage->now, .result = RESULT_SUCCEEDED },
	};
	swap(stage, session, &got, reports, COUNT_OF(reports));
	int64_t number = stage_submit(stage, "t.again");
	assert_works(stage_interrupt(stage, number, INTERRUPT_CANCEL, &error));
	assert_works(stage_interrupt(stage, result.number, INTERRUPT_KILL, &error));
	stage_submit(stage, "t.again");
	session = stage_hello(stage, "one", 4);
	stage->now += LIMIT_LOST_AFTER_MS + 1;
	assert_works(stage_begin(stage, &error));
	bool ok = agents_expire(&stage->tx, &error) && agents_reap(&stage->tx, LIMIT_LOST_AFTER_MS, &error) &&
		  forecasts_learn(&stage->tx, &error) && submit_forget_keys(&stage->tx, &error);
	assert_works(stage_end(stage, ok, &error));
}

static void look_at_all(struct stage *stage)
{
	struct error error;
	struct overview overview;
	struct execution_view view, *views;
	struct attempt_row row;
	struct flow_row *flows;
	struct buffer log = { 0 };
	size_t count;
	int64_t next;
	bool is_drained;
	struct execution_filter filters[] = {
		{ .limit = 10 },
		{ .limit = 10, .flow = "t.again" },
		{ .limit = 10, .has_state = true, .state = EXECUTION_RUNNING },
		{ .limit = 10, .has_state = true, .state = EXECUTION_FAILED },
	};
	assert_works(stage_begin(stage, &error));
	struct tx *tx = &stage->tx;
	for (size_t i = 0; i < COUNT_OF(filters); i++)
		assert_works(executions_page(tx, &stage->admin, &filters[i], &views, &count, &next, &error));
	assert_works(executions_show(tx, &stage->admin, 1, &view, &error));
	assert_works(executions_log(tx, &stage->admin, 1, "a", 0, 0, &log, &row, &error));
	assert_int_equal(log.length, 1);
	assert_works(overview_take(tx, NULL, 1000, &overview, &error));
	assert_works(overview_is_drained(tx, NULL, &is_drained, &error));
	assert_works(flows_list(tx, (struct tenant_id){ TENANT_MAIN }, "", "", 10, &flows, &count, &error));
	assert_int_equal(count, 1);
	assert_works(stage_end(stage, true, &error));
	buffer_fini(&log);
}

static void no_statement_looks_through_what_grows(void **state)
{
	(void)state;
	struct stage stage;
	struct error error;
	sqlite3_auto_extension((void (*)(void))note_connection);
	stage_open(&stage);
	stage_apply(&stage, again_yaml);
	run_flows(&stage);
	int64_t hold = stage_enter(&stage);
	look_at_all(&stage);
	assert_works(stage_begin(&stage, &error));
	assert_works(stage_end(&stage, holds_note_drained(&stage.tx, true, &error), &error));
	assert_works(stage_end_hold(&stage, hold, &error));
	look_at_all(&stage);
	/* Less means that the life above no longer reaches what it should. */
	assert_in_range(check_plans(), ENOUGH, 256);
	sqlite3_reset_auto_extension();
	stage_close(&stage);
}

/* The check itself finds what it is for. */
static void a_scan_would_be_found(void **state)
{
	(void)state;
	assert_false(is_bounded("SCAN execution"));
	assert_false(is_bounded("SCAN attempt USING INDEX attempt_lost"));
	assert_false(is_bounded("SEARCH a USING AUTOMATIC COVERING INDEX (flow=?)"));
	assert_true(is_bounded("SCAN attempt USING INDEX attempt_open"));
	assert_true(is_bounded("SEARCH execution USING INTEGER PRIMARY KEY (rowid=?)"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_statement_looks_through_what_grows),
		cmocka_unit_test(a_scan_would_be_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
