#include "cli/logs.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/say.h"

static void print_items(struct session *session, struct answer items)
{
	size_t count = answer_count(items);
	for (size_t i = 0; i < count; i++) {
		struct answer item = answer_item(items, i);
		const char *text = answer_text(item, "text");
		size_t length = strlen(text);
		if (count > 1)
			printf("%s== %s, try %" PRId64 " ==\n", i ? "\n" : "",
			       say_clean(&session->arena, answer_text(item, "task")), answer_int(item, "try", 1));
		fputs(text, stdout);
		if (length && text[length - 1] != '\n' && i + 1 < count)
			putchar('\n');
		if (answer_bool(item, "cut"))
			fprintf(stderr, "lull: %s wrote more than is kept\n",
				say_clean(&session->arena, answer_text(item, "task")));
	}
}

/* The last try's bytes, as they were. */
static bool print_bytes(struct session *session, int64_t number, const char *task, struct error *error)
{
	struct reply reply = { 0 };
	const struct request request = {
		.method = "GET",
		.path = arena_printf(&session->arena, "/v1/executions/%" PRId64 "/logs/%s", number,
				     session_escape(session, task)),
		.is_raw = true,
	};
	bool ok = session_ask(session, &request, &reply, error);
	if (ok)
		fwrite(buffer_cstr(&reply.body), 1, reply.body.length, stdout);
	reply_fini(&reply);
	return ok;
}

bool logs_print(struct session *session, int64_t number, const char *task, struct error *error)
{
	struct reply reply = { 0 };
	if (task && !session->is_json)
		return print_bytes(session, number, task, error);
	const char *path = arena_printf(&session->arena, "/v1/executions/%" PRId64 "/logs%s%s", number,
					task ? "?task=" : "", task ? session_escape(session, task) : "");
	bool ok = session_get(session, path, &reply, error);
	if (ok && session->is_json)
		reply_print(&reply);
	else if (ok)
		print_items(session, answer_get(reply.root, "items"));
	reply_fini(&reply);
	return ok;
}
