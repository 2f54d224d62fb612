/*
 * What the tasks of a flow need of each other, seen as a graph.
 */
#ifndef LULL_CORE_GRAPH_H
#define LULL_CORE_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "core/flow.h"

/*
 * Looks for tasks that wait for each other. True: cycle[0] needs cycle[1] and so on, the last one needs
 * cycle[0]; it begins with the earliest of its tasks, and lives in the arena. False: every task's turn comes.
 */
bool graph_find_cycle(const struct flow *flow, struct arena *arena, int32_t **cycle, size_t *count) MUST_CHECK;

#endif
