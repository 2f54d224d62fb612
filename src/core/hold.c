#include "core/hold.h"

#include <inttypes.h>
#include <string.h>

#include "base/assert.h"

/* A row a phase: what may follow, and which events it has. */
static const struct {
	const char *name;
	unsigned next;
	unsigned events;
} phases[HOLD_PHASES] = {
	[HOLD_PLANNED] = { "planned", BIT(HOLD_DRAINING) | BIT(HOLD_ENDED),
		BIT(HOLD_BEGIN) | BIT(HOLD_EXTEND) | BIT(HOLD_RESTART) | BIT(HOLD_TICK) | BIT(HOLD_END) },
	[HOLD_DRAINING] = { "draining", BIT(HOLD_SUSPENDED) | BIT(HOLD_ENDED),
		BIT(HOLD_SUSPEND) | BIT(HOLD_STOP) | BIT(HOLD_KILL) | BIT(HOLD_EXTEND) | BIT(HOLD_DRAINED) |
		BIT(HOLD_OCCUPIED) | BIT(HOLD_RESTART) | BIT(HOLD_TICK) | BIT(HOLD_END) },
	[HOLD_SUSPENDED] = { "suspended", BIT(HOLD_DRAINING) | BIT(HOLD_ENDED),
		BIT(HOLD_DRAIN) | BIT(HOLD_STOP) | BIT(HOLD_KILL) | BIT(HOLD_EXTEND) | BIT(HOLD_DRAINED) |
		BIT(HOLD_OCCUPIED) | BIT(HOLD_RESTART) | BIT(HOLD_TICK) | BIT(HOLD_END) },
	[HOLD_ENDED] = { "ended", 0, 0 },
};

static const char *const thens[HOLD_THENS] = { [THEN_WAIT] = "wait", [THEN_STOP] = "stop", [THEN_KILL] = "kill" };

/* What cannot be otherwise, after every step. */
static void check_invariants(const struct hold *hold)
{
	ASSERT(hold->created_ms != INSTANT_NONE);
	ASSERT((hold->phase == HOLD_ENDED) == (hold->ended_ms != INSTANT_NONE));
	ASSERT((hold->phase == HOLD_ENDED) == (hold->ended_by != NULL));
	ASSERT((hold->phase != HOLD_SUSPENDED) || hold->suspended_ms != INSTANT_NONE);
	ASSERT(!hold_is_in_force(hold) || hold->began_ms != INSTANT_NONE);
	ASSERT(hold->phase != HOLD_PLANNED || (!hold->began_ms && !hold->drained_ms && !hold->stopped_ms));
}

static void become(struct hold *hold, enum hold_phase next, struct hold_update *update)
{
	ASSERT(hold_may_become(hold->phase, next));
	hold->phase = next;
	update->is_changed = true;
}

static void order_stop(struct hold *hold, instant now, struct hold_update *update)
{
	if (!hold->stopped_ms)
		hold->stopped_ms = now;
	update->order = HOLD_ORDERS_STOP;
	update->is_changed = true;
}

static void order_kill(struct hold *hold, instant now, struct hold_update *update)
{
	if (!hold->killed_ms)
		hold->killed_ms = now;
	update->order = HOLD_ORDERS_KILL;
	update->is_changed = true;
}

static void begin(struct hold *hold, instant now, struct hold_update *update)
{
	become(hold, HOLD_DRAINING, update);
	hold->began_ms = now;
	if (hold->policy.running == RUNNING_STOP)
		order_stop(hold, now, update);
	else if (hold->policy.running == RUNNING_KILL)
		order_kill(hold, now, update);
}

static void suspend(struct hold *hold, instant now, struct hold_update *update)
{
	become(hold, HOLD_SUSPENDED, update);
	hold->suspended_ms = now;
}

/* By command: refused where the policy has no such phase, or where work is in flight that would be stranded. */
static bool suspend_asked(struct hold *hold, const struct hold_event *event, struct hold_update *update,
			  struct error *error)
{
	if (hold->policy.suspend == SUSPEND_NEVER)
		return error_set(error, ERR_CONFLICT,
				 "hold %" PRId64 " cannot be suspended: its policy has no such phase",
				 hold->id.value);
	bool is_kill = hold->policy.running == RUNNING_KILL;
	if (event->has_blockers && !event->is_forced && !is_kill)
		return error_set(error, ERR_CONFLICT,
				 "hold %" PRId64 " is not drained: wait until it is, or force it",
				 hold->id.value);
	suspend(hold, event->now, update);
	if (event->has_blockers && is_kill)
		order_kill(hold, event->now, update);
	return true;
}

static void drain_again(struct hold *hold, struct hold_update *update)
{
	become(hold, HOLD_DRAINING, update);
	hold->suspended_ms = INSTANT_NONE;
	hold->drained_ms = INSTANT_NONE;
}

static void end(struct hold *hold, instant now, const char *by, struct hold_update *update)
{
	become(hold, HOLD_ENDED, update);
	hold->ended_ms = now;
	hold->ended_by = by;
}

static bool extend(struct hold *hold, const struct hold_event *event, struct hold_update *update, struct error *error)
{
	if (event->deadline_ms && event->deadline_ms <= event->now && event->deadline_ms != hold->deadline_ms)
		return error_set(error, ERR_INVALID, "the new deadline has passed already");
	if (event->expires_ms && event->expires_ms <= event->now)
		return error_set(error, ERR_INVALID, "the new expiry has passed already; end the hold instead");
	if (event->grace_ms < 0)
		return error_set(error, ERR_INVALID, "the grace must not be negative");
	hold->deadline_ms = event->deadline_ms;
	hold->then = event->then;
	hold->grace_ms = event->grace_ms;
	hold->expires_ms = event->expires_ms;
	update->is_changed = true;
	return true;
}

static void drained(struct hold *hold, instant now, struct hold_update *update)
{
	if (hold->drained_ms)
		return;
	hold->drained_ms = now;
	update->is_changed = true;
	update->is_news_drained = true;
	if (hold->phase == HOLD_DRAINING && hold->policy.suspend == SUSPEND_WHEN_DRAINED)
		suspend(hold, now, update);
}

static void occupied(struct hold *hold, struct hold_update *update)
{
	if (!hold->drained_ms)
		return;
	hold->drained_ms = INSTANT_NONE;
	update->is_changed = true;
}

static instant earlier(instant a, instant b)
{
	return a == INSTANT_NONE || (b != INSTANT_NONE && b < a) ? b : a;
}

/* The ladder touches nobody where nothing runs: a drained hold's deadline waits in case it is occupied again. */
static instant stop_due(const struct hold *hold)
{
	bool is_open = hold_is_in_force(hold) && !hold->drained_ms && !hold->stopped_ms && !hold->killed_ms;
	return is_open && hold->then == THEN_STOP ? hold->deadline_ms : INSTANT_NONE;
}

static instant kill_due(const struct hold *hold)
{
	if (!hold_is_in_force(hold) || hold->drained_ms || hold->killed_ms)
		return INSTANT_NONE;
	instant by_deadline = hold->then == THEN_KILL ? hold->deadline_ms : INSTANT_NONE;
	instant by_grace = hold->stopped_ms && hold->grace_ms ? hold->stopped_ms + hold->grace_ms : INSTANT_NONE;
	return earlier(by_deadline, by_grace);
}

instant hold_next_ms(const struct hold *hold)
{
	switch (hold->phase) {
	case HOLD_PLANNED:
		return earlier(hold->planned_ms, hold->expires_ms);
	case HOLD_DRAINING:
	case HOLD_SUSPENDED:
		return earlier(hold->expires_ms, earlier(stop_due(hold), kill_due(hold)));
	default:
		return INSTANT_NONE;
	}
}

static bool is_due(instant at, instant now)
{
	return at != INSTANT_NONE && at <= now;
}

static void tick(struct hold *hold, instant now, struct hold_update *update)
{
	if (is_due(hold->expires_ms, now))
		end(hold, now, "expiry", update);
	else if (hold->phase == HOLD_PLANNED && is_due(hold->planned_ms, now))
		begin(hold, now, update);
	else if (is_due(kill_due(hold), now))
		order_kill(hold, now, update);
	else if (is_due(stop_due(hold), now))
		order_stop(hold, now, update);
}

static bool take(struct hold *hold, const struct hold_event *event, struct hold_update *update, struct error *error)
{
	switch (event->kind) {
	case HOLD_BEGIN:
		begin(hold, event->now, update);
		return true;
	case HOLD_SUSPEND:
		return suspend_asked(hold, event, update, error);
	case HOLD_DRAIN:
		drain_again(hold, update);
		return true;
	case HOLD_STOP:
		order_stop(hold, event->now, update);
		return true;
	case HOLD_KILL:
		order_kill(hold, event->now, update);
		return true;
	case HOLD_EXTEND:
		return extend(hold, event, update, error);
	case HOLD_DRAINED:
		drained(hold, event->now, update);
		return true;
	case HOLD_OCCUPIED:
		occupied(hold, update);
		return true;
	case HOLD_RESTART:
		if (hold_is_in_force(hold) && hold->policy.restart == RESTART_END)
			end(hold, event->now, "restart", update);
		return true;
	case HOLD_TICK:
		tick(hold, event->now, update);
		return true;
	case HOLD_END:
		ASSERT(event->by);
		end(hold, event->now, event->by, update);
		return true;
	default:
		ASSERT(!"an event is of a known kind");
	}
}

bool hold_step(struct hold *hold, const struct hold_event *event, struct hold_update *update, struct error *error)
{
	ASSERT(event->kind < HOLD_EVENTS && event->now != INSTANT_NONE);
	if (!(phases[hold->phase].events & BIT(event->kind)))
		return error_set(error, ERR_CONFLICT, hold->phase == HOLD_ENDED ? "hold %" PRId64 " has %s" :
				 "hold %" PRId64 " is %s; that cannot be done to it now", hold->id.value,
				 phases[hold->phase].name);
	struct hold after = *hold;
	struct hold_update follows = { .before = hold->phase };
	if (!take(&after, event, &follows, error))
		return false;
	check_invariants(&after);
	*hold = after;
	*update = follows;
	return true;
}

bool hold_is_in_force(const struct hold *hold)
{
	return hold->phase == HOLD_DRAINING || hold->phase == HOLD_SUSPENDED;
}

enum policy_phase hold_policy_phase(const struct hold *hold)
{
	ASSERT(hold_is_in_force(hold));
	return hold->phase == HOLD_DRAINING ? POLICY_DRAINING : POLICY_SUSPENDED;
}

bool hold_may_become(enum hold_phase phase, enum hold_phase next)
{
	ASSERT(phase < HOLD_PHASES && next < HOLD_PHASES);
	return (phases[phase].next & BIT(next)) != 0;
}

const char *hold_phase_name(enum hold_phase phase)
{
	ASSERT(phase < HOLD_PHASES);
	return phases[phase].name;
}

const char *hold_then_name(enum hold_then then)
{
	ASSERT(then < HOLD_THENS);
	return thens[then];
}

bool hold_then_parse(const char *name, enum hold_then *then)
{
	for (int i = 0; i < HOLD_THENS; i++) {
		if (strcmp(thens[i], name) != 0)
			continue;
		*then = (enum hold_then)i;
		return true;
	}
	return false;
}
