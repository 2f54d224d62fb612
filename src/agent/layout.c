#include "agent/layout.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/user.h"
#include "base/limits.h"
#include "base/text.h"

enum { FIXED_VARIABLES = 9 };

static const char script_name[] = ".lull-script";

/* Is there nothing in the command that a shell would look at? */
static bool is_plain(const char *command)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_/.,:@%+- \t";
	return command[0] == '/' && command[strspn(command, plain)] == '\0';
}

static void split(char *command, const char **words, size_t *count)
{
	for (char *at = command + strspn(command, " \t"); *at;) {
		words[(*count)++] = at;
		at += strcspn(at, " \t");
		if (*at)
			*at++ = '\0';
		at += strspn(at, " \t");
	}
}

static char *join(const struct order *order, struct arena *arena, size_t *length)
{
	*length = 0;
	for (size_t i = 0; i < order->command_count; i++)
		*length += strlen(order->commands[i]) + 1;
	char *script = arena_copy(arena, "", 0);
	if (*length == 0)
		return script;
	script = ARENA_ARRAY(arena, char, *length + 1);
	char *at = script;
	for (size_t i = 0; i < order->command_count; i++) {
		size_t part = strlen(order->commands[i]);
		memcpy(at, order->commands[i], part);
		at += part;
		*at++ = '\n';
	}
	return script;
}

static void add_file(struct run_order *run, const char *name, const char *bytes, size_t length)
{
	run->files[run->file_count++] = (struct run_file){ .name = name, .bytes = bytes, .length = length };
}

static void lay_out_arguments(const struct order *order, const char *scratch, struct arena *arena,
			      struct run_order *run)
{
	if (order->command_count == 1 && is_plain(order->commands[0])) {
		run->arguments = ARENA_ARRAY(arena, const char *, strlen(order->commands[0]) / 2 + 2);
		split(arena_text(arena, order->commands[0]), run->arguments, &run->argument_count);
		return;
	}
	size_t length;
	char *script = join(order, arena, &length);
	run->arguments = ARENA_ARRAY(arena, const char *, 5);
	run->arguments[run->argument_count++] = "/bin/sh";
	run->arguments[run->argument_count++] = "-e";
	if (length <= LAYOUT_SCRIPT_BYTES) {
		run->arguments[run->argument_count++] = "-c";
		run->arguments[run->argument_count++] = script;
		return;
	}
	run->arguments[run->argument_count++] = arena_printf(arena, "%s/%s", scratch, script_name);
	add_file(run, script_name, script, length);
}

static void set(struct run_order *run, const char *entry)
{
	run->environment[run->environment_count++] = entry;
}

static bool has(const struct order *order, const char *name)
{
	for (size_t i = 0; i < order->env_count; i++)
		if (strcmp(order->env[i].name, name) == 0)
			return true;
	return false;
}

/* A variable that the task's env may replace. */
static void set_default(struct run_order *run, const struct order *order, const char *name, const char *value,
			struct arena *arena)
{
	if (!has(order, name))
		set(run, arena_printf(arena, "%s=%s", name, value));
}

/* "day-of" → "DAY_OF": what a shell takes as a name. */
static const char *variable_of(const char *input, struct arena *arena)
{
	char *name = arena_text(arena, input);
	for (char *at = name; *at; at++) {
		if (*at >= 'a' && *at <= 'z')
			*at = (char)(*at - 'a' + 'A');
		else if (!(*at >= 'A' && *at <= 'Z') && !(*at >= '0' && *at <= '9'))
			*at = '_';
	}
	return name;
}

static void set_input(struct run_order *run, const struct text_pair *input, const char *scratch, struct arena *arena)
{
	const char *name = variable_of(input->name, arena);
	size_t length = strlen(input->value);
	if (length <= LIMIT_INPUT_BYTES) {
		set(run, arena_printf(arena, "INPUT_%s=%s", name, input->value));
		return;
	}
	const char *file = arena_printf(arena, ".lull-input-%s", name);
	set(run, arena_printf(arena, "INPUT_%s_FILE=%s/%s", name, scratch, file));
	add_file(run, file, input->value, length);
}

static void lay_out_environment(const struct order *order, const char *mark, const char *scratch,
				const struct agent_user *user, struct arena *arena, struct run_order *run)
{
	run->environment = ARENA_ARRAY(arena, const char *,
				       FIXED_VARIABLES + order->env_count + order->input_count + 1);
	set(run, arena_printf(arena, "LULL_ATTEMPT=%s", run->attempt));
	set(run, mark);
	set(run, arena_printf(arena, "LULL_EXECUTION=%" PRId64,
			      execution_id_number((struct execution_id){ order->attempt.execution })));
	set(run, arena_printf(arena, "LULL_FLOW=%s", order->flow));
	set(run, arena_printf(arena, "LULL_TASK=%s", order->task));
	set(run, arena_printf(arena, "LULL_TENANT=%s", order->tenant));
	set_default(run, order, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", arena);
	set_default(run, order, "HOME", user->home, arena);
	set_default(run, order, "LANG", "C.UTF-8", arena);
	for (size_t i = 0; i < order->env_count; i++)
		if (!text_starts_with(order->env[i].name, "LULL_") && !text_starts_with(order->env[i].name, "INPUT_"))
			set(run, arena_printf(arena, "%s=%s", order->env[i].name, order->env[i].value));
	for (size_t i = 0; i < order->input_count; i++)
		set_input(run, &order->inputs[i], scratch, arena);
}

void layout_run_order(const struct order *order, const char *attempt, const char *mark, const char *scratch,
		      const struct agent_user *user, struct arena *arena, struct run_order *run)
{
	*run = (struct run_order){ .attempt = attempt, .task = order->task, .timeout_ms = order->timeout_ms };
	run->flow = arena_printf(arena, "%s/%s", order->tenant, order->flow);
	run->files = ARENA_ARRAY(arena, struct run_file, order->input_count + 1);
	lay_out_arguments(order, scratch, arena, run);
	lay_out_environment(order, mark, scratch, user, arena, run);
	run->changes_user = user->is_other;
	run->uid = user->uid;
	run->gid = user->gid;
	run->group_count = user->group_count;
	memcpy(run->groups, user->groups, user->group_count * sizeof(*run->groups));
}
