#include "ops/forecasts.h"

#include <stdlib.h>
#include <string.h>

#include "core/forecast.h"
#include "ops/memory.h"
#include "store/flows.h"

static int by_flow_and_task(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;
	if (x->flow.value != y->flow.value)
		return x->flow.value < y->flow.value ? -1 : 1;
	return x->task != y->task ? (x->task < y->task ? -1 : 1) : 0;
}

static bool learn(struct tx *tx, const struct sample *samples, size_t count, struct error *error)
{
	const struct flow *flow;
	const char *sketch;
	char text[FORECAST_TEXT_BYTES];
	if (!memory_flow(tx, samples->flow, samples->revision, &flow, error))
		return false;
	const char *task = samples->task < 0 ? "" : flow->tasks[samples->task].id;
	if (!forecasts_get(tx, samples->flow, task, &sketch, error))
		return false;
	struct forecast forecast = forecast_parse(sketch);
	for (size_t i = 0; i < count; i++)
		forecast_add(&forecast, samples[i].duration_ms);
	return forecasts_save(tx, samples->flow, task, forecast_format(&forecast, text), error);
}

bool forecasts_learn(struct tx *tx, struct error *error)
{
	struct memory *memory = memory_of(tx);
	size_t count = memory->sample_count < MEMORY_SAMPLES ? memory->sample_count : MEMORY_SAMPLES;
	memory->sample_count = 0;
	if (count == 0)
		return true;
	qsort(memory->samples, count, sizeof(*memory->samples), by_flow_and_task);
	for (size_t first = 0, end; first < count; first = end) {
		for (end = first + 1; end < count; end++)
			if (by_flow_and_task(&memory->samples[first], &memory->samples[end]) != 0)
				break;
		if (!learn(tx, memory->samples + first, end - first, error))
			return false;
	}
	return true;
}
