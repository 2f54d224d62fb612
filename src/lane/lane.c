#include "lane/lane.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/heap.h"
#include "base/kill_point.h"
#include "base/limits.h"
#include "lane/queue.h"
#include "lane/watch.h"
#include "sys/clock.h"

enum { MOST_READERS = 8, IDLE_MS = 200 };

struct worker {
	struct lane *lane;
	pthread_t thread;
	struct store *store;
	void *memory;
	struct arena arena;
	instant now;                     /* of the last batch */
	bool was_short;                  /* the last batch was committed early for its commands */
};

struct lane {
	struct lane_settings settings;
	pthread_mutex_t lock;            /* guards queue, is_closing, is_stopped, figures */
	pthread_cond_t work;
	struct queue queue;
	bool is_closing;                 /* nothing new is let in */
	bool is_stopped;                 /* no thread runs any more */
	struct lane_figures figures;
	struct watch watch;
	size_t worker_count;
	struct worker workers[MOST_READERS];
};

/* The calls of one batch in the order in which they ran. */
struct batch {
	struct call **calls;
	size_t count;
	size_t room;
	struct tx tx;
};

static void batch_add(struct batch *batch, struct call *call)
{
	if (batch->count == batch->room) {
		batch->room = batch->room ? batch->room * 2 : 64;
		batch->calls = heap_grow(batch->calls, batch->room, sizeof(*batch->calls));
	}
	batch->calls[batch->count++] = call;
}

static struct tx tx_of(struct worker *worker)
{
	instant now = clock_now();
	if (now > worker->now)
		worker->now = now;
	return (struct tx){ .store = worker->store, .arena = &worker->arena, .now = worker->now,
			    .memory = worker->memory };
}

static void clear_outcome(struct call *call)
{
	error_clear(&call->error);
	call->waits = false;
}

/* Every call of the transaction is answered, then what waited for it; a call that waits is not. */
static void answer(struct call **calls, size_t count, const struct tx *tx)
{
	for (size_t i = 0; i < count; i++)
		if (!calls[i]->waits)
			calls[i]->done(calls[i]);
	for (size_t i = 0; i < tx->finished_count; i++) {
		struct call *call = tx->finished[i];
		call->waits = false;
		call->done(call);
	}
}

static bool finish(struct worker *worker, struct tx *tx, bool *is_unknown, struct error *error)
{
	struct lane *lane = worker->lane;
	*is_unknown = false;
	if (lane->settings.at_end && !lane->settings.at_end(tx, error))
		return false;
	KILL_POINT("lane.before_commit");
	if (!store_commit(worker->store, error)) {
		*is_unknown = error->code != ERR_DISK_FULL;
		return false;
	}
	KILL_POINT("lane.after_commit");
	return true;
}

static void tell_effects(struct lane *lane, const struct tx *tx)
{
	KILL_POINT("lane.answered");
	if (lane->settings.effects && tx->effect_count)
		lane->settings.effects(lane->settings.context, tx->effects, tx->effect_count);
	KILL_POINT("lane.after_effects");
}

/*
 * Answers, with an error, calls that waited since an earlier batch. One of the failed batch itself has its
 * `waits` cleared and is left alone: it will be run again, or gets the batch's error.
 */
static void turn_away(const struct tx *tx)
{
	for (size_t i = 0; i < tx->finished_count; i++) {
		struct call *call = tx->finished[i];
		if (!call->waits)
			continue;
		call->waits = false;
		error_set(&call->error, ERR_BUSY, "the server had to start this batch anew; ask again");
		call->done(call);
	}
}

/* Nothing of the transaction stands: what the ops remembered of it must go, and what waited there is told. */
static void take_back(struct worker *worker, struct call **calls, size_t count, const struct tx *failed)
{
	store_rollback(worker->store);
	for (size_t i = 0; i < count; i++)
		calls[i]->waits = false;
	turn_away(failed);
	if (!worker->lane->settings.memory_forget)
		return;
	struct tx tx = tx_of(worker);
	worker->lane->settings.memory_forget(worker->memory, &tx);
	turn_away(&tx);
}

static void answer_failure(struct call **calls, size_t count, const struct error *error)
{
	for (size_t i = 0; i < count; i++) {
		calls[i]->error = *error;
		calls[i]->done(calls[i]);
	}
}

static void answer_unknown(struct worker *worker, struct call **calls, size_t count, const struct error *cause)
{
	struct error unknown;
	error_set(&unknown, ERR_UNKNOWN,
		  "it is not known whether this was stored; repeat it with the same key (%.200s)",
		  cause->detail);
	answer_failure(calls, count, &unknown);
	if (worker->lane->settings.fatal)
		worker->lane->settings.fatal(worker->lane->settings.context, cause);
}

/* One call in a transaction of its own: the batch that it was in failed, and this call may be why. */
static void run_alone(struct worker *worker, struct call *call)
{
	struct error error;
	struct tx tx = tx_of(worker);
	bool is_unknown = false;
	clear_outcome(call);
	if (store_begin(worker->store, &error)) {
		if (call->type->run(&tx, &call, 1, &error) && finish(worker, &tx, &is_unknown, &error)) {
			answer(&call, 1, &tx);
			tell_effects(worker->lane, &tx);
			return;
		}
		take_back(worker, &call, 1, &tx);
	}
	if (is_unknown)
		answer_unknown(worker, &call, 1, &error);
	else
		answer_failure(&call, 1, &error);
}

/* What runs next; NULL: nothing waits, or only what a batch that is to be short leaves to the next one. */
static struct call *take_group(struct lane *lane, size_t rows, bool is_short)
{
	pthread_mutex_lock(&lane->lock);
	bool is_over = is_short && !queue_has(&lane->queue, CALL_COMMAND);
	struct call *group = is_over ? NULL : queue_take(&lane->queue, LIMIT_BATCH_ROWS - rows);
	pthread_mutex_unlock(&lane->lock);
	return group;
}

/*
 * Runs groups until time or rows are used up or nothing waits. Commands are committed as soon as they have run, so
 * that nobody who enters maintenance waits for five hundred submits; but not twice in a row, so that the others
 * have their turn. False: the engine failed, calls are in the batch.
 */
static bool run_groups(struct worker *worker, struct batch *batch, struct error *error)
{
	int64_t until_us = clock_monotonic_us() + LIMIT_BATCH_US;
	size_t rows = 0;
	bool may_be_short = !worker->was_short, has_command = false;
	worker->was_short = false;
	while (rows < LIMIT_BATCH_ROWS) {
		struct call *group = take_group(worker->lane, rows, may_be_short && has_command);
		if (!group)
			break;
		has_command |= group->type->kind == CALL_COMMAND;
		size_t first = batch->count;
		for (struct call *call = group; call; call = call->next) {
			clear_outcome(call);
			batch_add(batch, call);
			rows += call->rows;
		}
		if (!group->type->run(&batch->tx, batch->calls + first, batch->count - first, error))
			return false;
		if (clock_monotonic_us() >= until_us)
			break;
	}
	worker->was_short = may_be_short && has_command;
	return true;
}

static void count_batch(struct lane *lane, const struct worker *worker, size_t calls, int64_t took_us)
{
	pthread_mutex_lock(&lane->lock);
	lane->figures.batches++;
	lane->figures.calls += (int64_t)calls;
	lane->figures.rows_written = worker->store->rows_written;
	if (took_us > lane->figures.longest_batch_us)
		lane->figures.longest_batch_us = took_us;
	pthread_mutex_unlock(&lane->lock);
}

static void fail_batch(struct worker *worker, struct batch *batch, bool is_unknown, const struct error *error)
{
	take_back(worker, batch->calls, batch->count, &batch->tx);
	if (is_unknown)
		answer_unknown(worker, batch->calls, batch->count, error);
	else
		for (size_t i = 0; i < batch->count; i++)
			run_alone(worker, batch->calls[i]);
}

static void run_batch(struct worker *worker, struct batch *batch)
{
	struct error error;
	bool is_unknown = false;
	int64_t began_us = clock_monotonic_us();
	batch->count = 0;
	batch->tx = tx_of(worker);
	if (!store_begin(worker->store, &error)) {
		pthread_mutex_lock(&worker->lane->lock);
		struct call *group = queue_take(&worker->lane->queue, LIMIT_BATCH_ROWS);
		pthread_mutex_unlock(&worker->lane->lock);
		for (struct call *next; group; group = next) {
			next = group->next;
			answer_failure(&group, 1, &error);
		}
		return;
	}
	if (run_groups(worker, batch, &error) && finish(worker, &batch->tx, &is_unknown, &error)) {
		answer(batch->calls, batch->count, &batch->tx);
		tell_effects(worker->lane, &batch->tx);
	} else {
		fail_batch(worker, batch, is_unknown, &error);
	}
	count_batch(worker->lane, worker, batch->count, clock_monotonic_us() - began_us);
}

/* Waits until a call is there; false: nothing came for a while. */
static bool wait_for_work(struct lane *lane, bool *is_closing)
{
	struct timespec until = clock_monotonic_after(IDLE_MS);
	pthread_mutex_lock(&lane->lock);
	while (queue_is_empty(&lane->queue) && !lane->is_closing)
		if (pthread_cond_timedwait(&lane->work, &lane->lock, &until) != 0)
			break;
	bool has_work = !queue_is_empty(&lane->queue);
	*is_closing = lane->is_closing;
	pthread_mutex_unlock(&lane->lock);
	return has_work;
}

static void keep_up(struct worker *worker, bool is_idle)
{
	struct lane *lane = worker->lane;
	pthread_mutex_lock(&lane->lock);
	bool is_urgent = queue_has(&lane->queue, CALL_COMMAND);
	pthread_mutex_unlock(&lane->lock);
	struct error error;
	if (!is_urgent && !store_upkeep(worker->store, is_idle, &error) && lane->settings.fatal &&
	    error.code != ERR_DISK_FULL)
		lane->settings.fatal(lane->settings.context, &error);
}

/* Everybody is answered: what the answers were made of may go. */
static void rest(struct worker *worker)
{
	arena_reset(&worker->arena);
	if (worker->lane->settings.memory_trim)
		worker->lane->settings.memory_trim(worker->memory);
}

static void *write_loop(void *argument)
{
	struct worker *worker = argument;
	struct batch batch = { 0 };
	for (;;) {
		bool is_closing;
		bool has_work = wait_for_work(worker->lane, &is_closing);
		if (has_work)
			run_batch(worker, &batch);
		else if (is_closing)
			break;
		keep_up(worker, !has_work);
		rest(worker);
	}
	/* What still waits in the ops' memory is told. */
	if (worker->lane->settings.memory_forget) {
		struct tx tx = tx_of(worker);
		worker->lane->settings.memory_forget(worker->memory, &tx);
		turn_away(&tx);
	}
	free(batch.calls);
	return NULL;
}

static bool run_read(struct worker *worker, struct call *call, struct error *error)
{
	struct tx tx = tx_of(worker);
	clear_outcome(call);
	if (!store_begin(worker->store, error))
		return false;
	bool ok = call->type->run(&tx, &call, 1, error);
	store_rollback(worker->store);
	return ok;
}

static void read_one(struct worker *worker, struct call *call)
{
	struct error error;
	for (;;) {
		if (call->watch.is_watching)
			watch_look(&worker->lane->watch, call);
		if (!run_read(worker, call, &error))
			call->error = error;
		bool waits_on = call->watch.is_watching && !call->watch.is_late && call->error.code == ERR_NONE;
		if (!waits_on) {
			call->done(call);
			return;
		}
		if (watch_keep(&worker->lane->watch, call))
			return;
	}
}

static void *read_loop(void *argument)
{
	struct worker *worker = argument;
	struct lane *lane = worker->lane;
	for (;;) {
		bool is_closing;
		wait_for_work(lane, &is_closing);
		pthread_mutex_lock(&lane->lock);
		struct call *call = queue_take(&lane->queue, 1);
		pthread_mutex_unlock(&lane->lock);
		if (call)
			read_one(worker, call);
		else if (is_closing)
			return NULL;
		rest(worker);
	}
}

static bool start_worker(struct lane *lane, struct error *error)
{
	struct worker *worker = &lane->workers[lane->worker_count];
	bool is_reader = lane->settings.readers > 0;
	worker->lane = lane;
	if (!store_open(lane->settings.store, is_reader ? STORE_READER : STORE_WRITER, &worker->store, error))
		return false;
	if (lane->settings.memory_open)
		worker->memory = lane->settings.memory_open(lane->settings.context);
	int problem = pthread_create(&worker->thread, NULL, is_reader ? read_loop : write_loop, worker);
	ASSERT(problem == 0);
	lane->worker_count++;
	return true;
}

bool lane_open(const struct lane_settings *settings, struct lane **opened, struct error *error)
{
	ASSERT(settings->readers <= MOST_READERS);
	struct lane *lane = heap_new(1, sizeof(*lane));
	lane->settings = *settings;
	pthread_mutex_init(&lane->lock, NULL);
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&lane->work, &monotonic);
	pthread_condattr_destroy(&monotonic);
	watch_init(&lane->watch);
	int wanted = settings->readers ? settings->readers : 1;
	for (int i = 0; i < wanted; i++) {
		if (!start_worker(lane, error)) {
			lane_close(lane);
			return false;
		}
	}
	*opened = lane;
	return true;
}

static const char stopping[] = "the server is stopping; try again in a moment";

/* Answers a list of calls that no thread of the lane will run any more. */
static void answer_stopped(struct call *list)
{
	struct error error;
	error_set(&error, ERR_BUSY, stopping);
	for (struct call *next; list; list = next) {
		next = list->next;
		answer_failure(&list, 1, &error);
	}
}

/* Puts a list of calls that were let in before. */
static void put_again(struct lane *lane, struct call *list)
{
	if (!list)
		return;
	pthread_mutex_lock(&lane->lock);
	bool is_stopped = lane->is_stopped;
	while (!is_stopped && list) {
		struct call *call = list;
		list = call->next;
		queue_put_back(&lane->queue, call);
	}
	pthread_cond_broadcast(&lane->work);
	pthread_mutex_unlock(&lane->lock);
	answer_stopped(list);
}

void lane_stop(struct lane *lane)
{
	/* What watches is put while the threads still take everything that waits. */
	put_again(lane, watch_close(&lane->watch));
	pthread_mutex_lock(&lane->lock);
	lane->is_closing = true;
	pthread_cond_broadcast(&lane->work);
	pthread_mutex_unlock(&lane->lock);
	for (size_t i = 0; i < lane->worker_count; i++) {
		struct worker *worker = &lane->workers[i];
		pthread_join(worker->thread, NULL);
		if (lane->settings.memory_close)
			lane->settings.memory_close(worker->memory);
		store_close(worker->store);
		arena_fini(&worker->arena);
	}
	lane->worker_count = 0;
	/* Somebody may have been about to wake a call when the watch closed, and have put it too late. */
	pthread_mutex_lock(&lane->lock);
	lane->is_stopped = true;
	struct call *group;
	while ((group = queue_take(&lane->queue, LIMIT_BATCH_ROWS))) {
		pthread_mutex_unlock(&lane->lock);
		answer_stopped(group);
		pthread_mutex_lock(&lane->lock);
	}
	pthread_mutex_unlock(&lane->lock);
}

void lane_close(struct lane *lane)
{
	if (!lane)
		return;
	lane_stop(lane);
	watch_fini(&lane->watch);
	pthread_cond_destroy(&lane->work);
	pthread_mutex_destroy(&lane->lock);
	free(lane);
}

bool lane_put(struct lane *lane, struct call *call, struct error *error)
{
	ASSERT((call->type->kind == CALL_READ) == (lane->settings.readers > 0) && call->rows > 0);
	pthread_mutex_lock(&lane->lock);
	bool ok = lane->is_closing ? error_set(error, ERR_BUSY, stopping)
				   : queue_put(&lane->queue, call, error);
	if (ok)
		pthread_cond_signal(&lane->work);
	pthread_mutex_unlock(&lane->lock);
	return ok;
}

void lane_wake(struct lane *lane, const struct effect *effects, size_t count)
{
	for (size_t i = 0; i < count; i++)
		put_again(lane, watch_wake(&lane->watch, effects[i].kind, effects[i].subject));
}

void lane_expire(struct lane *lane)
{
	put_again(lane, watch_expire(&lane->watch, clock_monotonic_ms()));
}

void lane_measure(struct lane *lane, struct lane_figures *figures)
{
	pthread_mutex_lock(&lane->lock);
	*figures = lane->figures;
	for (int kind = 0; kind < CALL_KINDS; kind++)
		figures->queued[kind] = lane->queue.kinds[kind].count;
	pthread_mutex_unlock(&lane->lock);
}
