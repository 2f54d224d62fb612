#include "wire/answer.h"

#include <stdlib.h>

#include "json/reader.h"

bool answer_parse(const char *bytes, size_t length, struct answer *root, struct error *error)
{
	return reader_parse(bytes, length, &root->value, error);
}

void answer_fini(struct answer *root)
{
	json_decref(root->value);
	root->value = NULL;
}

static struct answer place_of(json_t *value)
{
	return (struct answer){ json_is_null(value) ? NULL : value };
}

struct answer answer_get(struct answer object, const char *key)
{
	return place_of(json_object_get(object.value, key));
}

size_t answer_count(struct answer at)
{
	return json_is_object(at.value) ? json_object_size(at.value) : json_array_size(at.value);
}

struct answer answer_item(struct answer array, size_t index)
{
	return place_of(json_array_get(array.value, index));
}

bool answer_is_there(struct answer at)
{
	return at.value != NULL;
}

const char *answer_show(struct answer at, struct buffer *scratch)
{
	if (json_is_string(at.value))
		return json_string_value(at.value);
	buffer_reset(scratch);
	if (json_is_number(at.value) || json_is_boolean(at.value))
		answer_write(at, scratch);
	return buffer_cstr(scratch);
}

bool answer_next(struct answer object, void **place, const char **key, struct answer *value)
{
	*place = *place ? json_object_iter_next(object.value, *place) : json_object_iter(object.value);
	if (!*place)
		return false;
	*key = json_object_iter_key(*place);
	*value = place_of(json_object_iter_value(*place));
	return true;
}

static int append_piece(const char *bytes, size_t length, void *buffer)
{
	buffer_append(buffer, bytes, length);
	return 0;
}

void answer_write(struct answer at, struct buffer *buffer)
{
	if (!at.value)
		buffer_text(buffer, "null");
	else
		json_dump_callback(at.value, append_piece, buffer, JSON_COMPACT | JSON_ENCODE_ANY);
}

const char *answer_text(struct answer object, const char *key)
{
	const char *text = json_string_value(json_object_get(object.value, key));
	return text ? text : "";
}

int64_t answer_int(struct answer object, const char *key, int64_t fallback)
{
	json_t *value = json_object_get(object.value, key);
	return json_is_integer(value) ? json_integer_value(value) : fallback;
}

bool answer_bool(struct answer object, const char *key)
{
	return json_is_true(json_object_get(object.value, key));
}

instant answer_instant(struct answer object, const char *key)
{
	struct error error;
	instant at;
	return instant_parse(answer_text(object, key), &at, &error) ? at : INSTANT_NONE;
}

int64_t answer_duration(struct answer object, const char *key)
{
	struct error error;
	int64_t ms;
	return duration_parse(answer_text(object, key), &ms, &error) ? ms : DURATION_NOT_KNOWN;
}
