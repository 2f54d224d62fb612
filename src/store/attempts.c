#include <string.h>

#include "store/executions.h"

#define ATTEMPT_COLUMNS \
	"execution, task, try, flow, agent, state, result, handed_ms, began_ms, ended_ms, exit_code, signal, " \
	"output_bytes, is_cut, detail"

static const struct statement insert_attempt = {
	"INSERT INTO attempt (" ATTEMPT_COLUMNS ") VALUES "
	"(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
	"iiiiiiiiiiiiiit",
};
static const struct statement update_attempt = {
	"UPDATE attempt SET state = ?4, result = ?5, began_ms = ?6, ended_ms = ?7, exit_code = ?8, signal = ?9, "
	"output_bytes = ?10, is_cut = ?11, detail = ?12 "
	"WHERE execution = ?1 AND task = ?2 AND try = ?3", "iiiiiiiiiiit",
};
static const struct statement select_attempt = {
	"SELECT " ATTEMPT_COLUMNS " FROM attempt WHERE execution = ?1 AND task = ?2 AND try = ?3", "iii",
};
static const struct statement select_of_execution = {
	"SELECT " ATTEMPT_COLUMNS " FROM attempt WHERE execution = ?1 ORDER BY task, try", "i",
};
static const struct statement select_open_of_agent = {
	"SELECT " ATTEMPT_COLUMNS " FROM attempt WHERE state < 4 AND agent = ?1 LIMIT ?2", "ii",
};
static const struct statement select_open = {
	"SELECT " ATTEMPT_COLUMNS " FROM attempt WHERE state < 4 AND agent > ?1 ORDER BY agent LIMIT ?2", "ii",
};
static const struct statement select_given_up = {
	"SELECT " ATTEMPT_COLUMNS " FROM attempt WHERE result = 6 AND agent = ?1 AND ended_ms >= ?2 LIMIT ?3", "iii",
};
static const struct statement any_given_up = {
	"SELECT 1 FROM agent WHERE gave_up_ms > 0 AND EXISTS "
	"(SELECT 1 FROM attempt WHERE result = 6 AND agent = agent.id AND ended_ms >= gave_up_ms) LIMIT 1", "",
};
static const struct statement count_open = {
	"SELECT coalesce(sum(state = 0), 0), coalesce(sum(state > 0), 0) FROM attempt WHERE state < 4", "",
};
static const struct statement insert_output = {
	"INSERT INTO output (execution, task, try, offset, bytes) VALUES (?1, ?2, ?3, ?4, ?5) "
	"ON CONFLICT (execution, task, try, offset) DO UPDATE SET bytes = excluded.bytes "
	"WHERE length(excluded.bytes) > length(output.bytes)", "iiiib",
};
/* The part that holds `offset` begins at or before it. */
static const struct statement select_output = {
	"SELECT offset, bytes FROM output WHERE execution = ?1 AND task = ?2 AND try = ?3 AND offset >= "
	"coalesce((SELECT max(offset) FROM output "
	"WHERE execution = ?1 AND task = ?2 AND try = ?3 AND offset <= ?4), 0) "
	"ORDER BY offset", "iiii",
};

static struct attempt_row map_attempt(const struct rows *rows, struct arena *arena)
{
	return (struct attempt_row){
		.id = { rows_int(rows, 0), (int32_t)rows_int(rows, 1), (int32_t)rows_int(rows, 2) },
		.flow = { rows_int(rows, 3) },
		.agent = { rows_int(rows, 4) },
		.state = (enum attempt_state)rows_int(rows, 5),
		.result = (enum result)rows_int(rows, 6),
		.handed_ms = rows_int(rows, 7),
		.began_ms = rows_int(rows, 8),
		.ended_ms = rows_int(rows, 9),
		.exit_code = (int32_t)rows_int(rows, 10),
		.signal = (int32_t)rows_int(rows, 11),
		.output_bytes = rows_int(rows, 12),
		.is_cut = rows_int(rows, 13) != 0,
		.detail = rows_text(rows, 14, arena),
	};
}

static bool list_attempts(struct tx *tx, const struct statement *statement, const struct value *key,
			  struct attempt_row **list, size_t *count, struct error *error)
{
	struct rows rows;
	if (!store_select(tx->store, statement, key, &rows, error))
		return false;
	struct attempt_row *found = NULL;
	size_t taken = 0, room = 0;
	bool more, ok;
	while ((ok = rows_next(&rows, &more, error)) && more) {
		if (taken == room) {
			room = room ? room * 2 : 4;
			struct attempt_row *wider = ARENA_ARRAY(tx->arena, struct attempt_row, room);
			if (taken)
				memcpy(wider, found, taken * sizeof(*found));
			found = wider;
		}
		found[taken++] = map_attempt(&rows, tx->arena);
	}
	rows_end(&rows);
	if (!ok)
		return false;
	*list = found;
	*count = taken;
	return true;
}

bool attempts_add(struct tx *tx, const struct attempt_row *rows, size_t count, struct error *error)
{
	enum { COLUMNS = 15 };
	struct value *values = ARENA_ARRAY(tx->arena, struct value, count * COLUMNS);
	for (size_t i = 0; i < count; i++) {
		const struct attempt_row *row = &rows[i];
		const struct value one[COLUMNS] = {
			STORE_INT(row->id.execution), STORE_INT(row->id.task), STORE_INT(row->id.try),
			STORE_INT(row->flow.value), STORE_INT(row->agent.value), STORE_INT(row->state),
			STORE_INT(row->result), STORE_INT(row->handed_ms), STORE_INT(row->began_ms),
			STORE_INT(row->ended_ms), STORE_INT(row->exit_code), STORE_INT(row->signal),
			STORE_INT(row->output_bytes), STORE_INT(row->is_cut), store_text(row->detail),
		};
		memcpy(values + i * COLUMNS, one, sizeof(one));
	}
	return store_each(tx->store, &insert_attempt, values, count, error);
}

bool attempts_save(struct tx *tx, const struct attempt_row *rows, size_t count, struct error *error)
{
	enum { COLUMNS = 12 };
	struct value *values = ARENA_ARRAY(tx->arena, struct value, count * COLUMNS);
	for (size_t i = 0; i < count; i++) {
		const struct attempt_row *row = &rows[i];
		const struct value one[COLUMNS] = {
			STORE_INT(row->id.execution), STORE_INT(row->id.task), STORE_INT(row->id.try),
			STORE_INT(row->state), STORE_INT(row->result), STORE_INT(row->began_ms),
			STORE_INT(row->ended_ms), STORE_INT(row->exit_code), STORE_INT(row->signal),
			STORE_INT(row->output_bytes), STORE_INT(row->is_cut), store_text(row->detail),
		};
		memcpy(values + i * COLUMNS, one, sizeof(one));
	}
	return store_each(tx->store, &update_attempt, values, count, error);
}

bool attempts_get(struct tx *tx, struct attempt_id id, struct attempt_row *row, bool *found, struct error *error)
{
	const struct value key[] = { STORE_INT(id.execution), STORE_INT(id.task), STORE_INT(id.try) };
	struct rows rows;
	if (!store_select(tx->store, &select_attempt, key, &rows, error))
		return false;
	bool ok = rows_next(&rows, found, error);
	if (ok && *found)
		*row = map_attempt(&rows, tx->arena);
	rows_end(&rows);
	return ok;
}

bool attempts_of(struct tx *tx, struct execution_id execution, struct attempt_row **rows, size_t *count,
		 struct error *error)
{
	const struct value key[] = { STORE_INT(execution.value) };
	return list_attempts(tx, &select_of_execution, key, rows, count, error);
}

bool attempts_open(struct tx *tx, struct agent_id agent, size_t limit, struct attempt_row **rows, size_t *count,
		   struct error *error)
{
	const struct value key[] = { STORE_INT(agent.value), STORE_INT((int64_t)limit) };
	return list_attempts(tx, agent.value ? &select_open_of_agent : &select_open, key, rows, count, error);
}

bool attempts_given_up(struct tx *tx, struct agent_id agent, instant since, size_t limit, struct attempt_row **rows,
		       size_t *count, struct error *error)
{
	const struct value key[] = { STORE_INT(agent.value), STORE_INT(since), STORE_INT((int64_t)limit) };
	return list_attempts(tx, &select_given_up, key, rows, count, error);
}

bool attempts_any_given_up(struct tx *tx, bool *any, struct error *error)
{
	struct rows rows;
	if (!store_select(tx->store, &any_given_up, NULL, &rows, error))
		return false;
	bool ok = rows_next(&rows, any, error);
	rows_end(&rows);
	return ok;
}

bool attempts_count_open(struct tx *tx, int64_t *handed, int64_t *begun, struct error *error)
{
	struct rows rows;
	if (!store_select(tx->store, &count_open, NULL, &rows, error))
		return false;
	bool more;
	bool ok = rows_next(&rows, &more, error);
	if (ok) {
		*handed = rows_int(&rows, 0);
		*begun = rows_int(&rows, 1);
	}
	rows_end(&rows);
	return ok;
}

bool outputs_add(struct tx *tx, struct attempt_id id, int64_t offset, const void *bytes, size_t length,
		 struct error *error)
{
	const struct value values[] = { STORE_INT(id.execution), STORE_INT(id.task), STORE_INT(id.try),
					STORE_INT(offset),
					STORE_BYTES(bytes, length) };
	return store_run(tx->store, &insert_output, values, NULL, error);
}

bool outputs_read(struct tx *tx, struct attempt_id id, int64_t offset, size_t most, struct buffer *bytes,
		  struct error *error)
{
	const struct value key[] = { STORE_INT(id.execution), STORE_INT(id.task), STORE_INT(id.try),
				     STORE_INT(offset) };
	struct rows rows;
	if (!store_select(tx->store, &select_output, key, &rows, error))
		return false;
	size_t before = bytes->length;
	bool more, ok;
	while ((ok = rows_next(&rows, &more, error)) && more && bytes->length - before < most) {
		int64_t at = rows_int(&rows, 0);
		struct value part = rows_value(&rows, 1);
		/* Parts can overlap where an agent cut them anew; what was read already is skipped. */
		int64_t skip = offset - at;
		if (skip < 0)
			break;
		if ((size_t)skip >= part.length)
			continue;
		size_t length = part.length - (size_t)skip;
		if (length > most - (bytes->length - before))
			length = most - (bytes->length - before);
		buffer_append(bytes, (const char *)part.bytes + skip, length);
		offset += (int64_t)length;
	}
	rows_end(&rows);
	return ok;
}
