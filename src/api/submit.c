/*
 * Submitting executions, one or many a request.
 */
#include <string.h>

#include "api/api.h"
#include "base/limits.h"
#include "ops/submit.h"

static const char *text_of(struct arena *arena, const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		return arena_text(arena, json_string_value(value));
	case JSON_INTEGER:
		return arena_printf(arena, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	case JSON_TRUE:
		return "true";
	case JSON_FALSE:
		return "false";
	default:
		return NULL;
	}
}

static bool read_inputs(const struct reader_at *item, struct arena *arena, struct submit_item *read,
			struct error *error)
{
	struct reader_at at = reader_key(item, "inputs");
	if (!at.value)
		return true;
	if (json_typeof(at.value) != JSON_OBJECT)
		return error_set(error, ERR_INVALID, "inputs must be an object");
	if (json_object_size(at.value) > LIMIT_INPUTS)
		return error_set(error, ERR_INVALID, "a flow has at most %d inputs", LIMIT_INPUTS);
	struct flow_pair *pairs = ARENA_ARRAY(arena, struct flow_pair, json_object_size(at.value));
	const char *name;
	json_t *value;
	json_object_foreach(at.value, name, value) {
		const char *text = text_of(arena, value);
		if (!text || (json_is_string(value) && strlen(text) != json_string_length(value)))
			return error_set(error, ERR_INVALID, "inputs.%.63s must be a text, an integer or a boolean",
					 name);
		pairs[read->input_count++] = (struct flow_pair){ arena_text(arena, name), text };
	}
	read->inputs = pairs;
	return true;
}

static bool read_item(const struct reader_at *at, struct arena *arena, struct submit_item *read, struct error *error)
{
	static const char *const known[] = { "flow", "inputs", "priority", "key", NULL };
	int64_t priority;
	struct submit_item item = { 0 };
	if (!reader_want_object(at, known, error) ||
	    !reader_need_text(at, "flow", LIMIT_NAMESPACE_BYTES + LIMIT_NAME_BYTES + 1, &item.flow, error) ||
	    !reader_get_int(at, "priority", -LIMIT_PRIORITY, LIMIT_PRIORITY, 0, &priority, error) ||
	    !reader_get_text(at, "key", LIMIT_KEY_BYTES, NULL, &item.key, error) ||
	    !read_inputs(at, arena, &item, error))
		return false;
	/* As a variable that was never set would give it: it would make one execution of all. */
	if (item.key && !*item.key)
		return error_set(error, ERR_INVALID, "key is empty; leave it out, or give each execution its own");
	item.flow = arena_text(arena, item.flow);
	item.key = arena_text(arena, item.key);
	item.priority = (int32_t)priority;
	*read = item;
	return true;
}

static bool read_items(struct api_call *call, const struct reader_at *root, struct submit *submit, struct error *error)
{
	static const char *const known[] = { "items", NULL };
	struct reader_at items = reader_key(root, "items");
	struct arena *arena = &call->call.arena;
	submit->is_batch = items.value != NULL;
	submit->count = 1;
	if (submit->is_batch && (!reader_want_object(root, known, error) ||
				 !reader_want_array(&items, LIMIT_SUBMIT_BATCH, &submit->count, error)))
		return false;
	if (submit->count == 0)
		return error_set(error, ERR_INVALID, "items is empty; give 1 to %d", LIMIT_SUBMIT_BATCH);
	struct submit_item *list = ARENA_ARRAY(arena, struct submit_item, submit->count);
	submit->items = list;
	submit->results = ARENA_ARRAY(arena, struct submit_result, submit->count);
	if (!submit->is_batch)
		return read_item(root, arena, &list[0], error);
	for (size_t i = 0; i < submit->count; i++) {
		struct reader_at at = reader_index(&items, i);
		if (!read_item(&at, arena, &list[i], error))
			return strncmp(error->detail, "items[", 6) == 0 ? false : error_prefix(error, "items[%zu]", i);
	}
	return true;
}

static bool read_submit(struct api_call *call, struct error *error)
{
	struct submit *submit = ARENA_NEW(&call->call.arena, struct submit);
	json_t *root;
	if (!api_body(call, NULL, &root, error))
		return false;
	struct reader_at at = reader_root(root);
	bool ok = json_typeof(root) == JSON_OBJECT ? read_items(call, &at, submit, error)
						   : error_set(error, ERR_INVALID, "the JSON must be an object");
	json_decref(root);
	submit->credential = &call->credential;
	call->in = submit;
	call->call.rows = submit->count;
	return ok;
}

static void write_result(struct writer *out, const struct submit_item *item, const struct submit_result *result)
{
	writer_begin_object(out);
	writer_key_int(out, "number", result->number);
	writer_key_text(out, "flow", item->flow);
	writer_key_int(out, "revision", result->revision);
	writer_key_text(out, "state", execution_state_name(result->state));
	writer_key_bool(out, "repeated", result->is_repeated);
	writer_end_object(out);
}

static void write_submit(struct api_call *call, struct writer *out)
{
	const struct submit *submit = call->in;
	if (!submit->is_batch) {
		if (submit->results[0].is_repeated)
			call->response.status = 200;
		write_result(out, &submit->items[0], &submit->results[0]);
		return;
	}
	writer_begin_object(out);
	writer_key_array(out, "items");
	for (size_t i = 0; i < submit->count; i++)
		write_result(out, &submit->items[i], &submit->results[i]);
	writer_end_array(out);
	writer_end_object(out);
}

const struct api_route api_submit_routes[] = {
	{ HTTP_POST, "/v1/executions", "", API_SUBMIT, 201, read_submit, NULL, write_submit,
	  "Accepts an execution of a flow, or with `items` up to 1,000, all or none" },
	{ 0 },
};
