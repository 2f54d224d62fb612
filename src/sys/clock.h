/*
 * The one place that reads clocks. Ops and core never do: they are given `now`.
 */
#ifndef LULL_SYS_CLOCK_H
#define LULL_SYS_CLOCK_H

#include <stdint.h>
#include <time.h>

#include "base/instant.h"

/* Wall clock, ms since 1970. May step. */
instant clock_now(void);
/* Since some fixed moment of this boot; never steps back. */
int64_t clock_monotonic_us(void);
int64_t clock_monotonic_ms(void);

/* The monotonic clock in `ms` from now, as pthread_cond_timedwait and the like want it. */
struct timespec clock_monotonic_after(int64_t ms);

#endif
