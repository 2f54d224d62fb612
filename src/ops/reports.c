#include "ops/reports.h"

#include <string.h>

#include "base/assert.h"
#include "base/kill_point.h"
#include "base/limits.h"
#include "ops/memory.h"
#include "ops/progress.h"

/* An agent's clock may be off: what it says lies between the hand-out and now. */
static instant clamp(instant at, instant low, instant high)
{
	return at < low ? low : at > high ? high : at;
}

static void become(struct attempt_row *attempt, enum attempt_state state)
{
	ASSERT(attempt->state == state || attempt_may_become(attempt->state, state));
	attempt->state = state;
}

static void take_began(struct tx *tx, struct attempt_row *attempt, const struct report *report)
{
	attempt->began_ms = clamp(report->at_ms, attempt->handed_ms, tx->now);
	if (attempt->state == ATTEMPT_HANDED)
		become(attempt, ATTEMPT_RUNNING);
}

static void take_ended(struct tx *tx, struct attempt_row *attempt, const struct report *report)
{
	if (!attempt->began_ms && report->began_ms)
		attempt->began_ms = clamp(report->began_ms, attempt->handed_ms, tx->now);
	become(attempt, ATTEMPT_ENDED);
	attempt->ended_ms = clamp(report->at_ms, attempt->began_ms ? attempt->began_ms : attempt->handed_ms, tx->now);
	attempt->result = report->result;
	attempt->exit_code = report->exit_code;
	attempt->signal = report->signal;
	attempt->output_bytes = report->output_bytes;
	attempt->is_cut = report->cut;
	attempt->detail = report->detail && *report->detail ? report->detail : NULL;
}

/* True if the attempt is changed by the report; one that repeats what is known changes nothing. */
static bool apply(struct tx *tx, struct attempt_row *attempt, const struct report *report)
{
	if (!attempt_is_open(attempt->state))
		return false;
	switch (report->kind) {
	case REPORT_BEGAN:
		if (attempt->began_ms)
			return false;
		take_began(tx, attempt, report);
		return true;
	case REPORT_ENDED:
		take_ended(tx, attempt, report);
		return true;
	case REPORT_TAKEN_BACK:
		if (attempt->state != ATTEMPT_HANDED && attempt->began_ms)
			return false;
		/* Told to stop and taken back before it began: that is how it was stopped. */
		if (attempt->state == ATTEMPT_HANDED) {
			become(attempt, ATTEMPT_TAKEN_BACK);
		} else {
			attempt->result = attempt->state == ATTEMPT_KILLING ? RESULT_KILLED : RESULT_STOPPED;
			become(attempt, ATTEMPT_ENDED);
		}
		attempt->ended_ms = tx->now;
		return true;
	case REPORT_OUTPUT:
		return false;
	}
	return false;
}

static bool keep_output(struct tx *tx, const struct report *report, struct error *error)
{
	/* A little above the bound, for the mark that says where it was cut. */
	if (report->length == 0 || report->offset + (int64_t)report->length > LIMIT_OUTPUT_BYTES + 4096)
		return true;
	return outputs_add(tx, report->attempt, report->offset, report->bytes, report->length, error);
}

static bool save_and_progress(struct tx *tx, struct attempt_row *attempt, enum attempt_state before,
			      struct error *error)
{
	if (!attempts_save(tx, attempt, 1, error))
		return false;
	bool is_over = !attempt_is_open(attempt->state);
	if (!is_over) {
		/* "handed" became "running": a hold may be settled by it. */
		if (attempt->state != before)
			tx_effect(tx, EFFECT_HOLDS, 0);
		return true;
	}
	struct execution_row execution;
	bool found;
	if (!executions_get(tx, (struct execution_id){ attempt->id.execution }, &execution, &found, error))
		return false;
	if (!found)
		return error_set(error, ERR_STORE, "an attempt names an execution that is not there");
	return !execution_is_open(execution.state) || progress_execution(tx, &execution, attempt, 1, error);
}

/* The reports from `first` on that concern one attempt and stand together. *next: where the others begin. */
static bool take_run(struct tx *tx, struct agent_id agent, const struct report *reports, size_t first, size_t count,
		     size_t *next, const char **refusal, struct error *error)
{
	struct attempt_row attempt;
	bool found, is_changed = false;
	*refusal = NULL;
	if (!attempts_get(tx, reports[first].attempt, &attempt, &found, error))
		return false;
	bool is_known = found && attempt.agent.value == agent.value;
	enum attempt_state before = found ? attempt.state : ATTEMPT_ENDED;
	size_t i = first;
	for (; i < count && attempt_id_same(reports[i].attempt, reports[first].attempt); i++) {
		if (!is_known)
			continue;
		if (reports[i].kind == REPORT_OUTPUT) {
			if (!keep_output(tx, &reports[i], error))
				return false;
		} else {
			is_changed |= apply(tx, &attempt, &reports[i]);
		}
	}
	*next = i;
	if (!is_known)
		*refusal = found ? "this attempt was handed to another agent" : "no such attempt was ever handed out";
	KILL_POINT("reports.taken");
	return !is_changed || save_and_progress(tx, &attempt, before, error);
}

bool reports_take(struct tx *tx, struct agent_id agent, const struct report *reports, size_t count, struct arena *arena,
		  struct refused_report **refused, size_t *refused_count, struct error *error)
{
	*refused = NULL;
	*refused_count = 0;
	for (size_t i = 0; i < count;) {
		const char *refusal;
		size_t first = i;
		if (!take_run(tx, agent, reports, first, count, &i, &refusal, error))
			return false;
		if (!refusal)
			continue;
		if (!*refused)
			*refused = ARENA_ARRAY(arena, struct refused_report, count);
		(*refused)[(*refused_count)++] =
			(struct refused_report){ .attempt = reports[first].attempt, .detail = refusal };
	}
	return true;
}

bool reports_give_up(struct tx *tx, struct attempt_row *attempt, bool may_have_begun, const char *detail,
		     struct error *error)
{
	struct execution_row execution;
	const struct flow *flow;
	bool found;
	if (!executions_get(tx, (struct execution_id){ attempt->id.execution }, &execution, &found, error))
		return false;
	if (!found || !memory_flow(tx, execution.flow, execution.revision, &flow, error))
		return found ? false : error_set(error, ERR_STORE, "an attempt names an execution that is not there");

	enum attempt_state before = attempt->state;
	const struct flow_task *task = &flow->tasks[attempt->id.task];
	bool has_run = task_type_has_process(task->type) && (may_have_begun || attempt->began_ms);
	bool is_interrupted = before == ATTEMPT_STOPPING || before == ATTEMPT_KILLING;
	if (!has_run && !is_interrupted) {
		attempt->state = ATTEMPT_TAKEN_BACK;
	} else {
		become(attempt, ATTEMPT_ENDED);
		attempt->result = RESULT_LOST;
		if (!has_run)
			attempt->result = before == ATTEMPT_KILLING ? RESULT_KILLED : RESULT_STOPPED;
		attempt->detail = detail;
	}
	attempt->ended_ms = tx->now;
	return save_and_progress(tx, attempt, before, error);
}
