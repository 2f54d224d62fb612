#include "base/instant.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"

enum { MS = 1000, MINUTE_MS = 60 * MS, HOUR_MS = 60 * MINUTE_MS, DAY_MS = 24 * HOUR_MS };
#define LONGEST_MS ((int64_t)36525 * DAY_MS)
/* 9999-12-31T23:59:59.999Z, the last that four digits of a year can write. */
#define LAST_MS INT64_C(253402300799999)

const char *instant_format(instant at, char text[INSTANT_TEXT_BYTES])
{
	int64_t second = at / MS;
	int64_t ms = at % MS;
	if (ms < 0) {
		ms += MS;
		second--;
	}
	time_t seconds = (time_t)second;
	struct tm utc;
	if (!gmtime_r(&seconds, &utc))
		memset(&utc, 0, sizeof(utc));
	size_t length = strftime(text, INSTANT_TEXT_BYTES, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text + length, INSTANT_TEXT_BYTES - length, ".%03dZ", (int)ms);
	return text;
}

/* Exactly `digits` decimal digits; false leaves the place where it was. */
static bool read_number(const char **at, int digits, int low, int high, int *value)
{
	int number = 0;
	for (int i = 0; i < digits; i++) {
		if ((*at)[i] < '0' || (*at)[i] > '9')
			return false;
		number = number * 10 + ((*at)[i] - '0');
	}
	if (number < low || number > high)
		return false;
	*at += digits;
	*value = number;
	return true;
}

static bool read_char(const char **at, const char *any_of)
{
	if (!**at || !strchr(any_of, **at))
		return false;
	++*at;
	return true;
}

static int read_fraction_ms(const char **at)
{
	int ms = 0;
	for (int scale = 100; **at >= '0' && **at <= '9'; scale /= 10)
		ms += (*(*at)++ - '0') * scale;
	return ms;
}

static bool read_offset(const char **at, int *minutes)
{
	*minutes = 0;
	if (read_char(at, "Zz"))
		return true;
	int sign = **at == '-' ? -1 : 1;
	int hour, minute;
	if (!read_char(at, "+-") || !read_number(at, 2, 0, 23, &hour) || !read_char(at, ":") ||
	    !read_number(at, 2, 0, 59, &minute))
		return false;
	*minutes = sign * (hour * 60 + minute);
	return true;
}

static bool read_rfc3339(const char *at, instant *result)
{
	static const int month_days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	struct tm tm = { 0 };
	int year, month, ms = 0, offset;
	if (!read_number(&at, 4, 1970, 9999, &year) || !read_char(&at, "-") ||
	    !read_number(&at, 2, 1, 12, &month) || !read_char(&at, "-") ||
	    !read_number(&at, 2, 1, month_days[month - 1], &tm.tm_mday) || !read_char(&at, "Tt ") ||
	    !read_number(&at, 2, 0, 23, &tm.tm_hour) || !read_char(&at, ":") ||
	    !read_number(&at, 2, 0, 59, &tm.tm_min) || !read_char(&at, ":") ||
	    !read_number(&at, 2, 0, 60, &tm.tm_sec))
		return false;
	if (read_char(&at, ".") && (*at < '0' || *at > '9'))
		return false;
	ms = read_fraction_ms(&at);
	if (!read_offset(&at, &offset) || *at)
		return false;
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	if (month == 2 && tm.tm_mday == 29 && !leap)
		return false;
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	*result = (instant)timegm(&tm) * MS + ms - (instant)offset * MINUTE_MS;
	return *result >= 0 && *result <= LAST_MS;
}

bool instant_parse(const char *text, instant *at, struct error *error)
{
	instant result;
	if (!read_rfc3339(text, &result))
		return error_set(error, ERR_INVALID, "\"%.40s\" is no instant; write one like 2026-11-21T04:30:00Z",
				 text);
	*at = result;
	return true;
}

const char *duration_format(int64_t ms, char text[DURATION_TEXT_BYTES])
{
	ASSERT(ms >= 0);
	int64_t days = ms / DAY_MS;
	int hours = (int)(ms % DAY_MS / HOUR_MS), minutes = (int)(ms % HOUR_MS / MINUTE_MS);
	int seconds = (int)(ms % MINUTE_MS / MS), rest = (int)(ms % MS);
	int length = snprintf(text, DURATION_TEXT_BYTES, "P");
	if (days)
		length += snprintf(text + length, DURATION_TEXT_BYTES - (size_t)length, "%" PRId64 "D", days);
	if (hours || minutes || seconds || rest || !days)
		length += snprintf(text + length, DURATION_TEXT_BYTES - (size_t)length, "T");
	if (hours)
		length += snprintf(text + length, DURATION_TEXT_BYTES - (size_t)length, "%dH", hours);
	if (minutes)
		length += snprintf(text + length, DURATION_TEXT_BYTES - (size_t)length, "%dM", minutes);
	if (rest)
		snprintf(text + length, DURATION_TEXT_BYTES - (size_t)length, "%d.%03dS", seconds, rest);
	else if (seconds || (!days && !hours && !minutes))
		snprintf(text + length, DURATION_TEXT_BYTES - (size_t)length, "%dS", seconds);
	return text;
}

const char *duration_human(int64_t ms, char text[DURATION_TEXT_BYTES])
{
	ASSERT(ms >= 0);
	if (ms < MS)
		snprintf(text, DURATION_TEXT_BYTES, "%dms", (int)ms);
	else if (ms < 10 * MS)
		snprintf(text, DURATION_TEXT_BYTES, "%d.%ds", (int)(ms / MS), (int)(ms % MS / 100));
	else if (ms < MINUTE_MS)
		snprintf(text, DURATION_TEXT_BYTES, "%ds", (int)(ms / MS));
	else if (ms < HOUR_MS)
		snprintf(text, DURATION_TEXT_BYTES, "%dm %ds", (int)(ms / MINUTE_MS), (int)(ms % MINUTE_MS / MS));
	else if (ms < DAY_MS)
		snprintf(text, DURATION_TEXT_BYTES, "%dh %dm", (int)(ms / HOUR_MS), (int)(ms % HOUR_MS / MINUTE_MS));
	else
		snprintf(text, DURATION_TEXT_BYTES, "%" PRId64 "d %dh", ms / DAY_MS, (int)(ms % DAY_MS / HOUR_MS));
	return text;
}

struct unit {
	const char *name;
	int64_t ms;
};

static const struct unit iso_days[] = { { "W", 7 * (int64_t)DAY_MS }, { "D", DAY_MS } };
static const struct unit iso_times[] = { { "H", HOUR_MS }, { "M", MINUTE_MS }, { "S", MS } };
static const struct unit short_units[] = {
	{ "d", DAY_MS }, { "h", HOUR_MS }, { "ms", 1 }, { "m", MINUTE_MS }, { "s", MS },
};

/* Adds "<number>[.fraction]<unit>"; units come in falling order, each at most once. */
static bool read_part(const char **at, const struct unit *units, size_t unit_count, int64_t *smallest, int64_t *sum)
{
	int64_t whole = 0;
	int digits = 0, fraction_ms = 0;
	for (; **at >= '0' && **at <= '9' && digits < 12; digits++)
		whole = whole * 10 + (*(*at)++ - '0');
	if (digits == 0 || digits == 12)
		return false;
	bool fraction = read_char(at, ".,");
	if (fraction && (**at < '0' || **at > '9'))
		return false;
	if (fraction)
		fraction_ms = read_fraction_ms(at);
	for (size_t i = 0; i < unit_count; i++) {
		size_t length = strlen(units[i].name);
		if (strncmp(*at, units[i].name, length) != 0)
			continue;
		if (units[i].ms >= *smallest || whole > LONGEST_MS / units[i].ms || (fraction && units[i].ms == 1))
			return false;
		*at += length;
		*smallest = units[i].ms;
		*sum += whole * units[i].ms + fraction_ms * (units[i].ms / MS);
		return *sum <= LONGEST_MS;
	}
	return false;
}

static bool read_duration(const char *at, int64_t *ms)
{
	int64_t sum = 0, smallest = INT64_MAX;
	if (strcmp(at, "0") == 0) {
		*ms = 0;
		return true;
	}
	bool iso = read_char(&at, "P");
	if (!*at)
		return false;
	while (*at) {
		if (iso && read_char(&at, "T")) {
			if (!*at)
				return false;
			while (*at)
				if (!read_part(&at, iso_times, COUNT_OF(iso_times), &smallest, &sum))
					return false;
		} else if (!(iso ? read_part(&at, iso_days, COUNT_OF(iso_days), &smallest, &sum)
				 : read_part(&at, short_units, COUNT_OF(short_units), &smallest, &sum))) {
			return false;
		}
	}
	*ms = sum;
	return true;
}

bool duration_parse(const char *text, int64_t *ms, struct error *error)
{
	if (!read_duration(text, ms))
		return error_set(error, ERR_INVALID,
				 "\"%.40s\" is no duration; write one like 90s, 15m, 1h30m or PT15M", text);
	return true;
}
