/*
 * Reads that wait for a change: none misses it, none is left behind when the lane stops. Meant to be run under
 * SAN=thread as well.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lane/lane.h"
#include "lib/test.h"
#include "sys/clock.h"

enum { SUBJECTS = 4, WATCHERS = 16, ROUNDS = 400, STOPS = 150 };

static struct {
	char folder[64];
	char where[96];
	struct lane *lane;
	atomic_long value[SUBJECTS];     /* what the reads look at; in place of rows */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int answered;
} world;

struct watcher {
	struct call call;
	int subject;
	long wanted;                     /* waits until the value is at least this */
	long seen;
	int answers;
	int looks;
	bool is_late;
};

static bool look(struct tx *tx, struct call **calls, size_t count, struct error *error)
{
	struct watcher *watcher = CONTAINER_OF(calls[0], struct watcher, call);
	(void)tx;
	(void)count;
	(void)error;
	watcher->looks++;
	watcher->seen = atomic_load(&world.value[watcher->subject]);
	watcher->is_late = watcher->call.watch.is_late;
	watcher->call.watch.is_watching = watcher->seen < watcher->wanted;
	return true;
}

static void done(struct call *call)
{
	struct watcher *watcher = CONTAINER_OF(call, struct watcher, call);
	pthread_mutex_lock(&world.lock);
	watcher->answers++;
	world.answered++;
	pthread_cond_broadcast(&world.changed);
	pthread_mutex_unlock(&world.lock);
}

static const struct call_type look_type = { "look", CALL_READ, false, look };

static void wait_for_answers(int wanted)
{
	pthread_mutex_lock(&world.lock);
	while (world.answered < wanted)
		pthread_cond_wait(&world.changed, &world.lock);
	pthread_mutex_unlock(&world.lock);
}

static void watch(struct watcher *watcher, int subject, long wanted)
{
	struct error error;
	*watcher = (struct watcher){ .subject = subject, .wanted = wanted };
	watcher->call = (struct call){
		.type = &look_type, .rows = 1, .done = done,
		.watch = { .is_watching = true, .kind = EFFECT_EXECUTION, .subject = subject,
			   .deadline_ms = INT64_MAX },
	};
	assert_works(lane_put(world.lane, &watcher->call, &error));
}

static void change(int subject)
{
	const struct effect effect = { .kind = EFFECT_EXECUTION, .subject = subject };
	atomic_fetch_add(&world.value[subject], 1);
	lane_wake(world.lane, &effect, 1);
}

static int open_lane(void)
{
	struct error error;
	const struct lane_settings settings = { .store = world.where, .readers = 2 };
	return lane_open(&settings, &world.lane, &error) ? 0 : -1;
}

static int set_up(void **state)
{
	struct error error;
	struct store *store;
	const char *base = getenv("TMPDIR");
	(void)state;
	memset(&world, 0, sizeof(world));
	pthread_mutex_init(&world.lock, NULL);
	pthread_cond_init(&world.changed, NULL);
	snprintf(world.folder, sizeof(world.folder), "%.40s/watch-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(world.folder))
		return -1;
	snprintf(world.where, sizeof(world.where), "sqlite:%s/s", world.folder);
	if (!store_open(world.where, STORE_WRITER, &store, &error))
		return -1;
	store_close(store);
	return open_lane();
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
	pthread_cond_destroy(&world.changed);
	pthread_mutex_destroy(&world.lock);
	return rmdir(world.folder);
}

static void *change_all(void *argument)
{
	(void)argument;
	for (int round = 0; round < ROUNDS; round++) {
		for (int subject = 0; subject < SUBJECTS; subject++)
			change(subject);
		/* The next round comes when all have seen this one: a wake-up that was lost would end it here. */
		wait_for_answers((round + 1) * WATCHERS);
	}
	return NULL;
}

static void no_wake_up_is_lost(void **state)
{
	static struct watcher watchers[WATCHERS];
	pthread_t thread;
	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, change_all, NULL), 0);
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < WATCHERS; i++)
			watch(&watchers[i], i % SUBJECTS, round + 1);
		wait_for_answers((round + 1) * WATCHERS);
		for (int i = 0; i < WATCHERS; i++) {
			assert_int_equal(watchers[i].answers, 1);
			assert_in_range(watchers[i].seen, round + 1, ROUNDS);
			assert_false(watchers[i].is_late);
		}
	}
	pthread_join(thread, NULL);
}

static void only_what_is_watched_wakes(void **state)
{
	struct watcher watcher, other;
	(void)state;
	watch(&watcher, 0, 1);
	change(1);
	watch(&other, 1, 1);
	wait_for_answers(1);
	assert_int_equal(other.answers, 1);
	change(0);
	wait_for_answers(2);
	assert_in_range(watcher.looks, 1, 2);
}

static void a_deadline_answers_what_is_so(void **state)
{
	struct watcher watcher;
	struct error error;
	(void)state;
	watcher = (struct watcher){ .wanted = 5 };
	watcher.call = (struct call){
		.type = &look_type, .rows = 1, .done = done,
		.watch = { .is_watching = true, .kind = EFFECT_EXECUTION, .deadline_ms = clock_monotonic_ms() },
	};
	assert_works(lane_put(world.lane, &watcher.call, &error));
	/* It may not be kept yet when its time is looked at: so look until it was. */
	while (true) {
		pthread_mutex_lock(&world.lock);
		bool is_over = world.answered == 1;
		pthread_mutex_unlock(&world.lock);
		if (is_over)
			break;
		lane_expire(world.lane);
	}
	assert_true(watcher.is_late);
	assert_int_equal(watcher.seen, 0);
	assert_int_equal(watcher.call.error.code, ERR_NONE);
}

static atomic_bool is_waking;

static void *wake_on(void *argument)
{
	(void)argument;
	while (atomic_load(&is_waking))
		change(0);
	return NULL;
}

/* Whether they are looking, kept, or just being woken by another thread: each is answered, once. */
static void stopping_answers_all_that_watch(void **state)
{
	static struct watcher watchers[WATCHERS];
	(void)state;
	for (int round = 0; round < STOPS; round++) {
		pthread_t thread;
		world.answered = 0;
		atomic_store(&is_waking, true);
		for (int i = 0; i < WATCHERS; i++)
			watch(&watchers[i], i % 2, 1L << 60);
		assert_int_equal(pthread_create(&thread, NULL, wake_on, NULL), 0);
		lane_stop(world.lane);
		atomic_store(&is_waking, false);
		pthread_join(thread, NULL);
		assert_int_equal(world.answered, WATCHERS);
		for (int i = 0; i < WATCHERS; i++)
			assert_int_equal(watchers[i].answers, 1);
		lane_close(world.lane);
		assert_int_equal(open_lane(), 0);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(no_wake_up_is_lost),
		TEST(only_what_is_watched_wakes),
		TEST(a_deadline_answers_what_is_so),
		TEST(stopping_answers_all_that_watch),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
