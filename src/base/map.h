/*
 * A map from a 64-bit number to a pointer: open addressing, linear probing, grows by doubling.
 * A zeroed map is empty. Not thread-safe.
 */
#ifndef LULL_BASE_MAP_H
#define LULL_BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct map_slot {
	int64_t key;
	void *value;       /* NULL: free */
};

struct map {
	struct map_slot *slots;
	size_t room;       /* 0 or a power of two */
	size_t count;
};

/* Gives the table back, not what the values point to; the map is empty afterwards. */
void map_fini(struct map *map);
/* The value of `key`, NULL if there is none. */
void *map_get(const struct map *map, int64_t key) MUST_CHECK;
/* Sets or replaces; `value` is not NULL. */
void map_put(struct map *map, int64_t key, void *value);
/* Removes `key` and answers its value, NULL if there was none. */
void *map_remove(struct map *map, int64_t key);
/* Walks all values in no order: start with *place = 0; NULL at the end. The map must not change meanwhile. */
void *map_next(const struct map *map, size_t *place) MUST_CHECK;

#endif
