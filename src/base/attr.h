/*
 * Small words that the compiler checks for us. No dependency, no code.
 */
#ifndef LULL_BASE_ATTR_H
#define LULL_BASE_ATTR_H

#include <stddef.h>

/* The caller has to look at the answer. */
#define MUST_CHECK __attribute__((warn_unused_result))
/* Argument number `text` is a printf format for the arguments from `first` on. */
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))
#define NORETURN __attribute__((noreturn))
#define UNUSED __attribute__((unused))

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define BIT(n) (1U << (n))

/* The structure of type `type` whose member `member` is at `pointer`. */
#define CONTAINER_OF(pointer, type, member) ((type *)(void *)((char *)(pointer) - offsetof(type, member)))

#endif
