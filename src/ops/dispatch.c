#include "ops/dispatch.h"

#include <string.h>

#include "base/kill_point.h"
#include "core/execution.h"
#include "core/gate.h"
#include "core/pairs.h"
#include "ops/waiting.h"
#include "store/flows.h"

enum { TURN_ROWS = 64, HEADS = 2 };

static struct text_pair *copy_pairs(struct arena *arena, const struct flow_pair *pairs, size_t count)
{
	struct text_pair *copies = ARENA_ARRAY(arena, struct text_pair, count);
	for (size_t i = 0; i < count; i++)
		copies[i] = (struct text_pair){ arena_text(arena, pairs[i].name), arena_text(arena, pairs[i].value) };
	return copies;
}

/* An input's variable without the INPUT_ that the runner puts before it. */
static const char *bare_variable(const struct flow *flow, const char *input)
{
	for (size_t i = 0; i < flow->input_count; i++)
		if (strcmp(flow->inputs[i].id, input) == 0)
			return flow->inputs[i].variable + strlen("INPUT_");
	return input;
}

static bool copy_inputs(const struct execution_row *execution, const struct flow *flow, struct arena *arena,
			struct order *order, struct error *error)
{
	struct flow_pair *pairs;
	if (!pairs_parse(execution->inputs, arena, &pairs, &order->input_count, error))
		return false;
	for (size_t i = 0; i < order->input_count; i++)
		pairs[i].name = bare_variable(flow, pairs[i].name);
	order->inputs = copy_pairs(arena, pairs, order->input_count);
	return true;
}

bool dispatch_start_order(struct tx *tx, const struct execution_row *execution, struct attempt_id attempt,
			  struct arena *arena, struct order *order, struct error *error)
{
	const struct flow *flow;
	struct order made = { .kind = ORDER_START, .attempt = attempt };
	if (!memory_flow(tx, execution->flow, execution->revision, &flow, error) ||
	    !copy_inputs(execution, flow, arena, &made, error))
		return false;
	made.tenant = "main";
	made.flow = arena_printf(arena, "%s.%s", flow->name_space, flow->id);
	const struct flow_task *task = &flow->tasks[attempt.task];
	made.task = arena_text(arena, task->id);
	made.type = task->type;
	made.commands = ARENA_ARRAY(arena, const char *, task->command_count);
	made.command_count = task->command_count;
	for (size_t i = 0; i < task->command_count; i++)
		made.commands[i] = arena_text(arena, task->commands[i]);
	made.env = copy_pairs(arena, task->env, task->env_count);
	made.env_count = task->env_count;
	made.message = arena_text(arena, task->message);
	made.duration_ms = task->duration_ms;
	made.timeout_ms = task->timeout_ms;
	*order = made;
	return true;
}

static bool next_try(struct tx *tx, struct execution_id execution, int32_t task, int32_t *try, struct error *error)
{
	struct attempt_row *rows;
	size_t count;
	if (!attempts_of(tx, execution, &rows, &count, error))
		return false;
	*try = 1;
	for (size_t i = 0; i < count; i++)
		if (rows[i].id.task == task && rows[i].id.try >= *try)
			*try = rows[i].id.try + 1;
	return true;
}

/*
 * The execution has begun with this attempt. A flow of more tasks may have others that need nothing: these are
 * next tasks of a begun execution from now on.
 */
static bool begin_execution(struct tx *tx, struct execution_row *execution, const struct attempt_row *attempt,
			    struct error *error)
{
	const struct flow *flow;
	if (!memory_flow(tx, execution->flow, execution->revision, &flow, error))
		return false;
	execution->started_ms = tx->now;
	execution->state = EXECUTION_RUNNING;
	if (!executions_save(tx, execution, 1, error))
		return false;
	struct ready_row *rows = ARENA_ARRAY(tx->arena, struct ready_row, flow->task_count);
	size_t count = 0;
	for (size_t i = 0; i < flow->task_count; i++) {
		if (flow->tasks[i].need_count || (int32_t)i == attempt->id.task)
			continue;
		struct backlog_id backlog;
		if (!waiting_backlog(tx, execution, &flow->tasks[i], BACKLOG_ADVANCE, &backlog, error))
			return false;
		rows[count++] = waiting_row(backlog, execution, (int32_t)i);
	}
	return waiting_add(tx, rows, count, error);
}

/* One ready row becomes an attempt of this agent. The row itself is removed by the caller. */
static bool hand_out(struct tx *tx, struct session *session, const struct ready_row *ready, struct error *error)
{
	struct execution_row execution;
	bool found;
	if (!executions_get(tx, ready->execution, &execution, &found, error))
		return false;
	if (!found)
		return error_set(error, ERR_STORE, "a waiting row names an execution that is not there");
	struct attempt_row attempt = {
		.id = { .execution = execution.id.value, .task = ready->task },
		.flow = execution.flow,
		.agent = session->agent,
		.state = ATTEMPT_HANDED,
		.handed_ms = tx->now,
	};
	struct order order;
	if (!next_try(tx, execution.id, ready->task, &attempt.id.try, error) ||
	    !attempts_add(tx, &attempt, 1, error) ||
	    (execution.state == EXECUTION_QUEUED && !begin_execution(tx, &execution, &attempt, error)) ||
	    !dispatch_start_order(tx, &execution, attempt.id, session->waiting.arena, &order, error))
		return false;
	session_order(tx, session, &order);
	KILL_POINT("dispatch.handed");
	return true;
}

/* May rows of this backlog go to this agent now? */
static bool gate_lets(struct tx *tx, const struct session *session, const struct backlog_row *backlog, bool *lets,
		      struct error *error)
{
	static const enum act acts[BACKLOG_KINDS] = { [BACKLOG_ADVANCE] = ACT_ADVANCE, [BACKLOG_START] = ACT_START };
	static const struct caller nobody = { 0 };
	const struct hold_set *holds;
	struct flow_row flow;
	bool found;
	if (!memory_holds(tx, &holds, error))
		return false;
	*lets = true;
	if (holds->count == 0)
		return true;
	if (!flows_get(tx, backlog->flow, &flow, &found, error))
		return false;
	struct scope_path path = {
		.tenant = backlog->tenant, .name_space = found ? flow.name_space : NULL, .flow = backlog->flow,
		.pool = session->pool, .agent = session->agent,
	};
	*lets = gate_rule(holds, acts[backlog->kind], &nobody, &path).value == 0;
	return true;
}

/* Hands out rows of the best backlog of a tenant, as long as it stays the best. *took: how many. */
static bool take_from_tenant(struct tx *tx, struct session *session, enum backlog_kind kind, struct need_id need,
			     struct tenant_id tenant, size_t *took, struct error *error)
{
	struct backlog_row heads[HEADS];
	size_t head_count;
	bool lets;
	*took = 0;
	if (!backlogs_best(tx, kind, need, tenant, HEADS, heads, &head_count, error))
		return false;
	if (head_count == 0)
		return true;
	if (!gate_lets(tx, session, &heads[0], &lets, error))
		return false;
	if (!lets)
		return true;
	struct ready_row rows[TURN_ROWS];
	size_t limit = session->free < TURN_ROWS ? (size_t)session->free : TURN_ROWS, count;
	if (!ready_first(tx, heads[0].id, limit, rows, &count, error))
		return false;
	for (; *took < count; ++*took) {
		const struct ready_row *row = &rows[*took];
		bool is_behind = head_count > 1 && (row->rank > heads[1].head_rank ||
			(row->rank == heads[1].head_rank && row->ready_ms > heads[1].head_ms));
		if (is_behind || !session_has_room(session))
			break;
		if (!hand_out(tx, session, row, error))
			return false;
	}
	return waiting_remove(tx, rows, *took, error);
}

/* Goes round the tenants that have something of this kind and need, until slots or rows are used up. */
static bool take_in_turns(struct tx *tx, struct session *session, enum backlog_kind kind, struct need_id need,
			  struct error *error)
{
	struct memory *memory = memory_of(tx);
	struct tenant_id tenant = memory->turn;
	for (bool has_wrapped = false; session_has_room(session);) {
		size_t took;
		if (!backlogs_next_tenant(tx, kind, need, tenant, &tenant, error))
			return false;
		if (!tenant.value) {
			if (has_wrapped)
				return true;
			has_wrapped = true;
			continue;
		}
		if (!take_from_tenant(tx, session, kind, need, tenant, &took, error))
			return false;
		if (took) {
			memory->turn = tenant;
			has_wrapped = false;
		}
	}
	return true;
}

/* What one look round found used up: no other session needs to ask for it again. */
struct pass {
	struct map exhausted;            /* by need and kind */
	size_t needs;                    /* all that there are, times kinds */
};

static bool fill(struct tx *tx, struct session *session, struct pass *pass, struct error *error)
{
	if (!session_needs(tx, session, error))
		return false;
	pass->needs = session->need_count_seen * BACKLOG_KINDS;
	for (int kind = 0; kind < BACKLOG_KINDS && session_has_room(session); kind++) {
		for (size_t i = 0; i < session->need_count && session_has_room(session); i++) {
			int64_t key = session->needs[i].value * BACKLOG_KINDS + kind;
			if (map_get(&pass->exhausted, key))
				continue;
			if (!take_in_turns(tx, session, (enum backlog_kind)kind, session->needs[i], error))
				return false;
			if (session_has_room(session))
				map_put(&pass->exhausted, key, pass);
		}
	}
	return true;
}

bool dispatch_resend(struct tx *tx, struct session *session, struct error *error)
{
	if (session_is_in_doubt(session, tx->now))
		return true;
	/* What does not fit into this answer follows in the next, still before any newer order. */
	for (size_t i = 0; i < session->sent_count && !session_answer_is_full(session); i++) {
		struct sent_order *sent = &session->sent[i];
		struct order order = { .kind = sent->kind, .attempt = sent->attempt };
		struct execution_row execution;
		bool found = true;
		if (sent->kind == ORDER_START &&
		    (!executions_get(tx, (struct execution_id){ sent->attempt.execution }, &execution, &found, error) ||
		     (found && !dispatch_start_order(tx, &execution, sent->attempt, session->waiting.arena, &order,
						     error))))
			return false;
		order.seq = sent->seq;
		sent->sent_ms = tx->now;
		if (found)
			session_order(tx, session, &order);
	}
	return true;
}

static bool is_held_back(struct tx *tx, const struct session *session, const struct attempt_row *attempt, bool *held,
			 struct error *error)
{
	struct attempt_row *all;
	struct execution_row execution;
	size_t count;
	bool found, lets;
	if (!executions_get(tx, (struct execution_id){ attempt->id.execution }, &execution, &found, error) ||
	    !attempts_of(tx, execution.id, &all, &count, error))
		return false;
	/* Nothing of the execution has begun: handing it out was its start; else it was a next task. */
	bool has_begun = false;
	for (size_t i = 0; i < count; i++)
		has_begun |= all[i].state != ATTEMPT_HANDED && all[i].state != ATTEMPT_TAKEN_BACK;
	struct backlog_row backlog = {
		.tenant = execution_id_tenant(execution.id), .flow = execution.flow,
		.kind = has_begun ? BACKLOG_ADVANCE : BACKLOG_START,
	};
	if (!gate_lets(tx, session, &backlog, &lets, error))
		return false;
	*held = !lets;
	return true;
}

static bool was_told(const struct session *session, enum order_kind kind, struct attempt_id attempt)
{
	for (size_t i = 0; i < session->sent_count; i++)
		if (session->sent[i].kind == kind && attempt_id_same(session->sent[i].attempt, attempt))
			return true;
	return false;
}

bool dispatch_look(struct tx *tx, struct session *session, struct error *error)
{
	static const int orders[ATTEMPT_STATES] = {
		[ATTEMPT_HANDED] = ORDER_TAKE_BACK, [ATTEMPT_STOPPING] = ORDER_STOP, [ATTEMPT_KILLING] = ORDER_KILL,
	};
	struct attempt_row *open;
	size_t count;
	if (!attempts_open(tx, session->agent, LIMIT_SLOTS, &open, &count, error))
		return false;
	for (size_t i = 0; i < count; i++) {
		bool wanted = open[i].state == ATTEMPT_STOPPING || open[i].state == ATTEMPT_KILLING;
		if (open[i].state == ATTEMPT_HANDED && !is_held_back(tx, session, &open[i], &wanted, error))
			return false;
		struct order order = { .kind = (enum order_kind)orders[open[i].state], .attempt = open[i].id };
		if (!wanted || was_told(session, order.kind, order.attempt))
			continue;
		session_order(tx, session, &order);
		KILL_POINT("dispatch.told");
	}
	session->needs_look = false;
	return true;
}

void dispatch_look_all(struct tx *tx)
{
	struct memory *memory = memory_of(tx);
	size_t place = 0;
	struct session *session;
	while ((session = map_next(&memory->sessions, &place)))
		session->needs_look = true;
	memory->has_looks = true;
	memory->has_new_work = true;
}

static bool serve(struct tx *tx, struct session *session, struct pass *pass, struct error *error)
{
	session->is_new = false;
	/* What an answer brought that must be lost by now comes before anything new. */
	if (!dispatch_resend(tx, session, error))
		return false;
	bool may_order = !session_is_in_doubt(session, tx->now) || session->waiting.answer->order_count;
	if (may_order && session->needs_look && !session_answer_is_full(session) && !dispatch_look(tx, session, error))
		return false;
	if (may_order && session_has_room(session) && !fill(tx, session, pass, error))
		return false;
	if (session->waiting.answer->order_count || session->waiting.until <= tx->now)
		session_answer(tx, session);
	return true;
}

/* Exchanges that came in this batch stand at the end. */
static bool serve_new(struct tx *tx, struct error *error)
{
	struct session *previous;
	struct pass pass = { 0 };
	bool ok = true;
	for (struct session *session = memory_of(tx)->last_hungry; ok && session &&
	     session->is_new; session = previous) {
		previous = session->previous_hungry;
		ok = serve(tx, session, &pass, error);
	}
	map_fini(&pass.exhausted);
	return ok;
}

/* All that wait, oldest first, until nothing is left to give. */
static bool serve_all(struct tx *tx, struct error *error)
{
	struct session *next;
	struct pass pass = { .needs = 1 };
	bool ok = true;
	bool must_look = memory_of(tx)->has_looks;
	memory_of(tx)->has_looks = false;
	for (struct session *session = memory_of(tx)->hungry; ok && session; session = next) {
		next = session->next_hungry;
		if (!must_look && pass.exhausted.count >= pass.needs)
			break;
		ok = serve(tx, session, &pass, error);
	}
	map_fini(&pass.exhausted);
	return ok;
}

bool dispatch_at_end(struct tx *tx, struct error *error)
{
	struct memory *memory = memory_of(tx);
	if (!serve_new(tx, error))
		return false;
	/* Handing out can make work: a first task brings others that need nothing, too. */
	while (memory->has_new_work && memory->hungry) {
		memory->has_new_work = false;
		if (!serve_all(tx, error))
			return false;
	}
	return true;
}
