#include "core/pairs.h"

#include <string.h>

#include "json/reader.h"
#include "json/writer.h"

const char *pairs_format(const struct flow_pair *pairs, size_t count, struct arena *arena)
{
	if (count == 0)
		return NULL;
	struct buffer text = { 0 };
	struct writer out = { .buffer = &text };
	writer_begin_object(&out);
	for (size_t i = 0; i < count; i++)
		writer_key_text(&out, pairs[i].name, pairs[i].value);
	writer_end_object(&out);
	const char *copy = arena_copy(arena, text.at, text.length);
	buffer_fini(&text);
	return copy;
}

bool pairs_parse(const char *text, struct arena *arena, struct flow_pair **pairs, size_t *count, struct error *error)
{
	*pairs = NULL;
	*count = 0;
	if (!text)
		return true;
	json_t *root;
	struct error broken;
	if (!reader_parse(text, strlen(text), &root, &broken))
		return error_set(error, ERR_STORE, "pairs in the store are broken: %s", broken.detail);
	*pairs = ARENA_ARRAY(arena, struct flow_pair, json_object_size(root));
	const char *name;
	json_t *value;
	json_object_foreach(root, name, value)
		(*pairs)[(*count)++] = (struct flow_pair){ arena_text(arena, name),
							   arena_text(arena, json_string_value(value)) };
	json_decref(root);
	return true;
}
