#include "cli/line.h"

#include <inttypes.h>
#include <string.h>

#include "base/instant.h"
#include "base/text.h"

enum { NAME_BYTES = 64, NAMES = COMMAND_OPTIONS + 8 };

static const struct option *find_by_letter(const struct command *command, char letter)
{
	const struct option *option;
	for (size_t place = 0; (option = command_option(command, &place)); )
		if (option->letter && option->letter == letter)
			return option;
	return NULL;
}

static const struct option *find_by_name(const struct command *command, const char *name, size_t length)
{
	const struct option *option;
	for (size_t place = 0; (option = command_option(command, &place)); )
		if (strlen(option->name) == length && memcmp(option->name, name, length) == 0)
			return option;
	return NULL;
}

static bool unknown(const struct command *command, const char *word, struct error *error)
{
	const char *names[NAMES], *nearest = NULL;
	char name[NAME_BYTES] = "";
	size_t count = 0, length = strcspn(word, "=");
	const struct option *option;
	for (size_t place = 0; count < NAMES - 1 && (option = command_option(command, &place)); )
		names[count++] = option->name;
	names[count] = NULL;
	if (text_starts_with(word, "--") && length - 2 < NAME_BYTES) {
		memcpy(name, word + 2, length - 2);
		nearest = text_nearest(name, names);
	}
	if (nearest)
		return error_set(error, ERR_INVALID, "`lull %s` has no option %.*s; is --%s meant?", command->name,
				 (int)(length < NAME_BYTES ? length : NAME_BYTES), word, nearest);
	return error_set(error, ERR_INVALID, "`lull %s` has no option %.*s; see `lull help %s`", command->name,
			 (int)(length < NAME_BYTES ? length : NAME_BYTES), word, command->name);
}

/* Takes the option that begins at words[*at], and the word after it where that is its value. */
static bool take_option(struct line *line, int count, char **words, int *at, struct error *error)
{
	const char *word = words[*at], *value = NULL;
	const struct option *option;
	if (word[1] == '-') {
		size_t length = strcspn(word + 2, "=");
		option = find_by_name(line->command, word + 2, length);
		value = word[2 + length] ? word + 3 + length : NULL;
	} else {
		option = find_by_letter(line->command, word[1]);
		value = word[2] ? word + 2 : NULL;
	}
	if (!option || (!option->value && word[1] != '-' && value))
		return unknown(line->command, word, error);
	if (!option->value && value)
		return error_set(error, ERR_INVALID, "--%s takes no value", option->name);
	if (option->value && !value) {
		if (*at + 1 == count)
			return error_set(error, ERR_INVALID, "--%s needs a value: --%s %s", option->name, option->name,
					 option->value);
		value = words[++*at];
	}
	line->given[line->given_count++] = (struct given){ option, value ? value : "" };
	return true;
}

static bool check_count(const struct line *line, struct error *error)
{
	const struct command *command = line->command;
	int64_t count = (int64_t)line->argument_count;
	if (count >= command->least && count <= command->most)
		return true;
	return error_set(error, ERR_INVALID, "%s; usage: lull %s%s%s", count < command->least ? "something is missing" :
			 "too many arguments", command->name, *command->arguments ? " " : "", command->arguments);
}

bool line_parse(const struct command *command, int count, char **words, struct arena *arena, struct line *line,
		struct error *error)
{
	struct line parsed = { .command = command };
	bool are_over = false;
	parsed.arguments = ARENA_ARRAY(arena, const char *, (size_t)count + 1);
	parsed.given = ARENA_ARRAY(arena, struct given, (size_t)count + 1);
	for (int at = 0; at < count; at++) {
		if (are_over || words[at][0] != '-' || !words[at][1])
			parsed.arguments[parsed.argument_count++] = words[at];
		else if (strcmp(words[at], "--") == 0)
			are_over = true;
		else if (!take_option(&parsed, count, words, &at, error))
			return false;
	}
	if (!line_has(&parsed, "help") && !check_count(&parsed, error))
		return false;
	*line = parsed;
	return true;
}

const char *line_next(const struct line *line, const char *option, size_t *place)
{
	while (*place < line->given_count) {
		const struct given *given = &line->given[(*place)++];
		if (strcmp(given->option->name, option) == 0)
			return given->value;
	}
	return NULL;
}

const char *line_value(const struct line *line, const char *option)
{
	const char *value, *last = NULL;
	for (size_t place = 0; (value = line_next(line, option, &place)); )
		last = value;
	return last;
}

bool line_has(const struct line *line, const char *option)
{
	return line_value(line, option) != NULL;
}

bool line_int(const struct line *line, const char *option, int64_t low, int64_t high, int64_t fallback,
	      int64_t *number, struct error *error)
{
	const char *value = line_value(line, option);
	int64_t read = fallback;
	if (value && !text_to_int64(value, low, high, &read))
		return error_set(error, ERR_INVALID, "--%s is a number from %" PRId64 " to %" PRId64 ", not \"%.40s\"",
				 option, low, high, value);
	*number = read;
	return true;
}

bool line_duration(const struct line *line, const char *option, int64_t fallback, int64_t *ms, struct error *error)
{
	const char *value = line_value(line, option);
	int64_t read = fallback;
	if (value && !duration_parse(value, &read, error))
		return error_prefix(error, "--%s", option);
	*ms = read;
	return true;
}

bool line_number(const struct line *line, size_t argument, const char *what, int64_t *number, struct error *error)
{
	if (!text_to_int64(line->arguments[argument], 1, INT64_MAX, number))
		return error_set(error, ERR_INVALID, "\"%.60s\" is not %s", line->arguments[argument], what);
	return true;
}
