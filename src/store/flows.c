#include "store/flows.h"

#define FLOW_COLUMNS "id, tenant, namespace, name, revision, deleted_ms"

static const struct statement select_by_name = {
	"SELECT " FLOW_COLUMNS " FROM flow WHERE tenant = ?1 AND namespace = ?2 AND name = ?3", "itt",
};
static const struct statement select_by_id = { "SELECT " FLOW_COLUMNS " FROM flow WHERE id = ?1", "i" };
static const struct statement select_page = {
	"SELECT " FLOW_COLUMNS " FROM flow WHERE tenant = ?1 AND (namespace, name) > (?2, ?3) AND deleted_ms = 0 "
	"ORDER BY namespace, name LIMIT ?4", "itti",
};
static const struct statement upsert_flow = {
	"INSERT INTO flow (id, tenant, namespace, name, revision, deleted_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6) "
	"ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, deleted_ms = excluded.deleted_ms", "iittii",
};
static const struct statement insert_revision = {
	"INSERT INTO revision (flow, revision, source, account, created_ms) VALUES (?1, ?2, ?3, ?4, ?5)", "iitti",
};
static const struct statement select_revision = {
	"SELECT flow, revision, source, account, created_ms FROM revision WHERE flow = ?1 AND revision = ?2", "ii",
};
static const struct statement select_forecast = {
	"SELECT sketch FROM forecast WHERE flow = ?1 AND task = ?2", "it",
};
static const struct statement upsert_forecast = {
	"INSERT INTO forecast (flow, task, sketch) VALUES (?1, ?2, ?3) "
	"ON CONFLICT (flow, task) DO UPDATE SET sketch = excluded.sketch", "itt",
};

static struct flow_row map_flow(const struct rows *rows, struct arena *arena)
{
	return (struct flow_row){
		.id = { rows_int(rows, 0) },
		.tenant = { rows_int(rows, 1) },
		.name_space = rows_text(rows, 2, arena),
		.name = rows_text(rows, 3, arena),
		.revision = rows_int(rows, 4),
		.deleted_ms = rows_int(rows, 5),
	};
}

static bool one_flow(struct tx *tx, const struct statement *statement, const struct value *key, struct flow_row *row,
		     bool *found, struct error *error)
{
	struct rows rows;
	if (!store_select(tx->store, statement, key, &rows, error))
		return false;
	bool ok = rows_next(&rows, found, error);
	if (ok && *found)
		*row = map_flow(&rows, tx->arena);
	rows_end(&rows);
	return ok;
}

bool flows_find(struct tx *tx, struct tenant_id tenant, const char *name_space, const char *name,
		struct flow_row *row, bool *found, struct error *error)
{
	const struct value key[] = { STORE_INT(tenant.value), store_text(name_space), store_text(name) };
	return one_flow(tx, &select_by_name, key, row, found, error);
}

bool flows_get(struct tx *tx, struct flow_id id, struct flow_row *row, bool *found, struct error *error)
{
	const struct value key[] = { STORE_INT(id.value) };
	return one_flow(tx, &select_by_id, key, row, found, error);
}

bool flows_list(struct tx *tx, struct tenant_id tenant, const char *after_name_space, const char *after_name,
		size_t limit, struct flow_row **list, size_t *count, struct error *error)
{
	const struct value key[] = { STORE_INT(tenant.value), store_text(after_name_space), store_text(after_name),
				     STORE_INT((int64_t)limit) };
	struct rows rows;
	if (!store_select(tx->store, &select_page, key, &rows, error))
		return false;
	struct flow_row *found = ARENA_ARRAY(tx->arena, struct flow_row, limit);
	size_t taken = 0;
	bool more, ok;
	while ((ok = rows_next(&rows, &more, error)) && more)
		found[taken++] = map_flow(&rows, tx->arena);
	rows_end(&rows);
	if (!ok)
		return false;
	*list = found;
	*count = taken;
	return true;
}

bool flows_save(struct tx *tx, const struct flow_row *row, struct error *error)
{
	const struct value values[] = {
		STORE_INT(row->id.value), STORE_INT(row->tenant.value), store_text(row->name_space),
		store_text(row->name), STORE_INT(row->revision), STORE_INT(row->deleted_ms),
	};
	return store_run(tx->store, &upsert_flow, values, NULL, error);
}

bool revisions_add(struct tx *tx, const struct revision_row *row, struct error *error)
{
	const struct value values[] = {
		STORE_INT(row->flow.value), STORE_INT(row->revision), store_text(row->source), store_text(row->account),
		STORE_INT(row->created_ms),
	};
	return store_run(tx->store, &insert_revision, values, NULL, error);
}

bool revisions_get(struct tx *tx, struct flow_id flow, int64_t revision, struct revision_row *row, bool *found,
		   struct error *error)
{
	const struct value key[] = { STORE_INT(flow.value), STORE_INT(revision) };
	struct rows rows;
	if (!store_select(tx->store, &select_revision, key, &rows, error))
		return false;
	bool ok = rows_next(&rows, found, error);
	if (ok && *found)
		*row = (struct revision_row){
			.flow = { rows_int(&rows, 0) },
			.revision = rows_int(&rows, 1),
			.source = rows_text(&rows, 2, tx->arena),
			.account = rows_text(&rows, 3, tx->arena),
			.created_ms = rows_int(&rows, 4),
		};
	rows_end(&rows);
	return ok;
}

bool forecasts_get(struct tx *tx, struct flow_id flow, const char *task, const char **sketch, struct error *error)
{
	const struct value key[] = { STORE_INT(flow.value), store_text(task) };
	struct rows rows;
	if (!store_select(tx->store, &select_forecast, key, &rows, error))
		return false;
	bool more;
	bool ok = rows_next(&rows, &more, error);
	if (ok)
		*sketch = more ? rows_text(&rows, 0, tx->arena) : NULL;
	rows_end(&rows);
	return ok;
}

bool forecasts_save(struct tx *tx, struct flow_id flow, const char *task, const char *sketch, struct error *error)
{
	const struct value values[] = { STORE_INT(flow.value), store_text(task), store_text(sketch) };
	return store_run(tx->store, &upsert_forecast, values, NULL, error);
}
