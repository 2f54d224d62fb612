#include "cli/cli.h"

#include <inttypes.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/errand.h"
#include "cli/help.h"
#include "cli/line.h"
#include "cli/password.h"
#include "cli/say.h"

enum { EXIT_CODE_INTERRUPTED = 130 };

/* Nothing here has to be put in order first, but for a terminal without echo. */
static void leave(int number)
{
	(void)number;
	password_restore_terminal();
	_exit(EXIT_CODE_INTERRUPTED);
}

static void leave_on_interrupt(void)
{
	struct sigaction action = { .sa_handler = leave };
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
}

/* Which hold refused, and for how long: the detail need not say it. */
static void explain_hold(struct arena *arena, const struct error *error)
{
	char until[INSTANT_TEXT_BYTES];
	fprintf(stderr, "lull: hold %" PRId64 "%s%s%s%s; `lull maintenance status` shows it\n", error->hold,
		*error->reason ? ": " : "", say_clean(arena, error->reason), error->until_ms ? ", until " : "",
		error->until_ms ? instant_format(error->until_ms, until) : "");
}

static int fail(const struct error *error)
{
	struct arena arena = { 0 };
	fflush(stdout);
	fprintf(stderr, "lull: %s\n", say_clean(&arena, error->detail));
	if (error->code == ERR_HELD && error->hold)
		explain_hold(&arena, error);
	else if (error->code == ERR_UNAUTHENTIC)
		fprintf(stderr, "lull: `lull sign-in ACCOUNT` gives a token; say LULL_TOKEN or --token-file\n");
	arena_fini(&arena);
	return error_exit_code(error->code);
}

/* A pipe says so; errno is gone by the time that a failed stream is looked at. */
static bool has_reader_left(void)
{
	struct pollfd output = { .fd = STDOUT_FILENO, .events = POLLOUT };
	return poll(&output, 1, 0) > 0 && (output.revents & POLLERR);
}

/* Output that got lost is a failure, unless its reader has seen enough. */
static int finish(int exit_code)
{
	bool is_written = fflush(stdout) == 0 && !ferror(stdout);
	if (is_written || has_reader_left())
		return exit_code;
	fprintf(stderr, "lull: the output could not be written\n");
	return EXIT_CODE_FAILED;
}

static int run(const struct command *command, int count, char **words, const struct cli_house *house)
{
	struct line line;
	struct error error;
	struct errand errand = { .line = &line, .house = house };
	int exit_code;
	if (!line_parse(command, count, words, &errand.arena, &line, &error)) {
		exit_code = fail(&error);
	} else if (line_has(&line, "help")) {
		help_command(stdout, command);
		exit_code = finish(0);
	} else {
		errand.is_json = line_has(&line, "json");
		if (command->kind == ASKS)
			leave_on_interrupt();
		exit_code = command->run(&errand, &error) ? finish(errand.exit_code) : fail(&error);
	}
	errand_fini(&errand);
	return exit_code;
}

/* `lull`, `lull flow`: what there is to choose from. Not what was wanted, unless it was asked for. */
static int show_choice(const char *group, bool was_asked)
{
	help_list(was_asked ? stdout : stderr, group);
	return was_asked ? finish(0) : error_exit_code(ERR_INVALID);
}

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

int cli_run(int count, char **arguments, const struct cli_house *house)
{
	struct error error;
	int word_count = 0, left = count - 1;
	char **words = arguments + 1;
	/* For the width of what is not ASCII in tables; nothing here depends on the language. */
	setlocale(LC_CTYPE, "");
	if (left <= 0 || is_help(words[0]))
		return show_choice(NULL, left > 0);
	if (strcmp(words[0], "--version") == 0) {
		printf("lull %s\n", house->version);
		return finish(0);
	}
	const struct command *command = command_find(left, words, &word_count);
	bool is_group = command_is_group(words[0]);
	/* "agent stpo" begins with a command and means another. */
	bool is_misspelt = command && is_group && left > word_count && word_count == 1 && words[1][0] != '-';
	if (command && !is_misspelt)
		return run(command, left - word_count, words + word_count, house);
	if (is_group && !command && (left == 1 || is_help(words[1])))
		return show_choice(words[0], left > 1);
	command_unknown(left, words, &error);
	return fail(&error);
}
