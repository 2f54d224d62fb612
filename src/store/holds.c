#include "store/holds.h"

#include <string.h>

#include "base/limits.h"

#define HOLD_COLUMNS \
	"id, phase, scope, policy, account, account_name, reason, ticket, ended_by, created_ms, planned_ms, " \
	"began_ms, suspended_ms, ended_ms, expires_ms, drained_ms, deadline_ms, deadline_then, grace_ms, " \
	"stopped_ms, killed_ms"

static const struct statement select_version = { "SELECT version FROM fence WHERE one = 1", "" };
static const struct statement update_version = { "UPDATE fence SET version = version + 1 WHERE one = 1", "" };
static const struct statement select_in_force = {
	"SELECT " HOLD_COLUMNS " FROM hold WHERE phase < 3 ORDER BY id", "",
};
static const struct statement select_hold = { "SELECT " HOLD_COLUMNS " FROM hold WHERE id = ?1", "i" };
static const struct statement upsert_hold = {
	"INSERT INTO hold (" HOLD_COLUMNS ") VALUES "
	"(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, "
	"?17, ?18, ?19, ?20, ?21) ON CONFLICT (id) DO UPDATE SET phase = excluded.phase, ended_by = excluded.ended_by, "
	"began_ms = excluded.began_ms, suspended_ms = excluded.suspended_ms, ended_ms = excluded.ended_ms, "
	"expires_ms = excluded.expires_ms, drained_ms = excluded.drained_ms, deadline_ms = excluded.deadline_ms, "
	"deadline_then = excluded.deadline_then, grace_ms = excluded.grace_ms, stopped_ms = excluded.stopped_ms, "
	"killed_ms = excluded.killed_ms", "iittittttiiiiiiiiiiii",
};

bool holds_version(struct tx *tx, int64_t *version, struct error *error)
{
	bool found;
	return store_number(tx->store, &select_version, NULL, version, &found, error);
}

bool holds_raise_version(struct tx *tx, struct error *error)
{
	return store_run(tx->store, &update_version, NULL, NULL, error);
}

static bool map_hold(const struct rows *rows, struct arena *arena, struct hold *hold, struct error *error)
{
	struct hold row = {
		.id = { rows_int(rows, 0) },
		.phase = (enum hold_phase)rows_int(rows, 1),
		.owner = { rows_int(rows, 4) },
		.owner_name = rows_text(rows, 5, arena),
		.reason = rows_text(rows, 6, arena),
		.ticket = rows_text(rows, 7, arena),
		.ended_by = rows_text(rows, 8, arena),
		.created_ms = rows_int(rows, 9),
		.planned_ms = rows_int(rows, 10),
		.began_ms = rows_int(rows, 11),
		.suspended_ms = rows_int(rows, 12),
		.ended_ms = rows_int(rows, 13),
		.expires_ms = rows_int(rows, 14),
		.drained_ms = rows_int(rows, 15),
		.deadline_ms = rows_int(rows, 16),
		.then = (enum hold_then)rows_int(rows, 17),
		.grace_ms = rows_int(rows, 18),
		.stopped_ms = rows_int(rows, 19),
		.killed_ms = rows_int(rows, 20),
	};
	if (!scope_parse(rows_text(rows, 2, arena), &row.scope, error) ||
	    !policy_parse(rows_text(rows, 3, arena), &row.policy, error))
		return false;
	*hold = row;
	return true;
}

bool holds_in_force(struct tx *tx, struct arena *arena, struct hold_set *set, struct error *error)
{
	int64_t version;
	struct rows rows;
	if (!holds_version(tx, &version, error) || !store_select(tx->store, &select_in_force, NULL, &rows, error))
		return false;
	struct hold *list = ARENA_ARRAY(arena, struct hold, LIMIT_HOLDS);
	size_t count = 0;
	bool more, ok;
	while ((ok = rows_next(&rows, &more, error)) && more && count < LIMIT_HOLDS)
		if (!(ok = map_hold(&rows, arena, &list[count++], error)))
			break;
	rows_end(&rows);
	if (ok)
		*set = (struct hold_set){ .list = list, .count = count, .version = version };
	return ok;
}

bool holds_get(struct tx *tx, struct hold_id id, struct hold *hold, bool *found, struct error *error)
{
	const struct value key[] = { STORE_INT(id.value) };
	struct rows rows;
	if (!store_select(tx->store, &select_hold, key, &rows, error))
		return false;
	bool ok = rows_next(&rows, found, error);
	if (ok && *found)
		ok = map_hold(&rows, tx->arena, hold, error);
	rows_end(&rows);
	return ok;
}

bool holds_save(struct tx *tx, const struct hold *hold, struct error *error)
{
	char scope[SCOPE_TEXT_BYTES], policy[POLICY_TEXT_BYTES];
	const struct value values[] = {
		STORE_INT(hold->id.value), STORE_INT(hold->phase), store_text(scope_format(&hold->scope, scope)),
		store_text(policy_format(&hold->policy, policy)), STORE_INT(hold->owner.value),
		store_text(hold->owner_name), store_text(hold->reason), store_text(hold->ticket),
		store_text(hold->ended_by), STORE_INT(hold->created_ms), STORE_INT(hold->planned_ms),
		STORE_INT(hold->began_ms), STORE_INT(hold->suspended_ms), STORE_INT(hold->ended_ms),
		STORE_INT(hold->expires_ms), STORE_INT(hold->drained_ms), STORE_INT(hold->deadline_ms),
		STORE_INT(hold->then), STORE_INT(hold->grace_ms), STORE_INT(hold->stopped_ms),
		STORE_INT(hold->killed_ms),
	};
	return store_run(tx->store, &upsert_hold, values, NULL, error);
}
