#include "core/life.h"

#include <stddef.h>
#include <string.h>

#include "base/assert.h"

static const char *const execution_names[EXECUTION_STATES] = {
	[EXECUTION_QUEUED]    = "queued",
	[EXECUTION_RUNNING]   = "running",
	[EXECUTION_STOPPING]  = "stopping",
	[EXECUTION_KILLING]   = "killing",
	[EXECUTION_SUCCEEDED] = "succeeded",
	[EXECUTION_FAILED]    = "failed",
	[EXECUTION_TIMED_OUT] = "timed_out",
	[EXECUTION_STOPPED]   = "stopped",
	[EXECUTION_KILLED]    = "killed",
	[EXECUTION_CANCELLED] = "cancelled",
	[EXECUTION_LOST]      = "lost",
};

static const char *const attempt_names[ATTEMPT_STATES] = {
	[ATTEMPT_HANDED]     = "handed",
	[ATTEMPT_RUNNING]    = "running",
	[ATTEMPT_STOPPING]   = "stopping",
	[ATTEMPT_KILLING]    = "killing",
	[ATTEMPT_ENDED]      = "ended",
	[ATTEMPT_TAKEN_BACK] = "taken_back",
};

static const char *const result_names[RESULTS] = {
	[RESULT_NONE]      = "none",
	[RESULT_SUCCEEDED] = "succeeded",
	[RESULT_FAILED]    = "failed",
	[RESULT_TIMED_OUT] = "timed_out",
	[RESULT_STOPPED]   = "stopped",
	[RESULT_KILLED]    = "killed",
	[RESULT_LOST]      = "lost",
};

/* How work that was begun may end: by itself, or because its agent went away. */
#define ENDS_BY_ITSELF \
	(BIT(EXECUTION_SUCCEEDED) | BIT(EXECUTION_FAILED) | BIT(EXECUTION_TIMED_OUT) | BIT(EXECUTION_LOST))

/*
 * A running execution whose only attempt was taken back is queued again: nothing of it ever began. One that
 * is told to stop is never queued again: it ends, and "how it ended" may be any end, since its work may be
 * done before the order arrives. Only a queued one can be cancelled.
 */
static const uint16_t execution_next[EXECUTION_STATES] = {
	[EXECUTION_QUEUED]    = BIT(EXECUTION_RUNNING) | BIT(EXECUTION_CANCELLED),
	[EXECUTION_RUNNING]   = BIT(EXECUTION_QUEUED) | BIT(EXECUTION_STOPPING) | BIT(EXECUTION_KILLING) |
				ENDS_BY_ITSELF,
	[EXECUTION_STOPPING]  = BIT(EXECUTION_KILLING) | BIT(EXECUTION_STOPPED) | BIT(EXECUTION_KILLED) |
				ENDS_BY_ITSELF,
	[EXECUTION_KILLING]   = BIT(EXECUTION_STOPPED) | BIT(EXECUTION_KILLED) | ENDS_BY_ITSELF,
	[EXECUTION_SUCCEEDED] = 0,
	[EXECUTION_FAILED]    = 0,
	[EXECUTION_TIMED_OUT] = 0,
	[EXECUTION_STOPPED]   = 0,
	[EXECUTION_KILLED]    = 0,
	[EXECUTION_CANCELLED] = 0,
	[EXECUTION_LOST]      = 0,
};

/*
 * An agent may report the end without the beginning (both in one exchange, or after an outage), so every
 * open state may end. Only what never began can be taken back, also after it was told to stop.
 */
static const uint8_t attempt_next[ATTEMPT_STATES] = {
	[ATTEMPT_HANDED]     = BIT(ATTEMPT_RUNNING) | BIT(ATTEMPT_STOPPING) | BIT(ATTEMPT_KILLING) |
			       BIT(ATTEMPT_ENDED) | BIT(ATTEMPT_TAKEN_BACK),
	[ATTEMPT_RUNNING]    = BIT(ATTEMPT_STOPPING) | BIT(ATTEMPT_KILLING) | BIT(ATTEMPT_ENDED),
	[ATTEMPT_STOPPING]   = BIT(ATTEMPT_KILLING) | BIT(ATTEMPT_ENDED) | BIT(ATTEMPT_TAKEN_BACK),
	[ATTEMPT_KILLING]    = BIT(ATTEMPT_ENDED) | BIT(ATTEMPT_TAKEN_BACK),
	[ATTEMPT_ENDED]      = 0,
	[ATTEMPT_TAKEN_BACK] = 0,
};

/* The place of `name` in `names`, `count` if it is not there. */
static size_t place_of(const char *const *names, size_t count, const char *name)
{
	size_t i = 0;
	while (i < count && strcmp(names[i], name) != 0)
		i++;
	return i;
}

const char *execution_state_name(enum execution_state state)
{
	ASSERT(state < EXECUTION_STATES);
	return execution_names[state];
}

bool execution_state_parse(const char *name, enum execution_state *state)
{
	size_t place = place_of(execution_names, EXECUTION_STATES, name);
	if (place == EXECUTION_STATES)
		return false;
	*state = (enum execution_state)place;
	return true;
}

const char *attempt_state_name(enum attempt_state state)
{
	ASSERT(state < ATTEMPT_STATES);
	return attempt_names[state];
}

const char *result_name(enum result result)
{
	ASSERT(result < RESULTS);
	return result_names[result];
}

bool result_parse(const char *name, enum result *result)
{
	size_t place = place_of(result_names, RESULTS, name);
	if (place == RESULTS)
		return false;
	*result = (enum result)place;
	return true;
}

bool execution_is_open(enum execution_state state)
{
	ASSERT(state < EXECUTION_STATES);
	return state <= EXECUTION_KILLING;
}

bool attempt_is_open(enum attempt_state state)
{
	ASSERT(state < ATTEMPT_STATES);
	return state <= ATTEMPT_KILLING;
}

bool execution_may_become(enum execution_state state, enum execution_state next)
{
	ASSERT(state < EXECUTION_STATES && next < EXECUTION_STATES);
	return (execution_next[state] & BIT(next)) != 0;
}

bool attempt_may_become(enum attempt_state state, enum attempt_state next)
{
	ASSERT(state < ATTEMPT_STATES && next < ATTEMPT_STATES);
	return (attempt_next[state] & BIT(next)) != 0;
}
