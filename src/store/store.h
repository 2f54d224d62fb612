/*
 * The waist between Lull and its database: everything above speaks through these few operations, so that a
 * second engine is one file and one line in drivers.def.
 *
 * A store is one connection and belongs to one thread. Statements are constants of the program: the text of
 * one serves every engine, with placeholders ?1 ?2 …, and `types` says what each binds ('i' a 64-bit
 * integer, 't' text, 'b' bytes). Each is prepared once per connection and kept. SQL is never built.
 *
 * Errors: ERR_DISK_FULL and ERR_STORE; after either inside a transaction, roll back. A COMMIT that answers
 * false may still stand (an I/O error can come after the write): the caller must not guess, see lane.h.
 */
#ifndef LULL_STORE_STORE_H
#define LULL_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"

struct statement {
	const char *sql;
	const char *types;
};

enum value_type { VALUE_NULL, VALUE_INT, VALUE_TEXT, VALUE_BYTES };

/* Text and bytes are borrowed until the operation answers. */
struct value {
	enum value_type type;
	int64_t number;
	const void *bytes;
	size_t length;
};

#define STORE_INT(n) ((struct value){ .type = VALUE_INT, .number = (n) })
#define STORE_BYTES(p, n) ((struct value){ .type = VALUE_BYTES, .bytes = (p), .length = (n) })
/* Text that ends in NUL; NULL stores NULL. */
struct value store_text(const char *text) MUST_CHECK;

struct store;

/* Rows of a select, one at a time. Made by store_select; always end it with rows_end. */
struct rows {
	struct store *store;
	void *cursor;
};

enum store_mode { STORE_WRITER, STORE_READER };

/* What an engine implements; each function is as its store_… namesake below. */
struct store_driver {
	const char *name;
	bool (*open)(const char *where, enum store_mode mode, struct store **store, struct error *error);
	void (*close)(struct store *store);
	bool (*begin)(struct store *store, struct error *error);
	bool (*commit)(struct store *store, struct error *error);
	void (*rollback)(struct store *store);
	bool (*script)(struct store *store, const char *sql, struct error *error);
	bool (*each)(struct store *store, const struct statement *statement, const struct value *values,
		     size_t row_count, int64_t *changed, struct error *error);
	bool (*select)(struct store *store, const struct statement *statement, const struct value *values,
		       struct rows *rows, struct error *error);
	bool (*next)(struct rows *rows, bool *more, struct error *error);
	struct value (*column)(const struct rows *rows, int column);
	void (*end)(struct rows *rows);
	bool (*upkeep)(struct store *store, bool is_idle, struct error *error);
};

/* The first member of every engine's connection. */
struct store {
	const struct store_driver *driver;
	int64_t rows_written;            /* since the store was opened; for tests and metrics */
	int in_transaction;
};

/*
 * Opens the store at `where` ("sqlite:<path>"). A writer creates what is missing and brings the schema up to
 * date; there is one writer at a time. Readers see what is committed and write nothing.
 * False: ERR_STORE, with what to do, for a store of a newer program, of another program, or a changed migration.
 */
bool store_open(const char *where, enum store_mode mode, struct store **store, struct error *error) MUST_CHECK;
void store_close(struct store *store);

/* A writer's transaction excludes other writers; a reader's sees one state of the store until its rollback. */
bool store_begin(struct store *store, struct error *error) MUST_CHECK;
bool store_commit(struct store *store, struct error *error) MUST_CHECK;
/* Never fails as far as the caller is concerned: what was not committed is gone. */
void store_rollback(struct store *store);

/* Runs several statements that bind nothing; for migrations. */
bool store_script(struct store *store, const char *sql, struct error *error) MUST_CHECK;
/* Runs the statement once per row of values; `values` has row_count * strlen(types) of them. */
bool store_each(struct store *store, const struct statement *statement, const struct value *values,
		size_t row_count, struct error *error) MUST_CHECK;
/* As store_each for one row; *changed (may be NULL) says how many rows it changed. */
bool store_run(struct store *store, const struct statement *statement, const struct value *values,
	       int64_t *changed, struct error *error) MUST_CHECK;

/* Begins a select; *rows is ended by rows_end, and the same statement is not begun twice at a time. */
bool store_select(struct store *store, const struct statement *statement, const struct value *values,
		  struct rows *rows, struct error *error) MUST_CHECK;
/* *more: there is a row, read it by the functions below. */
bool rows_next(struct rows *rows, bool *more, struct error *error) MUST_CHECK;
void rows_end(struct rows *rows);
/* Columns count from 0. NULL reads as 0, and as NULL text. Text is copied into the arena. */
int64_t rows_int(const struct rows *rows, int column) MUST_CHECK;
const char *rows_text(const struct rows *rows, int column, struct arena *arena) MUST_CHECK;
/* Borrowed until the next rows_next. */
struct value rows_value(const struct rows *rows, int column) MUST_CHECK;

/* The first row's first column as a number; *found false if there is no row. */
bool store_number(struct store *store, const struct statement *statement, const struct value *values,
		  int64_t *number, bool *found, struct error *error) MUST_CHECK;

/*
 * What the engine needs done now and then, between transactions (SQLite: a checkpoint once the log has grown
 * past 4 MB, or past 64 kB when `is_idle`). Called by the writer after a batch.
 */
bool store_upkeep(struct store *store, bool is_idle, struct error *error) MUST_CHECK;

/*
 * Is it a failure of the engine (ERR_STORE, ERR_DISK_FULL), after which a transaction cannot go on, and no refusal of
 * what was asked?
 */
bool store_is_failure(const struct error *error) MUST_CHECK;

/* Brings the schema up to date; store_open of a writer calls it. */
bool store_migrate(struct store *store, struct error *error) MUST_CHECK;
/* Compares the schema with the program's own without changing it; store_open of a reader calls it. */
bool store_is_current(struct store *store, struct error *error) MUST_CHECK;

#endif
