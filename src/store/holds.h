/*
 * Holds, and the version that every change of them raises.
 */
#ifndef LULL_STORE_HOLDS_H
#define LULL_STORE_HOLDS_H

#include "core/hold.h"
#include "store/tx.h"

/* The version of the holds; what was decided under another one may not be committed. */
bool holds_version(struct tx *tx, int64_t *version, struct error *error) MUST_CHECK;
/* Raises the version; every op that changes a hold does so. */
bool holds_raise_version(struct tx *tx, struct error *error) MUST_CHECK;

/* All that have not ended, oldest first, in the arena given; set->version is the version they were read under. */
bool holds_in_force(struct tx *tx, struct arena *arena, struct hold_set *set, struct error *error) MUST_CHECK;
bool holds_get(struct tx *tx, struct hold_id id, struct hold *hold, bool *found, struct error *error) MUST_CHECK;
/* Inserts, or saves everything that hold_step can change. */
bool holds_save(struct tx *tx, const struct hold *hold, struct error *error) MUST_CHECK;

#endif
