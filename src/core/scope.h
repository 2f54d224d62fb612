/*
 * What a hold covers.
 *
 * Work stands on the path instance / tenant / namespace / flow; a place on instance / pool / agent, or on
 * instance / node. A scope covers what is at it or below it, and a namespace what is below it by its dots
 * ("ops" covers "ops.db", not "opsx"). What stands above a scope is not covered by it.
 */
#ifndef LULL_CORE_SCOPE_H
#define LULL_CORE_SCOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/limits.h"
#include "core/id.h"

enum scope_kind {
	SCOPE_INSTANCE, SCOPE_TENANT, SCOPE_NAMESPACE, SCOPE_FLOW,
	SCOPE_POOL, SCOPE_AGENT, SCOPE_NODE,
	SCOPE_KINDS
};

struct scope {
	enum scope_kind kind;
	int64_t id;                              /* of the flow, agent or node; 0 otherwise */
	struct tenant_id tenant;                 /* of a tenant, namespace or flow; 0 otherwise */
	char name[LIMIT_NAMESPACE_BYTES + 1];    /* of the namespace or pool; "" otherwise */
};

/* Where an act takes place. What it has no part in is 0 or NULL: a change of a setting stands on the instance. */
struct scope_path {
	struct tenant_id tenant;
	const char *name_space;
	struct flow_id flow;
	const char *pool;
	struct agent_id agent;
	int64_t node;
};

enum { SCOPE_TEXT_BYTES = LIMIT_NAMESPACE_BYTES + 40 };

/* Is what stands on `path` at the scope or below it? */
bool scope_covers(const struct scope *scope, const struct scope_path *path) MUST_CHECK;
/* Is it a pool, an agent or a node? */
bool scope_is_place(const struct scope *scope) MUST_CHECK;
bool scope_same(const struct scope *a, const struct scope *b) MUST_CHECK;

/*
 * The form that the store keeps, by numbers, since names may change: "instance", "tenant/1",
 * "namespace/1/ops.db", "flow/1/17", "pool/default", "agent/3", "node/2". Answers `text`.
 */
const char *scope_format(const struct scope *scope, char text[SCOPE_TEXT_BYTES]);
/* Reads that form. False: ERR_INVALID. */
bool scope_parse(const char *text, struct scope *scope, struct error *error) MUST_CHECK;
const char *scope_kind_name(enum scope_kind kind) MUST_CHECK;
bool scope_kind_parse(const char *name, enum scope_kind *kind) MUST_CHECK;

#endif
