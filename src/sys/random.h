/*
 * Randomness from the kernel, fit for secrets.
 */
#ifndef LULL_SYS_RANDOM_H
#define LULL_SYS_RANDOM_H

#include <stddef.h>

/* Fills `length` bytes. */
void random_bytes(void *bytes, size_t length);

#endif
