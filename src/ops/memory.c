#include "ops/memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/heap.h"
#include "ops/session.h"
#include "store/flows.h"
#include "store/holds.h"
#include "store/ids.h"

struct cached_flow {
	struct arena arena;
	struct flow *flow;
};

void *memory_open(void *context)
{
	struct memory *memory = heap_new(1, sizeof(*memory));
	memory->started_ms = *(const instant *)context;
	return memory;
}

static void forget_flows(struct memory *memory)
{
	size_t place = 0;
	struct cached_flow *cached;
	while ((cached = map_next(&memory->flows, &place))) {
		arena_fini(&cached->arena);
		free(cached);
	}
	map_fini(&memory->flows);
	memory->flow_bytes = 0;
}

static void forget_needs(struct memory *memory)
{
	arena_fini(&memory->needs_arena);
	memory->needs = NULL;
	memory->need_count = 0;
	memory->has_needs = false;
}

void memory_forget(void *context, struct tx *tx)
{
	struct memory *memory = context;
	forget_flows(memory);
	forget_needs(memory);
	arena_fini(&memory->holds_arena);
	memory->holds = (struct hold_set){ 0 };
	session_forget_all(memory, tx);
	memory->has_new_work = true;
	memory->sample_count = 0;
}

void memory_close(void *context)
{
	struct memory *memory = context;
	struct arena arena = { 0 };
	struct tx tx = { .arena = &arena };
	memory_forget(memory, &tx);
	arena_fini(&arena);
	free(memory->samples);
	free(memory);
}

struct memory *memory_of(struct tx *tx)
{
	return tx->memory;
}

static int64_t flow_key(struct flow_id flow, int64_t revision)
{
	return flow.value * (INT64_C(1) << 24) + revision;
}

bool memory_flow(struct tx *tx, struct flow_id flow, int64_t revision, const struct flow **parsed,
		 struct error *error)
{
	struct memory *memory = memory_of(tx);
	struct cached_flow *cached = map_get(&memory->flows, flow_key(flow, revision));
	if (cached) {
		*parsed = cached->flow;
		return true;
	}
	struct revision_row row;
	bool found;
	if (!revisions_get(tx, flow, revision, &row, &found, error))
		return false;
	if (!found)
		return error_set(error, ERR_STORE, "a revision of a flow is missing in the store");
	cached = heap_new(1, sizeof(*cached));
	struct error broken;
	if (!flow_parse(row.source, strlen(row.source), &cached->arena, &cached->flow, NULL, NULL, &broken)) {
		arena_fini(&cached->arena);
		free(cached);
		return error_set(error, ERR_STORE, "a stored flow cannot be read any more: %s", broken.detail);
	}
	map_put(&memory->flows, flow_key(flow, revision), cached);
	memory->flow_bytes += strlen(row.source);
	*parsed = cached->flow;
	return true;
}

bool memory_holds(struct tx *tx, const struct hold_set **holds, struct error *error)
{
	struct memory *memory = memory_of(tx);
	int64_t version;
	if (!holds_version(tx, &version, error))
		return false;
	if (memory->holds.version != version) {
		arena_reset(&memory->holds_arena);
		memory->holds = (struct hold_set){ 0 };
		if (!holds_in_force(tx, &memory->holds_arena, &memory->holds, error))
			return false;
	}
	*holds = &memory->holds;
	return true;
}

bool memory_needs(struct tx *tx, const struct need_row **needs, size_t *count, struct error *error)
{
	struct memory *memory = memory_of(tx);
	if (!memory->has_needs) {
		struct need_row *rows;
		size_t found;
		if (!needs_all(tx, &rows, &found, error))
			return false;
		memory->needs = ARENA_ARRAY(&memory->needs_arena, struct need_row, found);
		for (size_t i = 0; i < found; i++)
			memory->needs[i] = (struct need_row){
				.id = rows[i].id,
				.pool = arena_text(&memory->needs_arena, rows[i].pool),
				.labels = arena_text(&memory->needs_arena, rows[i].labels),
			};
		memory->need_count = found;
		memory->has_needs = true;
	}
	*needs = memory->needs;
	*count = memory->need_count;
	return true;
}

static const char *join_labels(const struct flow_task *task, struct arena *arena)
{
	const char *joined = "";
	for (size_t i = 0; i < task->label_count; i++)
		joined = arena_printf(arena, "%s%s%s", joined, i ? "," : "", task->labels[i]);
	return joined;
}

bool memory_need_of(struct tx *tx, const struct flow_task *task, struct need_id *need, struct error *error)
{
	const struct need_row *needs;
	size_t count;
	if (!memory_needs(tx, &needs, &count, error))
		return false;
	const char *labels = join_labels(task, tx->arena);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(needs[i].pool, task->pool) == 0 && strcmp(needs[i].labels, labels) == 0) {
			*need = needs[i].id;
			return true;
		}
	}
	struct need_row row = { .pool = task->pool, .labels = labels };
	if (!ids_take(tx, "need", 1, &row.id.value, error) || !needs_add(tx, &row, error))
		return false;
	forget_needs(memory_of(tx));
	*need = row.id;
	return true;
}

void memory_sample(struct memory *memory, const struct sample *sample)
{
	if (!memory->samples)
		memory->samples = heap_new(MEMORY_SAMPLES, sizeof(*memory->samples));
	memory->samples[memory->sample_count++ % MEMORY_SAMPLES] = *sample;
}

void memory_trim(void *context)
{
	struct memory *memory = context;
	if (memory->flows.count > MEMORY_FLOWS || memory->flow_bytes > MEMORY_FLOW_BYTES)
		forget_flows(memory);
}
