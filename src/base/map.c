#include "base/map.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/heap.h"

void map_fini(struct map *map)
{
	free(map->slots);
	*map = (struct map){ 0 };
}

static size_t place_of(int64_t key, size_t room)
{
	uint64_t mixed = (uint64_t)key * UINT64_C(0x9E3779B97F4A7C15);
	return (size_t)(mixed >> 32) & (room - 1);
}

/* Where `key` is, or the free slot where it would go. The map has room. */
static struct map_slot *find(const struct map *map, int64_t key)
{
	size_t i = place_of(key, map->room);
	while (map->slots[i].value && map->slots[i].key != key)
		i = (i + 1) & (map->room - 1);
	return &map->slots[i];
}

void *map_get(const struct map *map, int64_t key)
{
	return map->room ? find(map, key)->value : NULL;
}

static void grow(struct map *map)
{
	struct map wider = { .room = map->room ? map->room * 2 : 16, .count = map->count };
	wider.slots = heap_new(wider.room, sizeof(*wider.slots));
	for (size_t i = 0; i < map->room; i++)
		if (map->slots[i].value)
			*find(&wider, map->slots[i].key) = map->slots[i];
	free(map->slots);
	*map = wider;
}

void map_put(struct map *map, int64_t key, void *value)
{
	ASSERT(value != NULL);
	if ((map->count + 1) * 4 > map->room * 3)
		grow(map);
	struct map_slot *slot = find(map, key);
	if (!slot->value)
		map->count++;
	*slot = (struct map_slot){ .key = key, .value = value };
}

void *map_remove(struct map *map, int64_t key)
{
	if (!map->room)
		return NULL;
	struct map_slot *slot = find(map, key);
	void *removed = slot->value;
	if (!removed)
		return NULL;
	slot->value = NULL;
	map->count--;

	/* What was pushed past the freed slot moves back, so that a search never stops too early. */
	size_t mask = map->room - 1;
	for (size_t i = ((size_t)(slot - map->slots) + 1) & mask; map->slots[i].value; i = (i + 1) & mask) {
		struct map_slot moved = map->slots[i];
		map->slots[i].value = NULL;
		*find(map, moved.key) = moved;
	}
	return removed;
}

void *map_next(const struct map *map, size_t *place)
{
	while (*place < map->room) {
		void *value = map->slots[(*place)++].value;
		if (value)
			return value;
	}
	return NULL;
}
