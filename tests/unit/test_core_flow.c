#include "lib/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/limits.h"
#include "core/flow.h"

/* "line:column text" of all problems, one a line; "" for a flow that is good. */
static const char *problems_of(struct arena *arena, const char *yaml, size_t length)
{
	struct flow *flow;
	struct flow_problem *problems;
	size_t count;
	struct error error;
	const char *all = "";
	if (flow_parse(yaml, length, arena, &flow, &problems, &count, &error))
		return all;
	for (size_t i = 0; i < count; i++)
		all = arena_printf(arena, "%s%s%d:%d %s", all, i ? "\n" : "", problems[i].line, problems[i].column,
				   problems[i].text);
	return all;
}

static struct flow *good_flow(struct arena *arena, const char *yaml)
{
	struct flow *flow = NULL;
	struct error error;
	assert_works(flow_parse(yaml, strlen(yaml), arena, &flow, NULL, NULL, &error));
	return flow;
}

static const char full_flow[] =
	"id: nightly-backup\n"
	"namespace: ops.database\n"
	"description: |\n  dumps\n  and checks\n"
	"labels: { team: storage, cost: 5 }\n"
	"on_lost: retry\n"
	"env: { LANG: C, TZ: UTC, EMPTY: '' }\n"
	"inputs:\n"
	"  - { id: day-of, default: monday, description: which }\n"
	"  - { id: level, type: integer, default: 3 }\n"
	"  - { id: full, type: boolean, default: True }\n"
	"  - { id: ticket, required: true }\n"
	"tasks:\n"
	"  - id: check\n"
	"    type: shell\n"
	"    needs: [ dump, pause ]\n"
	"    commands: test -s /var/dump\n"
	"  - id: dump\n"
	"    type: shell\n"
	"    commands: [ pg_dump x > y, 5, true ]\n"
	"    env: { LANG: de_DE, A: no }\n"
	"    timeout: 1h30m\n"
	"    pool: big\n"
	"    labels: [ ssd, linux, ssd ]\n"
	"  - { id: pause, type: sleep, duration: 5s }\n"
	"  - { id: say, type: log, needs: check, message: hello, pool: big }\n"
	"  - { id: nothing, type: noop }\n";

static void a_flow_is_laid_out_as_its_yaml_says(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	const struct flow *flow = good_flow(&arena, full_flow);
	assert_string_equal(flow->id, "nightly-backup");
	assert_string_equal(flow->name_space, "ops.database");
	assert_string_equal(flow->description, "dumps\nand checks\n");
	assert_int_equal(flow->label_count, 2);
	assert_string_equal(flow->labels[0].name, "cost");
	assert_string_equal(flow->labels[0].value, "5");
	assert_int_equal(flow->on_lost, ON_LOST_RETRY);
	assert_int_equal(flow->task_count, 5);

	const struct flow_task *check = &flow->tasks[0], *dump = &flow->tasks[1];
	assert_int_equal(check->need_count, 2);
	assert_int_equal(check->needs[0], 1);
	assert_int_equal(check->needs[1], 2);
	assert_int_equal(check->command_count, 1);
	assert_int_equal(check->timeout_ms, 0);
	assert_string_equal(check->pool, "default");
	assert_int_equal(check->line, 15);
	assert_int_equal(dump->command_count, 3);
	assert_string_equal(dump->commands[1], "5");
	assert_string_equal(dump->commands[2], "true");
	assert_int_equal(dump->timeout_ms, 5400000);
	assert_string_equal(dump->pool, "big");
	assert_int_equal(dump->label_count, 2);
	assert_string_equal(dump->labels[0], "linux");
	assert_string_equal(dump->labels[1], "ssd");
	assert_int_equal(flow->tasks[2].duration_ms, 5000);
	assert_string_equal(flow->tasks[3].message, "hello");
	assert_int_equal(flow->tasks[3].need_count, 1);
	assert_int_equal(flow->tasks[3].needs[0], 0);
	assert_int_equal(flow->tasks[4].type, TASK_NOOP);
	arena_fini(&arena);
}

static void a_tasks_env_lies_over_the_flows(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	const struct flow *flow = good_flow(&arena, full_flow);
	static const struct flow_pair expected[] = {
		{ "A", "no" }, { "EMPTY", "" }, { "LANG", "de_DE" }, { "TZ", "UTC" }
	};
	const struct flow_task *dump = &flow->tasks[1];
	assert_int_equal(dump->env_count, COUNT_OF(expected));
	for (size_t i = 0; i < COUNT_OF(expected); i++) {
		assert_string_equal(dump->env[i].name, expected[i].name);
		assert_string_equal(dump->env[i].value, expected[i].value);
	}
	assert_int_equal(flow->tasks[0].env_count, 3);
	assert_int_equal(flow->tasks[2].env_count, 0);
	arena_fini(&arena);
}

static void what_may_be_left_out_has_its_default(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	const struct flow *flow = good_flow(&arena, "{id: a, tasks: [{id: t, type: noop, needs: [], labels: []}]}");
	assert_string_equal(flow->name_space, "default");
	assert_null(flow->description);
	assert_int_equal(flow->on_lost, ON_LOST_FAIL);
	assert_int_equal(flow->input_count + flow->label_count + flow->tasks[0].need_count, 0);
	arena_fini(&arena);
}

#define HEAD "id: a\ntasks:\n  - { id: t, type: noop }\n"
#define TASK(rest) "id: a\ntasks:\n  - { id: t, type: shell, commands: x, " rest " }\n"
#define INPUT(rest) HEAD "inputs:\n  - { " rest " }\n"

/* Wrong flows and the exact words for them. */
static const struct {
	const char *yaml;
	const char *problems;
} wrong[] = {
	/* YAML itself. */
	{ "", "1:1 the file is empty; a flow has at least an id and tasks" },
	{ "# nothing\n", "1:1 the file is empty; a flow has at least an id and tasks" },
	{ "- a\n", "1:1 a flow is a map; begin it with a line like id: nightly-backup" },
	{ "hello", "1:1 a flow is a map; begin it with a line like id: nightly-backup" },
	{ "id: a\n\ttasks: x\n", "2:1 a tab cannot indent YAML; write spaces" },
	{ "id: \"ä\n",
	  "2:1 not YAML: found unexpected end of stream while scanning a quoted scalar from line 1 on" },
	{ "tasks: [ a\nid: b\n",
	  "2:3 not YAML: did not find expected ',' or ']' while parsing a flow sequence from line 1 on" },
	{ HEAD "---\n" HEAD, "4:1 a second document begins here; a file holds one flow" },
	{ HEAD "id: b\n", "4:1 the key \"id\" was there on line 1 already; remove one of them" },
	{ "id: &x a\n", "1:5 anchors (&name) are not taken; write the value out where it is needed" },
	{ "id: *x\n", "1:5 aliases (*name) are not taken; write the value out" },
	{ "id: !!str 5\n", "1:5 tags (!name) are not taken; for a text, write quotes" },
	{ "? [a]\n: b\n", "1:3 a key must be a text, not a list or a map" },
	{ "id: \"a\\0b\"\n", "1:5 the character NUL (\\0) cannot be part of a text" },
	{ "id: a\xff\n", "1:6 not UTF-8; save the file in that encoding" },
	{ "id: a\x01\n", "1:6 a control character cannot stand in YAML; write it as \\x.. in quotes" },

	/* Keys. */
	{ "id: a\n",
	  "1:1 tasks is missing; write it like tasks: [ { id: hello, type: shell, commands: echo hello } ]" },
	{ "id: a\ntasks: []\n",
	  "2:8 a flow needs at least one task; write it like tasks: [ { id: hello, type: shell, commands: "
	  "echo hello } ]" },
	{ "id: a\ntasks: x\n",
	  "2:8 tasks must be a list, not a text; write it like tasks: [ { id: hello, type: shell, commands: "
	  "echo hello } ]" },
	{ "id: a\ntasks: [ x ]\n",
	  "2:10 a task is a map; write it like { id: hello, type: shell, commands: echo hello }" },
	{ HEAD "namespce: ops\n", "4:1 unknown key \"namespce\"; did you mean \"namespace\"?" },
	{ HEAD "cron: x\n",
	  "4:1 unknown key \"cron\"; a flow has id, namespace, description, labels, inputs, env, on_lost and "
	  "tasks" },
	{ HEAD "commands: x\n", "4:1 \"commands\" is no key of a flow; it stands in a task" },
	{ HEAD "default: x\n", "4:1 \"default\" is no key of a flow; it stands in an entry of inputs" },
	{ TASK("namespace: b"), "3:40 \"namespace\" is no key of a task; it stands at the top of the flow" },
	{ TASK("comand: b"), "3:40 unknown key \"comand\"; did you mean \"commands\"?" },
	{ INPUT("id: i, pool: x"), "5:14 \"pool\" is no key of an input; it stands in a task" },

	/* Texts and names. */
	{ "id: 5\ntasks: [ { id: t, type: noop } ]\n", "1:5 id must be a text; put it in quotes: \"5\"" },
	{ "id: true\ntasks: [ { id: t, type: noop } ]\n",
	  "1:5 id must be a text; put it in quotes: \"true\"" },
	{ "id: 1e3\ntasks: [ { id: t, type: noop } ]\n", "1:5 id must be a text; put it in quotes: \"1e3\"" },
	{ "id: [ a ]\ntasks: [ { id: t, type: noop } ]\n",
	  "1:5 id must be a text, not a list; write it like id: nightly-backup" },
	{ "id:\ntasks: [ { id: t, type: noop } ]\n",
	  "1:4 id is empty; write it like id: nightly-backup, or remove it" },
	{ "id: \"\"\ntasks: [ { id: t, type: noop } ]\n",
	  "1:5 id is empty; write it like id: nightly-backup, or remove it" },
	{ "id: my flow\ntasks: [ { id: t, type: noop } ]\n",
	  "1:5 id \"my flow\" is no name; use letters, digits, \"-\" and \"_\", and begin with a letter or "
	  "digit" },
	{ "id: a.b\ntasks: [ { id: t, type: noop } ]\n",
	  "1:5 id \"a.b\" is no name; use letters, digits, \"-\" and \"_\", and begin with a letter or digit" },
	{ HEAD "namespace: ops..db\n",
	  "4:12 namespace \"ops..db\" is none; write names joined by dots, like ops.database" },
	{ HEAD "namespace: .ops\n",
	  "4:12 namespace \".ops\" is none; write names joined by dots, like ops.database" },
	{ HEAD "description: [ a ]\n",
	  "4:14 description must be a text, not a list; write it like description: what it is for" },
	{ HEAD "labels: [ a ]\n",
	  "4:9 labels must be a map, not a list; write it like labels: { team: storage }" },
	{ HEAD "labels: { a: }\n", "4:14 labels is empty; write \"\" where an empty text is meant" },
	{ HEAD "labels: { \"a b\": c }\n",
	  "4:11 labels \"a b\" is no name; use letters, digits, \"-\", \"_\" and \".\", and begin with a "
	  "letter or digit" },
	{ HEAD "on_lost: rety\n", "4:10 on_lost \"rety\" is not known; did you mean \"retry\"?" },
	{ HEAD "on_lost: maybe\n", "4:10 on_lost \"maybe\" is not known; write fail or retry" },
	{ HEAD "on_lost: []\n",
	  "4:10 on_lost must be fail or retry, not a list; write it like on_lost: fail" },

	/* Environments. */
	{ HEAD "env: { 1A: b }\n",
	  "4:8 \"1A\" cannot name an environment variable; use letters, digits and \"_\", and do not begin "
	  "with a digit" },
	{ HEAD "env: { LULL_X: b }\n",
	  "4:8 \"LULL_X\" is set by Lull itself; choose a name that does not begin with LULL_ or INPUT_" },
	{ TASK("env: { INPUT_A: b }"),
	  "3:47 \"INPUT_A\" is set by Lull itself; choose a name that does not begin with LULL_ or INPUT_" },
	{ TASK("env: { A: [ b ] }"), "3:50 env must be a text, not a list; write it like env: { LANG: C }" },

	/* Tasks. */
	{ "id: a\ntasks: [ { id: t } ]\n", "2:10 type is missing; write it like type: shell" },
	{ "id: a\ntasks: [ { id: t, type: shel } ]\n",
	  "2:25 type \"shel\" is not known; did you mean \"shell\"?" },
	{ "id: a\ntasks: [ { id: t, type: docker } ]\n",
	  "2:25 type \"docker\" is not known; write shell, sleep, log or noop" },
	{ "id: a\ntasks: [ { id: t, type: shell } ]\n",
	  "2:10 commands is missing; write it like commands: [ echo hello ]" },
	{ "id: a\ntasks: [ { id: t, type: sleep } ]\n",
	  "2:10 duration is missing; write it like duration: 5s" },
	{ "id: a\ntasks: [ { id: t, type: log } ]\n",
	  "2:10 message is missing; write it like message: hello" },
	{ "id: a\ntasks: [ { id: t, type: noop, commands: x } ]\n",
	  "2:31 commands belongs to a task of type shell; this one is of type noop" },
	{ TASK("message: x"), "3:40 message belongs to a task of type log; this one is of type shell" },
	{ TASK("timeout: 90"), "3:49 timeout 90 has no unit; write 90s for seconds" },
	{ TASK("timeout: soon"),
	  "3:49 timeout \"soon\" is no duration; write one like 90s, 15m, 1h30m or PT15M" },
	{ TASK("timeout: 0"), "3:49 timeout is zero; remove it where the task may take as long as it likes" },
	{ TASK("timeout: 400d"), "3:49 timeout 400d is longer than 366 days" },
	{ TASK("timeout: { a: b }"),
	  "3:49 timeout must be a duration, not a map; write it like timeout: 15m" },
	{ TASK("pool: a b"),
	  "3:46 pool \"a b\" is no name; use letters, digits, \"-\" and \"_\", and begin with a letter or "
	  "digit" },
	{ TASK("labels: [ \"a,b\" ]"),
	  "3:50 labels \"a,b\" is no name; use letters, digits, \"-\", \"_\" and \".\", and begin with a "
	  "letter or digit" },
	{ "id: a\ntasks: [ { id: t, type: shell, commands: [] } ]\n",
	  "2:42 commands is empty; write it like commands: [ echo hello ]" },
	{ "id: a\ntasks: [ { id: t, type: shell, commands: [ '' ] } ]\n",
	  "2:44 a command is empty; write it like commands: [ echo hello ]" },
	{ "id: a\ntasks:\n  - { id: t, type: noop }\n  - { id: t, type: noop }\n",
	  "4:11 the task on line 3 is called \"t\" too; give each its own id" },

	/* Needs. */
	{ "id: a\ntasks:\n  - { id: dump, type: noop }\n  - { id: b, type: noop, needs: [ dmup ] }\n",
	  "4:35 there is no task \"dmup\"; did you mean \"dump\"?" },
	{ TASK("needs: whatever"), "3:47 there is no task \"whatever\"; needs names tasks of this flow" },
	{ "id: a\ntasks:\n  - { id: b, type: noop }\n  - { id: c, type: noop, needs: [ b, b ] }\n",
	  "4:38 \"b\" is needed twice; remove one" },
	{ TASK("needs: [ t ]"), "3:47 t needs t, so none of them can start; remove one of these needs" },
	{ "id: x\ntasks:\n  - { id: c, type: noop }\n  - { id: a, type: noop, needs: [ b ] }\n  - { id: b, "
	  "type: noop, needs: [ a ] }\n",
	  "4:33 a needs b needs a, so none of them can start; remove one of these needs" },
	{ TASK("needs: 5"), "3:47 needs must be a text; put it in quotes: \"5\"" },

	/* Inputs. */
	{ HEAD "inputs: { a: b }\n",
	  "4:9 inputs must be a list, not a map; write it like inputs: [ { id: day, type: string } ]" },
	{ HEAD "inputs: [ day ]\n", "4:11 an input is a map; write it like { id: day, type: string }" },
	{ INPUT("type: string"), "5:5 id is missing; write it like id: day" },
	{ INPUT("id: i, type: strng"), "5:20 type \"strng\" is not known; did you mean \"string\"?" },
	{ INPUT("id: i, type: float"), "5:20 type \"float\" is not known; write string, integer or boolean" },
	{ INPUT("id: i, required: yes"),
	  "5:24 required must be true or false, not a text; write it like required: true" },
	{ INPUT("id: i, required: true, default: x"),
	  "5:39 an input with a default is never missing; remove required, or the default" },
	{ INPUT("id: i, type: integer, default: 1.5"),
	  "5:38 default \"1.5\" is not of type integer; write a whole number" },
	{ INPUT("id: i, type: boolean, default: yes"),
	  "5:38 default \"yes\" is not of type boolean; write true or false" },
	{ INPUT("id: i, default:"), "5:23 default is empty; write \"\" where an empty text is meant" },
	{ INPUT("id: a-b }\n  - { id: A_b"),
	  "6:11 inputs \"a-b\" and \"A_b\" would both be INPUT_A_B; rename one" },
	{ INPUT("id: i }\n  - { id: i"), "6:11 inputs \"i\" and \"i\" would both be INPUT_I; rename one" },

	/* Several at once, by place. */
	{ "tasks:\n  - { id: t, type: noop, timeout: 5 }\nid: 7\nfoo: bar\n",
	  "2:35 timeout 5 has no unit; write 5s for seconds\n"
	  "3:5 id must be a text; put it in quotes: \"7\"\n"
	  "4:1 unknown key \"foo\"; a flow has id, namespace, description, labels, inputs, env, on_lost and "
	  "tasks" },
};

static void every_mistake_is_told_with_its_place_and_what_to_write(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		assert_string_equal(problems_of(&arena, wrong[i].yaml, strlen(wrong[i].yaml)), wrong[i].problems);
		arena_reset(&arena);
	}
	arena_fini(&arena);
}

static void an_error_carries_the_first_problem_and_leaves_the_flow_alone(void **state)
{
	(void)state;
	static const char yaml[] = "foo: 1\nid: 5\n";
	struct arena arena = { 0 };
	struct flow untouched, *flow = &untouched;
	struct error error;
	assert_refuses(flow_parse(yaml, strlen(yaml), &arena, &flow, NULL, NULL, &error), ERR_UNPROCESSABLE,
		       "line 1, column 1: unknown key \"foo\"");
	assert_ptr_equal(flow, &untouched);
	arena_fini(&arena);
}

static void not_more_problems_are_told_than_a_person_reads(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct buffer yaml = { 0 };
	for (int i = 0; i < 200; i++)
		buffer_printf(&yaml, "unknown%d: 1\n", i);
	struct flow *flow;
	struct flow_problem *problems;
	size_t count;
	struct error error;
	assert_refuses(flow_parse(yaml.at, yaml.length, &arena, &flow, &problems, &count, &error),
		       ERR_UNPROCESSABLE, "line 1");
	assert_int_equal(count, FLOW_PROBLEMS);
	buffer_fini(&yaml);
	arena_fini(&arena);
}

/* Each bound of limits.h: a flow at it is taken, one above it is not. */
static void expect_bound(const char *before, const char *part, size_t most, const char *after, const char *told)
{
	struct arena arena = { 0 };
	for (size_t count = most; count <= most + 1; count++) {
		struct buffer yaml = { 0 };
		buffer_text(&yaml, before);
		for (size_t i = 0; i < count; i++)
			buffer_printf(&yaml, "%s", part);
		buffer_text(&yaml, after);
		const char *problems = problems_of(&arena, yaml.at, yaml.length);
		if (count == most)
			assert_string_equal(problems, "");
		else if (!strstr(problems, told))
			fail_msg("\"%s\" does not tell \"%s\"", problems, told);
		buffer_fini(&yaml);
		arena_reset(&arena);
	}
	arena_fini(&arena);
}

static void bounds_are_exact(void **state)
{
	(void)state;
	static const char tail[] = "\ntasks: [ { id: t, type: noop } ]\n";
	expect_bound("id: ", "a", LIMIT_NAME_BYTES, tail, "id is longer than 63 bytes");
	expect_bound("id: a\ndescription: ", "d", LIMIT_DESCRIPTION_BYTES, tail,
		     "description is longer than 10000 bytes");
	expect_bound("id: a\ntasks: [ { id: t, type: shell, commands: [", "x,", LIMIT_COMMANDS, "] } ]",
		     "commands has 101 entries; at most 100 are taken");
	expect_bound("id: a\ntasks: [ { id: t, type: shell, commands: ", "x", LIMIT_COMMAND_BYTES, " } ]",
		     "commands is longer than 65536 bytes");
	expect_bound(
		"id: a\nenv: { A: ", "x", LIMIT_ENV_BYTES - 3,
		" }\ntasks: [ { id: t, type: shell, commands: x } ]",
		"the environment of this task, with the flow's, is 65537 bytes; at most 65536 are taken");
}

static void many_tasks_are_taken_up_to_the_limit(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	for (int count = LIMIT_TASKS; count <= LIMIT_TASKS + 1; count++) {
		struct buffer yaml = { 0 };
		buffer_text(&yaml, "id: a\ntasks:\n");
		for (int i = 0; i < count; i++)
			buffer_printf(&yaml, "  - { id: t%d, type: noop, needs: [ %s%d ] }\n", i,
				      i ? "t" : "", i ? i - 1 : 0);
		/* The first needs nobody. */
		char *need = strstr(yaml.at, "[ 0 ]");
		need[2] = ' ';
		assert_string_equal(problems_of(&arena, yaml.at, yaml.length),
				    count == LIMIT_TASKS ? "" : "3:3 tasks has 1001 entries; at most 1000 are taken");
		buffer_fini(&yaml);
		arena_reset(&arena);
	}
	arena_fini(&arena);
}

/* libyaml takes quadratic time on these; the test would not end within its time if it were not stopped. */
static void deep_and_wide_yaml_is_stopped_early(void **state)
{
	(void)state;
	static const struct { char fill; const char *told; } deep[] = {
		{ '[', "1:65 nested deeper than 64 levels" },
		{ '{', "1:2 a key must be a text, not a list or a map" },
	};
	struct arena arena = { 0 };
	char *yaml = test_malloc(LIMIT_FLOW_BYTES + 1);
	for (size_t i = 0; i < COUNT_OF(deep); i++) {
		memset(yaml, deep[i].fill, LIMIT_FLOW_BYTES);
		assert_string_equal(problems_of(&arena, yaml, LIMIT_FLOW_BYTES), deep[i].told);
	}
	for (size_t i = 0; i < LIMIT_FLOW_BYTES; i += 2)
		memcpy(yaml + i, i ? "a," : " [", 2);
	assert_non_null(strstr(problems_of(&arena, yaml, LIMIT_FLOW_BYTES), "more than 100000 values in one file"));
	struct flow *flow;
	struct error error;
	assert_refuses(flow_parse(yaml, LIMIT_FLOW_BYTES + 1, &arena, &flow, NULL, NULL, &error),
		       ERR_TOO_LARGE, "1048577 bytes");
	test_free(yaml);
	arena_fini(&arena);
}

static void inputs_are_bound_in_the_flows_order_with_defaults(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	const struct flow *flow = good_flow(&arena, full_flow);
	const struct flow_pair given[] = { { "ticket", "T-5" }, { "level", "-7" } };
	static const struct flow_pair expected[] = { { "day-of", "monday" }, { "level", "-7" }, { "full", "true" },
						     { "ticket", "T-5" } };
	struct flow_pair *bound;
	size_t count;
	struct error error;
	assert_works(flow_bind_inputs(flow, given, COUNT_OF(given), &arena, &bound, &count, &error));
	assert_int_equal(count, COUNT_OF(expected));
	for (size_t i = 0; i < count; i++) {
		assert_string_equal(bound[i].name, expected[i].name);
		assert_string_equal(bound[i].value, expected[i].value);
	}
	assert_string_equal(flow->inputs[0].variable, "INPUT_DAY_OF");
	arena_fini(&arena);
}

static void wrong_inputs_are_refused(void **state)
{
	(void)state;
	static const struct { struct flow_pair given[2]; const char *told;
	} rows[] = {
		{ { { "ticket", "x" }, { "levl", "1" } },
		  "there is no input \"levl\"; did you mean \"level\"?" },
		{ { { "ticket", "x" }, { "zzzzzzz", "1" } }, "there is no input \"zzzzzzz\" in the flow" },
		{ { { "ticket", "x" }, { "level", "1.5" } },
		  "input \"level\" must be a whole number, not \"1.5\"" },
		{ { { "ticket", "x" }, { "level", "9223372036854775808" } },
		  "input \"level\" must be a whole number" },
		{ { { "ticket", "x" }, { "full", "True" } },
		  "input \"full\" must be true or false, not \"True\"" },
		{ { { "ticket", "x" }, { "ticket", "y" } }, "input \"ticket\" is given twice" },
		{ { { "level", "1" }, { "full", "true" } }, "input \"ticket\" is required" },
	};
	struct arena arena = { 0 };
	const struct flow *flow = good_flow(&arena, full_flow);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct flow_pair *bound = NULL;
		size_t count = 77;
		struct error error;
		assert_refuses(flow_bind_inputs(flow, rows[i].given, 2, &arena, &bound, &count, &error), ERR_INVALID,
			       rows[i].told);
		assert_null(bound);
		assert_int_equal(count, 77);
	}
	arena_fini(&arena);
}

static void types_have_names(void **state)
{
	(void)state;
	for (int i = 0; i < TASK_TYPES; i++) {
		enum task_type type;
		assert_true(task_type_parse(task_type_name((enum task_type)i), &type));
		assert_int_equal(type, i);
		assert_int_equal(task_type_has_process(type), type == TASK_SHELL);
	}
	for (int i = 0; i < INPUT_TYPES; i++)
		for (int k = 0; k < i; k++)
			assert_string_not_equal(input_type_name((enum input_type)i),
						input_type_name((enum input_type)k));
}

/* Bytes at random, and good flows with a few bytes changed: an answer, whatever it is, and no crash. */
static void no_bytes_break_the_reader(void **state)
{
	(void)state;
	static const char alphabet[] = "aid: -[]{},\n  '\"|>&*!?#%@`\\\t\xc3\xa4\xff\x00tasks";
	struct arena arena = { 0 };
	for (int round = 0; round < 3000; round++) {
		char bytes[sizeof(full_flow)];
		size_t length = 1 + test_random(sizeof(bytes) - 1);
		memcpy(bytes, full_flow, sizeof(bytes));
		size_t changes = round % 2 ? length : 1 + test_random(6);
		for (size_t i = 0; i < changes; i++)
			bytes[round % 2 ? i : test_random(sizeof(bytes))] =
				alphabet[test_random(sizeof(alphabet) - 1)];
		(void)problems_of(&arena, bytes, round % 2 ? length : sizeof(bytes) - 1);
		arena_reset(&arena);
	}
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flow_is_laid_out_as_its_yaml_says),
		cmocka_unit_test(a_tasks_env_lies_over_the_flows),
		cmocka_unit_test(what_may_be_left_out_has_its_default),
		cmocka_unit_test(every_mistake_is_told_with_its_place_and_what_to_write),
		cmocka_unit_test(an_error_carries_the_first_problem_and_leaves_the_flow_alone),
		cmocka_unit_test(not_more_problems_are_told_than_a_person_reads),
		cmocka_unit_test(bounds_are_exact),
		cmocka_unit_test(many_tasks_are_taken_up_to_the_limit),
		cmocka_unit_test(deep_and_wide_yaml_is_stopped_early),
		cmocka_unit_test(inputs_are_bound_in_the_flows_order_with_defaults),
		cmocka_unit_test(wrong_inputs_are_refused),
		cmocka_unit_test(types_have_names),
		cmocka_unit_test(no_bytes_break_the_reader),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
