/*
 * A batch that ran a command is committed at once, but not twice in a row. A call writes its small letter when it
 * runs and its capital when it is answered, so that what stands between two capitals is one batch.
 */
#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lane/lane.h"
#include "lib/test.h"

enum { MOST_TOLD = 32 };

static struct {
	char folder[64];
	struct lane *lane;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool is_at_gate, is_gate_open;
	char told[MOST_TOLD];
	size_t told_count, answered;
} world;

struct letter {
	struct call call;
	char letter;
	struct letter *follows[3];       /* are put when this one is answered */
};

static void tell(char letter)
{
	pthread_mutex_lock(&world.lock);
	world.told[world.told_count++ % MOST_TOLD] = letter;
	pthread_cond_broadcast(&world.changed);
	pthread_mutex_unlock(&world.lock);
}

static struct letter *letter_of(struct call *call)
{
	return CONTAINER_OF(call, struct letter, call);
}

static bool run_letters(struct tx *tx, struct call **calls, size_t count, struct error *error)
{
	(void)tx;
	(void)error;
	for (size_t i = 0; i < count; i++)
		tell(letter_of(calls[i])->letter);
	return true;
}

/* Stands in the middle of a batch until the gate is opened. */
static bool run_gate(struct tx *tx, struct call **calls, size_t count, struct error *error)
{
	pthread_mutex_lock(&world.lock);
	world.is_at_gate = true;
	pthread_cond_broadcast(&world.changed);
	while (!world.is_gate_open)
		pthread_cond_wait(&world.changed, &world.lock);
	pthread_mutex_unlock(&world.lock);
	return run_letters(tx, calls, count, error);
}

static void answered(struct call *call)
{
	struct letter *letter = letter_of(call);
	struct error error;
	for (size_t i = 0; letter->follows[i]; i++)
		assert_works(lane_put(world.lane, &letter->follows[i]->call, &error));
	tell((char)toupper(letter->letter));
	pthread_mutex_lock(&world.lock);
	world.answered++;
	pthread_cond_broadcast(&world.changed);
	pthread_mutex_unlock(&world.lock);
}

static const struct call_type gate_type = { "gate", CALL_OTHER, false, run_gate };
static const struct call_type command_type = { "command", CALL_COMMAND, false, run_letters };
static const struct call_type submit_type = { "submit", CALL_SUBMIT, true, run_letters };

static struct letter letter_make(char letter, const struct call_type *type)
{
	return (struct letter){ .call = { .type = type, .rows = 1, .done = answered }, .letter = letter };
}

static void put(struct letter *letter)
{
	struct error error;
	assert_works(lane_put(world.lane, &letter->call, &error));
}

static void put_gate(struct letter *gate)
{
	put(gate);
	pthread_mutex_lock(&world.lock);
	while (!world.is_at_gate)
		pthread_cond_wait(&world.changed, &world.lock);
	pthread_mutex_unlock(&world.lock);
}

/*
 * Opens the gate, waits for so many answers, and compares what was told. The gate's batch may have used up its
 * 2 ms while it stood there; then the gate is answered alone, and the rest is as before.
 */
static void must_tell(size_t answers, const char *wanted, const char *wanted_after)
{
	pthread_mutex_lock(&world.lock);
	world.is_gate_open = true;
	pthread_cond_broadcast(&world.changed);
	while (world.answered < answers)
		pthread_cond_wait(&world.changed, &world.lock);
	pthread_mutex_unlock(&world.lock);
	if (strcmp(world.told, wanted_after) != 0)
		assert_string_equal(world.told, wanted);
}

static int set_up(void **state)
{
	char where[96];
	struct error error;
	const char *base = getenv("TMPDIR");
	(void)state;
	memset(&world, 0, sizeof(world));
	pthread_mutex_init(&world.lock, NULL);
	pthread_cond_init(&world.changed, NULL);
	snprintf(world.folder, sizeof(world.folder), "%.40s/lane-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(world.folder))
		return -1;
	snprintf(where, sizeof(where), "sqlite:%s/s", world.folder);
	const struct lane_settings settings = { .store = where };
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
	pthread_cond_destroy(&world.changed);
	pthread_mutex_destroy(&world.lock);
	return rmdir(world.folder);
}

static void a_command_is_answered_before_submits_run(void **state)
{
	struct letter gate = letter_make('g', &gate_type), command = letter_make('c', &command_type);
	struct letter other = letter_make('d', &command_type), submit = letter_make('s', &submit_type);
	(void)state;
	put_gate(&gate);
	put(&submit);
	put(&command);
	put(&other);
	must_tell(4, "gcdGCDsS", "gGcdCDsS");
}

static void a_second_batch_of_commands_takes_the_others_along(void **state)
{
	struct letter gate = letter_make('g', &gate_type), first = letter_make('c', &command_type);
	struct letter second = letter_make('d', &command_type), submit = letter_make('s', &submit_type);
	(void)state;
	first.follows[0] = &submit;
	first.follows[1] = &second;
	put_gate(&gate);
	put(&first);
	must_tell(4, "gcGCdsDS", "gGcCdsDS");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_command_is_answered_before_submits_run, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_second_batch_of_commands_takes_the_others_along, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
