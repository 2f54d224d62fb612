#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/errand.h"
#include "cli/folder.h"
#include "cli/handlers.h"
#include "cli/say.h"
#include "cli/table.h"
#include "client/local.h"

enum { STOP_WAIT_MS = 10 * 60 * 1000 };

/* The agent reads its own options; only the data folder has a default here. */
bool cmd_agent(struct errand *errand, struct error *error)
{
	const struct line *line = errand->line;
	char **arguments = ARENA_ARRAY(&errand->arena, char *, 2 * line->given_count + 3);
	const char *data;
	int count = 0;
	if (!folder_of_data(errand, NULL, &data, error))
		return false;
	arguments[count++] = arena_text(&errand->arena, "--data");
	arguments[count++] = arena_text(&errand->arena, data);
	for (size_t i = 0; i < line->given_count; i++) {
		const struct given *given = &line->given[i];
		if (strcmp(given->option->name, "data") == 0)
			continue;
		arguments[count++] = arena_printf(&errand->arena, "--%s", given->option->name);
		arguments[count++] = arena_text(&errand->arena, given->value);
	}
	return errand->house->agent(count, arguments, error);
}

bool cmd_agent_stop(struct errand *errand, struct error *error)
{
	struct local_server local = { 0 };
	struct error ignored;
	const char *data;
	int64_t pid = 0, wait_ms;
	bool is_now = line_has(errand->line, "now");
	if (!line_duration(errand->line, "timeout", STOP_WAIT_MS, &wait_ms, error))
		return false;
	/* The embedded agent outlives its server, so a server that is gone is no reason to refuse. */
	if (!line_value(errand->line, "data") && !local_find(&errand->arena, &local, &ignored))
		local.data = NULL;
	if (!folder_of_data(errand, local.data, &data, error) ||
	    !errand->house->agent_stop(data, is_now, wait_ms, &pid, error))
		return false;
	printf("agent %" PRId64 " is gone\n", pid);
	return true;
}

static void add_agent(struct errand *errand, struct table *table, struct answer agent)
{
	struct arena *arena = &errand->arena;
	table_row(table);
	table_text(table, answer_text(agent, "name"));
	table_text(table, answer_text(agent, "pool"));
	table_text(table, say_list(arena, answer_get(agent, "labels")));
	table_text(table, arena_printf(arena, "%" PRId64 "/%" PRId64, answer_int(agent, "open", 0),
				       answer_int(agent, "slots", 0)));
	table_text(table, answer_text(agent, "host"));
	table_text(table, answer_text(agent, "version"));
	table_text(table, say_ago(arena, answer_instant(agent, "contact"), errand->now));
	table_text(table, answer_bool(agent, "silent") ? "silent" : "there");
}

bool cmd_agent_list(struct errand *errand, struct error *error)
{
	static const struct column columns[] = {
		{ "AGENT",   COLUMN_TEXT   },
		{ "POOL",    COLUMN_TEXT   },
		{ "LABELS",  COLUMN_LONG   },
		{ "OPEN",    COLUMN_NUMBER },
		{ "HOST",    COLUMN_TEXT   },
		{ "VERSION", COLUMN_TEXT   },
		{ "CONTACT", COLUMN_TEXT   },
		{ "STATE",   COLUMN_STATE  },
		{ NULL,      COLUMN_TEXT   },
	};
	struct reply reply = { 0 };
	bool ok = errand_get(errand, "/v1/agents", &reply, error);
	if (ok && errand->is_json) {
		reply_print(&reply);
	} else if (ok) {
		struct table *table = table_open(columns);
		struct answer items = answer_get(reply.root, "items");
		for (size_t i = 0; i < answer_count(items); i++)
			add_agent(errand, table, answer_item(items, i));
		table_close(table, "no agent has said hello yet");
	}
	reply_fini(&reply);
	return ok;
}
