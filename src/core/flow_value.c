#include "core/flow_value.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/limits.h"
#include "base/text.h"

bool value_refuse(struct value_reader *in, const struct yaml *value, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	flow_problem_vadd(in->problems, value->line, value->column, format, arguments);
	va_end(arguments);
	return false;
}

/* Tells that `value` is of a kind that the key does not take. Always false. */
static bool refuse_kind(struct value_reader *in, const struct yaml *value, const char *wanted)
{
	static const char *const kinds[] = {
		[YAML_NULL] = "empty", [YAML_BOOLEAN] = "true or false", [YAML_INTEGER] = "a number",
		[YAML_NUMBER] = "a number", [YAML_TEXT] = "a text", [YAML_LIST] = "a list", [YAML_MAP] = "a map",
	};
	if (value->kind == YAML_NULL)
		return value_refuse(in, value, "%s is empty; write it like %s, or remove it", in->key, in->example);
	return value_refuse(in, value, "%s must be %s, not %s; write it like %s", in->key, wanted, kinds[value->kind],
			    in->example);
}

static bool check_length(struct value_reader *in, const struct yaml *value, size_t longest)
{
	if (strlen(value->text) > longest)
		return value_refuse(in, value, "%s is longer than %zu bytes", in->key, longest);
	return true;
}

bool value_text(struct value_reader *in, const struct yaml *value, size_t longest, const char **text)
{
	if (value->kind != YAML_TEXT && value->kind != YAML_NULL && yaml_is_scalar(value))
		return value_refuse(in, value, "%s must be a text; put it in quotes: \"%s\"", in->key,
				    flow_problem_quote(in->problems, value->text));
	if (value->kind != YAML_TEXT)
		return refuse_kind(in, value, "a text");
	if (!*value->text)
		return value_refuse(in, value, "%s is empty; write it like %s, or remove it", in->key, in->example);
	if (!check_length(in, value, longest))
		return false;
	*text = value->text;
	return true;
}

bool value_as_text(struct value_reader *in, const struct yaml *value, size_t longest, const char **text)
{
	if (value->kind == YAML_NULL)
		return value_refuse(in, value, "%s is empty; write \"\" where an empty text is meant", in->key);
	if (!yaml_is_scalar(value))
		return refuse_kind(in, value, "a text");
	if (!check_length(in, value, longest))
		return false;
	*text = value->text;
	return true;
}

bool value_name(struct value_reader *in, const struct yaml *value, size_t longest, bool dots, const char **name)
{
	const char *text;
	if (!value_text(in, value, longest, &text))
		return false;
	if (!text_is_name(text, longest, dots))
		return value_refuse(
			in, value,
			"%s \"%s\" is no name; use letters, digits, %s, and begin with a letter or digit",
			in->key, flow_problem_quote(in->problems, text),
			dots ? "\"-\", \"_\" and \".\"" : "\"-\" and \"_\"");
	*name = text;
	return true;
}

bool value_boolean(struct value_reader *in, const struct yaml *value, bool *is_true)
{
	if (value->kind != YAML_BOOLEAN)
		return refuse_kind(in, value, "true or false");
	*is_true = value->text[0] == 't' || value->text[0] == 'T';
	return true;
}

bool value_duration(struct value_reader *in, const struct yaml *value, int64_t *ms)
{
	const int64_t longest = INT64_C(86400000) * LIMIT_TASK_TIMEOUT_DAYS;
	if (!yaml_is_scalar(value) || value->kind == YAML_NULL)
		return refuse_kind(in, value, "a duration");
	const char *quoted = flow_problem_quote(in->problems, value->text);
	struct error error;
	int64_t read;
	if (!duration_parse(value->text, &read, &error)) {
		if (value->kind == YAML_INTEGER)
			return value_refuse(in, value, "%s %s has no unit; write %ss for seconds", in->key,
					    quoted, quoted);
		return value_refuse(in, value, "%s \"%s\" is no duration; write one like 90s, 15m, 1h30m or PT15M",
				    in->key, quoted);
	}
	if (read > longest)
		return value_refuse(in, value, "%s %s is longer than %d days", in->key, quoted,
				    LIMIT_TASK_TIMEOUT_DAYS);
	*ms = read;
	return true;
}

bool value_choice(struct value_reader *in, const struct yaml *value, const char *const *names, int *place)
{
	if (!yaml_is_scalar(value) || value->kind == YAML_NULL)
		return refuse_kind(in, value, flow_problem_list(in->problems, names, "or"));
	for (int i = 0; names[i]; i++) {
		if (strcmp(value->text, names[i]) != 0)
			continue;
		*place = i;
		return true;
	}
	const char *quoted = flow_problem_quote(in->problems, value->text);
	const char *nearest = text_nearest(value->text, names);
	if (nearest)
		return value_refuse(in, value, "%s \"%s\" is not known; did you mean \"%s\"?", in->key,
				    quoted, nearest);
	return value_refuse(in, value, "%s \"%s\" is not known; write %s", in->key, quoted,
			    flow_problem_list(in->problems, names, "or"));
}

static bool check_count(struct value_reader *in, const struct yaml *value, size_t most)
{
	if (value->count > most)
		return value_refuse(in, value, "%s has %zu entries; at most %zu are taken", in->key,
				    value->count, most);
	return true;
}

bool value_list(struct value_reader *in, const struct yaml *value, size_t most)
{
	return value->kind == YAML_LIST ? check_count(in, value, most) : refuse_kind(in, value, "a list");
}

bool value_map(struct value_reader *in, const struct yaml *value, size_t most)
{
	return value->kind == YAML_MAP ? check_count(in, value, most) : refuse_kind(in, value, "a map");
}

size_t value_item_count(const struct yaml *value)
{
	return yaml_is_scalar(value) ? 1 : value->count;
}

const struct yaml *value_items(const struct yaml *value)
{
	return yaml_is_scalar(value) ? value : value->first;
}

bool value_texts(struct value_reader *in, const struct yaml *value, size_t most, item_reader *read,
		 const char ***texts, size_t *count)
{
	size_t length = value_item_count(value);
	if (!yaml_is_scalar(value) && !value_list(in, value, most))
		return false;
	const char **read_texts = ARENA_ARRAY(in->arena, const char *, length);
	const struct yaml *item = value_items(value);
	bool is_good = true;
	for (size_t i = 0; i < length; i++, item = item->next)
		is_good = read(in, item, &read_texts[i]) && is_good;
	if (!is_good)
		return false;
	*texts = read_texts;
	*count = length;
	return true;
}

static int compare_names(const void *a, const void *b)
{
	const struct flow_pair *left = a, *right = b;
	return strcmp(left->name, right->name);
}

bool value_pairs(struct value_reader *in, const struct yaml *value, size_t most, item_reader *check,
		 struct flow_pair **pairs, size_t *count)
{
	if (!value_map(in, value, most))
		return false;
	struct flow_pair *read = ARENA_ARRAY(in->arena, struct flow_pair, value->count);
	size_t good = 0;
	for (const struct yaml *member = value->first; member; member = member->next) {
		read[good].name = member->key->text;
		good += check(in, member, &read[good].value);
	}
	if (good < value->count)
		return false;
	qsort(read, good, sizeof(*read), compare_names);
	*pairs = read;
	*count = good;
	return true;
}
