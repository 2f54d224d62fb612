#include "client/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/heap.h"
#include "base/text.h"
#include "client/endpoint.h"
#include "http/problem.h"
#include "wire/answer.h"

enum { ANSWER_MS = 60 * 1000, SHOWN_BYTES = 120 };

struct client {
	struct endpoint endpoint;
	struct endpoint_call call;
	int64_t answer_ms;
};

bool client_open(const struct client_settings *settings, struct client **opened, struct error *error)
{
	struct endpoint endpoint;
	if (!endpoint_init(&endpoint, settings->url, settings->socket_path, settings->token, error))
		return false;
	struct client *client = heap_new(1, sizeof(*client));
	client->endpoint = endpoint;
	endpoint_call_init(&client->endpoint, &client->call);
	client->answer_ms = settings->answer_ms ? settings->answer_ms : ANSWER_MS;
	if (settings->answer_bytes)
		client->call.answer_bytes = settings->answer_bytes;
	*opened = client;
	return true;
}

void client_close(struct client *client)
{
	if (!client)
		return;
	endpoint_call_fini(&client->call);
	endpoint_fini(&client->endpoint);
	free(client);
}

static void append_header(struct endpoint_call *call, const char *name, const char *value)
{
	struct buffer line = { 0 };
	buffer_printf(&line, "%s: %s", name, value);
	call->headers = curl_slist_append(call->headers, line.at);
	buffer_fini(&line);
}

static void set_headers(struct client *client, const struct client_request *request)
{
	struct endpoint_call *call = &client->call;
	curl_slist_free_all(call->headers);
	call->headers = NULL;
	if (client->endpoint.authorization)
		call->headers = curl_slist_append(call->headers, client->endpoint.authorization);
	if (request->body)
		append_header(call, "Content-Type", request->content_type ? request->content_type : "application/json");
	else
		call->headers = curl_slist_append(call->headers, "Content-Type:");
	for (size_t i = 0; i < request->header_count; i++)
		append_header(call, request->headers[i].name, request->headers[i].value);
	/* A long body is sent without asking first; whoever refuses it lets us read why. */
	call->headers = curl_slist_append(call->headers, "Expect:");
	curl_easy_setopt(call->handle, CURLOPT_HTTPHEADER, call->headers);
}

static bool is_get(const struct client_request *request)
{
	return strcmp(request->method, "GET") == 0;
}

static void set_body(CURL *handle, const struct client_request *request)
{
	if (is_get(request) && !request->body) {
		curl_easy_setopt(handle, CURLOPT_HTTPGET, 1L);
		curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, NULL);
		return;
	}
	curl_easy_setopt(handle, CURLOPT_POST, 1L);
	curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request->body ? request->body : "");
	curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(request->body ? request->length : 0));
	curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request->method);
}

/* False if the bytes are no problem document; then *error is as it was. */
static bool read_problem(const struct buffer *body, int status, struct error *error)
{
	struct error ignored;
	struct answer root = { 0 };
	if (!answer_parse(buffer_cstr(body), body->length, &root, &ignored))
		return false;
	const char *detail = answer_text(root, "detail");
	bool is_problem = detail[0] != '\0';
	if (is_problem)
		error_set(error, problem_code(answer_text(root, "type"), status), "%s", detail);
	if (is_problem && error->code == ERR_HELD) {
		error->hold = answer_int(root, "hold", 0);
		error->until_ms = answer_instant(root, "until");
		snprintf(error->reason, sizeof(error->reason), "%s", answer_text(root, "reason"));
	}
	answer_fini(&root);
	return is_problem;
}

/* A status from 400 on: what the server says about it. */
static bool refuse(struct client *client, int status, struct error *error)
{
	const char *media_type = NULL;
	const struct buffer *answer = &client->call.answer;
	curl_easy_getinfo(client->call.handle, CURLINFO_CONTENT_TYPE, &media_type);
	if (media_type && text_starts_with(media_type, PROBLEM_MEDIA_TYPE) && read_problem(answer, status, error))
		return false;
	struct buffer shown = { 0 };
	text_append_utf8(&shown, buffer_cstr(answer), answer->length < SHOWN_BYTES ? answer->length : SHOWN_BYTES);
	error_set(error, problem_code(NULL, status), "the server answered %d, not as Lull does: %s", status,
		  buffer_cstr(&shown));
	buffer_fini(&shown);
	return false;
}

bool client_call(struct client *client, const struct client_request *request, int *status, struct buffer *answer,
		 struct error *error)
{
	struct endpoint_call *call = &client->call;
	endpoint_aim(&client->endpoint, call, request->path, client->answer_ms);
	set_headers(client, request);
	set_body(call->handle, request);
	CURLcode code = curl_easy_perform(call->handle);
	if (code != CURLE_OK)
		return endpoint_explain(&client->endpoint, call, code, !is_get(request), error);
	long got = 0;
	curl_easy_getinfo(call->handle, CURLINFO_RESPONSE_CODE, &got);
	buffer_append(answer, buffer_cstr(&call->answer), call->answer.length);
	if (got >= 400)
		return refuse(client, (int)got, error);
	*status = (int)got;
	return true;
}

void client_append_part(struct buffer *target, const char *text)
{
	static const char plain[] = "-._~";
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
			|| strchr(plain, c);
		if (is_plain)
			buffer_char(target, (char)c);
		else
			buffer_printf(target, "%%%02X", c);
	}
}
