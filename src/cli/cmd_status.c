#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/errand.h"
#include "cli/handlers.h"
#include "cli/help.h"
#include "cli/password.h"
#include "cli/say.h"
#include "wire/body.h"

static void show_status(struct errand *errand, struct answer status)
{
	struct arena *arena = &errand->arena;
	instant started = answer_instant(status, "started");
	say_field("server", arena_printf(arena, "%s, up %s, process %" PRId64, answer_text(status, "version"),
					 say_duration(arena, say_took_ms(status, "started", "", errand->now)),
					 answer_int(status, "pid", 0)));
	say_field("started", started == INSTANT_NONE ? "" : answer_text(status, "started"));
	say_field("data", say_clean(arena, answer_text(status, "data")));
	say_field("agents", say_count(arena, answer_int(status, "agents", 0)));
	say_field("running", say_count(arena, answer_int(status, "running", 0)));
	say_field("waiting", say_waiting(arena, status));
	say_field("maintenance", answer_text(status, "maintenance"));
}

bool cmd_status(struct errand *errand, struct error *error)
{
	struct reply reply = { 0 };
	bool ok = errand_get(errand, "/v1/status", &reply, error);
	if (ok && errand->is_json)
		reply_print(&reply);
	else if (ok)
		show_status(errand, reply.root);
	reply_fini(&reply);
	return ok;
}

bool cmd_sign_in(struct errand *errand, struct error *error)
{
	char password[PASSWORD_BYTES];
	struct buffer body = { 0 };
	struct reply reply = { 0 };
	const char *account = errand->line->arguments[0];
	if (!password_read(account, password, error))
		return false;
	body_sign_in(&body, account, password);
	const struct request request = { .method = "POST", .path = "/v1/sign-in", .body = &body };
	bool ok = errand_ask(errand, &request, &reply, error);
	explicit_bzero(password, sizeof(password));
	explicit_bzero(body.at, body.length);
	if (ok && errand->is_json)
		reply_print(&reply);
	else if (ok)
		printf("%s\n", answer_text(reply.root, "token"));
	buffer_fini(&body);
	reply_fini(&reply);
	return ok;
}

bool cmd_version(struct errand *errand, struct error *error)
{
	(void)error;
	printf(errand->is_json ? "{\"version\":\"%s\"}\n" : "lull %s\n", errand->house->version);
	return true;
}

bool cmd_help(struct errand *errand, struct error *error)
{
	const struct line *line = errand->line;
	int count = (int)line->argument_count, word_count = 0;
	char **words = ARENA_ARRAY(&errand->arena, char *, line->argument_count + 1);
	for (int i = 0; i < count; i++)
		words[i] = arena_text(&errand->arena, line->arguments[i]);
	const struct command *command = command_find(count, words, &word_count);
	if (count == 0)
		help_list(stdout, NULL);
	else if (command && word_count == count)
		help_command(stdout, command);
	else if (count == 1 && command_is_group(words[0]))
		help_list(stdout, words[0]);
	else
		return command_unknown(count, words, error);
	return true;
}
