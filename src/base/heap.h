/*
 * The base allocators. Out of memory aborts: every size that comes from outside is
 * bounded by limits.h before it gets here, so that running out is the machine's end.
 */
#ifndef LULL_BASE_HEAP_H
#define LULL_BASE_HEAP_H

#include <stddef.h>

#include "base/attr.h"

/* Zeroed memory of count * size bytes; never NULL. Give back with free(). */
void *heap_new(size_t count, size_t size) MUST_CHECK;
/* `memory` (NULL accepted) with room for count * size bytes; what is new is not zeroed. */
void *heap_grow(void *memory, size_t count, size_t size) MUST_CHECK;
/* A copy of `text` with its end mark; NULL gives NULL. */
char *heap_text(const char *text) MUST_CHECK;
/* A copy of `length` bytes with a NUL after them. */
char *heap_copy(const void *bytes, size_t length) MUST_CHECK;

#endif
