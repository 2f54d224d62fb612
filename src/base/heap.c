#include "base/heap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

void *heap_new(size_t count, size_t size)
{
	void *memory = calloc(count ? count : 1, size ? size : 1);
	ASSERT(memory != NULL);
	return memory;
}

void *heap_grow(void *memory, size_t count, size_t size)
{
	ASSERT(size == 0 || count <= SIZE_MAX / size);
	size_t bytes = count * size;
	memory = realloc(memory, bytes > 0 ? bytes : 1);
	ASSERT(memory != NULL);
	return memory;
}

char *heap_text(const char *text)
{
	return text ? heap_copy(text, strlen(text)) : NULL;
}

char *heap_copy(const void *bytes, size_t length)
{
	char *copy = heap_grow(NULL, length + 1, 1);
	if (length)
		memcpy(copy, bytes, length);
	copy[length] = '\0';
	return copy;
}
