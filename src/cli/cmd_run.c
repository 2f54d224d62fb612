#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/heap.h"
#include "base/limits.h"
#include "cli/ending.h"
#include "cli/errand.h"
#include "cli/handlers.h"
#include "cli/logs.h"
#include "cli/say.h"
#include "cli/wait.h"
#include "wire/body.h"

enum { MOST_AT_ONCE = 1000 * 1000 };

/* What was asked for, and what has been started so far. */
struct run {
	struct body_execution execution;
	int64_t count;
	int64_t timeout_ms;
	int64_t *numbers;
	int64_t done;
	struct buffer items;             /* the answers as JSON, with commas */
};

static bool take_inputs(struct errand *errand, struct body_execution *execution, struct error *error)
{
	struct body_input *inputs = ARENA_ARRAY(&errand->arena, struct body_input, errand->line->given_count + 1);
	const char *given;
	for (size_t place = 0; (given = line_next(errand->line, "input", &place)); ) {
		const char *equals = strchr(given, '=');
		if (!equals || equals == given)
			return error_set(error, ERR_INVALID, "--input is NAME=VALUE, not \"%.60s\"", given);
		inputs[execution->input_count++] = (struct body_input){
			arena_copy(&errand->arena, given, (size_t)(equals - given)), equals + 1,
		};
	}
	execution->inputs = inputs;
	return true;
}

static bool parse(struct errand *errand, struct run *run, struct error *error)
{
	const struct line *line = errand->line;
	int64_t priority;
	run->execution.flow = line->arguments[0];
	run->execution.key = line_value(line, "key");
	if (!line_int(line, "count", 1, MOST_AT_ONCE, 1, &run->count, error) ||
	    !line_int(line, "priority", -LIMIT_PRIORITY, LIMIT_PRIORITY, 0, &priority, error) ||
	    !line_duration(line, "timeout", WAIT_FOR_EVER, &run->timeout_ms, error) ||
	    !take_inputs(errand, &run->execution, error))
		return false;
	if (line_has(line, "logs") && (run->count > 1 || errand->is_json))
		return error_set(error, ERR_INVALID, "--logs shows what one execution wrote, as text; leave out %s",
				 errand->is_json ? "--json" : "--count");
	run->execution.priority = (int32_t)priority;
	return true;
}

/* One request: one execution, or the next up to LIMIT_SUBMIT_BATCH of many. */
static bool submit(struct errand *errand, struct run *run, struct reply *reply, struct error *error)
{
	int64_t left = run->count - run->done, some = left < LIMIT_SUBMIT_BATCH ? left : LIMIT_SUBMIT_BATCH;
	struct buffer body = { 0 };
	const struct request request = { .method = "POST", .path = "/v1/executions", .body = &body };
	if (run->count == 1)
		body_execution(&body, &run->execution);
	else
		body_executions(&body, &run->execution, run->done, some);
	bool ok = errand_ask(errand, &request, reply, error);
	buffer_fini(&body);
	struct answer items = answer_get(reply->root, "items");
	for (int64_t i = 0; ok && i < some; i++) {
		struct answer item = run->count == 1 ? reply->root : answer_item(items, (size_t)i);
		run->numbers[run->done + i] = answer_int(item, "number", 0);
		if (errand->is_json && run->count > 1) {
			buffer_text(&run->items, run->items.length ? "," : "");
			answer_write(item, &run->items);
		}
	}
	if (ok)
		run->done += some;
	else if (run->done)
		error_prefix(error, "%s of %s were started, then", say_count(&errand->arena, run->done),
			     say_count(&errand->arena, run->count));
	return ok;
}

static void show_started(struct errand *errand, const struct run *run, const struct reply *reply)
{
	struct arena *arena = &errand->arena;
	const char *flow = say_clean(arena, run->execution.flow);
	if (errand->is_json && run->count == 1)
		reply_print(reply);
	else if (errand->is_json)
		printf("{\"items\":[%s]}\n", buffer_cstr(&run->items));
	else if (run->count == 1)
		printf("execution %" PRId64 " %s %s%s\n", run->numbers[0], flow, answer_text(reply->root, "state"),
		       answer_bool(reply->root, "repeated") ? ", started before with this key" : "");
	else
		printf("%s executions of %s, %" PRId64 " to %" PRId64 "\n", say_count(arena, run->count), flow,
		       run->numbers[0], run->numbers[run->count - 1]);
	fflush(stdout);
}

bool cmd_run(struct errand *errand, struct error *error)
{
	struct run run = { 0 };
	struct reply reply = { 0 };
	bool wants_logs = line_has(errand->line, "logs");
	bool waits = wants_logs || line_has(errand->line, "wait") || line_value(errand->line, "timeout");
	if (!parse(errand, &run, error))
		return false;
	run.numbers = heap_new((size_t)run.count, sizeof(*run.numbers));
	bool ok = true;
	while (ok && run.done < run.count)
		ok = submit(errand, &run, &reply, error);
	/* One document: with --wait it is what came of them, not that they began. */
	if (ok && !(waits && errand->is_json))
		show_started(errand, &run, &reply);
	if (ok && waits)
		ok = ending_wait(errand, run.numbers, (size_t)run.count, run.timeout_ms, error);
	if (ok && wants_logs)
		ok = logs_print(errand, run.numbers[0], NULL, error);
	free(run.numbers);
	buffer_fini(&run.items);
	reply_fini(&reply);
	return ok;
}
