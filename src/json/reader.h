/*
 * Reading JSON that comes from outside: UTF-8, no duplicate key, bounded depth, integers within int64.
 * A document is one object or array; what a getter answers lives as long as the document.
 * Every error names the place: "items[3].priority must be an integer from -100 to 100".
 */
#ifndef LULL_JSON_READER_H
#define LULL_JSON_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/attr.h"
#include "base/error.h"

/* False: ERR_INVALID with line and column, or for nesting deeper than LIMIT_JSON_DEPTH. Give back with json_decref. */
bool reader_parse(const char *bytes, size_t length, json_t **root, struct error *error) MUST_CHECK;

/* A place in a document and its name for errors. Made on the stack; the parent outlives it. */
struct reader_at {
	json_t *value;                 /* NULL: nothing there */
	const struct reader_at *parent;
	const char *key;               /* in an object */
	size_t index;                  /* in an array, where key is NULL */
};

/* The document itself, its path is empty. */
struct reader_at reader_root(json_t *root) MUST_CHECK;
/* The member `key`, its value NULL if it is missing or null. */
struct reader_at reader_key(const struct reader_at *object, const char *key) MUST_CHECK;
/* The element `index`, its value NULL if the array is shorter. */
struct reader_at reader_index(const struct reader_at *array, size_t index) MUST_CHECK;
/* "items[3].priority" into `path`. */
void reader_path(const struct reader_at *at, char *path, size_t room);

/* False: ERR_INVALID, for another type or a member not in `known` (NULL-ended), with the nearest known one. */
bool reader_want_object(const struct reader_at *at, const char *const *known, struct error *error) MUST_CHECK;
/* False: ERR_INVALID for another type or more than `most` elements. A missing array has no elements. */
bool reader_want_array(const struct reader_at *at, size_t most, size_t *count, struct error *error) MUST_CHECK;

/* A text of at most `most` bytes, no NUL in it; missing gives `fallback`. */
bool reader_get_text(const struct reader_at *object, const char *key, size_t most, const char *fallback,
		   const char **text, struct error *error) MUST_CHECK;
/* As reader_get_text, but missing or empty is an error. */
bool reader_need_text(const struct reader_at *object, const char *key, size_t most, const char **text,
		    struct error *error) MUST_CHECK;
/* An integer from `low` to `high`, written without fraction or exponent; missing gives `fallback`. */
bool reader_get_int(const struct reader_at *object, const char *key, int64_t low, int64_t high, int64_t fallback,
		  int64_t *number, struct error *error) MUST_CHECK;
/* As reader_get_int, but missing is an error. */
bool reader_need_int(const struct reader_at *object, const char *key, int64_t low, int64_t high, int64_t *number,
		   struct error *error) MUST_CHECK;
/* true or false, no other word for them; missing gives `fallback`. */
bool reader_get_bool(const struct reader_at *object, const char *key, bool fallback, bool *value,
		   struct error *error) MUST_CHECK;

#endif
