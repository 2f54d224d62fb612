#include "store/agents.h"

#define AGENT_COLUMNS \
	"id, name, pool, labels, slots, boot, spool, host, version, session, hello_ms, contact_ms, is_forgotten, " \
	"gave_up_ms"

static const struct statement select_by_name = { "SELECT " AGENT_COLUMNS " FROM agent WHERE name = ?1", "t" };
static const struct statement select_by_id = { "SELECT " AGENT_COLUMNS " FROM agent WHERE id = ?1", "i" };
static const struct statement select_page = {
	"SELECT " AGENT_COLUMNS " FROM agent WHERE id > ?1 ORDER BY id LIMIT ?2", "ii",
};
static const struct statement select_silent = {
	"SELECT " AGENT_COLUMNS " FROM agent WHERE contact_ms < ?1 AND "
	"id IN (SELECT DISTINCT agent FROM attempt WHERE state < 4) ORDER BY id LIMIT ?2", "ii",
};
static const struct statement upsert_agent = {
	"INSERT INTO agent (" AGENT_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) "
	"ON CONFLICT (id) DO UPDATE SET pool = excluded.pool, labels = excluded.labels, slots = excluded.slots, "
	"boot = excluded.boot, spool = excluded.spool, host = excluded.host, version = excluded.version, "
	"session = excluded.session, hello_ms = excluded.hello_ms, contact_ms = excluded.contact_ms, "
	"is_forgotten = excluded.is_forgotten, gave_up_ms = excluded.gave_up_ms", "itttittttiiiii",
};
static const struct statement update_contact = { "UPDATE agent SET contact_ms = ?2 WHERE id = ?1", "ii" };

static struct agent_row map_agent(const struct rows *rows, struct arena *arena)
{
	return (struct agent_row){
		.id = { rows_int(rows, 0) },
		.name = rows_text(rows, 1, arena),
		.pool = rows_text(rows, 2, arena),
		.labels = rows_text(rows, 3, arena),
		.slots = (int32_t)rows_int(rows, 4),
		.boot = rows_text(rows, 5, arena),
		.spool = rows_text(rows, 6, arena),
		.host = rows_text(rows, 7, arena),
		.version = rows_text(rows, 8, arena),
		.session = rows_int(rows, 9),
		.hello_ms = rows_int(rows, 10),
		.contact_ms = rows_int(rows, 11),
		.is_forgotten = rows_int(rows, 12) != 0,
		.gave_up_ms = rows_int(rows, 13),
	};
}

static bool list_agents(struct tx *tx, const struct statement *statement, const struct value *key, size_t limit,
			struct agent_row **list, size_t *count, struct error *error)
{
	struct rows rows;
	if (!store_select(tx->store, statement, key, &rows, error))
		return false;
	struct agent_row *found = ARENA_ARRAY(tx->arena, struct agent_row, limit);
	size_t taken = 0;
	bool more, ok;
	while ((ok = rows_next(&rows, &more, error)) && more && taken < limit)
		found[taken++] = map_agent(&rows, tx->arena);
	rows_end(&rows);
	if (!ok)
		return false;
	*list = found;
	*count = taken;
	return true;
}

static bool one_agent(struct tx *tx, const struct statement *statement, const struct value *key, struct agent_row *row,
		      bool *found, struct error *error)
{
	struct agent_row *list;
	size_t count;
	if (!list_agents(tx, statement, key, 1, &list, &count, error))
		return false;
	*found = count > 0;
	if (*found)
		*row = list[0];
	return true;
}

bool agents_find(struct tx *tx, const char *name, struct agent_row *row, bool *found, struct error *error)
{
	const struct value key[] = { store_text(name) };
	return one_agent(tx, &select_by_name, key, row, found, error);
}

bool agents_get(struct tx *tx, struct agent_id id, struct agent_row *row, bool *found, struct error *error)
{
	const struct value key[] = { STORE_INT(id.value) };
	return one_agent(tx, &select_by_id, key, row, found, error);
}

bool agents_save(struct tx *tx, const struct agent_row *row, struct error *error)
{
	const struct value values[] = {
		STORE_INT(row->id.value), store_text(row->name), store_text(row->pool), store_text(row->labels),
		STORE_INT(row->slots), store_text(row->boot), store_text(row->spool), store_text(row->host),
		store_text(row->version), STORE_INT(row->session), STORE_INT(row->hello_ms), STORE_INT(row->contact_ms),
		STORE_INT(row->is_forgotten), STORE_INT(row->gave_up_ms),
	};
	return store_run(tx->store, &upsert_agent, values, NULL, error);
}

bool agents_touch(struct tx *tx, struct agent_id id, instant contact_ms, struct error *error)
{
	const struct value values[] = { STORE_INT(id.value), STORE_INT(contact_ms) };
	return store_run(tx->store, &update_contact, values, NULL, error);
}

bool agents_list(struct tx *tx, struct agent_id after, size_t limit, struct agent_row **rows, size_t *count,
		 struct error *error)
{
	const struct value key[] = { STORE_INT(after.value), STORE_INT((int64_t)limit) };
	return list_agents(tx, &select_page, key, limit, rows, count, error);
}

bool agents_silent(struct tx *tx, instant before, size_t limit, struct agent_row **rows, size_t *count,
		   struct error *error)
{
	const struct value key[] = { STORE_INT(before), STORE_INT((int64_t)limit) };
	return list_agents(tx, &select_silent, key, limit, rows, count, error);
}
