#include "json/reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"

/* Nesting of the bytes, looked at before anything is built: the parser recurses. */
static bool is_too_deep(const char *bytes, size_t length)
{
	int depth = 0;
	bool in_text = false;
	for (size_t i = 0; i < length; i++) {
		char c = bytes[i];
		if (in_text) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_text = false;
		} else if (c == '"') {
			in_text = true;
		} else if (c == '[' || c == '{') {
			if (++depth > LIMIT_JSON_DEPTH)
				return true;
		} else if (c == ']' || c == '}') {
			depth--;
		}
	}
	return false;
}

bool reader_parse(const char *bytes, size_t length, json_t **root, struct error *error)
{
	if (is_too_deep(bytes, length))
		return error_set(error, ERR_INVALID, "the JSON is nested deeper than %d", LIMIT_JSON_DEPTH);
	json_error_t problem;
	json_t *value = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &problem);
	if (!value)
		return error_set(error, ERR_INVALID, "line %d, column %d of the JSON: %s", problem.line,
				 problem.column, problem.text);
	*root = value;
	return true;
}

struct reader_at reader_root(json_t *root)
{
	return (struct reader_at){ .value = root };
}

struct reader_at reader_key(const struct reader_at *object, const char *key)
{
	json_t *value = json_object_get(object->value, key);
	return (struct reader_at){ .value = json_is_null(value) ? NULL : value, .parent = object, .key = key };
}

struct reader_at reader_index(const struct reader_at *array, size_t index)
{
	return (struct reader_at){ .value = json_array_get(array->value, index), .parent = array, .index = index };
}

void reader_path(const struct reader_at *at, char *path, size_t room)
{
	if (!at->parent) {
		snprintf(path, room, "%s", "");
		return;
	}
	reader_path(at->parent, path, room);
	size_t length = strlen(path);
	if (at->key)
		snprintf(path + length, room - length, "%s%s", length ? "." : "", at->key);
	else
		snprintf(path + length, room - length, "[%zu]", at->index);
}

/* Sets "<path> <what is wanted>". */
static bool refuse(const struct reader_at *at, struct error *error, const char *wanted)
{
	char path[256];
	reader_path(at, path, sizeof(path));
	return error_set(error, ERR_INVALID, "%s %s", path[0] ? path : "the JSON", wanted);
}

bool reader_want_object(const struct reader_at *at, const char *const *known, struct error *error)
{
	if (!(at->value && json_typeof(at->value) == JSON_OBJECT))
		return refuse(at, error, "must be an object");
	const char *key;
	json_t *value;
	json_object_foreach(at->value, key, value) {
		size_t i = 0;
		while (known[i] && strcmp(known[i], key) != 0)
			i++;
		if (known[i])
			continue;
		const char *nearest = text_nearest(key, known);
		char wanted[200];
		if (nearest)
			snprintf(wanted, sizeof(wanted), "has no member \"%.60s\"; is \"%s\" meant?", key, nearest);
		else
			snprintf(wanted, sizeof(wanted), "has no member \"%.60s\"", key);
		return refuse(at, error, wanted);
	}
	return true;
}

bool reader_want_array(const struct reader_at *at, size_t most, size_t *count, struct error *error)
{
	if (at->value && json_typeof(at->value) != JSON_ARRAY)
		return refuse(at, error, "must be an array");
	size_t size = json_array_size(at->value);
	if (size > most) {
		char wanted[80];
		snprintf(wanted, sizeof(wanted), "has %zu elements, at most %zu are taken", size, most);
		return refuse(at, error, wanted);
	}
	*count = size;
	return true;
}

static bool read_text(const struct reader_at *at, size_t most, const char **text, struct error *error)
{
	if (!json_is_string(at->value))
		return refuse(at, error, "must be a text");
	size_t length = json_string_length(at->value);
	const char *value = json_string_value(at->value);
	if (length > most) {
		char wanted[80];
		snprintf(wanted, sizeof(wanted), "has %zu bytes, at most %zu are taken", length, most);
		return refuse(at, error, wanted);
	}
	if (strlen(value) != length)
		return refuse(at, error, "contains a NUL");
	*text = value;
	return true;
}

bool reader_get_text(const struct reader_at *object, const char *key, size_t most, const char *fallback,
		   const char **text, struct error *error)
{
	struct reader_at at = reader_key(object, key);
	if (at.value)
		return read_text(&at, most, text, error);
	*text = fallback;
	return true;
}

bool reader_need_text(const struct reader_at *object, const char *key, size_t most, const char **text,
		    struct error *error)
{
	struct reader_at at = reader_key(object, key);
	const char *value;
	if (!at.value)
		return refuse(&at, error, "is missing");
	if (!read_text(&at, most, &value, error))
		return false;
	if (!*value)
		return refuse(&at, error, "is empty");
	*text = value;
	return true;
}

static bool read_int(const struct reader_at *at, int64_t low, int64_t high, int64_t *number, struct error *error)
{
	if (!json_is_integer(at->value) || json_integer_value(at->value) < low ||
	    json_integer_value(at->value) > high) {
		char wanted[100];
		snprintf(wanted, sizeof(wanted), "must be an integer from %" PRId64 " to %" PRId64, low, high);
		return refuse(at, error, wanted);
	}
	*number = json_integer_value(at->value);
	return true;
}

bool reader_get_int(const struct reader_at *object, const char *key, int64_t low, int64_t high, int64_t fallback,
		  int64_t *number, struct error *error)
{
	struct reader_at at = reader_key(object, key);
	if (at.value)
		return read_int(&at, low, high, number, error);
	*number = fallback;
	return true;
}

bool reader_need_int(const struct reader_at *object, const char *key, int64_t low, int64_t high, int64_t *number,
		   struct error *error)
{
	struct reader_at at = reader_key(object, key);
	return at.value ? read_int(&at, low, high, number, error) : refuse(&at, error, "is missing");
}

bool reader_get_bool(const struct reader_at *object, const char *key, bool fallback, bool *value, struct error *error)
{
	struct reader_at at = reader_key(object, key);
	if (at.value && !json_is_boolean(at.value))
		return refuse(&at, error, "must be true or false");
	*value = at.value ? json_is_true(at.value) : fallback;
	return true;
}
