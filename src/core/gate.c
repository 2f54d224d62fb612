#include "core/gate.h"

#include <inttypes.h>
#include <string.h>

#include "base/assert.h"

static const struct {
	const char *name;
	enum axis axis;
	uint8_t greatest;
	bool can_be_exempt;
} acts[ACTS] = {
#define X(act, name, axis, greatest, can_be_exempt) [act] = { name, axis, greatest, can_be_exempt },
#include "core/act.def"
#undef X
};

/* What the hold, in force, asks of the act, without a look at path and caller. `scopes` have the act's axis. */
static uint8_t value_of(const struct hold *hold, enum act act, unsigned scopes)
{
	const uint8_t *values = hold->policy.values[hold_policy_phase(hold)];
	uint8_t value = values[acts[act].axis];
	if (scopes & BIT(hold->scope.kind))
		return value < acts[act].greatest ? value : acts[act].greatest;
	if (act == ACT_ADVANCE && scope_is_place(&hold->scope))
		return values[AXIS_DISPATCH] == DISPATCH_HOLD ? ADVANCE_TASK : ADVANCE_EXECUTION;
	return 0;
}

static bool was_admitted_past(const struct caller *caller, const struct hold *hold)
{
	for (size_t i = 0; i < caller->admitted_past_count; i++)
		if (caller->admitted_past[i].value == hold->id.value)
			return true;
	return false;
}

bool caller_is_exempt(const struct caller *caller, const struct hold *hold)
{
	const struct policy *policy = &hold->policy;
	return policy->exempt != PERM_NONE && (caller->permissions & BIT(policy->exempt)) &&
	       (caller->asks_bypass || !policy->exempt_is_asked);
}

static bool is_left_out(const struct hold *hold, enum act act, const struct caller *caller)
{
	if (acts[act].can_be_exempt)
		return caller_is_exempt(caller, hold);
	return (act == ACT_START || act == ACT_ADVANCE) && was_admitted_past(caller, hold);
}

struct ruling ruling_join(struct ruling a, struct ruling b)
{
	ASSERT(a.axis == b.axis);
	if (a.value != b.value)
		return a.value > b.value ? a : b;
	if (a.value == 0)
		return a;
	return a.hold->id.value <= b.hold->id.value ? a : b;
}

struct ruling gate_rule(const struct hold_set *holds, enum act act, const struct caller *caller,
			const struct scope_path *path)
{
	ASSERT(act < ACTS);
	const unsigned scopes = axis_scopes(acts[act].axis);
	struct ruling ruling = { .axis = acts[act].axis };
	for (const struct hold *hold = holds->list; hold < holds->list + holds->count; hold++) {
		if (!hold_is_in_force(hold))
			continue;
		uint8_t value = value_of(hold, act, scopes);
		if (value == 0 || !scope_covers(&hold->scope, path) || is_left_out(hold, act, caller))
			continue;
		ruling = ruling_join(ruling, (struct ruling){ acts[act].axis, value, hold });
	}
	return ruling;
}

/* As much of the reason as there is room for, cut at a whole character. */
static void copy_reason(const char *reason, char *copy, size_t room)
{
	size_t length = strlen(reason);
	if (length >= room) {
		length = room - 1;
		while (length > 0 && ((unsigned char)reason[length] & 0xC0) == 0x80)
			length--;
	}
	memcpy(copy, reason, length);
	copy[length] = '\0';
}

bool ruling_allows(const struct ruling *ruling, struct error *error)
{
	if (ruling->value == 0)
		return true;
	const struct hold *hold = ruling->hold;
	error_set(error, ERR_HELD, "hold %" PRId64 " (%s) by %s: %s", hold->id.value, hold_phase_name(hold->phase),
		  hold->owner_name, *hold->reason ? hold->reason : "no reason given");
	error->hold = hold->id.value;
	error->until_ms = hold->expires_ms;
	copy_reason(hold->reason, error->reason, sizeof(error->reason));
	return false;
}

const char *act_name(enum act act)
{
	ASSERT(act < ACTS);
	return acts[act].name;
}

enum axis act_axis(enum act act)
{
	ASSERT(act < ACTS);
	return acts[act].axis;
}

bool act_can_be_exempt(enum act act)
{
	ASSERT(act < ACTS);
	return acts[act].can_be_exempt;
}
