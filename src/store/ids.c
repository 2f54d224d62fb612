#include "store/ids.h"

static const struct statement select_next = { "SELECT next FROM id_block WHERE kind = ?1", "t" };
static const struct statement upsert_next = {
	"INSERT INTO id_block (kind, next) VALUES (?1, ?2) ON CONFLICT (kind) DO UPDATE SET next = excluded.next", "ti",
};

bool ids_take(struct tx *tx, const char *kind, int64_t count, int64_t *first, struct error *error)
{
	struct value key[] = { store_text(kind) };
	int64_t next;
	bool found;
	if (!store_number(tx->store, &select_next, key, &next, &found, error))
		return false;
	if (!found)
		next = 1;
	struct value row[] = { store_text(kind), STORE_INT(next + count) };
	if (!store_run(tx->store, &upsert_next, row, NULL, error))
		return false;
	*first = next;
	return true;
}
