#include "cli/table.h"

#include <inttypes.h>
#include <libsmartcols/libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/heap.h"

struct table {
	struct libscols_table *sheet;
	const struct column *columns;
	struct libscols_line *row;
	size_t next;                     /* the cell that comes next */
};

static bool is_colourful(void)
{
	const char *no_color = getenv("NO_COLOR"), *kind = getenv("TERM");
	return isatty(STDOUT_FILENO) && !(no_color && *no_color) && kind && strcmp(kind, "dumb") != 0;
}

/* The colour of a state's word; NULL: as all other text. */
static const char *colour_of(const char *state)
{
	static const struct {
		const char *state;
		const char *colour;
	} colours[] = {
		{ "succeeded", "green"  }, { "drained",   "green"  }, { "yes",     "green"  }, { "open",    "green"  },
		{ "failed",    "red"    }, { "timed_out", "red"    }, { "lost",    "red"    }, { "no",      "red"    },
		{ "stopping",  "yellow" }, { "killing",   "yellow" }, { "stopped", "yellow" }, { "killed",  "yellow" },
		{ "cancelled", "yellow" }, { "draining",  "yellow" }, { "unknown", "yellow" }, { "silent",  "yellow" },
		{ "running",   "cyan"   },
	};
	for (size_t i = 0; i < COUNT_OF(colours); i++)
		if (strcmp(colours[i].state, state) == 0)
			return colours[i].colour;
	return NULL;
}

struct table *table_open(const struct column *columns)
{
	struct table *table = heap_new(1, sizeof(*table));
	table->sheet = scols_new_table();
	table->columns = columns;
	ASSERT(table->sheet);
	scols_table_set_column_separator(table->sheet, "  ");
	scols_table_enable_colors(table->sheet, is_colourful());
	for (const struct column *column = columns; column->name; column++) {
		int flags = column->kind == COLUMN_LONG ? SCOLS_FL_TRUNC :
			    column->kind == COLUMN_NUMBER ? SCOLS_FL_RIGHT : 0;
		struct libscols_column *made = scols_table_new_column(table->sheet, column->name, 0, flags);
		ASSERT(made);
	}
	return table;
}

void table_close(struct table *table, const char *nothing)
{
	if (scols_table_get_nlines(table->sheet) > 0)
		scols_print_table(table->sheet);
	else
		fprintf(stderr, "%s\n", nothing);
	scols_unref_table(table->sheet);
	free(table);
}

void table_row(struct table *table)
{
	table->row = scols_table_new_line(table->sheet, NULL);
	table->next = 0;
	ASSERT(table->row);
}

void table_text(struct table *table, const char *text)
{
	const struct column *column = &table->columns[table->next];
	ASSERT(column->name);
	if (scols_line_set_data(table->row, table->next, *text ? text : "-") != 0)
		ASSERT(!"room for a cell");
	const char *colour = column->kind == COLUMN_STATE ? colour_of(text) : NULL;
	if (colour)
		scols_cell_set_color(scols_line_get_cell(table->row, table->next), colour);
	table->next++;
}

void table_int(struct table *table, int64_t number)
{
	char text[24];
	snprintf(text, sizeof(text), "%" PRId64, number);
	table_text(table, text);
}

void table_duration(struct table *table, int64_t ms)
{
	char text[DURATION_TEXT_BYTES];
	table_text(table, ms < 0 ? "" : duration_human(ms, text));
}

void table_age(struct table *table, instant at, instant now)
{
	table_duration(table, at == INSTANT_NONE ? -1 : now > at ? now - at : 0);
}
