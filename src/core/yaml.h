/*
 * YAML as a tree whose every value knows its place, for readers that say where something is wrong.
 *
 * One document, UTF-8, types by the YAML 1.2 core schema (so `no` is a text and `0x1F` an integer). Not
 * taken, because they let a small file mean a big or a surprising one: anchors, aliases, tags, keys that are
 * no scalars, a key twice in one map, nesting beyond LIMIT_YAML_DEPTH, more than LIMIT_YAML_NODES values or
 * LIMIT_YAML_KEYS keys in one map, the character NUL.
 */
#ifndef LULL_CORE_YAML_H
#define LULL_CORE_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "core/flow_problem.h"

/* Those up to YAML_TEXT are scalars. Only a plain scalar, one without quotes, is anything else than a text. */
enum yaml_kind { YAML_NULL, YAML_BOOLEAN, YAML_INTEGER, YAML_NUMBER, YAML_TEXT, YAML_LIST, YAML_MAP };

struct yaml {
	enum yaml_kind kind;
	int32_t line;                    /* from 1 */
	int32_t column;                  /* from 1, in characters */
	const char *text;                /* a scalar as it is written, without its quotes; NULL otherwise */
	const struct yaml *key;          /* of a member of a map; NULL otherwise */
	struct yaml *first;              /* of a list or map: items or members in their order; NULL: empty */
	struct yaml *next;
	size_t count;                    /* of a list or map */
};

/* Reads `bytes`. False: one problem was added, *root is untouched. */
bool yaml_read(const char *bytes, size_t length, struct arena *arena, struct flow_problems *problems,
	       const struct yaml **root) MUST_CHECK;
/* The member of `map` with this key; NULL if there is none or `map` is no map. */
const struct yaml *yaml_member(const struct yaml *map, const char *key) MUST_CHECK;
bool yaml_is_scalar(const struct yaml *value) MUST_CHECK;

#endif
