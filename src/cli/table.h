/*
 * Tables for people: quiet, dense, as wide as the terminal; states in colour on a terminal unless NO_COLOR is set.
 */
#ifndef LULL_CLI_TABLE_H
#define LULL_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/instant.h"

enum column_kind {
	COLUMN_TEXT,
	COLUMN_LONG,                     /* a text that is cut where the terminal is too narrow */
	COLUMN_NUMBER,                   /* to the right */
	COLUMN_STATE,                    /* coloured by what it says */
};

struct column {
	const char *name;                /* NULL ends a list */
	enum column_kind kind;
};

struct table;

/* A table without rows. */
struct table *table_open(const struct column *columns) MUST_CHECK;
/* Prints the table to standard output; without rows, `nothing` to standard error. Then gives it back. */
void table_close(struct table *table, const char *nothing);
/* Begins a row. */
void table_row(struct table *table);
/* The next cells of the row; "" and unknown values (negative ages, INSTANT_NONE) show as "-". */
void table_text(struct table *table, const char *text);
void table_int(struct table *table, int64_t number);
/* A duration as people say it. */
void table_duration(struct table *table, int64_t ms);
/* How long ago `at` is. */
void table_age(struct table *table, instant at, instant now);

#endif
