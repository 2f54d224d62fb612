#include "store/query.h"

void query(struct tx *tx, const char *table, long id)
{
	char text[100];
	snprintf(text, sizeof(text), "SELECT id FROM hold WHERE id = %ld", id); /* bad: a conversion */
	const char *other = "DELETE FROM " "%s"; /* bad: wherever it goes */
	const char *wide = "UPDATE hold SET version = %" PRId64; /* bad: so does a split one */
	buffer_printf(&tx->text, "%s%s", table, "INSERT INTO hold(id) VALUES (?1)"); /* bad: through a formatter */
	tx_run(tx, "SELECT id FROM hold WHERE id = ?1", id, other, wide);
}
