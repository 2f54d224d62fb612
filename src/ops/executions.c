#include "ops/executions.h"

#include <inttypes.h>
#include <string.h>

#include "base/assert.h"
#include "base/kill_point.h"
#include "core/pairs.h"
#include "ops/dispatch.h"
#include "ops/flows.h"
#include "ops/memory.h"
#include "ops/progress.h"
#include "ops/session.h"
#include "ops/waiting.h"
#include "store/accounts.h"
#include "store/agents.h"

static bool find(struct tx *tx, struct tenant_id tenant, int64_t number, struct execution_row *row,
		 struct error *error)
{
	bool found = false;
	if (number > 0 && number < EXECUTION_NUMBER_LIMIT &&
	    !executions_get(tx, execution_id_make(tenant, number), row, &found, error))
		return false;
	return found || error_set(error, ERR_NOT_FOUND, "there is no execution %" PRId64, number);
}

/* Which hold keeps a queued execution from starting, or a running one from its next task. */
static bool view_hold(struct tx *tx, struct execution_view *view, struct error *error)
{
	static const struct caller nobody = { 0 };
	const struct hold_set *holds;
	if (!execution_is_open(view->row.state))
		return true;
	if (!memory_holds(tx, &holds, error))
		return false;
	enum act act = view->row.state == EXECUTION_QUEUED ? ACT_START : ACT_ADVANCE;
	struct scope_path path = { .tenant = execution_id_tenant(view->row.id), .name_space = view->flow->name_space,
				   .flow = view->row.flow };
	struct ruling ruling = gate_rule(holds, act, &nobody, &path);
	if (ruling.value) {
		view->held_by = ruling.hold->id;
		view->held_reason = ruling.hold->reason;
	}
	return true;
}

static bool view_head(struct tx *tx, const struct execution_row *row, struct execution_view *view,
		      struct error *error)
{
	struct account_row account;
	bool found;
	*view = (struct execution_view){ .row = *row };
	if (!memory_flow(tx, row->flow, row->revision, &view->flow, error) ||
	    !pairs_parse(row->inputs, tx->arena, &view->inputs, &view->input_count, error) ||
	    !accounts_get(tx, row->account, &account, &found, error))
		return false;
	view->flow_name = arena_printf(tx->arena, "%s.%s", view->flow->name_space, view->flow->id);
	view->account_name = found ? account.name : NULL;
	return view_hold(tx, view, error);
}

static void view_tasks(struct tx *tx, struct execution_view *view)
{
	struct attempt_view *attempts = ARENA_ARRAY(tx->arena, struct attempt_view, view->attempt_count);
	for (size_t i = 0; i < view->attempt_count; i++)
		attempts[i] = (struct attempt_view){
			.task = view->attempts[i].id.task, .try = view->attempts[i].id.try,
			.state = view->attempts[i].state, .result = view->attempts[i].result,
		};
	view->tasks = execution_tasks(view->flow, attempts, view->attempt_count, view->row.state, tx->arena);
}

static bool view_attempts(struct tx *tx, struct execution_view *view, struct error *error)
{
	if (!attempts_of(tx, view->row.id, &view->attempts, &view->attempt_count, error))
		return false;
	view->agent_names = ARENA_ARRAY(tx->arena, const char *, view->attempt_count);
	for (size_t i = 0; i < view->attempt_count; i++) {
		struct agent_row agent;
		bool found;
		if (i && view->attempts[i].agent.value == view->attempts[i - 1].agent.value) {
			view->agent_names[i] = view->agent_names[i - 1];
			continue;
		}
		if (!agents_get(tx, view->attempts[i].agent, &agent, &found, error))
			return false;
		view->agent_names[i] = found ? agent.name : NULL;
	}
	return true;
}

bool executions_show(struct tx *tx, const struct credential *credential, int64_t number, struct execution_view *view,
		     struct error *error)
{
	struct identity identity;
	struct execution_row row;
	if (!identity_need(tx, credential, PERM_EXECUTION_READ, &identity, error) ||
	    !find(tx, identity.tenant, number, &row, error) || !view_head(tx, &row, view, error) ||
	    !view_attempts(tx, view, error))
		return false;
	view_tasks(tx, view);
	return true;
}

/* Running ones are found by their open work, not by looking at all: they may stand among a million queued. */
static bool page_begun(struct tx *tx, struct tenant_id tenant, const struct execution_filter *filter,
		       const struct flow_id *flow, struct execution_row *rows, size_t *count, int64_t *next,
		       struct error *error)
{
	enum { AT_ONCE = 5000 };
	struct execution_row *begun;
	size_t begun_count;
	struct execution_id after = { tenant.value * EXECUTION_NUMBER_LIMIT };
	if (!executions_begun(tx, after, AT_ONCE, &begun, &begun_count, error))
		return false;
	*count = 0;
	*next = 0;
	for (size_t i = begun_count; i-- > 0;) {
		const struct execution_row *row = &begun[i];
		bool fits = execution_id_tenant(row->id).value == tenant.value && row->state == filter->state &&
			    (!flow || flow->value == row->flow.value) &&
			    (!filter->before || execution_id_number(row->id) < filter->before);
		if (!fits)
			continue;
		if (*count == filter->limit) {
			*next = execution_id_number(rows[*count - 1].id);
			break;
		}
		rows[(*count)++] = *row;
	}
	return true;
}

static bool page_scanned(struct tx *tx, struct tenant_id tenant, const struct execution_filter *filter,
			 const struct flow_id *flow, struct execution_row *rows, size_t *count, int64_t *next,
			 struct error *error)
{
	enum { AT_ONCE = 100 };
	struct execution_id before = { filter->before ? execution_id_make(tenant, filter->before).value
						      : (tenant.value + 1) * EXECUTION_NUMBER_LIMIT };
	*count = 0;
	*next = 0;
	for (size_t looked = 0;; looked += AT_ONCE) {
		struct execution_row *part;
		size_t part_count;
		if (!executions_before(tx, tenant, before, flow, AT_ONCE, &part, &part_count, error))
			return false;
		for (size_t i = 0; i < part_count; i++) {
			if (filter->has_state && part[i].state != filter->state)
				continue;
			if (*count == filter->limit) {
				*next = execution_id_number(rows[*count - 1].id);
				return true;
			}
			rows[(*count)++] = part[i];
		}
		if (part_count < AT_ONCE)
			return true;
		before = part[part_count - 1].id;
		if (looked >= LIMIT_LIST_SCAN) {
			*next = execution_id_number(before);
			return true;
		}
	}
}

bool executions_page(struct tx *tx, const struct credential *credential, const struct execution_filter *filter,
		     struct execution_view **views, size_t *count, int64_t *next, struct error *error)
{
	struct identity identity;
	struct flow_row flow;
	if (!identity_need(tx, credential, PERM_EXECUTION_READ, &identity, error) ||
	    (filter->flow && !flows_resolve(tx, identity.tenant, filter->flow, &flow, error)))
		return false;
	if (filter->before < 0 || filter->before >= EXECUTION_NUMBER_LIMIT)
		return error_set(error, ERR_INVALID, "before must be the number of an execution");
	struct execution_row *rows = ARENA_ARRAY(tx->arena, struct execution_row, filter->limit + 1);
	bool is_begun = filter->has_state && filter->state >= EXECUTION_RUNNING && filter->state <= EXECUTION_KILLING;
	const struct flow_id *only = filter->flow ? &flow.id : NULL;
	if (is_begun ? !page_begun(tx, identity.tenant, filter, only, rows, count, next, error)
		     : !page_scanned(tx, identity.tenant, filter, only, rows, count, next, error))
		return false;
	*views = ARENA_ARRAY(tx->arena, struct execution_view, *count);
	size_t bytes = 0;
	for (size_t i = 0; i < *count; i++) {
		if (!view_head(tx, &rows[i], &(*views)[i], error))
			return false;
		bytes += rows[i].inputs ? strlen(rows[i].inputs) : 0;
		/* A page of large inputs ends early. */
		if (bytes > LIMIT_BODY_BYTES && i + 1 < *count) {
			*count = i + 1;
			*next = execution_id_number(rows[i].id);
		}
	}
	return true;
}

bool executions_log_of(struct tx *tx, const struct attempt_row *attempt, struct buffer *bytes, struct error *error)
{
	return outputs_read(tx, attempt->id, 0, LIMIT_OUTPUT_BYTES + 4096, bytes, error);
}

bool executions_log(struct tx *tx, const struct credential *credential, int64_t number, const char *task, int32_t try,
		    int64_t offset, struct buffer *bytes, struct attempt_row *row, struct error *error)
{
	struct execution_view view;
	if (!executions_show(tx, credential, number, &view, error))
		return false;
	const struct attempt_row *wanted = NULL;
	bool has_task = false;
	for (size_t i = 0; i < view.flow->task_count; i++)
		has_task |= strcmp(view.flow->tasks[i].id, task) == 0;
	if (!has_task)
		return error_set(error, ERR_NOT_FOUND, "%s has no task %.63s", view.flow_name, task);
	for (size_t i = 0; i < view.attempt_count; i++) {
		const struct attempt_row *attempt = &view.attempts[i];
		if (strcmp(view.flow->tasks[attempt->id.task].id, task) == 0 && (!try || attempt->id.try == try))
			wanted = attempt;
	}
	if (!wanted)
		return error_set(error, ERR_NOT_FOUND, "task %.63s of execution %" PRId64 " has no such attempt",
				 task, number);
	*row = *wanted;
	return outputs_read(tx, wanted->id, offset, LIMIT_OUTPUT_BYTES + 4096, bytes, error);
}

static bool may_interrupt(struct tx *tx, const struct identity *identity, const struct execution_row *execution,
			  struct error *error)
{
	const struct hold_set *holds;
	const struct flow *flow;
	if (!memory_holds(tx, &holds, error) || !memory_flow(tx, execution->flow, execution->revision, &flow, error))
		return false;
	struct scope_path path = { .tenant = identity->tenant, .name_space = flow->name_space,
				   .flow = execution->flow };
	struct ruling ruling = gate_rule(holds, ACT_INTERRUPT, &identity->caller, &path);
	return ruling_allows(&ruling, error);
}

static bool cancel(struct tx *tx, struct execution_row *execution, struct error *error)
{
	const struct flow *flow;
	struct backlog_id backlog;
	if (!memory_flow(tx, execution->flow, execution->revision, &flow, error))
		return false;
	int32_t first = execution_first_task(flow);
	if (!waiting_backlog(tx, execution, &flow->tasks[first], BACKLOG_START, &backlog, error))
		return false;
	struct ready_row row = waiting_row(backlog, execution, first);
	ASSERT(execution_may_become(execution->state, EXECUTION_CANCELLED));
	execution->state = EXECUTION_CANCELLED;
	execution->ended_ms = tx->now;
	tx_effect(tx, EFFECT_EXECUTION, execution->id.value);
	tx_effect(tx, EFFECT_HOLDS, 0);
	return waiting_remove(tx, &row, 1, error) && executions_save(tx, execution, 1, error);
}

/* Open attempts are told; the execution goes on by its step, which ends it where nothing is open. */
static bool interrupt(struct tx *tx, struct execution_row *execution, bool is_kill, struct error *error)
{
	struct attempt_row *attempts;
	size_t count;
	enum execution_state wanted = is_kill ? EXECUTION_KILLING : EXECUTION_STOPPING;
	enum attempt_state told = is_kill ? ATTEMPT_KILLING : ATTEMPT_STOPPING;
	if (!attempts_of(tx, execution->id, &attempts, &count, error))
		return false;
	if (execution->state != wanted && execution_may_become(execution->state, wanted))
		execution->state = wanted;
	if (!executions_save(tx, execution, 1, error))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (attempts[i].state == told || !attempt_may_become(attempts[i].state, told))
			continue;
		attempts[i].state = told;
		if (!attempts_save(tx, &attempts[i], 1, error))
			return false;
		struct session *session = session_of_agent(tx, attempts[i].agent);
		if (session) {
			session->needs_look = true;
			memory_of(tx)->has_looks = true;
			memory_of(tx)->has_new_work = true;
		}
	}
	return progress_execution(tx, execution, NULL, 0, error);
}

bool executions_interrupt(struct tx *tx, const struct credential *credential, int64_t number,
			  enum interruption interruption, const char *reason, struct error *error)
{
	static const char *const acts[] = { "execution.stop", "execution.kill", "execution.cancel" };
	static const char *const done[] = { "stopped", "killed", "cancelled" };
	struct identity identity;
	struct execution_row execution;
	if (!identity_need(tx, credential, PERM_EXECUTION_INTERRUPT, &identity, error) ||
	    !find(tx, identity.tenant, number, &execution, error) ||
	    !may_interrupt(tx, &identity, &execution, error))
		return false;
	if (!execution_is_open(execution.state))
		return error_set(error, ERR_CONFLICT, "execution %" PRId64 " has ended already: %s", number,
				 execution_state_name(execution.state));
	if (interruption == INTERRUPT_CANCEL && execution.state != EXECUTION_QUEUED)
		return error_set(error, ERR_CONFLICT, "execution %" PRId64 " is %s; only a queued one is cancelled, "
				 "stop it instead", number, execution_state_name(execution.state));
	execution.cause = arena_printf(tx->arena, "%s by %s%s%s", done[interruption], identity.name, reason ? ": " : "",
				       reason ? reason : "");
	const char *subject = arena_printf(tx->arena, "%" PRId64, number);
	const struct flow_pair details[] = { { "reason", reason } };
	bool ok = execution.state == EXECUTION_QUEUED ? cancel(tx, &execution, error)
						      : interrupt(tx, &execution, interruption == INTERRUPT_KILL,
								  error);
	KILL_POINT("executions.interrupted");
	return ok && identity_audit(tx, &identity, acts[interruption], subject, details, COUNT_OF(details), error);
}
