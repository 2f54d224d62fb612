#include "lib/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/execution.h"
#include "core/hold.h"
#include "ops/accounts.h"
#include "ops/dispatch.h"
#include "ops/flows.h"

enum { START_SECONDS = 1767225600 };

/* The engine's own driver, and one that fails when asked to. */
static const struct store_driver *engine;
static struct store_driver faulty;
static int64_t operations, failing;

static bool fails(struct error *error)
{
	operations++;
	return failing && operations == failing && !error_set(error, ERR_STORE, "this operation fails for a test");
}

static bool faulty_begin(struct store *store, struct error *error)
{
	return !fails(error) && engine->begin(store, error);
}

static bool faulty_each(struct store *store, const struct statement *statement, const struct value *values,
			size_t row_count, int64_t *changed, struct error *error)
{
	return !fails(error) && engine->each(store, statement, values, row_count, changed, error);
}

static bool faulty_select(struct store *store, const struct statement *statement, const struct value *values,
			  struct rows *rows, struct error *error)
{
	return !fails(error) && engine->select(store, statement, values, rows, error);
}

static bool faulty_next(struct rows *rows, bool *more, struct error *error)
{
	return !fails(error) && engine->next(rows, more, error);
}

void stage_fail_at(struct stage *stage, int64_t n)
{
	(void)stage;
	operations = 0;
	failing = n;
}

int64_t stage_operations(void)
{
	return operations;
}

static void open_store(struct stage *stage)
{
	struct error error;
	assert_works(store_open(stage->where, STORE_WRITER, &stage->store, &error));
	/* What a power cut would do is no question here; waiting for the disk would be most of the time. */
	assert_works(store_script(stage->store, "PRAGMA synchronous=OFF", &error));
	engine = stage->store->driver;
	faulty = *engine;
	faulty.begin = faulty_begin;
	faulty.each = faulty_each;
	faulty.select = faulty_select;
	faulty.next = faulty_next;
	stage->store->driver = &faulty;
	stage->started_ms = stage->now;
	stage->memory = memory_open(&stage->started_ms);
}

void stage_open(struct stage *stage)
{
	struct error error;
	const char *base = getenv("TMPDIR");
	*stage = (struct stage){ .now = (instant)START_SECONDS * 1000, .agent = { .is_local_agent = true } };
	snprintf(stage->folder, sizeof(stage->folder), "%.40s/stage-XXXXXX", base ? base : "/tmp");
	assert_non_null(mkdtemp(stage->folder));
	snprintf(stage->where, sizeof(stage->where), "sqlite:%s/lull.db", stage->folder);
	failing = 0;
	assert_works(accounts_set_up(&error));
	open_store(stage);
	stage->admin.has_token = true;
	credential_digest("lull_admin", stage->admin.digest);
	struct first_account first = { .file_token = stage->admin.digest };
	assert_works(stage_begin(stage, &error));
	assert_works(stage_end(stage, accounts_begin(&stage->tx, &first, &error), &error));
}

void stage_close(struct stage *stage)
{
	static const char *const names[] = { "lull.db", "lull.db-wal", "lull.db-shm" };
	memory_close(stage->memory);
	store_close(stage->store);
	arena_fini(&stage->arena);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		char path[128];
		snprintf(path, sizeof(path), "%s/%s", stage->folder, names[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(stage->folder), 0);
}

/* Calls that a transaction answered; `reason` NULL: as they stand. */
static void tell(struct tx *tx, const char *reason)
{
	for (size_t i = 0; i < tx->finished_count; i++) {
		struct stage_exchange *exchange = tx->finished[i];
		assert_false(exchange->is_answered);
		exchange->is_answered = true;
		exchange->is_turned_away = reason != NULL;
		if (reason)
			error_set(&exchange->error, ERR_BUSY, "%s", reason);
	}
}

static struct tx new_tx(struct stage *stage)
{
	return (struct tx){ .store = stage->store, .arena = &stage->arena, .now = stage->now,
			    .memory = stage->memory };
}

void stage_restart(struct stage *stage)
{
	struct tx tx = new_tx(stage);
	memory_forget(stage->memory, &tx);
	tell(&tx, "the server is stopping");
	memory_close(stage->memory);
	store_close(stage->store);
	failing = 0;
	open_store(stage);
}

bool stage_begin(struct stage *stage, struct error *error)
{
	arena_reset(&stage->arena);
	stage->tx = new_tx(stage);
	return store_begin(stage->store, error);
}

void stage_roll_back(struct stage *stage)
{
	/* What this act itself left waiting is not told twice: it has not been answered so far. */
	struct tx failed = stage->tx;
	store_rollback(stage->store);
	tell(&failed, "rolled back");
	stage->tx = new_tx(stage);
	memory_forget(stage->memory, &stage->tx);
	tell(&stage->tx, "rolled back");
	stage->failures++;
	failing = 0;
}

bool stage_commit(struct stage *stage, struct error *error)
{
	if (!dispatch_at_end(&stage->tx, error) || !store_commit(stage->store, error)) {
		stage_roll_back(stage);
		return false;
	}
	tell(&stage->tx, NULL);
	return true;
}

bool stage_end(struct stage *stage, bool ok, struct error *error)
{
	if (!ok && (error->code == ERR_STORE || error->code == ERR_DISK_FULL)) {
		stage_roll_back(stage);
		return false;
	}
	struct error failure;
	if (stage_commit(stage, &failure))
		return ok;
	*error = failure;
	return false;
}

void stage_apply(struct stage *stage, const char *yaml)
{
	struct error error;
	struct arena arena = { 0 };
	struct flow *flow;
	int64_t revision;
	enum flow_change change;
	assert_works(flow_parse(yaml, strlen(yaml), &arena, &flow, NULL, NULL, &error));
	assert_works(stage_begin(stage, &error));
	bool ok = flows_apply(&stage->tx, &stage->admin, yaml, flow, &revision, &change, &error);
	assert_works(stage_end(stage, ok, &error));
	arena_fini(&arena);
}

bool stage_try_submit(struct stage *stage, const char *flow, int32_t priority, const char *key,
		      struct submit_result *result, struct error *error)
{
	struct submit_item item = { .flow = flow, .priority = priority, .key = key };
	struct submit submit = { .credential = &stage->admin, .items = &item, .count = 1, .results = result };
	struct submit *submits[] = { &submit };
	if (!stage_begin(stage, error) || !stage_end(stage, submit_all(&stage->tx, submits, 1, error), error))
		return false;
	*error = submit.error;
	return submit.error.code == ERR_NONE;
}

int64_t stage_submit(struct stage *stage, const char *flow)
{
	struct error error;
	struct submit_result result = { 0 };
	assert_works(stage_try_submit(stage, flow, 0, NULL, &result, &error));
	return result.number;
}

bool stage_interrupt(struct stage *stage, int64_t number, enum interruption what, struct error *error)
{
	return stage_begin(stage, error) &&
	       stage_end(stage, executions_interrupt(&stage->tx, &stage->admin, number, what, "a test", error), error);
}

bool stage_try_enter(struct stage *stage, int64_t *id, struct error *error)
{
	const struct hold_request request = { .preset = "default", .scope = "instance", .reason = "a test" };
	struct hold hold = { 0 };
	bool ok = stage_begin(stage, error) &&
		  stage_end(stage, holds_enter(&stage->tx, &stage->admin, &request, &hold, error), error);
	*id = hold.id.value;
	return ok;
}

int64_t stage_enter(struct stage *stage)
{
	struct error error;
	int64_t id;
	assert_works(stage_try_enter(stage, &id, &error));
	return id;
}

bool stage_end_hold(struct stage *stage, int64_t id, struct error *error)
{
	struct hold hold;
	return stage_begin(stage, error) &&
	       stage_end(stage, holds_end(&stage->tx, &stage->admin, id, &hold, error), error);
}

bool stage_try_hello(struct stage *stage, const struct hello *hello, struct arena *arena,
		     struct hello_answer *answer, struct error *error)
{
	return stage_begin(stage, error) &&
	       stage_end(stage, agents_hello(&stage->tx, &stage->agent, hello, arena, answer, error), error);
}

int64_t stage_hello(struct stage *stage, const char *name, int32_t slots)
{
	struct error error;
	struct arena arena = { 0 };
	struct hello_answer answer;
	const char *spool = arena_printf(&arena, "s-%s", name);
	struct hello hello = { .agent = name, .pool = "default", .slots = slots, .boot = "b1", .spool = spool,
			       .host = "host", .version = "1" };
	assert_works(stage_try_hello(stage, &hello, &arena, &answer, &error));
	arena_fini(&arena);
	return answer.session;
}

bool stage_exchange(struct stage *stage, struct stage_exchange *exchange, struct error *error)
{
	struct agents_exchange *one[] = { &exchange->op };
	exchange->op = (struct agents_exchange){ .credential = &stage->agent, .exchange = &exchange->exchange,
						 .arena = &exchange->arena, .call = exchange, .client = exchange };
	exchange->is_answered = false;
	error_clear(&exchange->error);
	if (!stage_begin(stage, error) || !stage_end(stage, agents_exchange(&stage->tx, one, 1, error), error))
		return false;
	*error = exchange->op.error;
	return error->code == ERR_NONE;
}

void stage_exchange_fini(struct stage_exchange *exchange)
{
	arena_fini(&exchange->arena);
	*exchange = (struct stage_exchange){ 0 };
}

enum execution_state stage_state(struct stage *stage, int64_t number)
{
	struct error error;
	struct execution_row row;
	bool found;
	stage->tx = new_tx(stage);
	struct execution_id id = execution_id_make((struct tenant_id){ TENANT_MAIN }, number);
	assert_works(executions_get(&stage->tx, id, &row, &found, &error));
	assert_true(found);
	return row.state;
}

int64_t stage_number(struct stage *stage, const struct statement *statement)
{
	struct error error;
	int64_t number;
	bool found;
	assert_works(store_number(stage->store, statement, NULL, &number, &found, &error));
	assert_true(found);
	return number;
}
