#include "ops/holds.h"

#include <inttypes.h>
#include <string.h>

#include "base/kill_point.h"
#include "base/text.h"
#include "ops/dispatch.h"
#include "ops/memory.h"
#include "store/holds.h"
#include "store/ids.h"

/* What every change of a hold ends with. */
static bool save(struct tx *tx, const struct hold *hold, struct error *error)
{
	if (!holds_save(tx, hold, error) || !holds_raise_version(tx, error))
		return false;
	/* What was handed and not begun is taken back where the holds now say so; what they let go may start. */
	dispatch_look_all(tx);
	tx_effect(tx, EFFECT_HOLDS, 0);
	KILL_POINT("holds.saved");
	return true;
}

static bool refuse_preset(const char *name, struct error *error)
{
	const char *names[PRESETS + 1] = { NULL };
	for (int i = 0; i < PRESETS; i++)
		names[i] = preset_name((enum preset)i);
	const char *nearest = text_nearest(name, names);
	return error_set(error, ERR_INVALID, "there is no preset \"%.60s\"%s%s%s", name, nearest ? "; is \"" : "",
			 nearest ? nearest : "", nearest ? "\" meant?" : "");
}

/* Commanding is by maintenance.command, or by what the policy asks for instead. */
static bool may_command(const struct identity *identity, const struct policy *policy, struct error *error)
{
	return identity_may(identity, policy->commanded_by, error);
}

bool holds_enter(struct tx *tx, const struct credential *credential, const struct hold_request *request,
		 struct hold *hold, struct error *error)
{
	struct identity identity;
	enum preset preset;
	if (!identity_find(tx, credential, &identity, error))
		return false;
	if (!preset_parse(request->preset, &preset))
		return refuse_preset(request->preset, error);
	if (preset != PRESET_DEFAULT)
		return error_set(error, ERR_INVALID, "this version enters maintenance by the preset \"default\" only");
	if (strcmp(request->scope, "instance") != 0)
		return error_set(error, ERR_INVALID, "this version holds the scope \"instance\" only");
	struct hold entered = {
		.phase = HOLD_PLANNED,
		.policy = *preset_policy(preset),
		.scope = { .kind = SCOPE_INSTANCE },
		.owner = identity.account,
		.owner_name = identity.name,
		.reason = request->reason,
		.ticket = request->ticket,
		.created_ms = tx->now,
	};
	struct hold_event event = { .kind = HOLD_BEGIN, .now = tx->now };
	struct hold_update update;
	const struct hold_set *holds;
	if (!may_command(&identity, &entered.policy, error) || !memory_holds(tx, &holds, error))
		return false;
	if (holds->count >= LIMIT_HOLDS)
		return error_set(error, ERR_CONFLICT, "there are %d holds already; end some", LIMIT_HOLDS);
	if (!hold_step(&entered, &event, &update, error) || !ids_take(tx, "hold", 1, &entered.id.value, error) ||
	    !save(tx, &entered, error))
		return false;
	const char *subject = arena_printf(tx->arena, "%" PRId64, entered.id.value);
	const struct flow_pair details[] = { { "preset", request->preset }, { "scope", request->scope },
					     { "reason", request->reason }, { "ticket", request->ticket } };
	if (!identity_audit(tx, &identity, "maintenance.enter", subject, details, COUNT_OF(details), error))
		return false;
	*hold = entered;
	return true;
}

static bool find(struct tx *tx, int64_t id, struct hold *hold, struct error *error)
{
	bool found;
	if (!holds_get(tx, (struct hold_id){ id }, hold, &found, error))
		return false;
	return found || error_set(error, ERR_NOT_FOUND, "there is no hold %" PRId64, id);
}

bool holds_end(struct tx *tx, const struct credential *credential, int64_t id, struct hold *hold, struct error *error)
{
	struct identity identity;
	struct hold_update update;
	if (!identity_find(tx, credential, &identity, error) || !find(tx, id, hold, error) ||
	    !may_command(&identity, &hold->policy, error))
		return false;
	struct hold_event event = { .kind = HOLD_END, .now = tx->now, .by = identity.name };
	if (!hold_step(hold, &event, &update, error) || !save(tx, hold, error))
		return false;
	const char *subject = arena_printf(tx->arena, "%" PRId64, id);
	return identity_audit(tx, &identity, "maintenance.end", subject, NULL, 0, error);
}

bool holds_show(struct tx *tx, const struct credential *credential, int64_t id, struct hold *hold,
		struct error *error)
{
	struct identity identity;
	return identity_need(tx, credential, PERM_MAINTENANCE_READ, &identity, error) && find(tx, id, hold, error);
}

bool holds_note_drained(struct tx *tx, bool is_drained, struct error *error)
{
	const struct hold_set *holds;
	if (!memory_holds(tx, &holds, error))
		return false;
	struct hold_event event = { .kind = is_drained ? HOLD_DRAINED : HOLD_OCCUPIED, .now = tx->now };
	bool is_changed = false;
	for (size_t i = 0; i < holds->count; i++) {
		struct hold hold = holds->list[i];
		struct hold_update update;
		struct error refusal;
		if (!hold_is_in_force(&hold) || !hold_step(&hold, &event, &update, &refusal) || !update.is_changed)
			continue;
		if (!holds_save(tx, &hold, error))
			return false;
		is_changed = true;
	}
	return !is_changed || holds_raise_version(tx, error);
}
