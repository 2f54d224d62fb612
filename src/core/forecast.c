#include "core/forecast.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/text.h"

/* A hundred years, as the longest duration anywhere; its 13 digits and a comma are what the text has room for. */
static const int64_t longest_ms = INT64_C(3155760000000);

struct forecast forecast_parse(const char *text)
{
	struct forecast forecast = { .count = 0 };
	while (text && *text) {
		char digits[16];
		size_t length = strcspn(text, ",");
		bool ends_in_comma = text[length] == ',' && text[length + 1] == '\0';
		if (length >= sizeof(digits) || ends_in_comma || forecast.count == FORECAST_SAMPLES)
			return (struct forecast){ .count = 0 };
		memcpy(digits, text, length);
		digits[length] = '\0';
		if (!text_to_int64(digits, 0, longest_ms, &forecast.samples[forecast.count++]))
			return (struct forecast){ .count = 0 };
		text += length + (text[length] == ',');
	}
	return forecast;
}

const char *forecast_format(const struct forecast *forecast, char text[FORECAST_TEXT_BYTES])
{
	size_t at = 0;
	text[0] = '\0';
	for (size_t i = 0; i < forecast->count; i++) {
		at += (size_t)snprintf(text + at, FORECAST_TEXT_BYTES - at, "%s%" PRId64, i ? "," : "",
				       forecast->samples[i]);
		ASSERT(at < FORECAST_TEXT_BYTES);
	}
	return text;
}

void forecast_add(struct forecast *forecast, int64_t duration_ms)
{
	if (forecast->count == FORECAST_SAMPLES)
		memmove(forecast->samples, forecast->samples + 1, --forecast->count * sizeof(*forecast->samples));
	forecast->samples[forecast->count++] = duration_ms < 0            ? 0
					       : duration_ms > longest_ms ? longest_ms
									  : duration_ms;
}

static int compare_durations(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
	return (left > right) - (left < right);
}

/* The nearest rank (a duration that was seen, none between two) of the samples above `age_ms`; -1: there are none. */
static int64_t percentile_above(const struct forecast *forecast, int64_t age_ms, int percent)
{
	int64_t longer[FORECAST_SAMPLES];
	size_t count = 0;
	for (size_t i = 0; i < forecast->count; i++)
		if (forecast->samples[i] > age_ms)
			longer[count++] = forecast->samples[i];
	if (count == 0)
		return -1;
	qsort(longer, count, sizeof(*longer), compare_durations);
	return longer[(count * (size_t)percent + 99) / 100 - 1];
}

int64_t forecast_percentile(const struct forecast *forecast, int percent)
{
	ASSERT(percent >= 1 && percent <= 100);
	return percentile_above(forecast, -1, percent);
}

struct remaining forecast_remaining(const struct forecast *forecast, int64_t age_ms)
{
	if (age_ms < 0)
		age_ms = 0;                      /* clocks differ; a run that has yet to begin has all before it */
	int64_t usual = percentile_above(forecast, age_ms, 50);
	if (usual < 0)
		return (struct remaining){ -1, -1, forecast->count > 0 };
	return (struct remaining){ usual - age_ms, percentile_above(forecast, age_ms, 90) - age_ms, false };
}
