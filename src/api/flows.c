/*
 * Flows.
 */
#include <string.h>

#include "api/api.h"
#include "base/limits.h"
#include "base/text.h"
#include "http/problem.h"
#include "ops/flows.h"

struct flow_in {
	const char *source;
	struct flow *flow;
	const char *name;
	const char *after;
	int64_t limit;
};

struct flow_out {
	int64_t revision;
	enum flow_change change;
	struct revision_row row;
	const struct flow *flow;
	struct flow_row *rows;
	const struct flow **flows;
	size_t count;
};

static struct flow_in *in_of(struct api_call *call)
{
	if (!call->in)
		call->in = ARENA_NEW(&call->call.arena, struct flow_in);
	return call->in;
}

static struct flow_out *out_of(struct api_call *call)
{
	if (!call->out)
		call->out = ARENA_NEW(&call->call.arena, struct flow_out);
	return call->out;
}

static const char *full_name(struct api_call *call, const struct flow *flow)
{
	return arena_printf(&call->call.arena, "%s.%s", flow->name_space, flow->id);
}

static void write_problems(struct writer *out, const struct flow_problem *problems, size_t count)
{
	writer_key_array(out, "problems");
	for (size_t i = 0; i < count; i++) {
		writer_begin_object(out);
		writer_key_int(out, "line", problems[i].line);
		writer_key_int(out, "column", problems[i].column);
		writer_key_text(out, "text", problems[i].text);
		writer_end_object(out);
	}
	writer_end_array(out);
}

/* A problem document that carries every finding; the answer is complete, `write` has nothing to add. */
static void refuse_flow(struct api_call *call, const struct error *error, const struct flow_problem *problems,
			size_t count)
{
	char type[PROBLEM_TYPE_BYTES];
	struct writer out = { .buffer = &call->response.body };
	writer_begin_object(&out);
	writer_key_text(&out, "type", problem_type(error->code, type));
	writer_key_text(&out, "title", error_title(error->code));
	writer_key_int(&out, "status", error_http_status(error->code));
	writer_key_text(&out, "detail", error->detail);
	write_problems(&out, problems, count);
	writer_end_object(&out);
	call->response.content_type = PROBLEM_MEDIA_TYPE;
	call->status = error_http_status(error->code);
}

/* *is_good false: the flow does not validate, and the answer says so already. */
static bool read_yaml(struct api_call *call, bool *is_good, struct error *error)
{
	const struct http_request *request = call->request;
	struct flow_in *in = in_of(call);
	struct flow_problem *problems;
	size_t count;
	struct error refusal;
	*is_good = true;
	if (request->body_length > LIMIT_FLOW_BYTES)
		return error_set(error, ERR_TOO_LARGE, "a flow has at most %d bytes, this one has %zu",
				 LIMIT_FLOW_BYTES,
				 request->body_length);
	in->source = request->body;
	if (flow_parse(request->body, request->body_length, &call->call.arena, &in->flow, &problems, &count, &refusal))
		return true;
	if (refusal.code != ERR_UNPROCESSABLE) {
		*error = refusal;
		return false;
	}
	*is_good = false;
	refuse_flow(call, &refusal, problems, count);
	return true;
}

static bool read_apply(struct api_call *call, struct error *error)
{
	bool is_good;
	if (!read_yaml(call, &is_good, error))
		return false;
	in_of(call)->name = is_good ? full_name(call, in_of(call)->flow) : NULL;
	return true;
}

static bool run_apply(struct tx *tx, struct api_call *call, struct error *error)
{
	struct flow_in *in = call->in;
	struct flow_out *out = out_of(call);
	/* Who may not apply does not learn what is wrong with the YAML either. */
	if (!in->flow) {
		struct identity identity;
		call->status = error_http_status(ERR_UNPROCESSABLE);
		return identity_need(tx, &call->credential, PERM_FLOW_WRITE, &identity, error);
	}
	if (!flows_apply(tx, &call->credential, in->source, in->flow, &out->revision, &out->change, error))
		return false;
	call->status = out->change == FLOW_CREATED ? 201 : 200;
	return true;
}

static void write_apply(struct api_call *call, struct writer *out)
{
	const struct flow_in *in = call->in;
	const struct flow_out *result = call->out;
	if (!in->flow) {
		call->response.content_type = PROBLEM_MEDIA_TYPE;
		return;
	}
	writer_begin_object(out);
	writer_key_text(out, "flow", in->name);
	writer_key_int(out, "revision", result->revision);
	writer_key_text(out, "change", flow_change_name(result->change));
	writer_end_object(out);
}

static bool run_validate(struct tx *tx, struct api_call *call, struct error *error)
{
	struct identity identity;
	const struct flow_in *in = call->in;
	if (!in->flow)
		call->status = error_http_status(ERR_UNPROCESSABLE);
	return identity_need(tx, &call->credential, PERM_FLOW_READ, &identity, error);
}

static void write_validate(struct api_call *call, struct writer *out)
{
	const struct flow_in *in = call->in;
	if (!in->flow) {
		call->response.content_type = PROBLEM_MEDIA_TYPE;
		return;
	}
	writer_begin_object(out);
	writer_key_bool(out, "valid", true);
	writer_key_text(out, "flow", in->name);
	writer_key_int(out, "tasks", (int64_t)in->flow->task_count);
	writer_end_object(out);
}

static bool read_list(struct api_call *call, struct error *error)
{
	struct flow_in *in = in_of(call);
	const char *after = http_request_query(call->request, "after");
	in->after = after ? after : "";
	return api_query_int(call, "limit", 1, LIMIT_PAGE_ITEMS, LIMIT_PAGE_ITEMS_DEFAULT, &in->limit, error);
}

static bool run_list(struct tx *tx, struct api_call *call, struct error *error)
{
	const struct flow_in *in = call->in;
	struct flow_out *out = out_of(call);
	return flows_page(tx, &call->credential, in->after, (size_t)in->limit, &out->rows, &out->flows, &out->count,
			  error);
}

static void write_list(struct api_call *call, struct writer *out)
{
	const struct flow_in *in = call->in;
	const struct flow_out *result = call->out;
	writer_begin_object(out);
	writer_key_array(out, "items");
	for (size_t i = 0; i < result->count; i++) {
		const struct flow *flow = result->flows[i];
		writer_begin_object(out);
		writer_key_text(out, "flow", full_name(call, flow));
		writer_key_text(out, "namespace", flow->name_space);
		writer_key_text(out, "id", flow->id);
		writer_key_int(out, "revision", result->rows[i].revision);
		writer_key_text(out, "description", flow->description);
		writer_key_int(out, "tasks", (int64_t)flow->task_count);
		writer_end_object(out);
	}
	writer_end_array(out);
	bool is_full = result->count == (size_t)in->limit;
	writer_key_text(out, "next", is_full ? full_name(call, result->flows[result->count - 1]) : NULL);
	writer_end_object(out);
}

static bool run_show(struct tx *tx, struct api_call *call, struct error *error)
{
	struct flow_out *out = out_of(call);
	return flows_show(tx, &call->credential, api_parameter(call, "flow"), &out->row, &out->flow, error);
}

static void write_inputs(struct writer *out, const struct flow *flow)
{
	writer_key_array(out, "inputs");
	for (size_t i = 0; i < flow->input_count; i++) {
		const struct flow_input *input = &flow->inputs[i];
		writer_begin_object(out);
		writer_key_text(out, "id", input->id);
		writer_key_text(out, "type", input_type_name(input->type));
		writer_key_bool(out, "required", input->required);
		writer_key_text(out, "default", input->fallback);
		writer_key_text(out, "description", input->description);
		writer_end_object(out);
	}
	writer_end_array(out);
}

static void write_tasks(struct writer *out, const struct flow *flow)
{
	writer_key_array(out, "tasks");
	for (size_t i = 0; i < flow->task_count; i++) {
		const struct flow_task *task = &flow->tasks[i];
		writer_begin_object(out);
		writer_key_text(out, "id", task->id);
		writer_key_text(out, "type", task_type_name(task->type));
		writer_key_array(out, "needs");
		for (size_t k = 0; k < task->need_count; k++)
			writer_text(out, flow->tasks[task->needs[k]].id);
		writer_end_array(out);
		writer_key_text(out, "pool", task->pool);
		writer_key_array(out, "labels");
		for (size_t k = 0; k < task->label_count; k++)
			writer_text(out, task->labels[k]);
		writer_end_array(out);
		writer_key_duration(out, "timeout", task->timeout_ms ? task->timeout_ms : -1);
		writer_end_object(out);
	}
	writer_end_array(out);
}

static void write_show(struct api_call *call, struct writer *out)
{
	const struct flow_out *result = call->out;
	const struct flow *flow = result->flow;
	writer_begin_object(out);
	writer_key_text(out, "flow", full_name(call, flow));
	writer_key_text(out, "namespace", flow->name_space);
	writer_key_text(out, "id", flow->id);
	writer_key_int(out, "revision", result->row.revision);
	writer_key_text(out, "description", flow->description);
	writer_key_object(out, "labels");
	for (size_t i = 0; i < flow->label_count; i++)
		writer_key_text(out, flow->labels[i].name, flow->labels[i].value);
	writer_end_object(out);
	write_inputs(out, flow);
	write_tasks(out, flow);
	writer_key_text(out, "source", result->row.source);
	writer_key_instant(out, "applied", result->row.created_ms);
	writer_key_text(out, "applied_by", result->row.account);
	writer_end_object(out);
}

static bool run_delete(struct tx *tx, struct api_call *call, struct error *error)
{
	return flows_delete(tx, &call->credential, api_parameter(call, "flow"), error);
}

static void write_delete(struct api_call *call, struct writer *out)
{
	writer_begin_object(out);
	writer_key_text(out, "flow", api_parameter(call, "flow"));
	writer_key_text(out, "change", flow_change_name(FLOW_DELETED));
	writer_end_object(out);
}

const struct api_route api_flow_routes[] = {
	{ HTTP_PUT, "/v1/flows", "", API_OTHER, 200, read_apply, run_apply, write_apply,
	  "Stores a flow's YAML as its next revision, if it changed" },
	{ HTTP_POST, "/v1/flows/validate", "", API_READ, 200, read_apply, run_validate, write_validate,
	  "Checks a flow's YAML and stores nothing" },
	{ HTTP_GET, "/v1/flows", "limit after", API_READ, 200, read_list, run_list, write_list, "Flows by name" },
	{ HTTP_GET, "/v1/flows/{flow}", "", API_READ, 200, NULL, run_show, write_show,
	  "A flow with its newest revision" },
	{ HTTP_DELETE, "/v1/flows/{flow}", "", API_OTHER, 200, NULL, run_delete, write_delete,
	  "Nothing new of it can start; what was accepted runs" },
	{ 0 },
};
