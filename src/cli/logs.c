#include "cli/logs.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/say.h"

static void print_items(struct errand *errand, struct answer items)
{
	size_t count = answer_count(items);
	for (size_t i = 0; i < count; i++) {
		struct answer item = answer_item(items, i);
		const char *text = answer_text(item, "text");
		size_t length = strlen(text);
		if (count > 1)
			printf("%s== %s, try %" PRId64 " ==\n", i ? "\n" : "",
			       say_clean(&errand->arena, answer_text(item, "task")), answer_int(item, "try", 1));
		fputs(text, stdout);
		if (length && text[length - 1] != '\n' && i + 1 < count)
			putchar('\n');
		if (answer_bool(item, "cut"))
			fprintf(stderr, "lull: %s wrote more than is kept\n",
				say_clean(&errand->arena, answer_text(item, "task")));
	}
}

/* The last try's bytes, as they were. */
static bool print_bytes(struct errand *errand, int64_t number, const char *task, struct error *error)
{
	struct reply reply = { 0 };
	const struct request request = {
		.method = "GET",
		.path = arena_printf(&errand->arena, "/v1/executions/%" PRId64 "/logs/%s", number,
				     errand_escape(errand, task)),
		.is_raw = true,
	};
	bool ok = errand_ask(errand, &request, &reply, error);
	if (ok)
		fwrite(buffer_cstr(&reply.body), 1, reply.body.length, stdout);
	reply_fini(&reply);
	return ok;
}

bool logs_print(struct errand *errand, int64_t number, const char *task, struct error *error)
{
	struct reply reply = { 0 };
	if (task && !errand->is_json)
		return print_bytes(errand, number, task, error);
	const char *path = arena_printf(&errand->arena, "/v1/executions/%" PRId64 "/logs%s%s", number,
					task ? "?task=" : "", task ? errand_escape(errand, task) : "");
	bool ok = errand_get(errand, path, &reply, error);
	if (ok && errand->is_json)
		reply_print(&reply);
	else if (ok)
		print_items(errand, answer_get(reply.root, "items"));
	reply_fini(&reply);
	return ok;
}
