#include "ops/overview.h"

#include <inttypes.h>
#include <string.h>

#include "base/limits.h"
#include "core/gate.h"
#include "ops/agents.h"
#include "ops/memory.h"
#include "store/agents.h"
#include "store/backlogs.h"
#include "store/executions.h"
#include "store/flows.h"

/* What the census names of an agent. */
struct known_agent {
	struct agent_row row;
	bool is_silent;
};

struct gathering {
	struct tx *tx;
	struct known_agent *agents;
	size_t agent_count;
	struct census_entry *list;
	size_t count;
	size_t room;
};

static bool gather_agents(struct gathering *gathering, struct overview *overview, struct error *error)
{
	struct agent_row *rows;
	size_t count;
	if (!agents_list(gathering->tx, (struct agent_id){ 0 }, LIMIT_AGENTS, &rows, &count, error))
		return false;
	gathering->agents = ARENA_ARRAY(gathering->tx->arena, struct known_agent, count);
	gathering->agent_count = count;
	overview->silent_agents = ARENA_ARRAY(gathering->tx->arena, const char *, count);
	for (size_t i = 0; i < count; i++) {
		bool is_silent = agents_last_heard(gathering->tx, &rows[i]) + LIMIT_LEASE_MS < gathering->tx->now;
		gathering->agents[i] = (struct known_agent){ .row = rows[i], .is_silent = is_silent };
		if (is_silent)
			overview->silent_agents[overview->silent_count++] = rows[i].name;
	}
	overview->agent_count = count;
	return true;
}

/* By id, which they are sorted by. */
static const struct known_agent *find_agent(const struct gathering *gathering, struct agent_id id)
{
	size_t low = 0, high = gathering->agent_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (gathering->agents[middle].row.id.value < id.value)
			low = middle + 1;
		else
			high = middle;
	}
	return low < gathering->agent_count && gathering->agents[low].row.id.value == id.value ? &gathering->agents[low]
											       : NULL;
}

static bool expect(struct tx *tx, struct flow_id flow, const char *task, instant since, struct census_entry *entry,
		   struct error *error)
{
	const char *sketch;
	if (!forecasts_get(tx, flow, task, &sketch, error))
		return false;
	struct forecast forecast = forecast_parse(sketch);
	entry->usual_ms = forecast_percentile(&forecast, 50);
	entry->remaining = forecast_remaining(&forecast, tx->now > since ? tx->now - since : 0);
	return true;
}

static struct census_entry *next_entry(struct gathering *gathering)
{
	return gathering->count < gathering->room ? &gathering->list[gathering->count++] : NULL;
}

static bool gather_execution(struct gathering *gathering, const struct execution_row *row, struct error *error)
{
	const struct flow *flow;
	struct tx *tx = gathering->tx;
	struct census_entry *entry = next_entry(gathering);
	if (!memory_flow(tx, row->flow, row->revision, &flow, error))
		return false;
	*entry = (struct census_entry){
		.kind = CENSUS_EXECUTION,
		.what = arena_printf(tx->arena, "main/%s.%s #%" PRId64, flow->name_space, flow->id,
				     execution_id_number(row->id)),
		.flow = arena_printf(tx->arena, "%s.%s", flow->name_space, flow->id),
		.tenant = execution_id_tenant(row->id),
		.execution = row->id,
		.since_ms = row->started_ms ? row->started_ms : row->created_ms,
	};
	return expect(tx, row->flow, "", entry->since_ms, entry, error);
}

static bool gather_attempt(struct gathering *gathering, const struct attempt_row *row, struct error *error)
{
	struct execution_row execution;
	const struct flow *flow;
	bool found;
	struct tx *tx = gathering->tx;
	struct census_entry *entry = next_entry(gathering);
	if (!executions_get(tx, (struct execution_id){ row->id.execution }, &execution, &found, error) ||
	    !memory_flow(tx, execution.flow, execution.revision, &flow, error))
		return false;
	const struct known_agent *agent = find_agent(gathering, row->agent);
	const char *task = flow->tasks[row->id.task].id;
	*entry = (struct census_entry){
		.kind = CENSUS_ATTEMPT,
		/* One that has ended is here because its agent was given up, and nobody can say what it does. */
		.is_unknown = agent && (agent->is_silent || !attempt_is_open(row->state)),
		.is_handed = row->state == ATTEMPT_HANDED,
		.what = arena_printf(tx->arena, "main/%s.%s #%" PRId64 " %s", flow->name_space, flow->id,
				     execution_id_number(execution.id), task),
		.flow = arena_printf(tx->arena, "%s.%s", flow->name_space, flow->id),
		.task = task,
		.tenant = execution_id_tenant(execution.id),
		.execution = execution.id,
		.attempt = row->id,
		.since_ms = row->began_ms ? row->began_ms : row->handed_ms,
		.agent = row->agent,
		.agent_name = agent ? agent->row.name : NULL,
		.machine = agent ? agent->row.host : NULL,
	};
	return expect(tx, execution.flow, task, entry->since_ms, entry, error);
}

/* An execution is told with what runs of it, and where. Executions stand first in the list, by id. */
static void tell_where(struct tx *tx, struct census_entry *executions, size_t count,
		       const struct census_entry *attempt)
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (executions[middle].execution.value < attempt->execution.value)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == count || executions[low].execution.value != attempt->execution.value)
		return;
	struct census_entry *execution = &executions[low];
	bool is_first = !execution->task;
	execution->task = execution->task ? arena_printf(tx->arena, "%s, %s", execution->task, attempt->task)
					  : attempt->task;
	execution->agent_name = execution->agent_name && attempt->agent_name &&
				strcmp(execution->agent_name,
				       attempt->agent_name) != 0 ? "several" : attempt->agent_name;
	/* Nobody knows of it only if nobody knows of any part of it. */
	execution->is_unknown = attempt->is_unknown && (is_first || execution->is_unknown);
	execution->is_handed |= attempt->is_handed;
}

/* What could still begin anywhere, as the gate says it for the instance. */
static bool look_at_gate(struct tx *tx, struct overview *overview, struct openness *openness, struct error *error)
{
	static const struct caller nobody = { 0 };
	const struct scope_path instance = { .tenant = { 0 } };
	if (!memory_holds(tx, &overview->holds, error))
		return false;
	*openness = (struct openness){
		.can_start = gate_rule(overview->holds, ACT_START, &nobody, &instance).value == 0,
		.can_advance = gate_rule(overview->holds, ACT_ADVANCE, &nobody, &instance).value == 0,
	};
	return true;
}

static bool counts_executions(const struct hold *hold, struct openness openness)
{
	if (!hold || !hold_is_in_force(hold))
		return openness.can_advance;
	return hold->policy.values[hold_policy_phase(hold)][AXIS_ADVANCE] == ADVANCE_EXECUTION;
}

/* The open attempts, and behind them those that were given up with their agents. */
static bool list_attempts(const struct gathering *gathering, size_t limit, struct attempt_row **list, size_t *count,
			  struct error *error)
{
	struct tx *tx = gathering->tx;
	if (!attempts_open(tx, (struct agent_id){ 0 }, limit, list, count, error))
		return false;
	for (size_t i = 0; i < gathering->agent_count; i++) {
		const struct agent_row *agent = &gathering->agents[i].row;
		struct attempt_row *more, *both;
		size_t more_count;
		if (!agent->gave_up_ms)
			continue;
		if (!attempts_given_up(tx, agent->id, agent->gave_up_ms, LIMIT_SLOTS, &more, &more_count, error))
			return false;
		both = ARENA_ARRAY(tx->arena, struct attempt_row, *count + more_count);
		for (size_t k = 0; k < *count + more_count; k++)
			both[k] = k < *count ? (*list)[k] : more[k - *count];
		*list = both;
		*count += more_count;
	}
	return true;
}

static bool gather(struct gathering *gathering, bool with_executions, struct overview *overview, struct error *error)
{
	enum { MOST = 2000 };
	struct tx *tx = gathering->tx;
	struct execution_row *executions = NULL;
	struct attempt_row *attempts;
	size_t execution_count = 0, attempt_count;
	if ((with_executions &&
	     !executions_begun(tx, (struct execution_id){ 0 }, MOST, &executions, &execution_count, error)) ||
	    !list_attempts(gathering, MOST, &attempts, &attempt_count, error))
		return false;
	overview->is_truncated = execution_count == MOST || attempt_count >= MOST;
	gathering->room = execution_count + attempt_count;
	gathering->list = ARENA_ARRAY(tx->arena, struct census_entry, gathering->room);
	for (size_t i = 0; i < execution_count; i++)
		if (!gather_execution(gathering, &executions[i], error))
			return false;
	for (size_t i = 0; i < attempt_count; i++)
		if (!gather_attempt(gathering, &attempts[i], error))
			return false;
	for (size_t i = execution_count; i < gathering->count; i++)
		tell_where(tx, gathering->list, execution_count, &gathering->list[i]);
	overview->running = (int64_t)(with_executions ? execution_count : attempt_count);
	return true;
}

bool overview_take(struct tx *tx, const struct hold *hold, int64_t most_waiting, struct overview *overview,
		   struct error *error)
{
	struct openness openness;
	struct gathering gathering = { .tx = tx };
	*overview = (struct overview){ 0 };
	if (!look_at_gate(tx, overview, &openness, error) || !gather_agents(&gathering, overview, error))
		return false;
	bool with_executions = counts_executions(hold, openness);
	if (!gather(&gathering, with_executions, overview, error) ||
	    !ready_count(tx, most_waiting, &overview->waiting, error))
		return false;
	overview->is_waiting_more = overview->waiting == most_waiting;
	overview->census = (struct census){ .list = gathering.list, .count = gathering.count,
					    .counts_executions = with_executions };
	struct subject everything = { .kind = SUBJECT_EVERYTHING };
	overview->verdict = verdict_of(&overview->census, &everything, openness);
	return true;
}

bool overview_is_drained(struct tx *tx, const struct hold *hold, bool *is_drained, struct error *error)
{
	struct overview overview = { 0 };
	struct openness openness;
	bool any;
	int64_t handed, begun;
	if (!look_at_gate(tx, &overview, &openness, error) || !attempts_any_given_up(tx, &any, error))
		return false;
	if (any) {
		*is_drained = false;
		return true;
	}
	if (counts_executions(hold, openness)) {
		if (!executions_any_begun(tx, &any, error))
			return false;
		*is_drained = !any;
		return true;
	}
	if (!attempts_count_open(tx, &handed, &begun, error))
		return false;
	*is_drained = handed + begun == 0;
	return true;
}
