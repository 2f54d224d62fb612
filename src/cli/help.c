#include "cli/help.h"

#include <string.h>

#include "base/text.h"

enum { LEFT_BYTES = 96 };

static bool is_in_group(const struct command *command, const char *group)
{
	size_t length = group ? strlen(group) : 0;
	return !group || (text_starts_with(command->name, group) && strchr(" ", command->name[length]));
}

/* How wide a text is on a terminal: its characters, of which none here is wide. */
static int width_of(const char *text)
{
	int width = 0;
	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

/* Does a group begin or end between these two commands? A line is left there. */
static bool is_border(const char *before, const char *name)
{
	size_t length = strcspn(name, " ");
	if (!before)
		return true;
	bool is_same_group = strncmp(before, name, length) == 0 && strchr(" ", before[length]);
	return !is_same_group && (strchr(before, ' ') || strchr(name, ' '));
}

void help_list(FILE *out, const char *group)
{
	int widest = 0;
	const char *last = NULL;
	for (size_t i = 0; i < command_count; i++) {
		int width = width_of(commands[i].name) + 1 + width_of(commands[i].arguments);
		if (is_in_group(&commands[i], group) && width > widest)
			widest = width;
	}
	if (!group)
		fputs("Lull runs scheduled jobs and workflows, and can be stopped on purpose.\n\n", out);
	fputs("usage: lull COMMAND [OPTION…] [ARGUMENT…]\n", out);
	for (size_t i = 0; i < command_count; i++) {
		const struct command *command = &commands[i];
		if (!is_in_group(command, group))
			continue;
		if (is_border(last, command->name))
			fputc('\n', out);
		int width = width_of(command->name) + 1 + width_of(command->arguments);
		fprintf(out, "  %s %s%*s  %s\n", command->name, command->arguments, widest - width, "",
			command->summary);
		last = command->name;
	}
	fputs("\n`lull help COMMAND` says more. Exit codes: 0 done, 1 failed, 2 wrong usage or input, 3 not yet,\n"
	      "4 refused by a hold, 5 not permitted, 6 not found, 7 server out of reach, 8 conflict.\n", out);
}

static void show_option(FILE *out, const struct option *option, int widest)
{
	char left[LEFT_BYTES], letter[] = "    ";
	if (option->letter)
		snprintf(letter, sizeof(letter), "-%c, ", option->letter);
	snprintf(left, sizeof(left), "%s--%s%s%s", letter, option->name, option->value ? " " : "",
		 option->value ? option->value : "");
	fprintf(out, "  %-*s  %s\n", widest, left, option->says);
}

void help_command(FILE *out, const struct command *command)
{
	const struct option *option;
	int widest = 0;
	for (size_t place = 0; (option = command_option(command, &place)); ) {
		int width = 6 + width_of(option->name) + (option->value ? 1 + width_of(option->value) : 0);
		if (width > widest)
			widest = width;
	}
	fprintf(out, "%s.\n\nusage: lull %s%s%s [OPTION…]\n\n", command->summary, command->name,
		*command->arguments ? " " : "", command->arguments);
	for (size_t place = 0; (option = command_option(command, &place)); )
		show_option(out, option, widest);
	fprintf(out, "\nexample: %s\n", command->example);
}
