/*
 * How long the gate takes with many holds: `gate HOLDS`. All are in force, on scopes of every kind that work
 * stands on, and each is looked at. Says microseconds a decision, and how often any of them allocated.
 */
#include <stdatomic.h>

#include "talk.h"
#include "core/gate.h"

static atomic_long allocations;

extern void *__libc_malloc(size_t bytes);

/* Counts what anybody in this program allocates. */
void *malloc(size_t bytes)
{
	atomic_fetch_add(&allocations, 1);
	return __libc_malloc(bytes);
}

enum { DECISIONS = 2000000, MOST_HOLDS = 1000 };

static struct hold holds[MOST_HOLDS];

/* Of the processor, not of the wall: a decision waits for nothing. */
static int64_t processor_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void make_hold(struct hold *hold, size_t number)
{
	struct policy policy = *preset_policy((enum preset)(number % PRESETS));
	*hold = (struct hold){ .id = { (int64_t)number + 1 }, .phase = HOLD_DRAINING, .policy = policy,
			       .reason = "a bench", .owner_name = "bench", .began_ms = 1 };
	hold->scope = (struct scope){ .kind = (enum scope_kind)(number % (SCOPE_FLOW + 1)), .tenant = { 1 } };
	if (hold->scope.kind == SCOPE_NAMESPACE)
		snprintf(hold->scope.name, sizeof(hold->scope.name), number % 2 ? "ops.db" : "ops.db.nightly");
	if (hold->scope.kind == SCOPE_FLOW)
		hold->scope.id = (int64_t)number % 20;
}

int main(int count, char **arguments)
{
	static const struct caller nobody;
	size_t hold_count = count == 2 ? strtoul(arguments[1], NULL, 10) : 0;
	if (hold_count < 1 || hold_count > MOST_HOLDS)
		bench_fail("gate HOLDS, 1 to %d", MOST_HOLDS);
	for (size_t i = 0; i < hold_count; i++)
		make_hold(&holds[i], i);
	const struct hold_set set = { .list = holds, .count = hold_count };
	uint64_t sum = 0;
	long before = atomic_load(&allocations);
	int64_t began = processor_ns();
	for (int64_t i = 0; i < DECISIONS; i++) {
		const struct scope_path path = { .tenant = { 1 }, .name_space = "ops.db", .flow = { i % 40 },
						 .pool = "default", .agent = { 1 } };
		struct ruling ruling = gate_rule(&set, (enum act)(i % ACTS), &nobody, &path);
		sum += ruling.value;
	}
	int64_t took = processor_ns() - began;
	printf("decision_us %.4f\nallocations %ld\nheld %" PRIu64 "\n", (double)took / DECISIONS / 1e3,
	       atomic_load(&allocations) - before, sum);
	return 0;
}
