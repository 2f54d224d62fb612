/*
 * Maintenance: holds, what is in flight under them, and the verdict.
 */
#include <string.h>

#include "api/api.h"
#include "base/limits.h"
#include "ops/holds.h"
#include "ops/overview.h"

struct hold_in {
	struct hold_request request;
	int64_t id;
};

struct hold_out {
	struct hold hold;
	struct overview overview;
};

static void write_remaining(struct writer *out, const struct census_entry *entry)
{
	bool is_overdue = entry->remaining.is_overdue;
	writer_key_duration(out, "usual", entry->usual_ms);
	writer_key_duration(out, "remaining", is_overdue ? 0 : entry->remaining.usual_ms);
	writer_key_bool(out, "longer_than_usual", is_overdue);
}

static void write_blocker(struct writer *out, const struct census_entry *entry, instant now, struct arena *arena)
{
	writer_begin_object(out);
	writer_key_text(out, "kind", census_kind_name(entry->kind));
	writer_key_text(out, "what", entry->what);
	writer_key(out, "execution");
	if (entry->execution.value)
		writer_int(out, execution_id_number(entry->execution));
	else
		writer_null(out);
	writer_key_text(out, "flow", entry->flow);
	writer_key_text(out, "task", entry->task);
	writer_key_text(out, "state", entry->is_unknown ? "unknown" : entry->is_handed ? "handed" : "running");
	writer_key_instant(out, "since", entry->since_ms);
	writer_key_duration(out, "age", now > entry->since_ms ? now - entry->since_ms : 0);
	writer_key_text(out, "agent", entry->agent_name);
	writer_key_text(out, "machine", entry->machine);
	write_remaining(out, entry);
	writer_key_text(out, "clears", census_entry_clears(entry, arena));
	writer_end_object(out);
}

static void write_blockers(struct api_call *call, struct writer *out, const char *key,
			   const struct overview *overview, instant now)
{
	size_t told = 0;
	writer_key_array(out, key);
	for (size_t i = 0; i < overview->census.count && told < OVERVIEW_BLOCKERS; i++) {
		const struct census_entry *entry = &overview->census.list[i];
		/* Attempts of an execution that is listed itself are told with it. */
		if (!census_entry_counts(&overview->census, entry))
			continue;
		write_blocker(out, entry, now, &call->call.arena);
		told++;
	}
	writer_end_array(out);
}

static void write_verdict(struct writer *out, const struct overview *overview)
{
	const struct verdict *verdict = &overview->verdict;
	writer_key_text(out, "safe", safe_name(verdict->safe));
	writer_key_text(out, "verdict", verdict_sentence(verdict));
	writer_key_bool(out, "idle", verdict->is_idle);
	writer_key_bool(out, "settled", verdict->is_settled);
	writer_key_bool(out, "drained", verdict->is_drained);
	writer_key_int(out, "running", overview->running);
	writer_key_int(out, "waiting", overview->waiting);
	writer_key_bool(out, "waiting_is_more", overview->is_waiting_more);
	writer_key_bool(out, "truncated", overview->is_truncated);
}

static void write_policy(struct writer *out, const struct policy *policy)
{
	writer_key_object(out, "policy");
	for (int axis = 0; axis < AXES; axis++) {
		writer_key_array(out, axis_name((enum axis)axis));
		for (int phase = 0; phase < POLICY_PHASES; phase++)
			writer_text(out, axis_value_name((enum axis)axis, policy->values[phase][axis]));
		writer_end_array(out);
	}
	writer_end_object(out);
}

static void write_hold_members(struct writer *out, const struct hold *hold)
{
	char scope[SCOPE_TEXT_BYTES];
	writer_key_int(out, "id", hold->id.value);
	writer_key_text(out, "phase", hold_phase_name(hold->phase));
	writer_key_text(out, "scope", scope_format(&hold->scope, scope));
	writer_key_text(out, "preset", hold->policy.preset);
	write_policy(out, &hold->policy);
	writer_key_text(out, "owner", hold->owner_name);
	writer_key_text(out, "reason", hold->reason);
	writer_key_text(out, "ticket", hold->ticket);
	writer_key_instant(out, "created", hold->created_ms);
	writer_key_instant(out, "began", hold->began_ms);
	writer_key_instant(out, "drained_since", hold->drained_ms);
	writer_key_instant(out, "ended", hold->ended_ms);
	writer_key_text(out, "ended_by", hold->ended_by);
	writer_key_bool(out, "fenced", hold_is_in_force(hold));
}

static void write_holds(struct writer *out, const char *key, const struct hold_set *holds)
{
	writer_key_array(out, key);
	for (size_t i = 0; i < holds->count; i++) {
		writer_begin_object(out);
		write_hold_members(out, &holds->list[i]);
		writer_end_object(out);
	}
	writer_end_array(out);
}

static instant now_of(const struct api_call *call)
{
	return *(const instant *)call->in;
}

/* What every route here keeps: when it was looked, then its own. */
struct look {
	instant now;
	struct hold_in hold;
};

static struct look *look_of(struct api_call *call)
{
	if (!call->in) {
		call->in = ARENA_NEW(&call->call.arena, struct look);
		call->out = ARENA_NEW(&call->call.arena, struct hold_out);
	}
	return call->in;
}

static bool read_nothing(struct api_call *call, struct error *error)
{
	(void)error;
	look_of(call);
	return true;
}

static bool run_status(struct tx *tx, struct api_call *call, struct error *error)
{
	struct identity identity;
	struct hold_out *out = call->out;
	look_of(call)->now = tx->now;
	return identity_need(tx, &call->credential, PERM_MAINTENANCE_READ, &identity, error) &&
	       overview_take(tx, NULL, OVERVIEW_WAITING, &out->overview, error);
}

static const char *state_of(const struct overview *overview)
{
	if (overview->holds->count == 0)
		return "open";
	return overview->verdict.is_drained ? "drained" : "draining";
}

static void write_status(struct api_call *call, struct writer *out)
{
	const struct overview *overview = &((struct hold_out *)call->out)->overview;
	writer_begin_object(out);
	writer_key_text(out, "state", state_of(overview));
	write_verdict(out, overview);
	writer_key_array(out, "silent_agents");
	for (size_t i = 0; i < overview->silent_count; i++)
		writer_text(out, overview->silent_agents[i]);
	writer_end_array(out);
	write_holds(out, "holds", overview->holds);
	write_blockers(call, out, "blockers", overview, now_of(call));
	writer_end_object(out);
}

static bool read_enter(struct api_call *call, struct error *error)
{
	static const char *const known[] = { "preset", "scope", "reason", "ticket", NULL };
	struct hold_request *request = &look_of(call)->hold.request;
	struct arena *arena = &call->call.arena;
	json_t *root;
	if (!api_body(call, known, &root, error))
		return false;
	struct reader_at at = reader_root(root);
	bool ok = reader_get_text(&at, "preset", LIMIT_NAME_BYTES, "default", &request->preset, error) &&
		  reader_get_text(&at, "scope", LIMIT_NAMESPACE_BYTES, "instance", &request->scope, error) &&
		  reader_need_text(&at, "reason", LIMIT_REASON_BYTES, &request->reason, error) &&
		  reader_get_text(&at, "ticket", LIMIT_TICKET_BYTES, NULL, &request->ticket, error);
	if (ok) {
		request->preset = arena_text(arena, request->preset);
		request->scope = arena_text(arena, request->scope);
		request->reason = arena_text(arena, request->reason);
		request->ticket = arena_text(arena, request->ticket);
	}
	json_decref(root);
	if (ok && request->reason[strspn(request->reason, " \t\r\n")] == '\0')
		return error_set(error, ERR_INVALID, "reason is blank; say why, for those who will be held");
	return ok;
}

static bool run_enter(struct tx *tx, struct api_call *call, struct error *error)
{
	struct hold_out *out = call->out;
	struct look *look = look_of(call);
	look->now = tx->now;
	return holds_enter(tx, &call->credential, &look->hold.request, &out->hold, error) &&
	       overview_take(tx, &out->hold, OVERVIEW_WAITING_OF_COMMAND, &out->overview, error);
}

static void write_hold(struct api_call *call, struct writer *out)
{
	const struct hold_out *result = call->out;
	writer_begin_object(out);
	write_hold_members(out, &result->hold);
	write_verdict(out, &result->overview);
	write_blockers(call, out, "blockers", &result->overview, now_of(call));
	writer_end_object(out);
}

static bool read_id(struct api_call *call, struct error *error)
{
	look_of(call);
	return api_number(call, "id", &look_of(call)->hold.id, error);
}

static bool read_show(struct api_call *call, struct error *error)
{
	return read_id(call, error) && api_query_wait(call, "drained", EFFECT_HOLDS, 0, error);
}

/* While a client waits, only whether it is drained is looked at; the census is made once, for the answer. */
static bool run_show(struct tx *tx, struct api_call *call, struct error *error)
{
	struct hold_out *out = call->out;
	struct look *look = look_of(call);
	bool is_drained;
	look->now = tx->now;
	if (!holds_show(tx, &call->credential, look->hold.id, &out->hold, error))
		return false;
	if (call->call.watch.is_watching && !call->call.watch.is_late) {
		if (!overview_is_drained(tx, &out->hold, &is_drained, error))
			return false;
		if (!is_drained && hold_is_in_force(&out->hold))
			return true;
		api_wait_is_over(call);
	}
	return overview_take(tx, &out->hold, OVERVIEW_WAITING, &out->overview, error);
}

static bool read_end(struct api_call *call, struct error *error)
{
	static const char *const known[] = { NULL };
	json_t *root;
	if (!read_id(call, error) || !api_body(call, known, &root, error))
		return false;
	json_decref(root);
	return true;
}

static bool run_end(struct tx *tx, struct api_call *call, struct error *error)
{
	struct hold_out *out = call->out;
	struct look *look = look_of(call);
	look->now = tx->now;
	return holds_end(tx, &call->credential, look->hold.id, &out->hold, error) &&
	       overview_take(tx, &out->hold, OVERVIEW_WAITING_OF_COMMAND, &out->overview, error);
}

static void write_end(struct api_call *call, struct writer *out)
{
	const struct hold_out *result = call->out;
	writer_begin_object(out);
	writer_key_object(out, "hold");
	write_hold_members(out, &result->hold);
	writer_end_object(out);
	writer_key_int(out, "waiting", result->overview.waiting);
	writer_key_bool(out, "waiting_is_more", result->overview.is_waiting_more);
	write_holds(out, "still_held_by", result->overview.holds);
	writer_end_object(out);
}

static void write_census(struct api_call *call, struct writer *out)
{
	const struct hold_out *result = call->out;
	writer_begin_object(out);
	write_blockers(call, out, "items", &result->overview, now_of(call));
	writer_key_bool(out, "truncated", result->overview.is_truncated);
	writer_end_object(out);
}

const struct api_route api_maintenance_routes[] = {
	{ HTTP_GET, "/v1/maintenance", "", API_READ, 200, read_nothing, run_status, write_status,
	  "What is held, what runs, and whether a restart is safe" },
	{ HTTP_POST, "/v1/maintenance", "", API_COMMAND, 201, read_enter, run_enter, write_hold,
	  "Enters maintenance: when it is answered, nothing that the hold covers can start" },
	{ HTTP_GET, "/v1/maintenance/{id}", "until wait", API_READ, 200, read_show, run_show, write_hold,
	  "A hold; ?until=drained&wait=30s waits until nothing is in flight" },
	{ HTTP_POST, "/v1/maintenance/{id}/end", "", API_COMMAND, 200, read_end, run_end, write_end,
	  "Ends this hold, and says who still holds" },
	{ HTTP_GET, "/v1/maintenance/{id}/census", "", API_READ, 200, read_id, run_show, write_census,
	  "What is in flight under a hold, by name" },
	{ 0 },
};
