#include "cli/errand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "client/client.h"
#include "client/local.h"
#include "sys/clock.h"
#include "sys/file.h"

enum { TOKEN_BYTES = 4096, ANSWER_MS = 30 * 1000 };

static const char *variable(const char *name)
{
	const char *value = getenv(name);
	return value && *value ? value : NULL;
}

/* The first line of the file. */
static bool read_token(struct errand *errand, const char *path, const char **token, struct error *error)
{
	struct buffer text = { 0 };
	bool ok = file_read(path, TOKEN_BYTES, &text, error);
	if (ok)
		*token = arena_copy(&errand->arena, buffer_cstr(&text), strcspn(buffer_cstr(&text), "\r\n"));
	buffer_fini(&text);
	return ok;
}

static bool errand_open(struct errand *errand, struct error *error)
{
	const char *url = line_value(errand->line, "url"), *file = line_value(errand->line, "token-file");
	const char *token = variable("LULL_TOKEN");
	struct local_server local;
	if (!url)
		url = variable("LULL_URL");
	if (file && !read_token(errand, file, &token, error))
		return error_prefix(error, "--token-file");
	if (!url) {
		if (!local_find(&errand->arena, &local, error))
			return false;
		url = local.url;
		if (!token)
			token = local.token;
	}
	struct client_settings settings = { .url = url, .token = token, .answer_ms = ANSWER_MS + LIMIT_WAIT_MS };
	return client_open(&settings, &errand->client, error);
}

static bool parse_reply(const struct request *request, struct reply *reply, struct error *error)
{
	if (request->is_raw || answer_parse(buffer_cstr(&reply->body), reply->body.length, &reply->root, error))
		return true;
	return error_set(error, ERR_UNREACHABLE, "what answered is no Lull server: %s %.100s gave no JSON",
			 request->method, request->path);
}

bool errand_ask(struct errand *errand, const struct request *request, struct reply *reply, struct error *error)
{
	struct client_request call = {
		.method = request->method,
		.path = request->path,
		.body = request->body ? request->body->at : NULL,
		.length = request->body ? request->body->length : 0,
		.content_type = !request->body ? NULL :
				request->content_type ? request->content_type : "application/json",
	};
	struct error ignored;
	int status;
	answer_fini(&reply->root);
	buffer_reset(&reply->body);
	if (!errand->client && !errand_open(errand, error))
		return false;
	bool ok = client_call(errand->client, &call, &status, &reply->body, error);
	errand->now = clock_now();
	if (ok)
		return parse_reply(request, reply, error);
	if (!answer_parse(buffer_cstr(&reply->body), reply->body.length, &reply->root, &ignored))
		buffer_reset(&reply->body);
	return false;
}

bool errand_get(struct errand *errand, const char *path, struct reply *reply, struct error *error)
{
	return errand_ask(errand, &(struct request){ .method = "GET", .path = path }, reply, error);
}

void errand_hang_up(struct errand *errand)
{
	client_close(errand->client);
	errand->client = NULL;
}

void errand_fini(struct errand *errand)
{
	errand_hang_up(errand);
	arena_fini(&errand->arena);
}

void reply_print(const struct reply *reply)
{
	fwrite(buffer_cstr(&reply->body), 1, reply->body.length, stdout);
	if (!reply->body.length || reply->body.at[reply->body.length - 1] != '\n')
		putchar('\n');
}

void reply_fini(struct reply *reply)
{
	answer_fini(&reply->root);
	buffer_fini(&reply->body);
}

const char *errand_escape(struct errand *errand, const char *text)
{
	struct buffer escaped = { 0 };
	client_append_part(&escaped, text);
	const char *result = arena_text(&errand->arena, buffer_cstr(&escaped));
	buffer_fini(&escaped);
	return result;
}
