/*
 * The SQLite engine.
 *
 * One connection writes and checkpoints; all others are read-only and never checkpoint. SQLite up to 3.51.2
 * can corrupt a database when two connections write or checkpoint at once (dependencies.md, section 5), and
 * one writer is the fastest shape anyway. WAL with synchronous=FULL: what COMMIT answered is on disk.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/assert.h"
#include "base/heap.h"
#include "base/kill_point.h"
#include "base/map.h"
#include "store/store.h"

enum {
	APPLICATION_ID = 0x4C756C6C,                  /* "Lull": tells our files from another program's */
	CHECKPOINT_PAGES = 1024,                      /* 4 MB */
	CHECKPOINT_IDLE_PAGES = 16,
	WRITER_CACHE_KIB = 16384,
	READER_CACHE_KIB = 4096,
};

struct sqlite_store {
	struct store store;
	sqlite3 *db;
	struct map statements;                        /* by the address of the struct statement */
	int log_pages;                                /* in the write-ahead log */
	int copied_pages;                             /* of them, at the last checkpoint */
};

static struct sqlite_store *sqlite_of(struct store *store)
{
	return CONTAINER_OF(store, struct sqlite_store, store);
}

static bool fail(struct sqlite_store *self, int code, const char *doing, struct error *error)
{
	if ((code & 0xFF) == SQLITE_FULL)
		return error_set(error, ERR_DISK_FULL, "%s: the disk of the store is full; free some space", doing);
	return error_set(error, ERR_STORE, "%s: %s (%d)", doing,
			 self->db ? sqlite3_errmsg(self->db) : sqlite3_errstr(code),
			 self->db ? sqlite3_extended_errcode(self->db) : code);
}

static bool execute(struct sqlite_store *self, const char *sql, struct error *error)
{
	int code = sqlite3_exec(self->db, sql, NULL, NULL, NULL);
	return code == SQLITE_OK || fail(self, code, "the store refused a statement", error);
}

static int count_log(void *context, sqlite3 *db, const char *name, int pages)
{
	(void)db;
	(void)name;
	struct sqlite_store *self = context;
	self->log_pages = pages;
	/* The log began anew: everything in it was copied before. */
	if (pages < self->copied_pages)
		self->copied_pages = 0;
	return SQLITE_OK;
}

static bool read_pragma(struct sqlite_store *self, const char *sql, int64_t *number, struct error *error)
{
	sqlite3_stmt *statement;
	int code = sqlite3_prepare_v2(self->db, sql, -1, &statement, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		*number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return code == SQLITE_ROW || fail(self, code, "the store cannot be read", error);
}

/* Refuses a database that another program made; marks a new one as ours. */
static bool claim_file(struct sqlite_store *self, const char *where, enum store_mode mode, struct error *error)
{
	int64_t id, tables;
	if (!read_pragma(self, "PRAGMA application_id", &id, error) ||
	    !read_pragma(self, "SELECT count(*) FROM sqlite_schema", &tables, error))
		return error_prefix(error, "%.200s is no store of lull", where);
	bool is_ours = id == APPLICATION_ID;
	if (!is_ours && (id != 0 || tables != 0))
		return error_set(error, ERR_STORE,
				 "%.200s is a database of another program; give another data folder", where);
	if (mode == STORE_READER && tables == 0)
		return error_set(error, ERR_STORE, "the store in %.200s is empty; start the server once", where);
	if (is_ours)
		return true;
	char sql[64];
	snprintf(sql, sizeof(sql), "PRAGMA application_id=%d", APPLICATION_ID);
	return execute(self, sql, error);
}

static bool set_up(struct sqlite_store *self, const char *where, enum store_mode mode, struct error *error)
{
	char cache[64];
	snprintf(cache, sizeof(cache), "PRAGMA cache_size=-%d",
		 mode == STORE_WRITER ? WRITER_CACHE_KIB : READER_CACHE_KIB);
	sqlite3_busy_timeout(self->db, 5000);
	sqlite3_extended_result_codes(self->db, 1);
	if (!claim_file(self, where, mode, error) || !execute(self, cache, error) ||
	    !execute(self, "PRAGMA temp_store=MEMORY", error) || !execute(self, "PRAGMA mmap_size=0", error))
		return false;
	sqlite3_db_config(self->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	if (mode == STORE_READER) {
		sqlite3_db_config(self->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
		return execute(self, "PRAGMA query_only=ON", error);
	}
	if (!execute(self, "PRAGMA journal_mode=WAL", error) || !execute(self, "PRAGMA synchronous=FULL", error) ||
	    !execute(self, "PRAGMA secure_delete=OFF", error))
		return false;
	/* The hook replaces SQLite's own automatic checkpoint, too: upkeep decides when. */
	sqlite3_wal_hook(self->db, count_log, self);
	return true;
}

static void sqlite_close(struct store *store)
{
	struct sqlite_store *self = sqlite_of(store);
	size_t place = 0;
	sqlite3_stmt *statement;
	while ((statement = map_next(&self->statements, &place)))
		sqlite3_finalize(statement);
	map_fini(&self->statements);
	sqlite3_close(self->db);
	free(self);
}

static bool sqlite_open(const char *where, enum store_mode mode, struct store **store, struct error *error)
{
	struct sqlite_store *self = heap_new(1, sizeof(*self));
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
		    (mode == STORE_WRITER ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
	mode_t mask = umask(0077);
	int code = sqlite3_open_v2(where, &self->db, flags, NULL);
	bool ok = code == SQLITE_OK ? set_up(self, where, mode, error) : fail(self, code, where, error);
	umask(mask);
	if (!ok) {
		sqlite_close(&self->store);
		return false;
	}
	*store = &self->store;
	return true;
}

static bool sqlite_begin(struct store *store, struct error *error)
{
	struct sqlite_store *self = sqlite_of(store);
	return execute(self, sqlite3_db_readonly(self->db, "main") ? "BEGIN" : "BEGIN IMMEDIATE", error);
}

static bool sqlite_commit(struct store *store, struct error *error)
{
	return execute(sqlite_of(store), "COMMIT", error);
}

static void sqlite_rollback(struct store *store)
{
	struct sqlite_store *self = sqlite_of(store);
	/* A full disk ends the transaction by itself. */
	if (!sqlite3_get_autocommit(self->db))
		sqlite3_exec(self->db, "ROLLBACK", NULL, NULL, NULL);
}

static bool sqlite_script(struct store *store, const char *sql, struct error *error)
{
	return execute(sqlite_of(store), sql, error);
}

static bool prepare(struct sqlite_store *self, const struct statement *statement, sqlite3_stmt **prepared,
		    struct error *error)
{
	int64_t key = (int64_t)(intptr_t)statement;
	*prepared = map_get(&self->statements, key);
	if (*prepared)
		return true;
	int code = sqlite3_prepare_v3(self->db, statement->sql, -1, SQLITE_PREPARE_PERSISTENT, prepared, NULL);
	if (code != SQLITE_OK)
		return fail(self, code, statement->sql, error);
	ASSERT(sqlite3_bind_parameter_count(*prepared) == (int)strlen(statement->types));
	map_put(&self->statements, key, *prepared);
	return true;
}

static void bind(sqlite3_stmt *prepared, const struct statement *statement, const struct value *values)
{
	for (int i = 0; statement->types[i]; i++) {
		const struct value *value = &values[i];
		int code = SQLITE_OK;
		switch (value->type) {
		case VALUE_NULL:
			code = sqlite3_bind_null(prepared, i + 1);
			break;
		case VALUE_INT:
			ASSERT(statement->types[i] == 'i');
			code = sqlite3_bind_int64(prepared, i + 1, value->number);
			break;
		case VALUE_TEXT:
			ASSERT(statement->types[i] == 't');
			code = sqlite3_bind_text(prepared, i + 1, value->bytes, (int)value->length, SQLITE_STATIC);
			break;
		case VALUE_BYTES:
			ASSERT(statement->types[i] == 'b');
			code = sqlite3_bind_blob(prepared, i + 1, value->bytes ? value->bytes : "", (int)value->length,
						 SQLITE_STATIC);
			break;
		}
		ASSERT(code == SQLITE_OK);
	}
}

static bool sqlite_each(struct store *store, const struct statement *statement, const struct value *values,
			size_t row_count, int64_t *changed, struct error *error)
{
	struct sqlite_store *self = sqlite_of(store);
	sqlite3_stmt *prepared;
	if (!prepare(self, statement, &prepared, error))
		return false;
	size_t columns = strlen(statement->types);
	int64_t sum = 0;
	for (size_t i = 0; i < row_count; i++) {
		bind(prepared, statement, values + i * columns);
		int code = sqlite3_step(prepared);
		if (code != SQLITE_DONE) {
			fail(self, code, statement->sql, error);
			sqlite3_reset(prepared);
			return false;
		}
		sum += sqlite3_changes(self->db);
		sqlite3_reset(prepared);
	}
	store->rows_written += sum;
	*changed = sum;
	return true;
}

static bool sqlite_select(struct store *store, const struct statement *statement, const struct value *values,
			  struct rows *rows, struct error *error)
{
	struct sqlite_store *self = sqlite_of(store);
	sqlite3_stmt *prepared;
	if (!prepare(self, statement, &prepared, error))
		return false;
	ASSERT(!sqlite3_stmt_busy(prepared));         /* the same select may not be open twice */
	bind(prepared, statement, values);
	*rows = (struct rows){ .store = store, .cursor = prepared };
	return true;
}

static bool sqlite_next(struct rows *rows, bool *more, struct error *error)
{
	int code = sqlite3_step(rows->cursor);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return fail(sqlite_of(rows->store), code, "reading rows", error);
	*more = code == SQLITE_ROW;
	return true;
}

static struct value sqlite_column(const struct rows *rows, int column)
{
	sqlite3_stmt *prepared = rows->cursor;
	switch (sqlite3_column_type(prepared, column)) {
	case SQLITE_INTEGER:
		return STORE_INT(sqlite3_column_int64(prepared, column));
	case SQLITE_TEXT:
		return (struct value){ .type = VALUE_TEXT, .bytes = sqlite3_column_text(prepared, column),
				       .length = (size_t)sqlite3_column_bytes(prepared, column) };
	case SQLITE_BLOB:
		return STORE_BYTES(sqlite3_column_blob(prepared, column),
				   (size_t)sqlite3_column_bytes(prepared, column));
	default:
		return (struct value){ .type = VALUE_NULL };
	}
}

static void sqlite_end(struct rows *rows)
{
	sqlite3_reset(rows->cursor);
}

static bool sqlite_upkeep(struct store *store, bool is_idle, struct error *error)
{
	struct sqlite_store *self = sqlite_of(store);
	if (self->log_pages - self->copied_pages < (is_idle ? CHECKPOINT_IDLE_PAGES : CHECKPOINT_PAGES))
		return true;
	int log_pages, copied_pages;
	KILL_POINT("store.checkpoint.before");
	int code = sqlite3_wal_checkpoint_v2(self->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &log_pages, &copied_pages);
	KILL_POINT("store.checkpoint.after");
	if (code != SQLITE_OK && code != SQLITE_BUSY && code != SQLITE_LOCKED)
		return fail(self, code, "checkpoint", error);
	/* What a reader still needs stays in the log; the next checkpoint waits until as much was added again. */
	self->copied_pages = self->log_pages;
	return true;
}

const struct store_driver store_driver_sqlite = {
	.name = "sqlite",
	.open = sqlite_open,
	.close = sqlite_close,
	.begin = sqlite_begin,
	.commit = sqlite_commit,
	.rollback = sqlite_rollback,
	.script = sqlite_script,
	.each = sqlite_each,
	.select = sqlite_select,
	.next = sqlite_next,
	.column = sqlite_column,
	.end = sqlite_end,
	.upkeep = sqlite_upkeep,
};
