#include <sqlite3.h>

#include "core/id.h"
#include "store/query.h"

static const char find[] =
	"SELECT id FROM hold"
	" WHERE id % 2 = ?1 AND name <> '%'";

bool query(struct tx *tx, struct error *error)
{
	if (!tx_run(tx, find) || !tx_run(tx, "WITH open AS (SELECT 1) SELECT * FROM open"))
		return error_set(error, ERR_STORE, "%s", tx_problem(tx, "UPDATE of a hold"));
	return true;
}
