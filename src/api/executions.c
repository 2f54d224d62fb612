/*
 * Looking at executions, their logs, and interrupting them.
 */
#include <inttypes.h>
#include <string.h>

#include "api/api.h"
#include "base/limits.h"
#include "ops/executions.h"

struct execution_in {
	int64_t number;
	struct execution_filter filter;
	const char *task;
	int64_t try;
	int64_t offset;
	const char *reason;
};

struct execution_out {
	struct execution_view view;
	struct execution_view *views;
	size_t count;
	int64_t next;
	struct buffer *logs;             /* of each attempt */
	struct attempt_row attempt;
};

static bool read_number(struct api_call *call, struct error *error)
{
	struct execution_in *in = ARENA_NEW(&call->call.arena, struct execution_in);
	call->in = in;
	call->out = ARENA_NEW(&call->call.arena, struct execution_out);
	return api_number(call, "number", &in->number, error);
}

static void write_head(struct writer *out, const struct execution_view *view)
{
	const struct execution_row *row = &view->row;
	writer_key_int(out, "number", execution_id_number(row->id));
	writer_key_text(out, "flow", view->flow_name);
	writer_key_int(out, "revision", row->revision);
	writer_key_text(out, "state", execution_state_name(row->state));
	writer_key_int(out, "priority", row->priority);
	writer_key_text(out, "account", view->account_name);
	writer_key_instant(out, "created", row->created_ms);
	writer_key_instant(out, "started", row->started_ms);
	writer_key_instant(out, "ended", row->ended_ms);
	writer_key_text(out, "cause", row->cause);
	writer_key(out, "held_by");
	if (view->held_by.value)
		writer_int(out, view->held_by.value);
	else
		writer_null(out);
	writer_key_text(out, "held_reason", view->held_reason);
	writer_key_object(out, "inputs");
	for (size_t i = 0; i < view->input_count; i++) {
		writer_key_text(out, view->inputs[i].name, view->inputs[i].value);
	}
	writer_end_object(out);
}

static void write_attempt(struct writer *out, const struct attempt_row *attempt, const char *agent)
{
	writer_begin_object(out);
	writer_key_int(out, "try", attempt->id.try);
	writer_key_text(out, "state", attempt_state_name(attempt->state));
	writer_key_text(out, "result", attempt->result ? result_name(attempt->result) : NULL);
	writer_key_text(out, "agent", agent);
	writer_key_instant(out, "handed", attempt->handed_ms);
	writer_key_instant(out, "began", attempt->began_ms);
	writer_key_instant(out, "ended", attempt->ended_ms);
	writer_key_int(out, "exit_code", attempt->exit_code);
	writer_key_int(out, "signal", attempt->signal);
	writer_key_int(out, "output_bytes", attempt->output_bytes);
	writer_key_bool(out, "cut", attempt->is_cut);
	writer_key_text(out, "detail", attempt->detail);
	writer_end_object(out);
}

static void write_tasks(struct writer *out, const struct execution_view *view)
{
	writer_key_array(out, "tasks");
	for (size_t i = 0; i < view->flow->task_count; i++) {
		const struct task_view *task = &view->tasks[i];
		writer_begin_object(out);
		writer_key_text(out, "id", view->flow->tasks[i].id);
		writer_key_text(out, "type", task_type_name(view->flow->tasks[i].type));
		writer_key_text(out, "status", task_status_name(task->status));
		writer_key_text(out, "result", task->result ? result_name(task->result) : NULL);
		writer_key_array(out, "attempts");
		for (size_t k = 0; k < view->attempt_count; k++)
			if (view->attempts[k].id.task == (int32_t)i)
				write_attempt(out, &view->attempts[k], view->agent_names[k]);
		writer_end_array(out);
		writer_end_object(out);
	}
	writer_end_array(out);
}

static bool read_show(struct api_call *call, struct error *error)
{
	struct execution_in *in;
	if (!read_number(call, error))
		return false;
	in = call->in;
	/* There is one tenant as yet, so the number alone tells the execution. */
	struct execution_id id = execution_id_make((struct tenant_id){ TENANT_MAIN }, in->number);
	return api_query_wait(call, "ended", EFFECT_EXECUTION, id.value, error);
}

static bool run_show(struct tx *tx, struct api_call *call, struct error *error)
{
	const struct execution_in *in = call->in;
	struct execution_out *out = call->out;
	if (!executions_show(tx, &call->credential, in->number, &out->view, error))
		return false;
	if (!execution_is_open(out->view.row.state))
		api_wait_is_over(call);
	return true;
}

static void write_show(struct api_call *call, struct writer *out)
{
	const struct execution_out *result = call->out;
	writer_begin_object(out);
	write_head(out, &result->view);
	write_tasks(out, &result->view);
	writer_end_object(out);
}

static bool read_list(struct api_call *call, struct error *error)
{
	struct execution_in *in = ARENA_NEW(&call->call.arena, struct execution_in);
	const char *state = http_request_query(call->request, "state");
	int64_t limit;
	call->in = in;
	call->out = ARENA_NEW(&call->call.arena, struct execution_out);
	in->filter.flow = http_request_query(call->request, "flow");
	if (!api_query_int(call, "limit", 1, LIMIT_PAGE_ITEMS, LIMIT_PAGE_ITEMS_DEFAULT, &limit, error) ||
	    !api_query_int(call, "before", 1, EXECUTION_NUMBER_LIMIT - 1, 0, &in->filter.before, error))
		return false;
	in->filter.limit = (size_t)limit;
	in->filter.has_state = state != NULL;
	return !state || execution_state_parse(state, &in->filter.state) ||
	       error_set(error, ERR_INVALID,
			 "\"%.40s\" is no state; write queued, running, stopping, killing, succeeded, "
			 "failed, timed_out, stopped, killed, cancelled or lost", state);
}

static bool run_list(struct tx *tx, struct api_call *call, struct error *error)
{
	const struct execution_in *in = call->in;
	struct execution_out *out = call->out;
	return executions_page(tx, &call->credential, &in->filter, &out->views, &out->count, &out->next, error);
}

static void write_list(struct api_call *call, struct writer *out)
{
	const struct execution_out *result = call->out;
	writer_begin_object(out);
	writer_key_array(out, "items");
	for (size_t i = 0; i < result->count; i++) {
		writer_begin_object(out);
		write_head(out, &result->views[i]);
		writer_end_object(out);
	}
	writer_end_array(out);
	writer_key(out, "next");
	if (result->next)
		writer_int(out, result->next);
	else
		writer_null(out);
	writer_end_object(out);
}

static bool read_logs(struct api_call *call, struct error *error)
{
	if (!read_number(call, error))
		return false;
	((struct execution_in *)call->in)->task = http_request_query(call->request, "task");
	return true;
}

static bool is_wanted(const struct execution_in *in, const struct execution_view *view, size_t attempt)
{
	const char *task = view->flow->tasks[view->attempts[attempt].id.task].id;
	return !in->task || strcmp(in->task, task) == 0;
}

static bool check_task(const struct execution_in *in, const struct execution_view *view, struct error *error)
{
	for (size_t i = 0; in->task && i < view->flow->task_count; i++)
		if (strcmp(in->task, view->flow->tasks[i].id) == 0)
			return true;
	return !in->task || error_set(error, ERR_NOT_FOUND, "%s has no task %.60s", view->flow_name, in->task);
}

/* All logs of an execution in one answer: as much as a body may have, the rest by /logs/{task}. */
static bool run_logs(struct tx *tx, struct api_call *call, struct error *error)
{
	const struct execution_in *in = call->in;
	struct execution_out *out = call->out;
	if (!executions_show(tx, &call->credential, in->number, &out->view, error) ||
	    !check_task(in, &out->view, error))
		return false;
	out->logs = ARENA_ARRAY(&call->call.arena, struct buffer, out->view.attempt_count);
	size_t sum = 0;
	for (size_t i = 0; i < out->view.attempt_count && sum < LIMIT_BODY_BYTES; i++) {
		struct buffer log = { 0 };
		if (!is_wanted(in, &out->view, i))
			continue;
		bool ok = executions_log_of(tx, &out->view.attempts[i], &log, error);
		out->logs[i].at = arena_copy(&call->call.arena, buffer_cstr(&log), log.length);
		out->logs[i].length = log.length;
		sum += log.length;
		buffer_fini(&log);
		if (!ok)
			return false;
	}
	return true;
}

static void write_logs(struct api_call *call, struct writer *out)
{
	const struct execution_in *in = call->in;
	const struct execution_out *result = call->out;
	writer_begin_object(out);
	writer_key_array(out, "items");
	for (size_t i = 0; i < result->view.attempt_count; i++) {
		const struct attempt_row *attempt = &result->view.attempts[i];
		if (!is_wanted(in, &result->view, i) || !result->logs[i].at)
			continue;
		writer_begin_object(out);
		writer_key_text(out, "task", result->view.flow->tasks[attempt->id.task].id);
		writer_key_int(out, "try", attempt->id.try);
		writer_key(out, "text");
		writer_bytes(out, result->logs[i].at, result->logs[i].length);
		writer_key_int(out, "bytes", attempt->output_bytes);
		writer_key_bool(out, "cut", attempt->is_cut);
		writer_end_object(out);
	}
	writer_end_array(out);
	writer_end_object(out);
}

static bool read_log(struct api_call *call, struct error *error)
{
	struct execution_in *in;
	if (!read_number(call, error))
		return false;
	in = call->in;
	in->task = api_parameter(call, "task");
	return api_query_int(call, "try", 1, INT32_MAX, 0, &in->try, error) &&
	       api_query_int(call, "offset", 0, INT64_MAX, 0, &in->offset, error);
}

static bool run_log(struct tx *tx, struct api_call *call, struct error *error)
{
	const struct execution_in *in = call->in;
	struct execution_out *out = call->out;
	buffer_reset(&call->response.body);
	call->response.content_type = "application/octet-stream";
	return executions_log(tx, &call->credential, in->number, in->task, (int32_t)in->try, in->offset,
			      &call->response.body, &out->attempt, error);
}

static bool read_interruption(struct api_call *call, struct error *error)
{
	static const char *const known[] = { "reason", NULL };
	struct execution_in *in;
	json_t *root;
	if (!read_number(call, error) || !api_body(call, known, &root, error))
		return false;
	in = call->in;
	struct reader_at at = reader_root(root);
	bool ok = reader_get_text(&at, "reason", LIMIT_REASON_BYTES, NULL, &in->reason, error);
	in->reason = ok ? arena_text(&call->call.arena, in->reason) : NULL;
	json_decref(root);
	return ok;
}

static bool interrupt(struct tx *tx, struct api_call *call, enum interruption interruption, struct error *error)
{
	const struct execution_in *in = call->in;
	struct execution_out *out = call->out;
	if (!executions_interrupt(tx, &call->credential, in->number, interruption, in->reason, error))
		return false;
	return executions_show(tx, &call->credential, in->number, &out->view, error);
}

static bool run_stop(struct tx *tx, struct api_call *call, struct error *error)
{
	return interrupt(tx, call, INTERRUPT_STOP, error);
}

static bool run_kill(struct tx *tx, struct api_call *call, struct error *error)
{
	return interrupt(tx, call, INTERRUPT_KILL, error);
}

static bool run_cancel(struct tx *tx, struct api_call *call, struct error *error)
{
	return interrupt(tx, call, INTERRUPT_CANCEL, error);
}

const struct api_route api_execution_routes[] = {
	{ HTTP_GET, "/v1/executions", "flow state limit before", API_READ, 200, read_list, run_list, write_list,
	  "Executions, newest first" },
	{ HTTP_GET, "/v1/executions/{number}", "until wait", API_READ, 200, read_show, run_show, write_show,
	  "An execution with its tasks; ?until=ended&wait=30s waits for its end" },
	{ HTTP_GET, "/v1/executions/{number}/logs", "task", API_READ, 200, read_logs, run_logs, write_logs,
	  "What its attempts wrote" },
	{ HTTP_GET, "/v1/executions/{number}/logs/{task}", "try offset", API_READ, 200, read_log, run_log, NULL,
	  "What one attempt wrote, as it was" },
	{ HTTP_POST, "/v1/executions/{number}/stop", "", API_COMMAND, 200, read_interruption, run_stop, write_show,
	  "Tells what runs to stop; a queued one is cancelled" },
	{ HTTP_POST, "/v1/executions/{number}/kill", "", API_COMMAND, 200, read_interruption, run_kill, write_show,
	  "Kills what runs; a queued one is cancelled" },
	{ HTTP_POST, "/v1/executions/{number}/cancel", "", API_COMMAND, 200, read_interruption, run_cancel, write_show,
	  "Cancels an execution that has not begun" },
	{ 0 },
};
