#include "cli/command.h"

#include <string.h>

#include "base/text.h"
#include "cli/handlers.h"

enum { NAME_BYTES = 64 };

const struct command commands[] = {
#define X(name, arguments, least, most, kind, handler, summary, example, ...) \
	{ name, arguments, least, most, kind, handler, summary, example, { __VA_ARGS__ } },
#include "cli/commands.def"
#undef X
};
const size_t command_count = COUNT_OF(commands);

const struct option options_of_all[] = {
	{ "help",       'h',  NULL,   "show this help" },
	{ NULL,         '\0', NULL,   NULL },
};

const struct option options_of_asking[] = {
	{ "json",       'j',  NULL,   "print the server's JSON as it came" },
	{ "url",        '\0', "URL",  "the server; default: $LULL_URL, else the one of this user on this machine" },
	{ "token-file", '\0', "FILE", "who asks: a file that holds a token; default: $LULL_TOKEN, else the local one" },
	{ NULL,         '\0', NULL,   NULL },
};

/* Is `name` these words, with single spaces between them? */
static bool is_named(const char *name, int count, char **words)
{
	for (int i = 0; i < count; i++) {
		size_t length = strlen(words[i]);
		if (strncmp(name, words[i], length) != 0 || name[length] != (i + 1 < count ? ' ' : '\0'))
			return false;
		name += length + 1;
	}
	return count > 0;
}

const struct command *command_find(int count, char **words, int *word_count)
{
	for (int length = count < COMMAND_WORDS ? count : COMMAND_WORDS; length > 0; length--)
		for (size_t i = 0; i < command_count; i++) {
			if (!is_named(commands[i].name, length, words))
				continue;
			*word_count = length;
			return &commands[i];
		}
	return NULL;
}

bool command_is_group(const char *word)
{
	size_t length = strlen(word);
	for (size_t i = 0; i < command_count; i++)
		if (text_starts_with(commands[i].name, word) && commands[i].name[length] == ' ')
			return true;
	return false;
}

bool command_unknown(int count, char **words, struct error *error)
{
	const char *names[COUNT_OF(commands) + 1];
	char meant[NAME_BYTES] = "";
	size_t used = 0;
	for (int i = 0; i < count && i < COMMAND_WORDS && words[i][0] != '-'; i++) {
		size_t length = strlen(words[i]);
		if (used + length + 2 > sizeof(meant))
			break;
		if (used)
			meant[used++] = ' ';
		memcpy(meant + used, words[i], length + 1);
		used += length;
	}
	for (size_t i = 0; i < command_count; i++)
		names[i] = commands[i].name;
	names[command_count] = NULL;
	const char *nearest = text_nearest(meant, names);
	if (nearest)
		return error_set(error, ERR_INVALID, "there is no command `lull %s`; is `lull %s` meant?", meant,
				 nearest);
	return error_set(error, ERR_INVALID, "there is no command `lull %s`; `lull help` lists them",
			 used ? meant : words[0]);
}

const struct option *command_option(const struct command *command, size_t *place)
{
	const struct option *const lists[] = {
		command->options, command->kind == ASKS ? options_of_asking : NULL, options_of_all,
	};
	size_t skipped = *place;
	for (size_t i = 0; i < COUNT_OF(lists); i++)
		for (const struct option *option = lists[i]; option && option->name; option++)
			if (skipped-- == 0) {
				++*place;
				return option;
			}
	return NULL;
}
