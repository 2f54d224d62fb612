#include "core/flow.h"

#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "base/text.h"
#include "core/flow_check.h"
#include "core/flow_problem.h"
#include "core/flow_yaml.h"
#include "core/yaml.h"

static const struct {
	const char *name;
	bool has_process;
} task_types[TASK_TYPES] = {
	[TASK_SHELL] = { "shell", true },
	[TASK_SLEEP] = { "sleep", false },
	[TASK_LOG]   = { "log", false },
	[TASK_NOOP]  = { "noop", false },
};

static const char *const input_types[INPUT_TYPES] = {
	[INPUT_STRING]  = "string",
	[INPUT_INTEGER] = "integer",
	[INPUT_BOOLEAN] = "boolean",
};

const char *task_type_name(enum task_type type)
{
	ASSERT(type < TASK_TYPES);
	return task_types[type].name;
}

bool task_type_parse(const char *name, enum task_type *type)
{
	for (int i = 0; i < TASK_TYPES; i++) {
		if (strcmp(task_types[i].name, name) != 0)
			continue;
		*type = (enum task_type)i;
		return true;
	}
	return false;
}

bool task_type_has_process(enum task_type type)
{
	ASSERT(type < TASK_TYPES);
	return task_types[type].has_process;
}

const char *input_type_name(enum input_type type)
{
	ASSERT(type < INPUT_TYPES);
	return input_types[type];
}

bool input_type_accepts(enum input_type type, const char *text)
{
	int64_t number;
	switch (type) {
	case INPUT_INTEGER:
		return text_to_int64(text, INT64_MIN, INT64_MAX, &number);
	case INPUT_BOOLEAN:
		return strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
	default:
		return true;
	}
}

bool namespace_is_valid(const char *text)
{
	if (strlen(text) > LIMIT_NAMESPACE_BYTES)
		return false;
	for (;;) {
		size_t length = strcspn(text, ".");
		char part[LIMIT_NAME_BYTES + 1];
		if (length > LIMIT_NAME_BYTES)
			return false;
		memcpy(part, text, length);
		part[length] = '\0';
		if (!text_is_name(part, LIMIT_NAME_BYTES, false))
			return false;
		if (text[length] == '\0')
			return true;
		text += length + 1;
	}
}

/* The problems for the caller, and the first of them as the error. Always false. */
static bool refuse_flow(struct flow_problems *found, struct flow_problem **problems, size_t *problem_count,
			struct error *error)
{
	flow_problem_sort(found);
	if (problems) {
		*problems = ARENA_ARRAY(found->arena, struct flow_problem, found->count);
		memcpy(*problems, found->list, found->count * sizeof(**problems));
	}
	if (problem_count)
		*problem_count = found->count;
	return error_set(error, ERR_UNPROCESSABLE, "line %d, column %d: %s", found->list[0].line,
			 found->list[0].column, found->list[0].text);
}

bool flow_parse(const char *yaml, size_t length, struct arena *arena, struct flow **flow,
		struct flow_problem **problems, size_t *problem_count, struct error *error)
{
	struct flow_problems found = { .arena = arena };
	if (problem_count)
		*problem_count = 0;
	if (length > LIMIT_FLOW_BYTES)
		return error_set(error, ERR_TOO_LARGE, "the flow is %zu bytes; at most %d are taken", length,
				 LIMIT_FLOW_BYTES);
	const struct yaml *root;
	if (!yaml_read(yaml, length, arena, &found, &root))
		return refuse_flow(&found, problems, problem_count, error);
	struct flow_draft *draft = ARENA_NEW(arena, struct flow_draft);
	flow_yaml_read(root, arena, &found, draft);
	flow_check(root, arena, &found, draft);
	if (found.count > 0)
		return refuse_flow(&found, problems, problem_count, error);
	*flow = &draft->flow;
	return true;
}

static bool refuse_unknown_input(const struct flow *flow, const char *id, struct arena *arena, struct error *error)
{
	const char **names = ARENA_ARRAY(arena, const char *, flow->input_count + 1);
	for (size_t i = 0; i < flow->input_count; i++)
		names[i] = flow->inputs[i].id;
	const char *nearest = text_nearest(id, names);
	if (nearest)
		return error_set(error, ERR_INVALID, "there is no input \"%.63s\"; did you mean \"%s\"?", id,
				 nearest);
	if (flow->input_count == 0)
		return error_set(error, ERR_INVALID, "there is no input \"%.63s\"; the flow has none", id);
	return error_set(error, ERR_INVALID, "there is no input \"%.63s\" in the flow", id);
}

/* Puts the given values at their inputs' places in `values`. */
static bool place_given(const struct flow *flow, const struct flow_pair *given, size_t given_count,
			struct arena *arena, const char **values, struct error *error)
{
	for (size_t i = 0; i < given_count; i++) {
		size_t place = 0;
		while (place < flow->input_count && strcmp(flow->inputs[place].id, given[i].name) != 0)
			place++;
		if (place == flow->input_count)
			return refuse_unknown_input(flow, given[i].name, arena, error);
		if (values[place])
			return error_set(error, ERR_INVALID, "input \"%s\" is given twice", given[i].name);
		values[place] = given[i].value;
	}
	return true;
}

static bool check_value(const struct flow_input *input, const char *value, struct error *error)
{
	if (!value)
		return !input->required || error_set(error, ERR_INVALID, "input \"%s\" is required", input->id);
	if (input_type_accepts(input->type, value))
		return true;
	return error_set(error, ERR_INVALID, "input \"%s\" must be %s, not \"%.40s\"", input->id,
			 input->type == INPUT_INTEGER ? "a whole number" : "true or false", value);
}

bool flow_bind_inputs(const struct flow *flow, const struct flow_pair *given, size_t given_count,
		      struct arena *arena, struct flow_pair **bound, size_t *bound_count, struct error *error)
{
	const char **values = ARENA_ARRAY(arena, const char *, flow->input_count);
	if (!place_given(flow, given, given_count, arena, values, error))
		return false;
	struct flow_pair *pairs = ARENA_ARRAY(arena, struct flow_pair, flow->input_count);
	size_t count = 0, bytes = 0;
	for (size_t i = 0; i < flow->input_count; i++) {
		const char *value = values[i] ? values[i] : flow->inputs[i].fallback;
		if (!check_value(&flow->inputs[i], value, error))
			return false;
		if (!value)
			continue;
		bytes += strlen(value);
		pairs[count++] = (struct flow_pair){ flow->inputs[i].id, value };
	}
	if (bytes > LIMIT_INPUTS_BYTES)
		return error_set(error, ERR_TOO_LARGE,
				 "the inputs are %zu bytes together; at most %d are taken", bytes,
				 LIMIT_INPUTS_BYTES);
	*bound = pairs;
	*bound_count = count;
	return true;
}
