#include "store/store.h"

#include <string.h>

#include "base/assert.h"

#define X(name) extern const struct store_driver store_driver_##name;
#include "store/drivers.def"
#undef X

static const struct store_driver *const drivers[] = {
#define X(name) &store_driver_##name,
#include "store/drivers.def"
#undef X
};

struct value store_text(const char *text)
{
	if (!text)
		return (struct value){ .type = VALUE_NULL };
	return (struct value){ .type = VALUE_TEXT, .bytes = text, .length = strlen(text) };
}

static bool open_with(const struct store_driver *driver, const char *where, enum store_mode mode,
		      struct store **store, struct error *error)
{
	struct store *opened;
	if (!driver->open(where, mode, &opened, error))
		return false;
	opened->driver = driver;
	if (mode == STORE_WRITER ? !store_migrate(opened, error) : !store_is_current(opened, error)) {
		store_close(opened);
		return false;
	}
	*store = opened;
	return true;
}

bool store_open(const char *where, enum store_mode mode, struct store **store, struct error *error)
{
	for (size_t i = 0; i < COUNT_OF(drivers); i++) {
		size_t length = strlen(drivers[i]->name);
		if (strncmp(where, drivers[i]->name, length) == 0 && where[length] == ':')
			return open_with(drivers[i], where + length + 1, mode, store, error);
	}
	return error_set(error, ERR_STORE, "no store of the kind \"%.80s\"; write sqlite:<path>", where);
}

void store_close(struct store *store)
{
	if (store)
		store->driver->close(store);
}

bool store_begin(struct store *store, struct error *error)
{
	ASSERT(!store->in_transaction);
	if (!store->driver->begin(store, error))
		return false;
	store->in_transaction = 1;
	return true;
}

bool store_commit(struct store *store, struct error *error)
{
	ASSERT(store->in_transaction);
	if (!store->driver->commit(store, error))
		return false;
	store->in_transaction = 0;
	return true;
}

void store_rollback(struct store *store)
{
	store->driver->rollback(store);
	store->in_transaction = 0;
}

bool store_script(struct store *store, const char *sql, struct error *error)
{
	return store->driver->script(store, sql, error);
}

bool store_each(struct store *store, const struct statement *statement, const struct value *values,
		size_t row_count, struct error *error)
{
	int64_t changed;
	return store->driver->each(store, statement, values, row_count, &changed, error);
}

bool store_run(struct store *store, const struct statement *statement, const struct value *values,
	       int64_t *changed, struct error *error)
{
	int64_t count;
	if (!store->driver->each(store, statement, values, 1, &count, error))
		return false;
	if (changed)
		*changed = count;
	return true;
}

bool store_select(struct store *store, const struct statement *statement, const struct value *values,
		  struct rows *rows, struct error *error)
{
	return store->driver->select(store, statement, values, rows, error);
}

bool rows_next(struct rows *rows, bool *more, struct error *error)
{
	return rows->store->driver->next(rows, more, error);
}

void rows_end(struct rows *rows)
{
	rows->store->driver->end(rows);
}

struct value rows_value(const struct rows *rows, int column)
{
	return rows->store->driver->column(rows, column);
}

int64_t rows_int(const struct rows *rows, int column)
{
	return rows_value(rows, column).number;
}

const char *rows_text(const struct rows *rows, int column, struct arena *arena)
{
	struct value value = rows_value(rows, column);
	return value.type == VALUE_NULL ? NULL : arena_copy(arena, value.bytes, value.length);
}

bool store_number(struct store *store, const struct statement *statement, const struct value *values,
		  int64_t *number, bool *found, struct error *error)
{
	struct rows rows;
	if (!store_select(store, statement, values, &rows, error))
		return false;
	bool more;
	bool ok = rows_next(&rows, &more, error);
	if (ok) {
		*found = more;
		*number = more ? rows_int(&rows, 0) : 0;
	}
	rows_end(&rows);
	return ok;
}

bool store_upkeep(struct store *store, bool is_idle, struct error *error)
{
	return store->driver->upkeep(store, is_idle, error);
}

bool store_is_failure(const struct error *error)
{
	return error->code == ERR_STORE || error->code == ERR_DISK_FULL;
}
