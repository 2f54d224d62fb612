/*
 * The keys of a flow: one table for each thing that has keys (the flow, a task, an input), a row for each key.
 * Reads and checks what one key says by itself; what spans several is flow_check.h's.
 */
#ifndef LULL_CORE_FLOW_YAML_H
#define LULL_CORE_FLOW_YAML_H

#include "base/arena.h"
#include "core/flow.h"
#include "core/flow_problem.h"
#include "core/yaml.h"

/* A flow that is not whole yet: needs are not resolved, the flow's env is not laid below that of its tasks. */
struct flow_draft {
	struct flow flow;
	struct flow_pair *env;           /* sorted by name */
	size_t env_count;
};

/*
 * Lays out what `root` says. Where that is wrong, a problem is added and the field stays empty, so the draft can
 * be checked further, but task i is always item i of `tasks`, and input i item i of `inputs`.
 */
void flow_yaml_read(const struct yaml *root, struct arena *arena, struct flow_problems *problems,
		    struct flow_draft *draft);

#endif
