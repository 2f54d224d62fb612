/*
 * Instants and durations as the outside writes them.
 * An instant is a count of milliseconds since 1970-01-01T00:00Z; a duration is a count of milliseconds.
 */
#ifndef LULL_BASE_INSTANT_H
#define LULL_BASE_INSTANT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"

typedef int64_t instant;

enum {
	INSTANT_TEXT_BYTES = 32,
	DURATION_TEXT_BYTES = 48,
};
#define INSTANT_NONE INT64_C(0)

/* RFC 3339 in UTC with milliseconds, "2026-11-21T04:30:00.123Z"; answers `text`. */
const char *instant_format(instant at, char text[INSTANT_TEXT_BYTES]);
/*
 * Reads RFC 3339 (any offset, any count of fraction digits; more than three are cut), from 1970 to 9999 in UTC.
 * False: ERR_INVALID.
 */
bool instant_parse(const char *text, instant *at, struct error *error) MUST_CHECK;

/* ISO 8601 as the API writes it, "PT1H30M", "PT0.250S", "P2DT4H"; `ms` >= 0; answers `text`. */
const char *duration_format(int64_t ms, char text[DURATION_TEXT_BYTES]);
/* For people: the two largest units, "1h 30m", "2.4s", "250ms"; `ms` >= 0; answers `text`. */
const char *duration_human(int64_t ms, char text[DURATION_TEXT_BYTES]);
/*
 * Reads ISO 8601 ("PT15M", "P1DT2H", "P2W"; months and years have no fixed length and are refused)
 * or the short form of the command line ("250ms", "90s", "15m", "1h30m", "2d"; a bare "0").
 * 0 <= *ms <= 100 years. False: ERR_INVALID.
 */
bool duration_parse(const char *text, int64_t *ms, struct error *error) MUST_CHECK;

#endif
