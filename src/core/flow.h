/*
 * A flow: what its YAML says, checked and laid out. Pure: bytes in, structure or error out.
 * Everything lives in the arena given to flow_parse.
 *
 *	id: nightly-backup             # needed; a name
 *	namespace: ops.database        # "default" if left out; names joined by dots
 *	description: text
 *	labels: { team: storage }
 *	inputs:
 *	  - { id: day, type: string, default: monday, required: false, description: text }
 *	env: { LANG: C }
 *	on_lost: fail                  # or retry
 *	tasks:                         # needed; at least one
 *	  - id: dump
 *	    type: shell                # shell, sleep, log, noop
 *	    commands: [ pg_dump x > y ]          # shell; a list or one text
 *	    needs: [ other-task ]
 *	    env: { A: b }
 *	    timeout: 15m
 *	    pool: default
 *	    labels: [ linux ]          # what the agent must carry
 *	  - { id: pause, type: sleep, duration: 5s }
 *	  - { id: say, type: log, message: hello }
 *
 * Types of inputs: string, integer, boolean; names as text_is_name, and an input
 * reaches commands as INPUT_<NAME> in upper case with '-' as '_', so two inputs may not collide there.
 */
#ifndef LULL_CORE_FLOW_H
#define LULL_CORE_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"

enum task_type { TASK_SHELL, TASK_SLEEP, TASK_LOG, TASK_NOOP, TASK_TYPES };
enum input_type { INPUT_STRING, INPUT_INTEGER, INPUT_BOOLEAN, INPUT_TYPES };
enum on_lost { ON_LOST_FAIL, ON_LOST_RETRY };

struct flow_pair {
	const char *name;
	const char *value;
};

struct flow_input {
	const char *id;
	const char *variable;            /* "INPUT_DAY" */
	const char *description;         /* NULL: none */
	enum input_type type;
	const char *fallback;            /* the default as text; NULL: none */
	bool required;                   /* must be given; implies no default */
};

struct flow_task {
	const char *id;
	enum task_type type;
	const char **commands;           /* shell */
	size_t command_count;
	const char *message;             /* log */
	int64_t duration_ms;             /* sleep */
	int64_t timeout_ms;              /* 0: none */
	const char *pool;                /* "default" if not said */
	const char **labels;             /* sorted, each once */
	size_t label_count;
	struct flow_pair *env;           /* the flow's, overlaid by the task's; sorted by name */
	size_t env_count;
	int32_t *needs;                  /* places of earlier or later tasks; no cycle */
	size_t need_count;
	int32_t line;                    /* where it begins in the YAML */
};

struct flow {
	const char *id;
	const char *name_space;
	const char *description;         /* NULL: none */
	struct flow_pair *labels;
	size_t label_count;
	struct flow_input *inputs;
	size_t input_count;
	struct flow_task *tasks;         /* in the order of the YAML */
	size_t task_count;
	enum on_lost on_lost;
};

/* One finding of validation. Lines and columns count from 1. */
struct flow_problem {
	int32_t line;
	int32_t column;
	const char *text;                /* what is wrong and what to write instead */
};

enum { FLOW_PROBLEMS = 20 };         /* so many are told at most */

/*
 * Reads and checks a flow. False: error is ERR_UNPROCESSABLE (ERR_TOO_LARGE above LIMIT_FLOW_BYTES) with the first
 * problem as its detail ("line 4, column 3: …"), and problems/problem_count (may be NULL) list up to
 * FLOW_PROBLEMS of them; *flow is untouched.
 */
bool flow_parse(const char *yaml, size_t length, struct arena *arena, struct flow **flow,
		struct flow_problem **problems, size_t *problem_count, struct error *error) MUST_CHECK;

/* Names as the YAML writes them; parsing answers false for a name that is none. */
const char *task_type_name(enum task_type type) MUST_CHECK;
bool task_type_parse(const char *name, enum task_type *type) MUST_CHECK;
const char *input_type_name(enum input_type type) MUST_CHECK;
/* Is `text` a value of this type: any text, a whole number within int64, "true" or "false"? */
bool input_type_accepts(enum input_type type, const char *text) MUST_CHECK;
/* Names joined by dots, LIMIT_NAMESPACE_BYTES at most. */
bool namespace_is_valid(const char *text) MUST_CHECK;
/* Does a task of this type need a process? Those that do not are done by the agent itself. */
bool task_type_has_process(enum task_type type) MUST_CHECK;

/*
 * Checks the values given for an execution against the flow's inputs and fills in defaults. `given` are
 * pairs of input id and text. The result has a pair for each input that has a value, in the flow's order.
 * False: ERR_INVALID for an unknown (with the nearest known), missing or mistyped input.
 */
bool flow_bind_inputs(const struct flow *flow, const struct flow_pair *given, size_t given_count,
		      struct arena *arena, struct flow_pair **bound, size_t *bound_count,
		      struct error *error) MUST_CHECK;

#endif
