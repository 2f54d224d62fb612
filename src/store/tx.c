#include "store/tx.h"

#include <string.h>

/* Doubles an array that lives in the arena. */
static void *widen(struct arena *arena, void *array, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return array;
	size_t wider = *room ? *room * 2 : 32;
	void *grown = arena_new(arena, wider, size);
	if (count)
		memcpy(grown, array, count * size);
	*room = wider;
	return grown;
}

void tx_effect(struct tx *tx, enum effect_kind kind, int64_t subject)
{
	if (tx->effect_count) {
		const struct effect *last = &tx->effects[tx->effect_count - 1];
		if (last->kind == kind && last->subject == subject)
			return;
	}
	tx->effects = widen(tx->arena, tx->effects, tx->effect_count, &tx->effect_room, sizeof(*tx->effects));
	tx->effects[tx->effect_count++] = (struct effect){ .kind = kind, .subject = subject };
}

void tx_finish(struct tx *tx, void *call)
{
	tx->finished = widen(tx->arena, tx->finished, tx->finished_count, &tx->finished_room, sizeof(*tx->finished));
	tx->finished[tx->finished_count++] = call;
}
