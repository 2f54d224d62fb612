/*
 * Numbers for new rows, counted per kind in id_block.
 */
#ifndef LULL_STORE_IDS_H
#define LULL_STORE_IDS_H

#include "store/tx.h"

/*
 * Takes `count` numbers of `kind` ("flow", "execution/1"); *first is the lowest, the others follow it. Rolled back
 * with the transaction.
 */
bool ids_take(struct tx *tx, const char *kind, int64_t count, int64_t *first, struct error *error) MUST_CHECK;

#endif
