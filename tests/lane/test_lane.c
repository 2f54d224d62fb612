/*
 * What may be relied on of a write lane (lane/lane.h), with a real store and with one that fails at will.
 * A gate call holds the lane in the middle of a batch until the test lets it go, so that nothing here waits
 * for the clock.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/limits.h"
#include "lane/lane.h"
#include "lib/test.h"

enum { MOST_CALLS = 9000, MOST_TOLD = 9000 };

static const struct statement insert_row = { "INSERT INTO need (id, pool, labels) VALUES (?1, 'p', ?2)", "it" };
static const struct statement count_rows = { "SELECT count(*) FROM need", "" };

static struct {
	char folder[64];
	char where[96];
	struct lane *lane;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int answered;
	int answered_twice;
	int fatals;
	int effects;
	int answered_at_effects;         /* how many calls were answered when effects came */
	bool is_gate_used;               /* put, and not answered yet */
	bool is_at_gate;
	bool is_gate_open;
	int told[MOST_TOLD];             /* numbers of calls in the order in which they ran */
	size_t runs;
	int at_ends;
	int fail_at_end;                 /* the n-th end of a batch fails */
	int64_t failing_number;          /* the call of this number meets a failure of the engine */
	void *waiting[4];                /* the ops' memory: calls that wait */
	size_t waiting_count;
	int commits_to_fail;
	enum error_code commit_code;
	bool begin_fails;
} world;

struct job {
	struct call call;
	int64_t number;
	bool is_refused;                 /* refuses itself */
	bool is_waiting;                 /* waits until another one finishes it */
	bool finishes;                   /* … this one, all that wait */
	int answers;
	struct error outcome;
	int64_t answered_as;             /* the how manieth */
};

static const struct store_driver *engine;
static struct store_driver driver;

static bool commit_or_not(struct store *store, struct error *error)
{
	if (world.commits_to_fail && world.commits_to_fail--)
		return error_set(error, world.commit_code, "the disk says no");
	return engine->commit(store, error);
}

static bool begin_or_not(struct store *store, struct error *error)
{
	if (world.begin_fails)
		return error_set(error, ERR_STORE, "no transaction begins");
	return engine->begin(store, error);
}

static void done(struct call *call)
{
	struct job *job = CONTAINER_OF(call, struct job, call);
	pthread_mutex_lock(&world.lock);
	world.answered_twice += job->answers++;
	job->outcome = call->error;
	job->answered_as = world.answered++;
	pthread_cond_broadcast(&world.changed);
	pthread_mutex_unlock(&world.lock);
}

static void wait_until(const int *number, int wanted)
{
	pthread_mutex_lock(&world.lock);
	while (*number < wanted)
		pthread_cond_wait(&world.changed, &world.lock);
	pthread_mutex_unlock(&world.lock);
}

static bool write_row(struct tx *tx, struct job *job, struct error *error)
{
	char label[24];
	snprintf(label, sizeof(label), "%lld", (long long)job->number);
	const struct value values[] = { STORE_INT(job->number), store_text(label) };
	return store_run(tx->store, &insert_row, values, NULL, error);
}

static bool run_jobs(struct tx *tx, struct call **calls, size_t count, struct error *error)
{
	for (size_t i = 0; i < count; i++) {
		struct job *job = CONTAINER_OF(calls[i], struct job, call);
		world.told[world.runs++ % MOST_TOLD] = (int)job->number;
		if (job->is_refused) {
			error_set(&job->call.error, ERR_CONFLICT, "not this one");
			continue;
		}
		if (job->number == world.failing_number)
			return error_set(error, ERR_STORE, "the engine failed");
		if (!write_row(tx, job, error))
			return false;
		tx_effect(tx, EFFECT_EXECUTION, job->number);
		if (job->is_waiting) {
			job->call.waits = true;
			world.waiting[world.waiting_count++] = &job->call;
		}
		if (job->finishes)
			while (world.waiting_count)
				tx_finish(tx, world.waiting[--world.waiting_count]);
	}
	return true;
}

/* Holds the lane until the test opens the gate; puts the driver that can fail in its place, too. */
static bool run_gate(struct tx *tx, struct call **calls, size_t count, struct error *error)
{
	(void)calls;
	(void)count;
	(void)error;
	if (tx->store->driver != &driver) {
		engine = tx->store->driver;
		driver = *engine;
		driver.commit = commit_or_not;
		driver.begin = begin_or_not;
		tx->store->driver = &driver;
	}
	pthread_mutex_lock(&world.lock);
	world.is_at_gate = true;
	pthread_cond_broadcast(&world.changed);
	while (!world.is_gate_open)
		pthread_cond_wait(&world.changed, &world.lock);
	world.is_at_gate = false;
	pthread_mutex_unlock(&world.lock);
	return true;
}

static const struct call_type gate_type = { "gate", CALL_COMMAND, false, run_gate };
static const struct call_type types[CALL_READ] = {
	[CALL_COMMAND] = { "command", CALL_COMMAND, false, run_jobs },
	[CALL_REPORT] = { "report", CALL_REPORT, true, run_jobs },
	[CALL_CLAIM] = { "claim", CALL_CLAIM, true, run_jobs },
	[CALL_SUBMIT] = { "submit", CALL_SUBMIT, true, run_jobs },
	[CALL_OTHER] = { "other", CALL_OTHER, false, run_jobs },
};

static bool at_end(struct tx *tx, struct error *error)
{
	(void)tx;
	world.at_ends++;
	return world.at_ends != world.fail_at_end || error_set(error, ERR_STORE, "the end failed");
}

static void effects(void *context, const struct effect *list, size_t count)
{
	(void)context;
	pthread_mutex_lock(&world.lock);
	world.answered_at_effects = world.answered;
	for (size_t i = 0; i < count; i++)
		world.effects += list[i].kind == EFFECT_EXECUTION;
	pthread_cond_broadcast(&world.changed);
	pthread_mutex_unlock(&world.lock);
}

static void fatal(void *context, const struct error *error)
{
	(void)context;
	(void)error;
	pthread_mutex_lock(&world.lock);
	world.fatals++;
	pthread_cond_broadcast(&world.changed);
	pthread_mutex_unlock(&world.lock);
}

static void *open_memory(void *context)
{
	return context;
}

static void forget(void *memory, struct tx *tx)
{
	(void)memory;
	while (world.waiting_count)
		tx_finish(tx, world.waiting[--world.waiting_count]);
}

static void close_memory(void *memory)
{
	(void)memory;
}

/* The jobs of a test; given back by tear_down. */
static struct job *jobs;

static struct job *put(int64_t number, enum call_kind kind, size_t rows)
{
	struct error error;
	struct job *job = &jobs[number];
	job->number = number;
	job->call.type = &types[kind];
	job->call.rows = rows;
	job->call.done = done;
	assert_works(lane_put(world.lane, &job->call, &error));
	return job;
}

static struct call gate_call;

static void gate_done(struct call *call)
{
	(void)call;
	pthread_mutex_lock(&world.lock);
	world.is_gate_used = false;
	pthread_cond_broadcast(&world.changed);
	pthread_mutex_unlock(&world.lock);
}

/* From here until open_gate the lane stands in the middle of a batch. */
static void close_gate(void)
{
	struct error error;
	pthread_mutex_lock(&world.lock);
	while (world.is_gate_used)
		pthread_cond_wait(&world.changed, &world.lock);
	world.is_gate_open = false;
	world.is_gate_used = true;
	pthread_mutex_unlock(&world.lock);
	gate_call = (struct call){ .type = &gate_type, .rows = LIMIT_BATCH_ROWS, .done = gate_done };
	assert_works(lane_put(world.lane, &gate_call, &error));
	pthread_mutex_lock(&world.lock);
	while (!world.is_at_gate)
		pthread_cond_wait(&world.changed, &world.lock);
	pthread_mutex_unlock(&world.lock);
}

static void open_gate(void)
{
	pthread_mutex_lock(&world.lock);
	world.is_gate_open = true;
	pthread_cond_broadcast(&world.changed);
	pthread_mutex_unlock(&world.lock);
}

static int set_up(void **state)
{
	struct error error;
	const char *base = getenv("TMPDIR");
	(void)state;
	memset(&world, 0, sizeof(world));
	pthread_mutex_init(&world.lock, NULL);
	pthread_cond_init(&world.changed, NULL);
	jobs = heap_new(MOST_CALLS, sizeof(*jobs));
	snprintf(world.folder, sizeof(world.folder), "%.40s/lane-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(world.folder))
		return -1;
	snprintf(world.where, sizeof(world.where), "sqlite:%s/s", world.folder);
	const struct lane_settings settings = {
		.store = world.where, .memory_open = open_memory, .memory_forget = forget,
		.memory_close = close_memory, .at_end = at_end, .effects = effects, .fatal = fatal, .context = &world,
	};
	return lane_open(&settings, &world.lane, &error) ? 0 : -1;
}

static int tear_down(void **state)
{
	static const char *const names[] = { "s", "s-wal", "s-shm" };
	(void)state;
	lane_close(world.lane);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		char path[96];
		snprintf(path, sizeof(path), "%s/%s", world.folder, names[i]);
		unlink(path);
	}
	free(jobs);
	pthread_cond_destroy(&world.changed);
	pthread_mutex_destroy(&world.lock);
	return world.answered_twice || rmdir(world.folder) ? -1 : 0;
}

/* Rows that stand in the store, read once the lane has ended. */
static int64_t rows_stored(void)
{
	struct error error;
	struct store *store;
	int64_t number;
	bool found;
	assert_works(store_open(world.where, STORE_READER, &store, &error));
	assert_works(store_number(store, &count_rows, NULL, &number, &found, &error));
	store_close(store);
	return number;
}

static void kinds_go_in_their_order(void **state)
{
	static const int wanted[] = { 5, 4, 7, 3, 2, 1, 6 };
	(void)state;
	close_gate();
	put(1, CALL_OTHER, 1);
	put(2, CALL_SUBMIT, 1);
	put(3, CALL_CLAIM, 1);
	put(4, CALL_REPORT, 1);
	put(5, CALL_COMMAND, 1);
	put(6, CALL_OTHER, 1);
	put(7, CALL_REPORT, 1);
	open_gate();
	wait_until(&world.answered, 7);
	for (size_t i = 0; i < COUNT_OF(wanted); i++)
		assert_int_equal(world.told[i], wanted[i]);
}

static void a_batch_takes_whole_calls_up_to_its_rows(void **state)
{
	struct lane_figures before, after;
	(void)state;
	close_gate();
	lane_measure(world.lane, &before);
	put(1, CALL_SUBMIT, 300);
	put(2, CALL_SUBMIT, 200);
	put(3, CALL_SUBMIT, 300);
	put(4, CALL_SUBMIT, 5000);
	put(5, CALL_SUBMIT, 1);
	open_gate();
	wait_until(&world.answered, 5);
	lane_stop(world.lane);
	lane_measure(world.lane, &after);
	assert_int_equal(after.calls - before.calls, 6);
	/* The gate's; 1 and 2, and, since they leave rows, the whole of 3 (unless 2 ms have passed); 4; 5. */
	assert_in_range(after.batches - before.batches, 4, 5);
	assert_int_equal(rows_stored(), 5);
	for (int i = 0; i < 5; i++)
		assert_int_equal(world.told[i], i + 1);
}

static void a_refused_call_leaves_the_others(void **state)
{
	(void)state;
	close_gate();
	put(1, CALL_SUBMIT, 1);
	jobs[2].is_refused = true;
	put(2, CALL_SUBMIT, 1);
	put(3, CALL_SUBMIT, 1);
	open_gate();
	wait_until(&world.answered, 3);
	assert_int_equal(jobs[1].outcome.code, ERR_NONE);
	assert_int_equal(jobs[2].outcome.code, ERR_CONFLICT);
	assert_int_equal(jobs[3].outcome.code, ERR_NONE);
	assert_int_equal(world.at_ends, 2);
	lane_stop(world.lane);
	assert_int_equal(rows_stored(), 2);
}

static void where_the_engine_fails_each_call_runs_alone(void **state)
{
	(void)state;
	world.failing_number = 2;
	close_gate();
	for (int i = 1; i <= 4; i++)
		put(i, i < 3 ? CALL_SUBMIT : CALL_REPORT, 1);
	open_gate();
	wait_until(&world.answered, 4);
	for (int i = 1; i <= 4; i++)
		assert_int_equal(jobs[i].outcome.code, i == 2 ? ERR_STORE : ERR_NONE);
	lane_stop(world.lane);
	assert_int_equal(world.fatals, 0);
	assert_int_equal(world.effects, 3);
	assert_int_equal(rows_stored(), 3);
}

static void a_failed_end_of_the_batch_fails_nobody_for_good(void **state)
{
	(void)state;
	world.fail_at_end = 2;
	close_gate();
	put(1, CALL_SUBMIT, 1);
	put(2, CALL_SUBMIT, 1);
	open_gate();
	wait_until(&world.answered, 2);
	assert_int_equal(jobs[1].outcome.code, ERR_NONE);
	assert_int_equal(jobs[2].outcome.code, ERR_NONE);
	assert_int_equal(world.at_ends, 4);
	lane_stop(world.lane);
	assert_int_equal(rows_stored(), 2);
}

/* The gate's own batch commits; the next one does not, and nobody can say whether it stands. */
static void a_failed_commit_is_unknown_and_fatal(void **state)
{
	(void)state;
	close_gate();
	open_gate();
	close_gate();
	put(1, CALL_SUBMIT, 1);
	jobs[2].is_waiting = true;
	put(2, CALL_SUBMIT, 1);
	world.commits_to_fail = 2;
	world.commit_code = ERR_STORE;
	open_gate();
	wait_until(&world.answered, 2);
	assert_int_equal(jobs[1].outcome.code, ERR_UNKNOWN);
	assert_int_equal(jobs[2].outcome.code, ERR_UNKNOWN);
	wait_until(&world.fatals, 2);
	assert_int_equal(world.effects, 0);
	lane_stop(world.lane);
	assert_int_equal(rows_stored(), 0);
}

static void a_full_disk_at_commit_is_known(void **state)
{
	(void)state;
	close_gate();
	put(1, CALL_SUBMIT, 1);
	/* The gate's batch fails, and it alone once more; then the batch of 1 does, but not 1 alone. */
	world.commits_to_fail = 3;
	world.commit_code = ERR_DISK_FULL;
	open_gate();
	wait_until(&world.answered, 1);
	assert_int_equal(jobs[1].outcome.code, ERR_NONE);
	assert_int_equal(world.fatals, 0);
	assert_int_equal(world.commits_to_fail, 0);
	lane_stop(world.lane);
	assert_int_equal(rows_stored(), 1);
}

static void where_no_transaction_begins_calls_are_told(void **state)
{
	(void)state;
	close_gate();
	world.begin_fails = true;
	put(1, CALL_SUBMIT, 1);
	put(2, CALL_OTHER, 1);
	open_gate();
	wait_until(&world.answered, 2);
	assert_int_equal(jobs[1].outcome.code, ERR_STORE);
	assert_int_equal(jobs[2].outcome.code, ERR_STORE);
}

static void effects_come_after_the_answers(void **state)
{
	(void)state;
	close_gate();
	put(1, CALL_SUBMIT, 1);
	put(2, CALL_SUBMIT, 1);
	open_gate();
	wait_until(&world.effects, 2);
	assert_int_equal(world.answered_at_effects, 2);
}

static void a_call_that_waits_is_answered_by_a_later_one(void **state)
{
	(void)state;
	jobs[1].is_waiting = jobs[2].is_waiting = true;
	put(1, CALL_CLAIM, 1);
	put(2, CALL_CLAIM, 1);
	put(3, CALL_REPORT, 1);
	wait_until(&world.answered, 1);
	assert_int_equal(jobs[1].answers + jobs[2].answers, 0);
	jobs[4].finishes = true;
	put(4, CALL_OTHER, 1);
	wait_until(&world.answered, 4);
	assert_int_equal(jobs[4].answered_as, 1);
	assert_int_equal(jobs[1].outcome.code, ERR_NONE);
}

/* What waited since earlier is turned away by a rollback; what came with the failed batch is run again. */
static void a_rollback_turns_away_what_waits(void **state)
{
	(void)state;
	jobs[1].is_waiting = jobs[2].is_waiting = true;
	put(1, CALL_CLAIM, 1);
	put(9, CALL_OTHER, 1);
	wait_until(&world.answered, 1);
	close_gate();
	world.failing_number = 3;
	put(2, CALL_CLAIM, 1);
	put(3, CALL_SUBMIT, 1);
	open_gate();
	wait_until(&world.answered, 4);
	assert_int_equal(jobs[3].outcome.code, ERR_STORE);
	assert_int_equal(jobs[1].outcome.code, ERR_BUSY);
	/* 2 ran alone before 3 failed alone: that rollback turned it away, too. */
	assert_int_equal(jobs[2].outcome.code, ERR_BUSY);
}

static void a_full_queue_is_busy_and_others_are_not(void **state)
{
	struct error error;
	(void)state;
	close_gate();
	for (int i = 0; i < LIMIT_QUEUE_SUBMIT; i++)
		put(i + 1, CALL_SUBMIT, 1);
	struct job *late = &jobs[MOST_CALLS - 1];
	late->call = (struct call){ .type = &types[CALL_SUBMIT], .rows = 1, .done = done };
	assert_refuses(lane_put(world.lane, &late->call, &error), ERR_BUSY, "submit");
	put(MOST_CALLS - 2, CALL_COMMAND, 1);
	open_gate();
	wait_until(&world.answered, LIMIT_QUEUE_SUBMIT + 1);
	assert_int_equal(jobs[MOST_CALLS - 2].answered_as, 0);
	assert_int_equal(late->answers, 0);
}

static void stopping_answers_everything_once(void **state)
{
	struct error error;
	(void)state;
	jobs[1].is_waiting = true;
	put(1, CALL_CLAIM, 1);
	for (int i = 2; i < 700; i++)
		put(i, CALL_SUBMIT, 1);
	lane_stop(world.lane);
	assert_int_equal(world.answered, 699);
	assert_int_equal(jobs[1].outcome.code, ERR_BUSY);
	for (int i = 1; i < 700; i++)
		assert_int_equal(jobs[i].answers, 1);
	struct job *late = &jobs[800];
	late->call = (struct call){ .type = &types[CALL_SUBMIT], .rows = 1, .done = done };
	assert_refuses(lane_put(world.lane, &late->call, &error), ERR_BUSY, "stopping");
	assert_int_equal(rows_stored(), 699);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(kinds_go_in_their_order),
		TEST(a_batch_takes_whole_calls_up_to_its_rows),
		TEST(a_refused_call_leaves_the_others),
		TEST(where_the_engine_fails_each_call_runs_alone),
		TEST(a_failed_end_of_the_batch_fails_nobody_for_good),
		TEST(a_failed_commit_is_unknown_and_fatal),
		TEST(a_full_disk_at_commit_is_known),
		TEST(where_no_transaction_begins_calls_are_told),
		TEST(effects_come_after_the_answers),
		TEST(a_call_that_waits_is_answered_by_a_later_one),
		TEST(a_rollback_turns_away_what_waits),
		TEST(a_full_queue_is_busy_and_others_are_not),
		TEST(stopping_answers_everything_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
