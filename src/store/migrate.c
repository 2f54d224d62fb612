/*
 * Numbered migrations with checksums. Each is applied in a transaction of its own; a store that carries a
 * migration which this program does not know, or knows with another content, is refused untouched.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/kill_point.h"
#include "store/schema.h"
#include "store/store.h"

/* FNV-1a over the text: tells a changed file from an unchanged one, nothing more. */
static int64_t checksum(const char *sql)
{
	uint64_t sum = UINT64_C(14695981039346656037);
	for (; *sql; sql++)
		sum = (sum ^ (unsigned char)*sql) * UINT64_C(1099511628211);
	return (int64_t)(sum >> 1);
}

static const char create_table[] =
	"CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, "
	"checksum BIGINT NOT NULL)";

static const struct statement select_applied = {
	"SELECT number, checksum FROM migration ORDER BY number", "",
};

static const struct statement insert_applied = {
	"INSERT INTO migration (number, name, checksum) VALUES (?1, ?2, ?3)", "iti",
};

/* How many of our migrations the store has; all of them, and no others, or false. */
static bool count_applied(struct store *store, size_t *applied, struct error *error)
{
	struct rows rows;
	if (!store_select(store, &select_applied, NULL, &rows, error))
		return false;
	size_t count = 0;
	bool more, ok;
	while ((ok = rows_next(&rows, &more, error)) && more) {
		int64_t number = rows_int(&rows, 0);
		if (count >= migration_count) {
			ok = error_set(error, ERR_STORE,
				       "the store was made by a newer lull (its schema is %" PRId64
				       ", this program knows %zu): start the newer program, or restore a backup "
				       "taken before the upgrade", number, migration_count);
			break;
		}
		if (number != migrations[count].number || rows_int(&rows, 1) != checksum(migrations[count].sql)) {
			ok = error_set(error, ERR_STORE,
				       "migration %" PRId64 " of the store differs from this program's: it was made by "
				       "another build of lull; start that build", number);
			break;
		}
		count++;
	}
	rows_end(&rows);
	if (ok)
		*applied = count;
	return ok;
}

static bool apply(struct store *store, const struct migration *migration, struct error *error)
{
	const struct value values[] = {
		STORE_INT(migration->number), store_text(migration->name), STORE_INT(checksum(migration->sql)),
	};
	if (!store_begin(store, error))
		return false;
	bool ok = store_script(store, migration->sql, error) &&
		  store_run(store, &insert_applied, values, NULL, error);
	KILL_POINT("migrate.before_commit");
	ok = ok && store_commit(store, error);
	KILL_POINT("migrate.after_commit");
	if (ok)
		return true;
	store_rollback(store);
	return error_prefix(error, "migration %04d_%s", migration->number, migration->name);
}

bool store_migrate(struct store *store, struct error *error)
{
	size_t applied;
	if (!store_script(store, create_table, error) || !count_applied(store, &applied, error))
		return false;
	for (; applied < migration_count; applied++)
		if (!apply(store, &migrations[applied], error))
			return false;
	return true;
}

bool store_is_current(struct store *store, struct error *error)
{
	size_t applied;
	if (!count_applied(store, &applied, error))
		return false;
	if (applied < migration_count)
		return error_set(error, ERR_STORE,
				 "the store's schema is older than this program; start the server once");
	return true;
}
