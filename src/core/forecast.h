/*
 * How long something usually takes, and how long it still usually takes when it has run for a while.
 *
 * Kept of each flow and each task: the durations of its last FORECAST_SAMPLES successful runs, as one short text
 * ("61200,59873,64010", ms, oldest first). So an estimate follows a job that changes, one odd day does not
 * spoil it, and it never claims more than was seen: no average, which a single hang of a night would double,
 * no rounding, and past the longest run seen it says "longer than usual" instead of a number.
 *
 * What is paused does not run: leave the time in which it was parked out of durations and ages.
 */
#ifndef LULL_CORE_FORECAST_H
#define LULL_CORE_FORECAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum { FORECAST_SAMPLES = 20, FORECAST_TEXT_BYTES = FORECAST_SAMPLES * 14 };

struct forecast {
	int64_t samples[FORECAST_SAMPLES];       /* ms, oldest first */
	size_t count;
};

/* What is left of a run. All -1 where nothing is known or is_overdue. */
struct remaining {
	int64_t usual_ms;                        /* half of the runs that came this far ended within this time */
	int64_t late_ms;                         /* nine of ten of them */
	bool is_overdue;                         /* it has run longer than every run that was seen */
};

/* Reads what forecast_format wrote; NULL, "" and what is no sketch are an empty one. */
struct forecast forecast_parse(const char *text) MUST_CHECK;
/* Answers `text`. */
const char *forecast_format(const struct forecast *forecast, char text[FORECAST_TEXT_BYTES]);
/* Takes in a run that ended well after `duration_ms` (below 0 counts as 0), in place of the oldest. */
void forecast_add(struct forecast *forecast, int64_t duration_ms);

/* The duration within which `percent` (1 to 100) of the runs ended; -1: none was seen. 50 is what is usual. */
int64_t forecast_percentile(const struct forecast *forecast, int percent) MUST_CHECK;
/* What is left of a run that began `age_ms` ago. Judged by the runs that took longer than that. */
struct remaining forecast_remaining(const struct forecast *forecast, int64_t age_ms) MUST_CHECK;

#endif
