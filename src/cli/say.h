/*
 * Small things that commands say. Texts of others are cleaned of control characters on their way to a terminal.
 */
#ifndef LULL_CLI_SAY_H
#define LULL_CLI_SAY_H

#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/instant.h"
#include "wire/answer.h"

/* The text without control characters, in the arena. */
const char *say_clean(struct arena *arena, const char *text) MUST_CHECK;
/* "4,512". */
const char *say_count(struct arena *arena, int64_t count) MUST_CHECK;
/* What waits, as an answer of the maintenance or status routes has it; "100,000+" where the server stopped counting. */
const char *say_waiting(struct arena *arena, struct answer answer) MUST_CHECK;
/* "3m 2s", "-" for what is not known (below 0). */
const char *say_duration(struct arena *arena, int64_t ms) MUST_CHECK;
/* "3m 2s ago", "-" for INSTANT_NONE. */
const char *say_ago(struct arena *arena, instant at, instant now) MUST_CHECK;
/* From the member `began` to the member `ended` of an object, or to `now`; below 0 where it has not begun. */
int64_t say_took_ms(struct answer object, const char *began, const char *ended, instant now) MUST_CHECK;
/* The texts of an array, with ", " between them. */
const char *say_list(struct arena *arena, struct answer array) MUST_CHECK;
/* The text up to its first end of line. */
const char *say_first_line(struct arena *arena, const char *text) MUST_CHECK;

/* Prints a line "name   text" of a description, the name in a column of its own; nothing for an empty text. */
void say_field(const char *name, const char *text);
/* The same for the members of an object, "a=1 b=2"; nothing where it has none. */
void say_members(const char *name, struct arena *arena, struct answer object);
/* Remarks on standard error that a list goes on, where it does. */
void say_if_more(struct answer list);

#endif
