#include "cli/say.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { FIELD_WIDTH = 12 };

const char *say_clean(struct arena *arena, const char *text)
{
	char *clean = arena_text(arena, text);
	for (char *c = clean; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	return clean;
}

const char *say_count(struct arena *arena, int64_t count)
{
	char digits[24], text[36];
	size_t length = (size_t)snprintf(digits, sizeof(digits), "%" PRId64, count), used = 0;
	for (size_t i = 0; i < length; i++) {
		if (i > 0 && digits[i - 1] != '-' && (length - i) % 3 == 0)
			text[used++] = ',';
		text[used++] = digits[i];
	}
	return arena_copy(arena, text, used);
}

const char *say_waiting(struct arena *arena, struct answer answer)
{
	const char *more = answer_bool(answer, "waiting_is_more") ? "+" : "";
	return arena_printf(arena, "%s%s", say_count(arena, answer_int(answer, "waiting", 0)), more);
}

const char *say_duration(struct arena *arena, int64_t ms)
{
	char text[DURATION_TEXT_BYTES];
	return ms < 0 ? "-" : arena_text(arena, duration_human(ms, text));
}

const char *say_ago(struct arena *arena, instant at, instant now)
{
	if (at == INSTANT_NONE)
		return "-";
	return arena_printf(arena, "%s ago", say_duration(arena, now > at ? now - at : 0));
}

int64_t say_took_ms(struct answer object, const char *began, const char *ended, instant now)
{
	instant from = answer_instant(object, began), to = answer_instant(object, ended);
	if (from == INSTANT_NONE)
		return DURATION_NOT_KNOWN;
	if (to == INSTANT_NONE)
		to = now;
	return to > from ? to - from : 0;
}

const char *say_list(struct arena *arena, struct answer array)
{
	struct buffer list = { 0 }, scratch = { 0 };
	for (size_t i = 0; i < answer_count(array); i++)
		buffer_printf(&list, "%s%s", i ? ", " : "", answer_show(answer_item(array, i), &scratch));
	const char *text = arena_text(arena, buffer_cstr(&list));
	buffer_fini(&list);
	buffer_fini(&scratch);
	return text;
}

const char *say_first_line(struct arena *arena, const char *text)
{
	return arena_copy(arena, text, strcspn(text, "\r\n"));
}

void say_field(const char *name, const char *text)
{
	if (*text)
		printf("%-*s %s\n", FIELD_WIDTH, name, text);
}

void say_members(const char *name, struct arena *arena, struct answer object)
{
	struct buffer list = { 0 }, scratch = { 0 };
	void *place = NULL;
	const char *key;
	struct answer value;
	while (answer_next(object, &place, &key, &value))
		buffer_printf(&list, "%s%s=%s", list.length ? " " : "", key, answer_show(value, &scratch));
	say_field(name, say_clean(arena, buffer_cstr(&list)));
	buffer_fini(&list);
	buffer_fini(&scratch);
}

void say_if_more(struct answer list)
{
	if (answer_is_there(answer_get(list, "next")))
		fprintf(stderr, "there are more; --limit shows them\n");
}
