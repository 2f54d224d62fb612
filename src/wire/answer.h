/*
 * Reading what a server answered, for those who show it to people.
 *
 * Tolerant on purpose: a server may be older or newer than the client that asks it, so a member that is missing or
 * of another type reads as "not there", and one that is not known is passed over. Whoever decides by an answer
 * looks at what is there first.
 */
#ifndef LULL_WIRE_ANSWER_H
#define LULL_WIRE_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/instant.h"

struct json_t;

/* A place in a document; places live as long as the document that answer_parse made. */
struct answer {
	struct json_t *value;          /* NULL: nothing there */
};

enum { DURATION_NOT_KNOWN = -1 };

/* False: ERR_INVALID, it is no JSON document. Give the root back with answer_fini. */
bool answer_parse(const char *bytes, size_t length, struct answer *root, struct error *error) MUST_CHECK;
/* Gives the document back; `root` is the place that answer_parse made, or a zeroed one. */
void answer_fini(struct answer *root);

/* The member `key`; nothing, where it is missing or null. */
struct answer answer_get(struct answer object, const char *key) MUST_CHECK;
/* Members of an object or elements of an array; 0 for anything else. */
size_t answer_count(struct answer at) MUST_CHECK;
/* The element `index` of an array. */
struct answer answer_item(struct answer array, size_t index) MUST_CHECK;
bool answer_is_there(struct answer at) MUST_CHECK;
/* The value itself as text: a text as it is, a number or truth value as JSON writes it, "" for anything else. */
const char *answer_show(struct answer at, struct buffer *scratch) MUST_CHECK;
/*
 * Walks the members of an object: start with *place = NULL, which stays ours to move. False at the end.
 */
bool answer_next(struct answer object, void **place, const char **key, struct answer *value) MUST_CHECK;
/* Appends the place as JSON, "null" for nothing. */
void answer_write(struct answer at, struct buffer *buffer);

/* Members by their type; what is not there gives "", `fallback`, false, INSTANT_NONE or DURATION_NOT_KNOWN. */
const char *answer_text(struct answer object, const char *key) MUST_CHECK;
int64_t answer_int(struct answer object, const char *key, int64_t fallback) MUST_CHECK;
bool answer_bool(struct answer object, const char *key) MUST_CHECK;
instant answer_instant(struct answer object, const char *key) MUST_CHECK;
int64_t answer_duration(struct answer object, const char *key) MUST_CHECK;

#endif
