#include "core/flow_problem.h"

#include <string.h>

enum { QUOTE_BYTES = 60 };

void flow_problem_vadd(struct flow_problems *problems, int32_t line, int32_t column, const char *format,
		       va_list arguments)
{
	if (flow_problem_is_full(problems))
		return;
	const char *text = arena_vprintf(problems->arena, format, arguments);
	problems->list[problems->count++] = (struct flow_problem){ line, column, text };
}

void flow_problem_add(struct flow_problems *problems, int32_t line, int32_t column, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	flow_problem_vadd(problems, line, column, format, arguments);
	va_end(arguments);
}

bool flow_problem_is_full(const struct flow_problems *problems)
{
	return problems->count == FLOW_PROBLEMS;
}

static bool goes_before(const struct flow_problem *a, const struct flow_problem *b)
{
	return a->line < b->line || (a->line == b->line && a->column < b->column);
}

void flow_problem_sort(struct flow_problems *problems)
{
	for (size_t i = 1; i < problems->count; i++) {
		struct flow_problem moved = problems->list[i];
		size_t at = i;
		for (; at > 0 && goes_before(&moved, &problems->list[at - 1]); at--)
			problems->list[at] = problems->list[at - 1];
		problems->list[at] = moved;
	}
}

const char *flow_problem_quote(const struct flow_problems *problems, const char *text)
{
	size_t length = strlen(text);
	bool is_cut = length > QUOTE_BYTES;
	if (is_cut)
		for (length = QUOTE_BYTES; length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80; length--)
			;
	char *quote = arena_printf(problems->arena, "%.*s%s", (int)length, text, is_cut ? "…" : "");
	for (char *at = quote; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7F)
			*at = '?';
	return quote;
}

const char *flow_problem_list(const struct flow_problems *problems, const char *const *words, const char *last)
{
	const char *list = words[0];
	for (size_t i = 1; words[i]; i++)
		list = words[i + 1] ? arena_printf(problems->arena, "%s, %s", list, words[i])
				    : arena_printf(problems->arena, "%s %s %s", list, last, words[i]);
	return list;
}
