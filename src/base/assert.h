/*
 * A programmer's mistake ends the process at once, in production too: going on would
 * turn a wrong state into wrong data. What comes from outside never reaches an ASSERT.
 */
#ifndef LULL_BASE_ASSERT_H
#define LULL_BASE_ASSERT_H

#include "base/attr.h"

/* Writes where and what to standard error, then aborts. */
NORETURN void assert_failed(const char *file, int line, const char *condition);

#define ASSERT(condition) ((condition) ? (void)0 : assert_failed(__FILE__, __LINE__, #condition))

#endif
