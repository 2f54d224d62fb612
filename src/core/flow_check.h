/*
 * What spans several keys of a flow: ids that come twice, needs and cycles, inputs that collide, environments.
 */
#ifndef LULL_CORE_FLOW_CHECK_H
#define LULL_CORE_FLOW_CHECK_H

#include "base/arena.h"
#include "core/flow_problem.h"
#include "core/flow_yaml.h"
#include "core/yaml.h"

/* Completes the draft that flow_yaml_read made of `root`, and adds a problem for all that does not fit together. */
void flow_check(const struct yaml *root, struct arena *arena, struct flow_problems *problems,
		struct flow_draft *draft);

#endif
