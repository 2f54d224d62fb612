#include "core/flow_yaml.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "core/flow_value.h"

/* Reads `value` into its place in `thing`: a struct flow_draft, flow_task or flow_input, as the row's table says. */
typedef void key_reader(struct value_reader *in, const struct yaml *value, void *thing);

/* The kinds of a thing that need or allow a key: task types as bits; a flow and an input are of one kind. */
#define ALWAYS (~0U)
#define NEVER 0U

struct key_row {
	const char *name;
	key_reader *read;
	unsigned needed;
	unsigned allowed;
	const char *example;
};

static key_reader flow_id, flow_namespace, flow_description, flow_labels, flow_inputs, flow_env, flow_on_lost,
	flow_tasks;
static key_reader task_id, task_type, task_commands, task_message, task_duration, task_timeout, task_pool,
	task_labels, task_needs, task_env;
static key_reader input_id, input_type, input_default, input_required, input_description;

#define EXAMPLE_TASK "{ id: hello, type: shell, commands: echo hello }"

static const struct key_row flow_rows[] = {
	{ "id",          flow_id,          ALWAYS, ALWAYS, "id: nightly-backup" },
	{ "namespace",   flow_namespace,   NEVER,  ALWAYS, "namespace: ops.database" },
	{ "description", flow_description, NEVER,  ALWAYS, "description: what it is for" },
	{ "labels",      flow_labels,      NEVER,  ALWAYS, "labels: { team: storage }" },
	{ "inputs",      flow_inputs,      NEVER,  ALWAYS, "inputs: [ { id: day, type: string } ]" },
	{ "env",         flow_env,         NEVER,  ALWAYS, "env: { LANG: C }" },
	{ "on_lost",     flow_on_lost,     NEVER,  ALWAYS, "on_lost: fail" },
	{ "tasks",       flow_tasks,       ALWAYS, ALWAYS, "tasks: [ " EXAMPLE_TASK " ]" },
};

static const struct key_row task_rows[] = {
	{ "id",       task_id,       ALWAYS,          ALWAYS,          "id: dump" },
	{ "type",     task_type,     ALWAYS,          ALWAYS,          "type: shell" },
	{ "commands", task_commands, BIT(TASK_SHELL), BIT(TASK_SHELL), "commands: [ echo hello ]" },
	{ "message",  task_message,  BIT(TASK_LOG),   BIT(TASK_LOG),   "message: hello" },
	{ "duration", task_duration, BIT(TASK_SLEEP), BIT(TASK_SLEEP), "duration: 5s" },
	{ "needs",    task_needs,    NEVER,           ALWAYS,          "needs: [ other-task ]" },
	{ "env",      task_env,      NEVER,           BIT(TASK_SHELL), "env: { LANG: C }" },
	{ "timeout",  task_timeout,  NEVER,           ALWAYS,          "timeout: 15m" },
	{ "pool",     task_pool,     NEVER,           ALWAYS,          "pool: default" },
	{ "labels",   task_labels,   NEVER,           ALWAYS,          "labels: [ linux ]" },
};

static const struct key_row input_rows[] = {
	{ "id",          input_id,          ALWAYS, ALWAYS, "id: day" },
	{ "type",        input_type,        NEVER,  ALWAYS, "type: string" },
	{ "default",     input_default,     NEVER,  ALWAYS, "default: monday" },
	{ "required",    input_required,    NEVER,  ALWAYS, "required: true" },
	{ "description", input_description, NEVER,  ALWAYS, "description: which day" },
};

enum { MOST_ROWS = 16 };

/* What has keys. */
struct thing {
	const char *name;
	const char *place;               /* where its keys stand */
	const struct key_row *rows;
	size_t count;
};

static const struct thing thing_flow = { "a flow", "at the top of the flow", flow_rows, COUNT_OF(flow_rows) };
static const struct thing thing_task = { "a task", "in a task", task_rows, COUNT_OF(task_rows) };
static const struct thing thing_input = { "an input", "in an entry of inputs", input_rows, COUNT_OF(input_rows) };
static const struct thing *const things[] = { &thing_flow, &thing_task, &thing_input };

static const struct key_row *find_row(const struct thing *thing, const char *name)
{
	for (size_t i = 0; i < thing->count; i++)
		if (strcmp(thing->rows[i].name, name) == 0)
			return &thing->rows[i];
	return NULL;
}

static void refuse_key(struct value_reader *in, const struct thing *thing, const struct yaml *key)
{
	if (flow_problem_is_full(in->problems))
		return;
	const char *quoted = flow_problem_quote(in->problems, key->text);
	for (size_t i = 0; i < COUNT_OF(things); i++) {
		if (!find_row(things[i], key->text))
			continue;
		value_refuse(in, key, "\"%s\" is no key of %s; it stands %s", quoted, thing->name, things[i]->place);
		return;
	}
	const char *names[MOST_ROWS] = { NULL };
	_Static_assert(COUNT_OF(task_rows) < MOST_ROWS && COUNT_OF(flow_rows) < MOST_ROWS, "room for every name");
	for (size_t i = 0; i < thing->count; i++)
		names[i] = thing->rows[i].name;
	const char *nearest = text_nearest(key->text, names);
	if (nearest)
		value_refuse(in, key, "unknown key \"%s\"; did you mean \"%s\"?", quoted, nearest);
	else
		value_refuse(in, key, "unknown key \"%s\"; %s has %s", quoted, thing->name,
			     flow_problem_list(in->problems, names, "and"));
}

/* The task type of a kind with one bit. */
static const char *kind_name(unsigned kind)
{
	return task_type_name((enum task_type)__builtin_ctz(kind));
}

/* Reads the members of `map` by the rows; `kind` has one bit, or all where the thing has no or no good type. */
static void read_keys(struct value_reader *in, const struct yaml *map, const struct thing *thing, unsigned kind,
		      void *into)
{
	for (const struct yaml *member = map->first; member; member = member->next) {
		const struct key_row *row = find_row(thing, member->key->text);
		if (!row) {
			refuse_key(in, thing, member->key);
		} else if (!(row->allowed & kind)) {
			value_refuse(in, member->key,
				     "%s belongs to a task of type %s; this one is of type %s", row->name,
				     kind_name(row->allowed), kind_name(kind));
		} else {
			in->key = row->name;
			in->example = row->example;
			row->read(in, member, into);
		}
	}
	for (const struct key_row *row = thing->rows; row < thing->rows + thing->count; row++)
		if ((row->needed & kind) == kind && !yaml_member(map, row->name))
			value_refuse(in, map, "%s is missing; write it like %s", row->name, row->example);
}

/* What the values of the flow's own keys are. */

static void flow_id(struct value_reader *in, const struct yaml *value, void *thing)
{
	struct flow_draft *draft = thing;
	value_name(in, value, LIMIT_NAME_BYTES, false, &draft->flow.id);
}

static void flow_namespace(struct value_reader *in, const struct yaml *value, void *thing)
{
	struct flow_draft *draft = thing;
	const char *text;
	if (!value_text(in, value, LIMIT_NAMESPACE_BYTES, &text))
		return;
	if (namespace_is_valid(text))
		draft->flow.name_space = text;
	else
		value_refuse(in, value, "namespace \"%s\" is none; write names joined by dots, like ops.database",
			     flow_problem_quote(in->problems, text));
}

static void flow_description(struct value_reader *in, const struct yaml *value, void *thing)
{
	struct flow_draft *draft = thing;
	value_text(in, value, LIMIT_DESCRIPTION_BYTES, &draft->flow.description);
}

static bool read_label_pair(struct value_reader *in, const struct yaml *member, const char **text)
{
	const char *name;
	return value_name(in, member->key, LIMIT_LABEL_BYTES, true, &name) &&
	       value_as_text(in, member, LIMIT_LABEL_BYTES, text);
}

static void flow_labels(struct value_reader *in, const struct yaml *value, void *thing)
{
	struct flow_draft *draft = thing;
	value_pairs(in, value, LIMIT_LABELS, read_label_pair, &draft->flow.labels, &draft->flow.label_count);
}

static bool variable_is_valid(const char *name)
{
	static const char allowed[] = "0123456789_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	bool is_digit = *name >= '0' && *name <= '9';
	return *name && !is_digit && name[strspn(name, allowed)] == '\0';
}

static bool read_variable(struct value_reader *in, const struct yaml *member, const char **text)
{
	const char *name = member->key->text;
	const char *quoted = flow_problem_quote(in->problems, name);
	if (!variable_is_valid(name))
		return value_refuse(in, member->key, "\"%s\" cannot name an environment variable; use letters, "
				    "digits and \"_\", and do not begin with a digit", quoted);
	if (text_starts_with(name, "LULL_") || text_starts_with(name, "INPUT_"))
		return value_refuse(in, member->key, "\"%s\" is set by Lull itself; choose a name that does not "
				    "begin with LULL_ or INPUT_", quoted);
	return value_as_text(in, member, LIMIT_ENV_BYTES, text);
}

static void flow_env(struct value_reader *in, const struct yaml *value, void *thing)
{
	struct flow_draft *draft = thing;
	value_pairs(in, value, LIMIT_ENV, read_variable, &draft->env, &draft->env_count);
}

static void flow_on_lost(struct value_reader *in, const struct yaml *value, void *thing)
{
	static const char *const names[] = { [ON_LOST_FAIL] = "fail", [ON_LOST_RETRY] = "retry", NULL };
	struct flow_draft *draft = thing;
	int place;
	if (value_choice(in, value, names, &place))
		draft->flow.on_lost = (enum on_lost)place;
}

static void flow_inputs(struct value_reader *in, const struct yaml *value, void *thing)
{
	struct flow_draft *draft = thing;
	if (!value_list(in, value, LIMIT_INPUTS))
		return;
	struct flow_input *inputs = ARENA_ARRAY(in->arena, struct flow_input, value->count);
	draft->flow.inputs = inputs;
	draft->flow.input_count = value->count;
	for (const struct yaml *item = value->first; item; item = item->next, inputs++)
		if (item->kind == YAML_MAP)
			read_keys(in, item, &thing_input, ALWAYS, inputs);
		else
			value_refuse(in, item, "an input is a map; write it like { id: day, type: string }");
}

/* The kind of the task: its type as a bit, ALWAYS where it is not known. */
static unsigned kind_of_task(const struct yaml *task)
{
	const struct yaml *value = yaml_member(task, "type");
	enum task_type type;
	return value && value->text && task_type_parse(value->text, &type) ? BIT(type) : ALWAYS;
}

static void flow_tasks(struct value_reader *in, const struct yaml *value, void *thing)
{
	struct flow_draft *draft = thing;
	if (!value_list(in, value, LIMIT_TASKS))
		return;
	if (value->count == 0)
		value_refuse(in, value, "a flow needs at least one task; write it like %s", in->example);
	struct flow_task *tasks = ARENA_ARRAY(in->arena, struct flow_task, value->count);
	draft->flow.tasks = tasks;
	draft->flow.task_count = value->count;
	for (const struct yaml *item = value->first; item; item = item->next, tasks++) {
		tasks->line = item->line;
		tasks->pool = "default";
		if (item->kind == YAML_MAP)
			read_keys(in, item, &thing_task, kind_of_task(item), tasks);
		else
			value_refuse(in, item, "a task is a map; write it like " EXAMPLE_TASK);
	}
}

/* Those of a task. */

static void task_id(struct value_reader *in, const struct yaml *value, void *thing)
{
	struct flow_task *task = thing;
	value_name(in, value, LIMIT_NAME_BYTES, false, &task->id);
}

static void task_type(struct value_reader *in, const struct yaml *value, void *thing)
{
	struct flow_task *task = thing;
	const char *names[TASK_TYPES + 1] = { NULL };
	for (int type = 0; type < TASK_TYPES; type++)
		names[type] = task_type_name((enum task_type)type);
	int place;
	if (value_choice(in, value, names, &place))
		task->type = (enum task_type)place;
}

static bool read_command(struct value_reader *in, const struct yaml *item, const char **text)
{
	if (item->text && !*item->text)
		return value_refuse(in, item, "a command is empty; write it like %s", in->example);
	return value_as_text(in, item, LIMIT_COMMAND_BYTES, text);
}

static void task_commands(struct value_reader *in, const struct yaml *value, void *thing)
{
	struct flow_task *task = thing;
	if (value_texts(in, value, LIMIT_COMMANDS, read_command, &task->commands, &task->command_count) &&
	    task->command_count == 0)
		value_refuse(in, value, "commands is empty; write it like %s", in->example);
}

static void task_message(struct value_reader *in, const struct yaml *value, void *thing)
{
	struct flow_task *task = thing;
	value_as_text(in, value, LIMIT_COMMAND_BYTES, &task->message);
}

static void task_duration(struct value_reader *in, const struct yaml *value, void *thing)
{
	struct flow_task *task = thing;
	value_duration(in, value, &task->duration_ms);
}

static void task_timeout(struct value_reader *in, const struct yaml *value, void *thing)
{
	struct flow_task *task = thing;
	if (value_duration(in, value, &task->timeout_ms) && task->timeout_ms == 0)
		value_refuse(in, value, "timeout is zero; remove it where the task may take as long as it likes");
}

static void task_pool(struct value_reader *in, const struct yaml *value, void *thing)
{
	struct flow_task *task = thing;
	value_name(in, value, LIMIT_NAME_BYTES, false, &task->pool);
}

static bool read_label(struct value_reader *in, const struct yaml *item, const char **text)
{
	return value_name(in, item, LIMIT_LABEL_BYTES, true, text);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void task_labels(struct value_reader *in, const struct yaml *value, void *thing)
{
	struct flow_task *task = thing;
	if (!value_texts(in, value, LIMIT_LABELS, read_label, &task->labels, &task->label_count))
		return;
	qsort(task->labels, task->label_count, sizeof(*task->labels), compare_texts);
	size_t kept = 0;
	for (size_t i = 0; i < task->label_count; i++)
		if (kept == 0 || strcmp(task->labels[i], task->labels[kept - 1]) != 0)
			task->labels[kept++] = task->labels[i];
	task->label_count = kept;
}

static bool read_need(struct value_reader *in, const struct yaml *item, const char **text)
{
	return value_text(in, item, LIMIT_NAME_BYTES, text);
}

/* The names only; flow_check finds the tasks, which may stand further down. */
static void task_needs(struct value_reader *in, const struct yaml *value, void *thing)
{
	struct flow_task *task = thing;
	const char **names;
	size_t count;
	if (value_texts(in, value, LIMIT_NEEDS, read_need, &names, &count))
		task->needs = ARENA_ARRAY(in->arena, int32_t, count);
}

static void task_env(struct value_reader *in, const struct yaml *value, void *thing)
{
	struct flow_task *task = thing;
	value_pairs(in, value, LIMIT_ENV, read_variable, &task->env, &task->env_count);
}

/* Those of an input. */

static void input_id(struct value_reader *in, const struct yaml *value, void *thing)
{
	struct flow_input *input = thing;
	if (!value_name(in, value, LIMIT_NAME_BYTES, false, &input->id))
		return;
	char *variable = arena_printf(in->arena, "INPUT_%s", input->id);
	for (char *at = variable; *at; at++)
		*at = *at == '-' ? '_' : *at >= 'a' && *at <= 'z' ? (char)(*at - 'a' + 'A') : *at;
	input->variable = variable;
}

static void input_type(struct value_reader *in, const struct yaml *value, void *thing)
{
	struct flow_input *input = thing;
	const char *names[INPUT_TYPES + 1] = { NULL };
	for (int type = 0; type < INPUT_TYPES; type++)
		names[type] = input_type_name((enum input_type)type);
	int place;
	if (value_choice(in, value, names, &place))
		input->type = (enum input_type)place;
}

static void input_default(struct value_reader *in, const struct yaml *value, void *thing)
{
	struct flow_input *input = thing;
	value_as_text(in, value, LIMIT_INPUT_BYTES, &input->fallback);
}

static void input_required(struct value_reader *in, const struct yaml *value, void *thing)
{
	struct flow_input *input = thing;
	value_boolean(in, value, &input->required);
}

static void input_description(struct value_reader *in, const struct yaml *value, void *thing)
{
	struct flow_input *input = thing;
	value_text(in, value, LIMIT_DESCRIPTION_BYTES, &input->description);
}

void flow_yaml_read(const struct yaml *root, struct arena *arena, struct flow_problems *problems,
		    struct flow_draft *draft)
{
	struct value_reader in = { .arena = arena, .problems = problems };
	*draft = (struct flow_draft){ .flow.name_space = "default" };
	if (root->kind == YAML_MAP)
		read_keys(&in, root, &thing_flow, ALWAYS, draft);
	else
		value_refuse(&in, root, "a flow is a map; begin it with a line like id: nightly-backup");
}
