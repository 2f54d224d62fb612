#include "store/executions.h"

#include <string.h>

#define EXECUTION_COLUMNS \
	"e.id, e.flow, e.revision, e.state, e.priority, e.account, e.created_ms, e.started_ms, e.ended_ms, " \
	"e.inputs, e.cause"

static const struct statement insert_execution = {
	"INSERT INTO execution (id, flow, revision, state, priority, account, created_ms, started_ms, ended_ms, "
	"inputs, cause) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)", "iiiiiiiiitt",
};
static const struct statement update_execution = {
	"UPDATE execution SET state = ?2, started_ms = ?3, ended_ms = ?4, cause = ?5 WHERE id = ?1", "iiiit",
};
static const struct statement select_execution = {
	"SELECT " EXECUTION_COLUMNS " FROM execution e WHERE e.id = ?1", "i",
};
static const struct statement select_before = {
	"SELECT " EXECUTION_COLUMNS " FROM execution e WHERE e.id > ?1 AND e.id < ?2 "
	"ORDER BY e.id DESC LIMIT ?3", "iii",
};
static const struct statement select_before_of_flow = {
	"SELECT " EXECUTION_COLUMNS " FROM execution e WHERE e.flow = ?1 AND e.id < ?2 "
	"ORDER BY e.id DESC LIMIT ?3", "iii",
};
/*
 * Both halves are bounded by work in progress: open attempts by the slots, advance rows by the fan-out of begun
 * executions. Nothing that only waits to start is looked at.
 */
#define BEGUN_IDS \
	"SELECT execution FROM attempt WHERE state < 4 UNION SELECT r.execution FROM backlog b " \
	"JOIN ready r ON r.backlog = b.id WHERE b.kind = 0 AND b.is_open = 1"

static const struct statement select_begun = {
	"SELECT " EXECUTION_COLUMNS " FROM execution e WHERE e.id > ?1 AND e.id IN (" BEGUN_IDS ") "
	"ORDER BY e.id LIMIT ?2", "ii",
};
static const struct statement select_any_begun = {
	"SELECT EXISTS (SELECT 1 FROM attempt WHERE state < 4) OR "
	"EXISTS (SELECT 1 FROM backlog WHERE kind = 0 AND is_open = 1)", "",
};

static struct execution_row map_execution(const struct rows *rows, struct arena *arena)
{
	return (struct execution_row){
		.id = { rows_int(rows, 0) },
		.flow = { rows_int(rows, 1) },
		.revision = rows_int(rows, 2),
		.state = (enum execution_state)rows_int(rows, 3),
		.priority = (int32_t)rows_int(rows, 4),
		.account = { rows_int(rows, 5) },
		.created_ms = rows_int(rows, 6),
		.started_ms = rows_int(rows, 7),
		.ended_ms = rows_int(rows, 8),
		.inputs = rows_text(rows, 9, arena),
		.cause = rows_text(rows, 10, arena),
	};
}

static bool list_executions(struct tx *tx, const struct statement *statement, const struct value *key, size_t limit,
			    struct execution_row **list, size_t *count, struct error *error)
{
	struct rows rows;
	if (!store_select(tx->store, statement, key, &rows, error))
		return false;
	struct execution_row *found = ARENA_ARRAY(tx->arena, struct execution_row, limit);
	size_t taken = 0;
	bool more, ok;
	while ((ok = rows_next(&rows, &more, error)) && more)
		found[taken++] = map_execution(&rows, tx->arena);
	rows_end(&rows);
	if (!ok)
		return false;
	*list = found;
	*count = taken;
	return true;
}

bool executions_add(struct tx *tx, const struct execution_row *rows, size_t count, struct error *error)
{
	enum { COLUMNS = 11 };
	struct value *values = ARENA_ARRAY(tx->arena, struct value, count * COLUMNS);
	for (size_t i = 0; i < count; i++) {
		const struct execution_row *row = &rows[i];
		const struct value one[COLUMNS] = {
			STORE_INT(row->id.value), STORE_INT(row->flow.value), STORE_INT(row->revision),
			STORE_INT(row->state), STORE_INT(row->priority), STORE_INT(row->account.value),
			STORE_INT(row->created_ms), STORE_INT(row->started_ms), STORE_INT(row->ended_ms),
			store_text(row->inputs), store_text(row->cause),
		};
		memcpy(values + i * COLUMNS, one, sizeof(one));
	}
	return store_each(tx->store, &insert_execution, values, count, error);
}

bool executions_save(struct tx *tx, const struct execution_row *rows, size_t count, struct error *error)
{
	enum { COLUMNS = 5 };
	struct value *values = ARENA_ARRAY(tx->arena, struct value, count * COLUMNS);
	for (size_t i = 0; i < count; i++) {
		const struct value one[COLUMNS] = {
			STORE_INT(rows[i].id.value), STORE_INT(rows[i].state), STORE_INT(rows[i].started_ms),
			STORE_INT(rows[i].ended_ms), store_text(rows[i].cause),
		};
		memcpy(values + i * COLUMNS, one, sizeof(one));
	}
	return store_each(tx->store, &update_execution, values, count, error);
}

bool executions_get(struct tx *tx, struct execution_id id, struct execution_row *row, bool *found, struct error *error)
{
	const struct value key[] = { STORE_INT(id.value) };
	struct rows rows;
	if (!store_select(tx->store, &select_execution, key, &rows, error))
		return false;
	bool ok = rows_next(&rows, found, error);
	if (ok && *found)
		*row = map_execution(&rows, tx->arena);
	rows_end(&rows);
	return ok;
}

bool executions_before(struct tx *tx, struct tenant_id tenant, struct execution_id before, const struct flow_id *flow,
		       size_t limit, struct execution_row **rows, size_t *count, struct error *error)
{
	const struct value key[] = {
		STORE_INT(flow ? flow->value : tenant.value * EXECUTION_NUMBER_LIMIT), STORE_INT(before.value),
		STORE_INT((int64_t)limit),
	};
	return list_executions(tx, flow ? &select_before_of_flow : &select_before, key, limit, rows, count, error);
}

bool executions_begun(struct tx *tx, struct execution_id after, size_t limit, struct execution_row **rows,
		      size_t *count, struct error *error)
{
	const struct value key[] = { STORE_INT(after.value), STORE_INT((int64_t)limit) };
	return list_executions(tx, &select_begun, key, limit, rows, count, error);
}

bool executions_any_begun(struct tx *tx, bool *any, struct error *error)
{
	int64_t number;
	bool found;
	if (!store_number(tx->store, &select_any_begun, NULL, &number, &found, error))
		return false;
	*any = number != 0;
	return true;
}

static const struct statement upsert_submit_key = {
	"INSERT INTO submit_key (flow, key, digest, execution, created_ms) VALUES (?1, ?2, ?3, ?4, ?5) "
	"ON CONFLICT (flow, key) DO UPDATE SET digest = excluded.digest, execution = excluded.execution, "
	"created_ms = excluded.created_ms", "itbii",
};
static const struct statement select_submit_key = {
	"SELECT digest, execution, created_ms FROM submit_key WHERE flow = ?1 AND key = ?2", "it",
};
static const struct statement delete_submit_keys = {
	"DELETE FROM submit_key WHERE (flow, key) IN "
	"(SELECT flow, key FROM submit_key WHERE created_ms < ?1 ORDER BY created_ms LIMIT ?2)", "ii",
};

bool submit_keys_find(struct tx *tx, struct flow_id flow, const char *key, struct submit_key_row *row, bool *found,
		      struct error *error)
{
	const struct value values[] = { STORE_INT(flow.value), store_text(key) };
	struct rows rows;
	if (!store_select(tx->store, &select_submit_key, values, &rows, error))
		return false;
	bool ok = rows_next(&rows, found, error);
	if (ok && *found) {
		struct value digest = rows_value(&rows, 0);
		*row = (struct submit_key_row){
			.flow = flow,
			.key = key,
			.digest = arena_copy(tx->arena, digest.bytes, digest.length),
			.execution = { rows_int(&rows, 1) },
			.created_ms = rows_int(&rows, 2),
		};
	}
	rows_end(&rows);
	return ok;
}

bool submit_keys_save(struct tx *tx, const struct submit_key_row *rows, size_t count, struct error *error)
{
	for (size_t i = 0; i < count; i++) {
		const struct value values[] = {
			STORE_INT(rows[i].flow.value), store_text(rows[i].key), STORE_BYTES(rows[i].digest,
											    DIGEST_BYTES),
			STORE_INT(rows[i].execution.value), STORE_INT(rows[i].created_ms),
		};
		if (!store_run(tx->store, &upsert_submit_key, values, NULL, error))
			return false;
	}
	return true;
}

bool submit_keys_forget(struct tx *tx, instant before, size_t limit, struct error *error)
{
	const struct value values[] = { STORE_INT(before), STORE_INT((int64_t)limit) };
	return store_run(tx->store, &delete_submit_keys, values, NULL, error);
}
