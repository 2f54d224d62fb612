#include "cli/ending.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/say.h"
#include "cli/wait.h"

enum { NAMED_FAILURES = 10 };

/* The executions that are waited for, one after the other. */
struct endings {
	size_t count;
	size_t done;                     /* of them, before the one that is looked at */
	size_t failed;
	struct buffer failures;          /* "12 failed, 17 killed" */
	struct buffer documents;         /* all of them as JSON, with commas */
};

static bool has_succeeded(struct answer execution)
{
	return strcmp(answer_text(execution, "state"), "succeeded") == 0;
}

/* ", 1 of 3 tasks done: dump" with the names of those that run; "" where there is none. */
static const char *say_tasks(struct arena *arena, struct answer tasks)
{
	struct buffer names = { 0 };
	size_t done = 0, count = answer_count(tasks);
	for (size_t i = 0; i < count; i++) {
		struct answer task = answer_item(tasks, i);
		const char *status = answer_text(task, "status");
		if (strcmp(status, "open") == 0)
			buffer_printf(&names, "%s%s", names.length ? ", " : ": ", answer_text(task, "id"));
		else if (strcmp(status, "waiting") != 0 && strcmp(status, "ready") != 0)
			done++;
	}
	const char *said = arena_printf(arena, ", %zu of %zu tasks done%s", done, count, buffer_cstr(&names));
	buffer_fini(&names);
	return count ? said : "";
}

static bool look(struct errand *errand, struct arena *arena, struct answer execution, struct progress *progress,
		 void *context)
{
	const struct endings *endings = context;
	bool has_begun = answer_instant(execution, "started") != INSTANT_NONE;
	int64_t hold = answer_int(execution, "held_by", 0);
	const char *held = hold ? arena_printf(arena, ", held by hold %" PRId64 ": %s", hold,
					       answer_text(execution, "held_reason")) : "";
	if (answer_instant(execution, "ended") != INSTANT_NONE)
		return true;
	if (endings->count > 1)
		progress_line(progress, arena_printf(arena, "%s of %s not ended yet",
						     say_count(arena, (int64_t)(endings->count - endings->done)),
						     say_count(arena, (int64_t)endings->count)), "");
	const char *fact = arena_printf(arena, "execution %" PRId64 " %s %s%s%s", answer_int(execution, "number", 0),
					answer_text(execution, "flow"), answer_text(execution, "state"),
					has_begun ? say_tasks(arena, answer_get(execution, "tasks")) : "", held);
	int64_t took_ms = say_took_ms(execution, has_begun ? "started" : "created", "", errand->now);
	progress_line(progress, fact, arena_printf(arena, ", %s so far", say_duration(arena, took_ms)));
	return false;
}

/* Why a task did not succeed, from its last attempt. */
static void show_failed_task(struct errand *errand, struct answer task)
{
	struct answer attempts = answer_get(task, "attempts");
	size_t count = answer_count(attempts);
	struct answer last = answer_item(attempts, count ? count - 1 : 0);
	const char *detail = say_clean(&errand->arena, answer_text(last, "detail"));
	printf("  %s %s", say_clean(&errand->arena, answer_text(task, "id")), answer_text(task, "status"));
	if (answer_int(last, "signal", 0))
		printf(", signal %" PRId64, answer_int(last, "signal", 0));
	else if (answer_int(last, "exit_code", 0))
		printf(", exit code %" PRId64, answer_int(last, "exit_code", 0));
	printf("%s%s\n", *detail ? ": " : "", detail);
}

static void show_one(struct errand *errand, struct answer execution)
{
	struct answer tasks = answer_get(execution, "tasks");
	int64_t took_ms = say_took_ms(execution, "started", "ended", errand->now);
	printf("execution %" PRId64 " %s %s%s%s\n", answer_int(execution, "number", 0),
	       say_clean(&errand->arena, answer_text(execution, "flow")), answer_text(execution, "state"),
	       took_ms < 0 ? "" : " in ", took_ms < 0 ? "" : say_duration(&errand->arena, took_ms));
	for (size_t i = 0; i < answer_count(tasks); i++)
		if (strcmp(answer_text(answer_item(tasks, i), "status"), "failed") == 0)
			show_failed_task(errand, answer_item(tasks, i));
}

static void record(struct errand *errand, struct endings *endings, const struct reply *reply)
{
	struct answer execution = reply->root;
	endings->done++;
	if (errand->is_json)
		buffer_printf(&endings->documents, "%s%s", endings->documents.length ? "," : "",
			      buffer_cstr(&reply->body));
	else if (endings->count == 1)
		show_one(errand, execution);
	if (has_succeeded(execution))
		return;
	errand->exit_code = EXIT_CODE_FAILED;
	if (endings->failed++ < NAMED_FAILURES)
		buffer_printf(&endings->failures, "%s%" PRId64 " %s", endings->failures.length ? ", " : "",
			      answer_int(execution, "number", 0), answer_text(execution, "state"));
}

static void show_all(struct errand *errand, const struct endings *endings)
{
	struct arena *arena = &errand->arena;
	if (errand->is_json)
		printf(endings->count > 1 ? "{\"items\":[%s]}\n" : "%s\n", buffer_cstr(&endings->documents));
	else if (endings->count > 1)
		printf("%s ended: %s succeeded%s%s%s\n", say_count(arena, (int64_t)endings->count),
		       say_count(arena, (int64_t)(endings->count - endings->failed)), endings->failed ? "; " : "",
		       buffer_cstr(&endings->failures), endings->failed > NAMED_FAILURES ? ", …" : "");
}

bool ending_wait(struct errand *errand, const int64_t *numbers, size_t count, int64_t timeout_ms,
		 struct error *error)
{
	struct endings endings = { .count = count };
	struct progress progress;
	struct reply reply = { 0 };
	struct wait wait = {
		.until = "ended", .deadline_ms = wait_deadline(timeout_ms), .look = look, .context = &endings,
	};
	bool ok = true;
	progress_init(&progress, errand->is_json);
	for (size_t i = 0; ok && i < count; i++) {
		wait.path = arena_printf(&errand->arena, "/v1/executions/%" PRId64, numbers[i]);
		ok = wait_for(errand, &wait, &progress, &reply, error);
		if (ok)
			record(errand, &endings, &reply);
		else if (error->code == ERR_NOT_YET)
			error_set(error, ERR_NOT_YET, "execution %" PRId64 " is still %s; it goes on, and `lull "
				  "execution wait %" PRId64 "` waits again", numbers[i],
				  answer_text(reply.root, "state"), numbers[i]);
	}
	progress_fini(&progress);
	if (ok)
		show_all(errand, &endings);
	buffer_fini(&endings.failures);
	buffer_fini(&endings.documents);
	reply_fini(&reply);
	return ok;
}
