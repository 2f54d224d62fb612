/*
 * An arena holds what lives for one request or one tick: taken in pieces, given back at once.
 * Not thread-safe; an arena belongs to one owner at a time.
 */
#ifndef LULL_BASE_ARENA_H
#define LULL_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "base/attr.h"

struct arena_block;

struct arena {
	struct arena_block *newest;
	size_t used;           /* bytes taken from the newest block */
};

/* An empty arena owns nothing; a zeroed one is empty. */
void arena_init(struct arena *arena);
/* Gives everything back; the arena is empty afterwards. */
void arena_fini(struct arena *arena);
/* As arena_fini, but keeps one block for the next use. */
void arena_reset(struct arena *arena);

/* Zeroed memory for `count` things of `size` bytes, aligned for any type; lives as long as the arena. */
void *arena_new(struct arena *arena, size_t count, size_t size) MUST_CHECK;
/* A copy of `length` bytes with a NUL after them. */
char *arena_copy(struct arena *arena, const void *bytes, size_t length) MUST_CHECK;
/* A copy of `text`; NULL gives NULL. */
char *arena_text(struct arena *arena, const char *text) MUST_CHECK;
/* The formatted text. */
char *arena_printf(struct arena *arena, const char *format, ...) MUST_CHECK PRINTF_LIKE(2, 3);
/* As arena_printf, with the arguments as a list. */
char *arena_vprintf(struct arena *arena, const char *format, va_list arguments) MUST_CHECK PRINTF_LIKE(2, 0);

#define ARENA_NEW(arena, type) ((type *)arena_new((arena), 1, sizeof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_new((arena), (count), sizeof(type)))

#endif
