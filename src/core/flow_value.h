/*
 * Reading one value of a flow's YAML: is it of the kind that its key wants, within its bounds?
 *
 * Every reader answers false after it added a problem at the value's place; its outputs are untouched then.
 * The problem makes the flow fail, so a caller that has nothing to add need not look at the answer.
 */
#ifndef LULL_CORE_FLOW_VALUE_H
#define LULL_CORE_FLOW_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "core/flow.h"
#include "core/flow_problem.h"
#include "core/yaml.h"

struct value_reader {
	struct arena *arena;
	struct flow_problems *problems;
	const char *key;                 /* whose value is read */
	const char *example;             /* what to write instead of something wrong: "timeout: 15m" */
};

/* Adds a problem at the place of `value`. Always false. */
bool value_refuse(struct value_reader *in, const struct yaml *value, const char *format, ...) PRINTF_LIKE(3, 4);

/* A text of 1 to `longest` bytes; 5 and true are no texts without quotes. */
bool value_text(struct value_reader *in, const struct yaml *value, size_t longest, const char **text);
/* As value_text, but 5 and true are taken as they are written, and "" is a text. */
bool value_as_text(struct value_reader *in, const struct yaml *value, size_t longest, const char **text);
/* A text for which text_is_name holds. */
bool value_name(struct value_reader *in, const struct yaml *value, size_t longest, bool dots,
		const char **name);
bool value_boolean(struct value_reader *in, const struct yaml *value, bool *is_true);
/* A duration of at most LIMIT_TASK_TIMEOUT_DAYS. */
bool value_duration(struct value_reader *in, const struct yaml *value, int64_t *ms);
/* One of `names`, which ends with NULL; answers its place. */
bool value_choice(struct value_reader *in, const struct yaml *value, const char *const *names, int *place);
/* A list with 0 to `most` items. */
bool value_list(struct value_reader *in, const struct yaml *value, size_t most);
/* A map with 0 to `most` members. */
bool value_map(struct value_reader *in, const struct yaml *value, size_t most);

/* The items of a list; one scalar stands for a list with one. Its `next` is none of them: go by the count. */
size_t value_item_count(const struct yaml *value) MUST_CHECK;
const struct yaml *value_items(const struct yaml *value) MUST_CHECK;
/* Checks one item and answers it; one of the readers above. */
typedef bool item_reader(struct value_reader *in, const struct yaml *item, const char **text);
/* A list of 0 to `most` texts, or one text alone. */
bool value_texts(struct value_reader *in, const struct yaml *value, size_t most, item_reader *read,
		 const char ***texts, size_t *count);
/* A map of at most `most` names with texts, sorted by name; `check` looks at a member's name and value. */
bool value_pairs(struct value_reader *in, const struct yaml *value, size_t most, item_reader *check,
		 struct flow_pair **pairs, size_t *count);

#endif
