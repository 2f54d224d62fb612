/*
 * The numbered migrations, embedded at build time from store/schema/NNNN_name.sql.
 */
#ifndef LULL_STORE_SCHEMA_H
#define LULL_STORE_SCHEMA_H

#include <stddef.h>

struct migration {
	int number;              /* from 1, without gaps */
	const char *name;        /* "start" of 0001_start.sql */
	const char *sql;
};

extern const struct migration migrations[];
extern const size_t migration_count;

#endif
