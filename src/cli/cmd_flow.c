#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "cli/errand.h"
#include "cli/handlers.h"
#include "cli/say.h"
#include "cli/sources.h"
#include "cli/table.h"

/* What is done with each file: a request, and what to say of its answer. */
struct treatment {
	const char *method;
	const char *path;
	const char *failed;              /* "not applied" */
	void (*show)(struct errand *errand, const char *name, struct answer answer);
};

/* The problems of a flow, as compilers write them. */
static void show_problems(struct errand *errand, const char *name, struct answer problems)
{
	for (size_t i = 0; i < answer_count(problems); i++) {
		struct answer problem = answer_item(problems, i);
		fprintf(stderr, "%s:%" PRId64 ":%" PRId64 ": %s\n", name, answer_int(problem, "line", 1),
			answer_int(problem, "column", 1), say_clean(&errand->arena, answer_text(problem, "text")));
	}
}

/* False: the error is set, and what is wrong in the file has been shown. */
static bool treat_file(struct errand *errand, const struct treatment *treatment, const char *path,
		       struct buffer *text, struct reply *reply, struct error *error)
{
	const char *name = sources_name(path);
	const struct request request = {
		.method = treatment->method, .path = treatment->path, .body = text, .content_type = "application/yaml",
	};
	if (!sources_read(path, text, error))
		return false;
	if (errand_ask(errand, &request, reply, error))
		return true;
	struct answer problems = answer_get(reply->root, "problems");
	size_t count = answer_count(problems);
	if (count == 0)
		return error_prefix(error, "%s", name);
	show_problems(errand, name, problems);
	return error_set(error, error->code, "%s has %zu problem%s, see above", name, count, count == 1 ? "" : "s");
}

/*
 * Goes through all files, those after a failure too, so that one run shows all that is wrong. What lies beyond the
 * flows (no server, no right) ends it at once.
 */
static bool treat_files(struct errand *errand, const struct treatment *treatment, struct error *error)
{
	const char **paths;
	size_t count, failed = 0;
	struct buffer text = { 0 }, list = { 0 };
	struct reply reply = { 0 };
	struct error first = { 0 };
	bool goes_on = true;
	if (!sources_list(errand->line->arguments, errand->line->argument_count, &errand->arena, &paths, &count,
			  error))
		return false;
	for (size_t i = 0; goes_on && i < count; i++) {
		struct error one;
		if (treat_file(errand, treatment, paths[i], &text, &reply, &one)) {
			if (errand->is_json)
				buffer_printf(&list, "%s%s", list.length ? "," : "", buffer_cstr(&reply.body));
			else
				treatment->show(errand, sources_name(paths[i]), reply.root);
			continue;
		}
		goes_on = one.code == ERR_UNPROCESSABLE || one.code == ERR_INVALID;
		if (failed++ == 0)
			first = one;
		else
			fprintf(stderr, "lull: %s\n", one.detail);
	}
	if (errand->is_json && list.length)
		printf(count > 1 ? "{\"items\":[%s]}\n" : "%s\n", buffer_cstr(&list));
	buffer_fini(&text);
	buffer_fini(&list);
	reply_fini(&reply);
	if (failed)
		*error = first;
	if (failed && count > 1)
		fprintf(stderr, "lull: %zu of %zu files %s\n", failed, count, treatment->failed);
	return failed == 0;
}

static void show_applied(struct errand *errand, const char *name, struct answer answer)
{
	(void)name;
	printf("%s  revision %" PRId64 "  %s\n", say_clean(&errand->arena, answer_text(answer, "flow")),
	       answer_int(answer, "revision", 0), answer_text(answer, "change"));
}

static void show_valid(struct errand *errand, const char *name, struct answer answer)
{
	int64_t count = answer_int(answer, "tasks", 0);
	printf("%s: %s is valid, %" PRId64 " task%s\n", name, say_clean(&errand->arena, answer_text(answer, "flow")),
	       count, count == 1 ? "" : "s");
}

bool cmd_flow_apply(struct errand *errand, struct error *error)
{
	static const struct treatment apply = { "PUT", "/v1/flows", "not applied", show_applied };
	return treat_files(errand, &apply, error);
}

bool cmd_flow_validate(struct errand *errand, struct error *error)
{
	static const struct treatment validate = { "POST", "/v1/flows/validate", "not valid", show_valid };
	return treat_files(errand, &validate, error);
}

bool cmd_flow_list(struct errand *errand, struct error *error)
{
	static const struct column columns[] = {
		{ "FLOW",        COLUMN_TEXT   },
		{ "REVISION",    COLUMN_NUMBER },
		{ "TASKS",       COLUMN_NUMBER },
		{ "DESCRIPTION", COLUMN_LONG   },
		{ NULL,          COLUMN_TEXT   },
	};
	struct reply reply = { 0 };
	int64_t limit;
	if (!line_int(errand->line, "limit", 1, LIMIT_PAGE_ITEMS, LIMIT_PAGE_ITEMS_DEFAULT, &limit, error))
		return false;
	const char *path = arena_printf(&errand->arena, "/v1/flows?limit=%" PRId64, limit);
	bool ok = errand_get(errand, path, &reply, error);
	if (ok && errand->is_json) {
		reply_print(&reply);
	} else if (ok) {
		struct table *table = table_open(columns);
		struct answer items = answer_get(reply.root, "items");
		for (size_t i = 0; i < answer_count(items); i++) {
			struct answer flow = answer_item(items, i);
			table_row(table);
			table_text(table, answer_text(flow, "flow"));
			table_int(table, answer_int(flow, "revision", 0));
			table_int(table, answer_int(flow, "tasks", 0));
			table_text(table, say_first_line(&errand->arena, answer_text(flow, "description")));
		}
		table_close(table, "there are no flows yet; `lull flow apply` makes them");
		say_if_more(reply.root);
	}
	reply_fini(&reply);
	return ok;
}

static void show_inputs(struct errand *errand, struct answer inputs)
{
	static const struct column columns[] = {
		{ "INPUT",       COLUMN_TEXT },
		{ "TYPE",        COLUMN_TEXT },
		{ "REQUIRED",    COLUMN_TEXT },
		{ "DEFAULT",     COLUMN_LONG },
		{ "DESCRIPTION", COLUMN_LONG },
		{ NULL,          COLUMN_TEXT },
	};
	struct table *table = table_open(columns);
	struct buffer scratch = { 0 };
	for (size_t i = 0; i < answer_count(inputs); i++) {
		struct answer input = answer_item(inputs, i);
		table_row(table);
		table_text(table, answer_text(input, "id"));
		table_text(table, answer_text(input, "type"));
		table_text(table, answer_bool(input, "required") ? "yes" : "no");
		table_text(table, answer_show(answer_get(input, "default"), &scratch));
		table_text(table, say_first_line(&errand->arena, answer_text(input, "description")));
	}
	buffer_fini(&scratch);
	printf("\n");
	table_close(table, "no inputs");
}

static void show_tasks(struct errand *errand, struct answer tasks)
{
	static const struct column columns[] = {
		{ "TASK",    COLUMN_TEXT },
		{ "TYPE",    COLUMN_TEXT },
		{ "NEEDS",   COLUMN_LONG },
		{ "POOL",    COLUMN_TEXT },
		{ "LABELS",  COLUMN_LONG },
		{ "TIMEOUT", COLUMN_TEXT },
		{ NULL,      COLUMN_TEXT },
	};
	struct table *table = table_open(columns);
	for (size_t i = 0; i < answer_count(tasks); i++) {
		struct answer task = answer_item(tasks, i);
		table_row(table);
		table_text(table, answer_text(task, "id"));
		table_text(table, answer_text(task, "type"));
		table_text(table, say_list(&errand->arena, answer_get(task, "needs")));
		table_text(table, answer_text(task, "pool"));
		table_text(table, say_list(&errand->arena, answer_get(task, "labels")));
		table_duration(table, answer_duration(task, "timeout"));
	}
	printf("\n");
	table_close(table, "no tasks");
}

static void show_flow(struct errand *errand, struct answer flow)
{
	struct arena *arena = &errand->arena;
	say_field("flow", answer_text(flow, "flow"));
	say_field("revision", say_count(arena, answer_int(flow, "revision", 0)));
	say_field("applied", arena_printf(arena, "%s by %s",
					  say_ago(arena, answer_instant(flow, "applied"), errand->now),
					  say_clean(arena, answer_text(flow, "applied_by"))));
	say_field("description", say_clean(arena, answer_text(flow, "description")));
	say_members("labels", arena, answer_get(flow, "labels"));
	if (answer_count(answer_get(flow, "inputs")))
		show_inputs(errand, answer_get(flow, "inputs"));
	show_tasks(errand, answer_get(flow, "tasks"));
}

static const char *path_of_flow(struct errand *errand)
{
	return arena_printf(&errand->arena, "/v1/flows/%s", errand_escape(errand, errand->line->arguments[0]));
}

bool cmd_flow_show(struct errand *errand, struct error *error)
{
	struct reply reply = { 0 };
	bool ok = errand_get(errand, path_of_flow(errand), &reply, error);
	if (ok && errand->is_json)
		reply_print(&reply);
	else if (ok && line_has(errand->line, "source"))
		fputs(answer_text(reply.root, "source"), stdout);
	else if (ok)
		show_flow(errand, reply.root);
	reply_fini(&reply);
	return ok;
}

bool cmd_flow_delete(struct errand *errand, struct error *error)
{
	struct reply reply = { 0 };
	const struct request request = { .method = "DELETE", .path = path_of_flow(errand) };
	bool ok = errand_ask(errand, &request, &reply, error);
	if (ok && errand->is_json)
		reply_print(&reply);
	else if (ok)
		printf("%s  %s\n", say_clean(&errand->arena, answer_text(reply.root, "flow")),
		       answer_text(reply.root, "change"));
	reply_fini(&reply);
	return ok;
}
