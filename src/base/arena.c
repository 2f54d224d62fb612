#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/heap.h"

enum { BLOCK_BYTES = 16384, ALIGNMENT = 16 };

struct arena_block {
	struct arena_block *older;
	size_t size;
	_Alignas(ALIGNMENT) unsigned char bytes[];
};

void arena_init(struct arena *arena)
{
	*arena = (struct arena){ 0 };
}

static void free_older(struct arena_block *block)
{
	while (block) {
		struct arena_block *older = block->older;
		free(block);
		block = older;
	}
}

void arena_fini(struct arena *arena)
{
	free_older(arena->newest);
	arena_init(arena);
}

void arena_reset(struct arena *arena)
{
	struct arena_block *kept = arena->newest;
	if (!kept)
		return;
	if (kept->size > BLOCK_BYTES) {
		arena_fini(arena);
		return;
	}
	free_older(kept->older);
	kept->older = NULL;
	arena->used = 0;
}

static void *take(struct arena *arena, size_t bytes)
{
	ASSERT(bytes <= SIZE_MAX / 2);
	bytes = (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	if (!arena->newest || arena->newest->size - arena->used < bytes) {
		size_t size = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
		struct arena_block *block = heap_grow(NULL, sizeof(*block) + size, 1);
		block->older = arena->newest;
		block->size = size;
		arena->newest = block;
		arena->used = 0;
	}
	void *memory = arena->newest->bytes + arena->used;
	arena->used += bytes;
	return memory;
}

void *arena_new(struct arena *arena, size_t count, size_t size)
{
	ASSERT(size == 0 || count <= SIZE_MAX / 2 / size);
	void *memory = take(arena, count * size);
	memset(memory, 0, count * size);
	return memory;
}

char *arena_copy(struct arena *arena, const void *bytes, size_t length)
{
	char *copy = take(arena, length + 1);
	if (length)
		memcpy(copy, bytes, length);
	copy[length] = '\0';
	return copy;
}

char *arena_text(struct arena *arena, const char *text)
{
	return text ? arena_copy(arena, text, strlen(text)) : NULL;
}

char *arena_vprintf(struct arena *arena, const char *format, va_list arguments)
{
	va_list again;
	va_copy(again, arguments);
	int length = vsnprintf(NULL, 0, format, arguments);
	ASSERT(length >= 0);
	char *text = take(arena, (size_t)length + 1);
	vsnprintf(text, (size_t)length + 1, format, again);
	va_end(again);
	return text;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char *text = arena_vprintf(arena, format, arguments);
	va_end(arguments);
	return text;
}
