#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "cli/ending.h"
#include "cli/errand.h"
#include "cli/handlers.h"
#include "cli/logs.h"
#include "cli/say.h"
#include "cli/table.h"
#include "cli/wait.h"
#include "wire/body.h"

enum { USUAL_LIST = 20 };

static bool number_of(const struct errand *errand, int64_t *number, struct error *error)
{
	return line_number(errand->line, 0, "an execution's number", number, error);
}

static const char *path_of_list(struct errand *errand, int64_t limit)
{
	static const char *const filters[] = { "flow", "state" };
	const char *path = arena_printf(&errand->arena, "/v1/executions?limit=%" PRId64, limit);
	for (size_t i = 0; i < COUNT_OF(filters); i++) {
		const char *value = line_value(errand->line, filters[i]);
		if (value)
			path = arena_printf(&errand->arena, "%s&%s=%s", path, filters[i],
					    errand_escape(errand, value));
	}
	return path;
}

/* What keeps a queued one from starting, else what made it end as it did. */
static const char *say_cause(struct arena *arena, struct answer execution)
{
	int64_t hold = answer_int(execution, "held_by", 0);
	if (hold)
		return arena_printf(arena, "held by hold %" PRId64 ": %s", hold, answer_text(execution, "held_reason"));
	return answer_text(execution, "cause");
}

bool cmd_execution_list(struct errand *errand, struct error *error)
{
	static const struct column columns[] = {
		{ "NUMBER",   COLUMN_NUMBER },
		{ "FLOW",     COLUMN_TEXT   },
		{ "STATE",    COLUMN_STATE  },
		{ "PRIORITY", COLUMN_NUMBER },
		{ "BY",       COLUMN_TEXT   },
		{ "AGE",      COLUMN_TEXT   },
		{ "TOOK",     COLUMN_TEXT   },
		{ "CAUSE",    COLUMN_LONG   },
		{ NULL,       COLUMN_TEXT   },
	};
	struct reply reply = { 0 };
	int64_t limit;
	if (!line_int(errand->line, "limit", 1, LIMIT_PAGE_ITEMS, USUAL_LIST, &limit, error))
		return false;
	bool ok = errand_get(errand, path_of_list(errand, limit), &reply, error);
	if (ok && errand->is_json) {
		reply_print(&reply);
	} else if (ok) {
		struct table *table = table_open(columns);
		struct answer items = answer_get(reply.root, "items");
		for (size_t i = 0; i < answer_count(items); i++) {
			struct answer execution = answer_item(items, i);
			table_row(table);
			table_int(table, answer_int(execution, "number", 0));
			table_text(table, answer_text(execution, "flow"));
			table_text(table, answer_text(execution, "state"));
			table_int(table, answer_int(execution, "priority", 0));
			table_text(table, answer_text(execution, "account"));
			table_age(table, answer_instant(execution, "created"), errand->now);
			table_duration(table, say_took_ms(execution, "started", "ended", errand->now));
			table_text(table, say_cause(&errand->arena, execution));
		}
		table_close(table, "no executions");
		say_if_more(reply.root);
	}
	reply_fini(&reply);
	return ok;
}

static void add_attempt(struct errand *errand, struct table *table, struct answer task, struct answer attempt)
{
	bool is_there = answer_is_there(attempt);
	const char *result = answer_text(attempt, "result");
	bool has_ended = answer_instant(attempt, "ended") != INSTANT_NONE;
	table_row(table);
	table_text(table, answer_text(task, "id"));
	table_text(table, answer_text(task, "status"));
	table_text(table, is_there ? say_count(&errand->arena, answer_int(attempt, "try", 0)) : "");
	table_text(table, *result ? result : answer_text(attempt, "state"));
	table_text(table, answer_text(attempt, "agent"));
	table_duration(table, say_took_ms(attempt, "began", "ended", errand->now));
	if (answer_int(attempt, "signal", 0))
		table_text(table, arena_printf(&errand->arena, "signal %" PRId64, answer_int(attempt, "signal", 0)));
	else
		table_text(table, has_ended ? say_count(&errand->arena, answer_int(attempt, "exit_code", 0)) : "");
	table_text(table, answer_text(attempt, "detail"));
}

static void show_tasks(struct errand *errand, struct answer tasks)
{
	static const struct column columns[] = {
		{ "TASK",    COLUMN_TEXT   },
		{ "STATUS",  COLUMN_STATE  },
		{ "TRY",     COLUMN_NUMBER },
		{ "ATTEMPT", COLUMN_STATE  },
		{ "AGENT",   COLUMN_TEXT   },
		{ "TOOK",    COLUMN_TEXT   },
		{ "EXIT",    COLUMN_NUMBER },
		{ "DETAIL",  COLUMN_LONG   },
		{ NULL,      COLUMN_TEXT   },
	};
	struct table *table = table_open(columns);
	for (size_t i = 0; i < answer_count(tasks); i++) {
		struct answer task = answer_item(tasks, i), attempts = answer_get(task, "attempts");
		size_t count = answer_count(attempts);
		for (size_t k = 0; k < count || k == 0; k++)
			add_attempt(errand, table, task, answer_item(attempts, k));
	}
	printf("\n");
	table_close(table, "no tasks");
}

static void show_execution(struct errand *errand, struct answer execution)
{
	struct arena *arena = &errand->arena;
	say_field("execution", arena_printf(arena, "%" PRId64, answer_int(execution, "number", 0)));
	say_field("flow", arena_printf(arena, "%s, revision %" PRId64, say_clean(arena, answer_text(execution, "flow")),
				       answer_int(execution, "revision", 0)));
	say_field("state", answer_text(execution, "state"));
	say_field("cause", say_clean(arena, say_cause(arena, execution)));
	say_field("priority", say_count(arena, answer_int(execution, "priority", 0)));
	say_field("created", arena_printf(arena, "%s by %s", say_ago(arena, answer_instant(execution, "created"),
								     errand->now),
					  say_clean(arena, answer_text(execution, "account"))));
	say_field("took", say_duration(arena, say_took_ms(execution, "started", "ended", errand->now)));
	say_members("inputs", arena, answer_get(execution, "inputs"));
	show_tasks(errand, answer_get(execution, "tasks"));
}

bool cmd_execution_show(struct errand *errand, struct error *error)
{
	struct reply reply = { 0 };
	int64_t number;
	if (!number_of(errand, &number, error))
		return false;
	bool ok = errand_get(errand, arena_printf(&errand->arena, "/v1/executions/%" PRId64, number), &reply, error);
	if (ok && errand->is_json)
		reply_print(&reply);
	else if (ok)
		show_execution(errand, reply.root);
	reply_fini(&reply);
	return ok;
}

bool cmd_execution_logs(struct errand *errand, struct error *error)
{
	const struct line *line = errand->line;
	int64_t number;
	return number_of(errand, &number, error) &&
	       logs_print(errand, number, line->argument_count > 1 ? line->arguments[1] : NULL, error);
}

bool cmd_execution_wait(struct errand *errand, struct error *error)
{
	int64_t number, timeout_ms;
	return number_of(errand, &number, error) &&
	       line_duration(errand->line, "timeout", WAIT_FOR_EVER, &timeout_ms, error) &&
	       ending_wait(errand, &number, 1, timeout_ms, error);
}

static bool interrupt(struct errand *errand, const char *how, struct error *error)
{
	struct buffer body = { 0 };
	struct reply reply = { 0 };
	int64_t number;
	if (!number_of(errand, &number, error))
		return false;
	body_reason(&body, line_value(errand->line, "reason"));
	const struct request request = {
		.method = "POST",
		.path = arena_printf(&errand->arena, "/v1/executions/%" PRId64 "/%s", number, how),
		.body = &body,
	};
	bool ok = errand_ask(errand, &request, &reply, error);
	if (ok && errand->is_json)
		reply_print(&reply);
	else if (ok)
		printf("execution %" PRId64 " %s %s\n", number,
		       say_clean(&errand->arena, answer_text(reply.root, "flow")), answer_text(reply.root, "state"));
	buffer_fini(&body);
	reply_fini(&reply);
	return ok;
}

bool cmd_execution_stop(struct errand *errand, struct error *error)
{
	return interrupt(errand, "stop", error);
}

bool cmd_execution_kill(struct errand *errand, struct error *error)
{
	return interrupt(errand, "kill", error);
}

bool cmd_execution_cancel(struct errand *errand, struct error *error)
{
	return interrupt(errand, "cancel", error);
}
