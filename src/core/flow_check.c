#include "core/flow_check.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "core/flow_value.h"
#include "core/graph.h"

/* A task's id and its place. */
struct task_name {
	const char *id;
	int32_t place;
};

struct checking {
	struct arena *arena;
	struct flow_problems *problems;
	struct flow_draft *draft;
	const struct yaml *tasks;        /* the items of `tasks`, in step with the draft's; NULL: none */
	const struct yaml *inputs;
	struct task_name *names;         /* of the tasks that have one, by id, then by place */
	size_t name_count;
};

/* Where the item says `key`, the item itself if it does not. */
static const struct yaml *place_of(const struct yaml *item, const char *key)
{
	const struct yaml *value = yaml_member(item, key);
	return value ? value : item;
}

PRINTF_LIKE(3, 4) static void refuse(struct checking *in, const struct yaml *at, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	flow_problem_vadd(in->problems, at->line, at->column, format, arguments);
	va_end(arguments);
}

static int compare_names(const void *a, const void *b)
{
	const struct task_name *left = a, *right = b;
	int order = strcmp(left->id, right->id);
	return order ? order : (left->place > right->place) - (left->place < right->place);
}

static void sort_names(struct checking *in)
{
	const struct flow *flow = &in->draft->flow;
	in->names = ARENA_ARRAY(in->arena, struct task_name, flow->task_count);
	for (size_t i = 0; i < flow->task_count; i++)
		if (flow->tasks[i].id)
			in->names[in->name_count++] = (struct task_name){ flow->tasks[i].id, (int32_t)i };
	qsort(in->names, in->name_count, sizeof(*in->names), compare_names);
}

/* The first task with this id, -1 if there is none. */
static int32_t find_task(const struct checking *in, const char *id)
{
	size_t low = 0, high = in->name_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (strcmp(in->names[middle].id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < in->name_count && strcmp(in->names[low].id, id) == 0 ? in->names[low].place : -1;
}

static void check_task_ids(struct checking *in)
{
	const struct flow *flow = &in->draft->flow;
	const struct yaml *item = in->tasks;
	for (size_t i = 0; i < flow->task_count; i++, item = item->next) {
		const char *id = flow->tasks[i].id;
		int32_t first = id ? find_task(in, id) : -1;
		if (first >= 0 && (size_t)first < i)
			refuse(in, place_of(item, "id"),
			       "the task on line %d is called \"%s\" too; give each its own id",
			       flow->tasks[first].line, id);
	}
}

static void refuse_need(struct checking *in, const struct yaml *need)
{
	if (flow_problem_is_full(in->problems))
		return;
	const char **names = ARENA_ARRAY(in->arena, const char *, in->name_count + 1);
	for (size_t i = 0; i < in->name_count; i++)
		names[i] = in->names[i].id;
	const char *quoted = flow_problem_quote(in->problems, need->text);
	const char *nearest = text_nearest(need->text, names);
	if (nearest)
		refuse(in, need, "there is no task \"%s\"; did you mean \"%s\"?", quoted, nearest);
	else
		refuse(in, need, "there is no task \"%s\"; needs names tasks of this flow", quoted);
}

static void find_need(struct checking *in, struct flow_task *task, const struct yaml *need)
{
	int32_t place = find_task(in, need->text);
	bool is_twice = false;
	for (size_t i = 0; i < task->need_count; i++)
		is_twice = is_twice || task->needs[i] == place;
	if (place < 0)
		refuse_need(in, need);
	else if (is_twice)
		refuse(in, need, "\"%s\" is needed twice; remove one", need->text);
	else
		task->needs[task->need_count++] = place;
}

static void check_needs(struct checking *in)
{
	const struct flow *flow = &in->draft->flow;
	const struct yaml *item = in->tasks;
	for (size_t i = 0; i < flow->task_count; i++, item = item->next) {
		if (!flow->tasks[i].needs)
			continue;
		const struct yaml *needs = yaml_member(item, "needs"), *need = value_items(needs);
		for (size_t k = 0; k < value_item_count(needs); k++, need = need->next)
			find_need(in, &flow->tasks[i], need);
	}
}

/* "a needs b needs a"; of a long cycle the beginning. Only tasks with an id can be part of one. */
static void check_cycle(struct checking *in)
{
	enum { TOLD = 8 };
	const struct flow_task *tasks = in->draft->flow.tasks;
	int32_t *cycle;
	size_t count;
	if (!graph_find_cycle(&in->draft->flow, in->arena, &cycle, &count))
		return;
	const char *text = tasks[cycle[0]].id;
	for (size_t i = 1; i < count && i < TOLD; i++)
		text = arena_printf(in->arena, "%s needs %s", text, tasks[cycle[i]].id);
	const struct yaml *item = in->tasks;
	for (int32_t i = 0; i < cycle[0]; i++)
		item = item->next;
	refuse(in, place_of(item, "needs"),
	       "%s%s needs %s, so none of them can start; remove one of these needs", text,
	       count > TOLD ? " needs … which" : "", tasks[cycle[0]].id);
}

static size_t pair_bytes(const struct flow_pair *pair)
{
	return strlen(pair->name) + strlen(pair->value) + 2;
}

/* Lays the flow's env below the task's: both are sorted, and where both have a name the task's value counts. */
static void overlay_env(struct checking *in, struct flow_task *task, const struct yaml *item)
{
	const struct flow_pair *under = in->draft->env, *under_end = under + in->draft->env_count;
	const struct flow_pair *over = task->env, *over_end = over + task->env_count;
	struct flow_pair *merged = ARENA_ARRAY(in->arena, struct flow_pair, in->draft->env_count + task->env_count);
	size_t count = 0, bytes = 0;
	while (under < under_end || over < over_end) {
		int order = under == under_end ? 1 : over == over_end ? -1 : strcmp(under->name, over->name);
		merged[count] = order < 0 ? *under : *over;
		bytes += pair_bytes(&merged[count++]);
		under += order <= 0;
		over += order >= 0;
	}
	task->env = merged;
	task->env_count = count;
	if (bytes > LIMIT_ENV_BYTES)
		refuse(in, place_of(item, "env"),
		       "the environment of this task, with the flow's, is %zu bytes; at most "
		       "%d are taken",
		       bytes, LIMIT_ENV_BYTES);
}

static void overlay_envs(struct checking *in)
{
	const struct flow *flow = &in->draft->flow;
	const struct yaml *item = in->tasks;
	for (size_t i = 0; i < flow->task_count; i++, item = item->next)
		if (flow->tasks[i].type == TASK_SHELL)
			overlay_env(in, &flow->tasks[i], item);
}

static void check_default(struct checking *in, struct flow_input *input, const struct yaml *item)
{
	if (!input->fallback)
		return;
	const struct yaml *value = yaml_member(item, "default");
	if (input->required) {
		refuse(in, value, "an input with a default is never missing; remove required, or the default");
		return;
	}
	if (input->type == INPUT_BOOLEAN && value->kind == YAML_BOOLEAN)
		input->fallback = strchr("tT", value->text[0]) ? "true" : "false";
	if (!input_type_accepts(input->type, input->fallback))
		refuse(in, value, "default \"%s\" is not of type %s; write %s",
		       flow_problem_quote(in->problems, input->fallback), input_type_name(input->type),
		       input->type == INPUT_INTEGER ? "a whole number" : "true or false");
}

static void check_inputs(struct checking *in)
{
	const struct flow *flow = &in->draft->flow;
	const struct yaml *item = in->inputs;
	for (size_t i = 0; i < flow->input_count; i++, item = item->next) {
		struct flow_input *input = &flow->inputs[i];
		check_default(in, input, item);
		for (size_t k = 0; input->id && k < i; k++) {
			const struct flow_input *other = &flow->inputs[k];
			if (!other->id || strcmp(other->variable, input->variable) != 0)
				continue;
			refuse(in, place_of(item, "id"),
			       "inputs \"%s\" and \"%s\" would both be %s; rename one", other->id, input->id,
			       input->variable);
			break;
		}
	}
}

void flow_check(const struct yaml *root, struct arena *arena, struct flow_problems *problems,
		struct flow_draft *draft)
{
	const struct yaml *tasks = yaml_member(root, "tasks"), *inputs = yaml_member(root, "inputs");
	struct checking in = {
		.arena = arena,
		.problems = problems,
		.draft = draft,
		.tasks = tasks ? tasks->first : NULL,
		.inputs = inputs ? inputs->first : NULL,
	};
	sort_names(&in);
	check_task_ids(&in);
	check_needs(&in);
	check_cycle(&in);
	overlay_envs(&in);
	check_inputs(&in);
}
