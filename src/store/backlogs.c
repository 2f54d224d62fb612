#include "store/backlogs.h"

#include <string.h>

#define BACKLOG_COLUMNS "id, tenant, flow, need, kind, is_open, head_rank, head_ms"

static const struct statement select_needs = { "SELECT id, pool, labels FROM need ORDER BY id", "" };
static const struct statement insert_need = { "INSERT INTO need (id, pool, labels) VALUES (?1, ?2, ?3)", "itt" };
static const struct statement select_backlog = {
	"SELECT " BACKLOG_COLUMNS " FROM backlog WHERE flow = ?1 AND need = ?2 AND kind = ?3", "iii",
};
static const struct statement select_backlog_by_id = { "SELECT " BACKLOG_COLUMNS " FROM backlog WHERE id = ?1", "i" };
static const struct statement insert_backlog = {
	"INSERT INTO backlog (" BACKLOG_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", "iiiiiiii",
};
static const struct statement update_backlog = {
	"UPDATE backlog SET is_open = ?2, head_rank = ?3, head_ms = ?4 WHERE id = ?1", "iiii",
};
static const struct statement select_next_tenant = {
	"SELECT tenant FROM backlog WHERE is_open = 1 AND kind = ?1 AND need = ?2 AND tenant > ?3 "
	"ORDER BY tenant LIMIT 1",
	"iii",
};
static const struct statement select_best = {
	"SELECT " BACKLOG_COLUMNS " FROM backlog WHERE is_open = 1 AND kind = ?1 AND need = ?2 AND tenant = ?3 "
	"ORDER BY head_rank, head_ms LIMIT ?4", "iiii",
};
static const struct statement insert_ready = {
	"INSERT INTO ready (backlog, rank, ready_ms, execution, task) VALUES (?1, ?2, ?3, ?4, ?5)", "iiiii",
};
static const struct statement delete_ready = {
	"DELETE FROM ready WHERE backlog = ?1 AND rank = ?2 AND ready_ms = ?3 AND execution = ?4 AND task = ?5",
	"iiiii",
};
static const struct statement select_first = {
	"SELECT backlog, rank, ready_ms, execution, task FROM ready WHERE backlog = ?1 "
	"ORDER BY rank, ready_ms, execution, task LIMIT ?2", "ii",
};
static const struct statement count_waiting = {
	"SELECT count(*) FROM (SELECT 1 FROM backlog b JOIN ready r ON r.backlog = b.id "
	"WHERE b.kind = 1 AND b.is_open = 1 LIMIT ?1) AS waiting", "i",
};

bool needs_all(struct tx *tx, struct need_row **list, size_t *count, struct error *error)
{
	struct rows rows;
	if (!store_select(tx->store, &select_needs, NULL, &rows, error))
		return false;
	struct need_row *found = NULL;
	size_t taken = 0, room = 0;
	bool more, ok;
	while ((ok = rows_next(&rows, &more, error)) && more) {
		if (taken == room) {
			room = room ? room * 2 : 16;
			struct need_row *wider = ARENA_ARRAY(tx->arena, struct need_row, room);
			if (taken)
				memcpy(wider, found, taken * sizeof(*found));
			found = wider;
		}
		found[taken++] = (struct need_row){
			.id = { rows_int(&rows, 0) },
			.pool = rows_text(&rows, 1, tx->arena),
			.labels = rows_text(&rows, 2, tx->arena),
		};
	}
	rows_end(&rows);
	if (!ok)
		return false;
	*list = found;
	*count = taken;
	return true;
}

bool needs_add(struct tx *tx, const struct need_row *row, struct error *error)
{
	const struct value values[] = { STORE_INT(row->id.value), store_text(row->pool), store_text(row->labels) };
	return store_run(tx->store, &insert_need, values, NULL, error);
}

static struct backlog_row map_backlog(const struct rows *rows)
{
	return (struct backlog_row){
		.id = { rows_int(rows, 0) },
		.tenant = { rows_int(rows, 1) },
		.flow = { rows_int(rows, 2) },
		.need = { rows_int(rows, 3) },
		.kind = (enum backlog_kind)rows_int(rows, 4),
		.is_open = rows_int(rows, 5) != 0,
		.head_rank = rows_int(rows, 6),
		.head_ms = rows_int(rows, 7),
	};
}

static bool one_backlog(struct tx *tx, const struct statement *statement, const struct value *key,
			struct backlog_row *row, bool *found, struct error *error)
{
	struct rows rows;
	if (!store_select(tx->store, statement, key, &rows, error))
		return false;
	bool ok = rows_next(&rows, found, error);
	if (ok && *found)
		*row = map_backlog(&rows);
	rows_end(&rows);
	return ok;
}

bool backlogs_find(struct tx *tx, struct flow_id flow, struct need_id need, enum backlog_kind kind,
		   struct backlog_row *row, bool *found, struct error *error)
{
	const struct value key[] = { STORE_INT(flow.value), STORE_INT(need.value), STORE_INT(kind) };
	return one_backlog(tx, &select_backlog, key, row, found, error);
}

bool backlogs_get(struct tx *tx, struct backlog_id id, struct backlog_row *row, struct error *error)
{
	const struct value key[] = { STORE_INT(id.value) };
	bool found;
	if (!one_backlog(tx, &select_backlog_by_id, key, row, &found, error))
		return false;
	return found || error_set(error, ERR_STORE, "a waiting row names a backlog that is not there");
}

bool backlogs_add(struct tx *tx, const struct backlog_row *row, struct error *error)
{
	const struct value values[] = {
		STORE_INT(row->id.value), STORE_INT(row->tenant.value), STORE_INT(row->flow.value),
		STORE_INT(row->need.value), STORE_INT(row->kind), STORE_INT(row->is_open), STORE_INT(row->head_rank),
		STORE_INT(row->head_ms),
	};
	return store_run(tx->store, &insert_backlog, values, NULL, error);
}

bool backlogs_save(struct tx *tx, const struct backlog_row *row, struct error *error)
{
	const struct value values[] = { STORE_INT(row->id.value), STORE_INT(row->is_open), STORE_INT(row->head_rank),
					STORE_INT(row->head_ms) };
	return store_run(tx->store, &update_backlog, values, NULL, error);
}

bool backlogs_next_tenant(struct tx *tx, enum backlog_kind kind, struct need_id need, struct tenant_id after,
			  struct tenant_id *tenant, struct error *error)
{
	const struct value key[] = { STORE_INT(kind), STORE_INT(need.value), STORE_INT(after.value) };
	bool found;
	return store_number(tx->store, &select_next_tenant, key, &tenant->value, &found, error);
}

bool backlogs_best(struct tx *tx, enum backlog_kind kind, struct need_id need, struct tenant_id tenant, size_t limit,
		   struct backlog_row *list, size_t *count, struct error *error)
{
	const struct value key[] = { STORE_INT(kind), STORE_INT(need.value), STORE_INT(tenant.value),
				     STORE_INT((int64_t)limit) };
	struct rows rows;
	if (!store_select(tx->store, &select_best, key, &rows, error))
		return false;
	size_t taken = 0;
	bool more, ok;
	while ((ok = rows_next(&rows, &more, error)) && more)
		list[taken++] = map_backlog(&rows);
	rows_end(&rows);
	if (ok)
		*count = taken;
	return ok;
}

static struct value *values_of(struct arena *arena, const struct ready_row *rows, size_t count)
{
	enum { COLUMNS = 5 };
	struct value *values = ARENA_ARRAY(arena, struct value, count * COLUMNS);
	for (size_t i = 0; i < count; i++) {
		const struct value one[COLUMNS] = {
			STORE_INT(rows[i].backlog.value), STORE_INT(rows[i].rank), STORE_INT(rows[i].ready_ms),
			STORE_INT(rows[i].execution.value), STORE_INT(rows[i].task),
		};
		memcpy(values + i * COLUMNS, one, sizeof(one));
	}
	return values;
}

bool ready_add(struct tx *tx, const struct ready_row *rows, size_t count, struct error *error)
{
	return store_each(tx->store, &insert_ready, values_of(tx->arena, rows, count), count, error);
}

bool ready_remove(struct tx *tx, const struct ready_row *rows, size_t count, int64_t *removed, struct error *error)
{
	const struct value *values = values_of(tx->arena, rows, count);
	int64_t sum = 0, one;
	for (size_t i = 0; i < count; i++) {
		if (!store_run(tx->store, &delete_ready, values + i * 5, &one, error))
			return false;
		sum += one;
	}
	*removed = sum;
	return true;
}

bool ready_first(struct tx *tx, struct backlog_id backlog, size_t limit, struct ready_row *list, size_t *count,
		 struct error *error)
{
	const struct value key[] = { STORE_INT(backlog.value), STORE_INT((int64_t)limit) };
	struct rows rows;
	if (!store_select(tx->store, &select_first, key, &rows, error))
		return false;
	size_t taken = 0;
	bool more, ok;
	while ((ok = rows_next(&rows, &more, error)) && more)
		list[taken++] = (struct ready_row){
			.backlog = { rows_int(&rows, 0) },
			.rank = rows_int(&rows, 1),
			.ready_ms = rows_int(&rows, 2),
			.execution = { rows_int(&rows, 3) },
			.task = (int32_t)rows_int(&rows, 4),
		};
	rows_end(&rows);
	if (ok)
		*count = taken;
	return ok;
}

bool ready_count(struct tx *tx, int64_t most, int64_t *count, struct error *error)
{
	const struct value key[] = { STORE_INT(most) };
	bool found;
	return store_number(tx->store, &count_waiting, key, count, &found, error);
}
