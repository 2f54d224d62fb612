/*
 * The findings of one validation, collected so that an author sees all of them at once.
 */
#ifndef LULL_CORE_FLOW_PROBLEM_H
#define LULL_CORE_FLOW_PROBLEM_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "core/flow.h"

struct flow_problems {
	struct arena *arena;             /* where the texts live */
	struct flow_problem list[FLOW_PROBLEMS];
	size_t count;                    /* in `list`; what comes after FLOW_PROBLEMS is dropped */
};

/* One more finding; `format` says what is wrong and what to write instead. */
void flow_problem_add(struct flow_problems *problems, int32_t line, int32_t column, const char *format, ...)
	PRINTF_LIKE(4, 5);
/* As flow_problem_add, with the arguments as a list. */
void flow_problem_vadd(struct flow_problems *problems, int32_t line, int32_t column, const char *format,
		       va_list arguments) PRINTF_LIKE(4, 0);
/* Is there no room for another? Then the search for a helpful text can be spared. */
bool flow_problem_is_full(const struct flow_problems *problems) MUST_CHECK;
/* By line and column; what was found first stays first at one place. */
void flow_problem_sort(struct flow_problems *problems);
/* `text` for a message: cut to a readable length at a whole character, control characters as '?'. */
const char *flow_problem_quote(const struct flow_problems *problems, const char *text) MUST_CHECK;
/* The words joined as people list them, "a, b or c" with `last` "or"; `words` ends with NULL. */
const char *flow_problem_list(const struct flow_problems *problems, const char *const *words,
			      const char *last) MUST_CHECK;

#endif
