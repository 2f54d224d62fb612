#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/errand.h"
#include "cli/handlers.h"
#include "cli/say.h"
#include "cli/table.h"
#include "cli/wait.h"
#include "wire/body.h"

enum { SHOWN_BLOCKERS = 12 };

static const char *path_of_hold(struct errand *errand, int64_t hold)
{
	return arena_printf(&errand->arena, "/v1/maintenance/%" PRId64, hold);
}

/* "2 running, 4,512 waiting". */
static const char *say_left(struct arena *arena, struct answer hold)
{
	return arena_printf(arena, "%s running, %s waiting", say_count(arena, answer_int(hold, "running", 0)),
			    say_waiting(arena, hold));
}

/* What a blocker is: "12 ops.backup dump"; by the server's own words where it is no execution's. */
static const char *say_what(struct arena *arena, struct answer blocker)
{
	const char *flow = answer_text(blocker, "flow"), *task = answer_text(blocker, "task");
	const char *what = answer_text(blocker, "what");
	if (*flow)
		return arena_printf(arena, "%" PRId64 " %s%s%s", answer_int(blocker, "execution", 0), flow,
				    *task ? " " : "", task);
	return *what ? what : answer_text(blocker, "kind");
}

/* "12 ops.backup dump running on db1". */
static const char *say_blocker(struct arena *arena, struct answer blocker)
{
	const char *agent = answer_text(blocker, "agent");
	return arena_printf(arena, "  %s %s%s%s", say_what(arena, blocker), answer_text(blocker, "state"),
			    *agent ? " on " : "", agent);
}

/* How long it has taken and may take yet: ", 3m so far, usually 4m, about 1m left". */
static const char *say_forecast(struct arena *arena, struct answer blocker)
{
	int64_t age_ms = answer_duration(blocker, "age"), usual_ms = answer_duration(blocker, "usual");
	int64_t remaining_ms = answer_duration(blocker, "remaining");
	const char *left = answer_bool(blocker, "longer_than_usual") ? ", longer than usual" :
			   remaining_ms < 0 ? "" :
			   arena_printf(arena, ", about %s left", say_duration(arena, remaining_ms));
	return arena_printf(arena, ", %s so far%s%s%s", say_duration(arena, age_ms), usual_ms < 0 ? "" : ", usually ",
			    usual_ms < 0 ? "" : say_duration(arena, usual_ms), left);
}

static bool look(struct errand *errand, struct arena *arena, struct answer hold, struct progress *progress,
		 void *context)
{
	(void)errand;
	(void)context;
	struct answer blockers = answer_get(hold, "blockers");
	size_t count = answer_count(blockers);
	if (answer_bool(hold, "drained") || strcmp(answer_text(hold, "phase"), "ended") == 0)
		return true;
	progress_line(progress, arena_printf(arena, "hold %" PRId64 " %s: %s", answer_int(hold, "id", 0),
					     answer_text(hold, "phase"), say_left(arena, hold)), "");
	for (size_t i = 0; i < count && i < SHOWN_BLOCKERS; i++)
		progress_line(progress, say_blocker(arena, answer_item(blockers, i)),
			      say_forecast(arena, answer_item(blockers, i)));
	if (count > SHOWN_BLOCKERS)
		progress_line(progress, arena_printf(arena, "  and %zu more", count - SHOWN_BLOCKERS), "");
	return false;
}

/* Waits until the hold is drained; *reply is the last that was heard of it. */
static bool wait_drained(struct errand *errand, int64_t hold, int64_t deadline_ms, struct reply *reply,
			 struct error *error)
{
	struct progress progress;
	const struct wait wait = {
		.path = path_of_hold(errand, hold), .until = "drained", .deadline_ms = deadline_ms, .look = look,
	};
	progress_init(&progress, errand->is_json);
	bool ok = wait_for(errand, &wait, &progress, reply, error);
	progress_fini(&progress);
	if (!ok && error->code == ERR_NOT_YET)
		error_set(error, ERR_NOT_YET, "hold %" PRId64 " is not drained yet: %s; it stays in force, and `lull "
			  "maintenance wait` waits again", hold, say_left(&errand->arena, reply->root));
	/* One that has ended holds nothing back, whatever runs at the moment: whoever goes on now would stop work. */
	if (ok && strcmp(answer_text(reply->root, "phase"), "ended") == 0)
		return error_set(error, ERR_CONFLICT, "hold %" PRId64 " was ended by %.100s: it holds nothing back any "
				 "more", hold, answer_text(reply->root, "ended_by"));
	return ok;
}

static void show_drained(struct answer hold)
{
	const char *safe = answer_text(hold, "safe");
	printf("hold %" PRId64 " is drained; safe to restart: %s\n", answer_int(hold, "id", 0),
	       *safe ? safe : "unknown");
}

bool cmd_maintenance_enter(struct errand *errand, struct error *error)
{
	const struct line *line = errand->line;
	const struct body_hold told = {
		.reason = line_value(line, "reason"),
		.preset = line_value(line, "preset"),
		.ticket = line_value(line, "ticket"),
		.scope = "instance",
	};
	struct buffer body = { 0 };
	struct reply reply = { 0 };
	int64_t timeout_ms;
	if (!line_duration(line, "timeout", WAIT_FOR_EVER, &timeout_ms, error))
		return false;
	if (!told.reason || !*told.reason)
		return error_set(error, ERR_INVALID, "say why, everybody who is held up sees it: --reason TEXT");
	body_hold(&body, &told);
	const struct request request = { .method = "POST", .path = "/v1/maintenance", .body = &body };
	int64_t deadline_ms = wait_deadline(timeout_ms);
	bool waits = line_has(line, "wait") || line_value(line, "timeout");
	bool ok = errand_ask(errand, &request, &reply, error);
	int64_t hold = answer_int(reply.root, "id", 0);
	if (ok && !errand->is_json) {
		printf("hold %" PRId64 " %s: %s\n", hold, answer_text(reply.root, "phase"),
		       say_left(&errand->arena, reply.root));
		fflush(stdout);
	}
	if (ok && waits)
		ok = wait_drained(errand, hold, deadline_ms, &reply, error);
	if (ok && errand->is_json)
		reply_print(&reply);
	else if (ok && (waits || answer_bool(reply.root, "drained")))
		show_drained(reply.root);
	buffer_fini(&body);
	reply_fini(&reply);
	return ok;
}

static void show_holds(struct errand *errand, struct answer holds)
{
	static const struct column columns[] = {
		{ "HOLD",   COLUMN_NUMBER },
		{ "PHASE",  COLUMN_STATE  },
		{ "SCOPE",  COLUMN_TEXT   },
		{ "PRESET", COLUMN_TEXT   },
		{ "OWNER",  COLUMN_TEXT   },
		{ "AGE",    COLUMN_TEXT   },
		{ "TICKET", COLUMN_TEXT   },
		{ "REASON", COLUMN_LONG   },
		{ NULL,     COLUMN_TEXT   },
	};
	struct table *table = table_open(columns);
	for (size_t i = 0; i < answer_count(holds); i++) {
		struct answer hold = answer_item(holds, i);
		table_row(table);
		table_int(table, answer_int(hold, "id", 0));
		table_text(table, answer_bool(hold, "drained") ? "drained" : answer_text(hold, "phase"));
		table_text(table, answer_text(hold, "scope"));
		table_text(table, answer_text(hold, "preset"));
		table_text(table, answer_text(hold, "owner"));
		table_age(table, answer_instant(hold, "began"), errand->now);
		table_text(table, answer_text(hold, "ticket"));
		table_text(table, answer_text(hold, "reason"));
	}
	printf("\n");
	table_close(table, "no hold is in force");
}

static void show_blockers(struct arena *arena, struct answer blockers)
{
	static const struct column columns[] = {
		{ "BLOCKS", COLUMN_TEXT  },
		{ "STATE",  COLUMN_STATE },
		{ "AGENT",  COLUMN_TEXT  },
		{ "AGE",    COLUMN_TEXT  },
		{ "USUAL",  COLUMN_TEXT  },
		{ "LEFT",   COLUMN_TEXT  },
		{ "CLEARS", COLUMN_LONG  },
		{ NULL,     COLUMN_TEXT  },
	};
	struct table *table = table_open(columns);
	for (size_t i = 0; i < answer_count(blockers); i++) {
		struct answer blocker = answer_item(blockers, i);
		table_row(table);
		table_text(table, say_what(arena, blocker));
		table_text(table, answer_text(blocker, "state"));
		table_text(table, answer_text(blocker, "agent"));
		table_duration(table, answer_duration(blocker, "age"));
		table_duration(table, answer_duration(blocker, "usual"));
		if (answer_bool(blocker, "longer_than_usual"))
			table_text(table, "longer than usual");
		else
			table_duration(table, answer_duration(blocker, "remaining"));
		table_text(table, answer_text(blocker, "clears"));
	}
	printf("\n");
	table_close(table, "nothing blocks");
}

static void show_maintenance(struct errand *errand, struct answer state)
{
	struct arena *arena = &errand->arena;
	struct answer holds = answer_get(state, "holds"), blockers = answer_get(state, "blockers");
	const char *silent = say_list(arena, answer_get(state, "silent_agents"));
	say_field("maintenance", answer_text(state, "state"));
	say_field("safe", arena_printf(arena, "%s%s", answer_text(state, "safe"), answer_bool(state, "idle") ?
				       ", nothing runs, but something may begin: `lull maintenance enter` first" : ""));
	say_field("running", say_count(arena, answer_int(state, "running", 0)));
	say_field("waiting", say_waiting(arena, state));
	say_field("silent", say_clean(arena, silent));
	if (answer_count(holds))
		show_holds(errand, holds);
	if (answer_count(blockers))
		show_blockers(arena, blockers);
}

bool cmd_maintenance_status(struct errand *errand, struct error *error)
{
	struct reply reply = { 0 };
	bool ok = errand_get(errand, "/v1/maintenance", &reply, error);
	if (ok && errand->is_json)
		reply_print(&reply);
	else if (ok)
		show_maintenance(errand, reply.root);
	reply_fini(&reply);
	return ok;
}

/*
 * The holds that the line means: the one it names, else all in force, in the arena. False: ERR_NOT_FOUND, none is
 * in force.
 */
static bool find_holds(struct errand *errand, int64_t **holds, size_t *count, struct reply *reply,
		       struct error *error)
{
	if (errand->line->argument_count) {
		*holds = ARENA_NEW(&errand->arena, int64_t);
		*count = 1;
		return line_number(errand->line, 0, "a hold's number", *holds, error);
	}
	if (!errand_get(errand, "/v1/maintenance", reply, error))
		return false;
	struct answer items = answer_get(reply->root, "holds");
	*count = answer_count(items);
	*holds = ARENA_ARRAY(&errand->arena, int64_t, *count + 1);
	for (size_t i = 0; i < *count; i++)
		(*holds)[i] = answer_int(answer_item(items, i), "id", 0);
	return *count > 0 || error_set(error, ERR_NOT_FOUND, "no hold is in force");
}

bool cmd_maintenance_wait(struct errand *errand, struct error *error)
{
	const char *what = line_value(errand->line, "for");
	struct reply reply = { 0 };
	struct buffer documents = { 0 };
	int64_t *holds, timeout_ms;
	size_t count;
	if (what && strcmp(what, "drained") != 0)
		return error_set(error, ERR_INVALID, "--for %.40s: only `drained` can be waited for", what);
	if (!line_duration(errand->line, "timeout", WAIT_FOR_EVER, &timeout_ms, error))
		return false;
	int64_t deadline_ms = wait_deadline(timeout_ms);
	bool ok = find_holds(errand, &holds, &count, &reply, error);
	for (size_t i = 0; ok && i < count; i++) {
		ok = wait_drained(errand, holds[i], deadline_ms, &reply, error);
		if (ok && errand->is_json)
			buffer_printf(&documents, "%s%s", i ? "," : "", buffer_cstr(&reply.body));
		else if (ok)
			show_drained(reply.root);
	}
	if (ok && errand->is_json)
		printf(count > 1 ? "{\"items\":[%s]}\n" : "%s\n", buffer_cstr(&documents));
	buffer_fini(&documents);
	reply_fini(&reply);
	return ok;
}

/* Which of several holds to end is for a person to say. */
static bool refuse_several(struct errand *errand, struct answer holds, struct error *error)
{
	struct buffer list = { 0 };
	for (size_t i = 0; i < answer_count(holds); i++) {
		struct answer hold = answer_item(holds, i);
		buffer_printf(&list, "%s%" PRId64 " (%s: %s)", i ? ", " : "", answer_int(hold, "id", 0),
			      say_clean(&errand->arena, answer_text(hold, "owner")),
			      say_clean(&errand->arena, answer_text(hold, "reason")));
	}
	error_set(error, ERR_INVALID, "%zu holds are in force, say which one ends: %s", answer_count(holds),
		  buffer_cstr(&list));
	buffer_fini(&list);
	return false;
}

static void show_ended(struct errand *errand, int64_t hold, struct answer answer)
{
	struct answer others = answer_get(answer, "still_held_by");
	printf("hold %" PRId64 " ended%s\n", hold, answer_count(others) ? "" : ", the gate is open");
	for (size_t i = 0; i < answer_count(others); i++) {
		struct answer other = answer_item(others, i);
		printf("still held by hold %" PRId64 " of %s: %s\n", answer_int(other, "id", 0),
		       say_clean(&errand->arena, answer_text(other, "owner")),
		       say_clean(&errand->arena, answer_text(other, "reason")));
	}
}

bool cmd_maintenance_end(struct errand *errand, struct error *error)
{
	struct reply reply = { 0 };
	int64_t *holds;
	size_t count;
	bool ok = find_holds(errand, &holds, &count, &reply, error);
	if (ok && count > 1)
		ok = refuse_several(errand, answer_get(reply.root, "holds"), error);
	if (ok) {
		const struct request request = {
			.method = "POST",
			.path = arena_printf(&errand->arena, "/v1/maintenance/%" PRId64 "/end", holds[0]),
		};
		ok = errand_ask(errand, &request, &reply, error);
	}
	if (ok && errand->is_json)
		reply_print(&reply);
	else if (ok)
		show_ended(errand, holds[0], reply.root);
	reply_fini(&reply);
	return ok;
}
