#include "engine/engine.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/heap.h"
#include "base/limits.h"
#include "ops/agents.h"
#include "ops/forecasts.h"
#include "ops/holds.h"
#include "ops/memory.h"
#include "ops/overview.h"
#include "ops/submit.h"
#include "sys/clock.h"

enum { LOOK_MS = 50 };

struct tick;

/* One row a tick: how often it looks, and what it does. */
struct tick_type {
	const char *name;
	int64_t every_ms;
	bool (*run)(struct tx *tx, struct engine *engine, struct error *error);
};

struct tick {
	struct call call;
	struct engine *engine;
	const struct tick_type *type;
	int64_t due_ms;
	bool is_under_way;               /* guarded by the engine's lock */
};

static bool expire_exchanges(struct tx *tx, struct engine *engine, struct error *error)
{
	(void)engine;
	return agents_expire(tx, error);
}

static bool reap(struct tx *tx, struct engine *engine, struct error *error);

static bool learn(struct tx *tx, struct engine *engine, struct error *error)
{
	(void)engine;
	return forecasts_learn(tx, error);
}

static bool forget_keys(struct tx *tx, struct engine *engine, struct error *error)
{
	(void)engine;
	return submit_forget_keys(tx, error);
}

/* Drained is a fact that is looked at; what is kept is only since when it was found so. */
static bool note_drained(struct tx *tx, struct engine *engine, struct error *error)
{
	const struct hold_set *holds;
	bool is_drained;
	(void)engine;
	if (!memory_holds(tx, &holds, error))
		return false;
	if (holds->count == 0)
		return true;
	return overview_is_drained(tx, NULL, &is_drained, error) && holds_note_drained(tx, is_drained, error);
}

static const struct tick_type tick_types[] = {
	{ "exchanges", 250, expire_exchanges },
	{ "drained", 250, note_drained },
	{ "forecasts", 2000, learn },
	{ "reaper", 5000, reap },
	{ "keys", 60000, forget_keys },
};

struct engine {
	struct engine_settings settings;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool is_closing;
	struct tick ticks[COUNT_OF(tick_types)];
};

static bool reap(struct tx *tx, struct engine *engine, struct error *error)
{
	return agents_reap(tx, engine->settings.lost_after_ms, error);
}

static bool run_tick(struct tx *tx, struct call **calls, size_t count, struct error *error)
{
	ASSERT(count == 1);
	struct tick *tick = CONTAINER_OF(calls[0], struct tick, call);
	return tick->type->run(tx, tick->engine, error);
}

static void end_tick(struct call *call)
{
	struct tick *tick = CONTAINER_OF(call, struct tick, call);
	struct engine *engine = tick->engine;
	pthread_mutex_lock(&engine->lock);
	tick->is_under_way = false;
	tick->due_ms = clock_monotonic_ms() + tick->type->every_ms;
	pthread_cond_broadcast(&engine->changed);
	pthread_mutex_unlock(&engine->lock);
}

static const struct call_type tick_call = { "tick", CALL_COMMAND, false, run_tick };

/* Puts the ticks that are due; the lock is held. */
static void put_due(struct engine *engine, int64_t now_ms)
{
	for (size_t i = 0; i < COUNT_OF(engine->ticks); i++) {
		struct tick *tick = &engine->ticks[i];
		struct error error;
		if (tick->is_under_way || tick->due_ms > now_ms)
			continue;
		tick->is_under_way = lane_put(engine->settings.writes, &tick->call, &error);
	}
}

static void *tick_loop(void *argument)
{
	struct engine *engine = argument;
	pthread_mutex_lock(&engine->lock);
	while (!engine->is_closing) {
		put_due(engine, clock_monotonic_ms());
		pthread_mutex_unlock(&engine->lock);
		lane_expire(engine->settings.reads);
		pthread_mutex_lock(&engine->lock);
		struct timespec until = clock_monotonic_after(LOOK_MS);
		if (!engine->is_closing)
			pthread_cond_timedwait(&engine->changed, &engine->lock, &until);
	}
	for (size_t i = 0; i < COUNT_OF(engine->ticks); i++)
		while (engine->ticks[i].is_under_way)
			pthread_cond_wait(&engine->changed, &engine->lock);
	pthread_mutex_unlock(&engine->lock);
	return NULL;
}

struct engine *engine_open(const struct engine_settings *settings)
{
	struct engine *engine = heap_new(1, sizeof(*engine));
	engine->settings = *settings;
	pthread_mutex_init(&engine->lock, NULL);
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&engine->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	for (size_t i = 0; i < COUNT_OF(engine->ticks); i++)
		engine->ticks[i] = (struct tick){
			.call = { .type = &tick_call, .rows = 1, .done = end_tick },
			.engine = engine,
			.type = &tick_types[i],
			.due_ms = clock_monotonic_ms() + tick_types[i].every_ms,
		};
	int problem = pthread_create(&engine->thread, NULL, tick_loop, engine);
	ASSERT(problem == 0);
	return engine;
}

void engine_close(struct engine *engine)
{
	if (!engine)
		return;
	pthread_mutex_lock(&engine->lock);
	engine->is_closing = true;
	pthread_cond_broadcast(&engine->changed);
	pthread_mutex_unlock(&engine->lock);
	pthread_join(engine->thread, NULL);
	pthread_cond_destroy(&engine->changed);
	pthread_mutex_destroy(&engine->lock);
	free(engine);
}
