/*
 * Names with texts, as the JSON object that the store keeps: inputs of an execution, details of an audit row.
 */
#ifndef LULL_CORE_PAIRS_H
#define LULL_CORE_PAIRS_H

#include "core/flow.h"

/* The object as text, in the arena; NULL for no pairs. A NULL value is written as null. */
const char *pairs_format(const struct flow_pair *pairs, size_t count, struct arena *arena) MUST_CHECK;
/* Reads that form; NULL has no pairs. False: ERR_STORE. */
bool pairs_parse(const char *text, struct arena *arena, struct flow_pair **pairs, size_t *count,
		 struct error *error) MUST_CHECK;

#endif
