/*
 * A server for test_front.py and for measuring: opens one front and does by path what the test asks for.
 *
 *	/echo           answers at once with what it got
 *	/later          answers the same from another thread
 *	/park           waits until /release answers all that wait, or until its client is gone
 *	/parked         says how many wait
 *	/release        answers all that wait with its own body
 *	/next-gone      answered once for each client of /park that is gone, at once if it is already
 *	/refused        answers with a hold's problem
 *
 * Arguments: name=value, the names of http_settings. Prints "ready PORT"; on standard input it takes the words
 * "quiesce" and "close" and prints "quiesced" and "closed".
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/text.h"
#include "http/server.h"

enum { MOST = 20000 };

/* Requests that wait; whoever takes one out answers it. */
struct list {
	struct http_request *requests[MOST];
	size_t count;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static struct list later, parked, next_gone;
static size_t gone_untold_count;

static void add(struct list *list, struct http_request *request)
{
	ASSERT(list->count < MOST);
	list->requests[list->count++] = request;
}

static struct list *take_all(struct list *list)
{
	struct list *taken = calloc(1, sizeof(*taken));
	ASSERT(taken != NULL);
	pthread_mutex_lock(&lock);
	memcpy(taken->requests, list->requests, list->count * sizeof(list->requests[0]));
	taken->count = list->count;
	list->count = 0;
	pthread_mutex_unlock(&lock);
	return taken;
}

static bool take_out(struct list *list, const struct http_request *request)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->requests[i] != request)
			continue;
		list->requests[i] = list->requests[--list->count];
		return true;
	}
	return false;
}

static void answer_text(struct http_request *request, const char *text, size_t length)
{
	struct http_response response = { .status = 200, .content_type = "text/plain" };
	buffer_append(&response.body, text, length);
	http_answer(request, &response);
}

static void answer_all(struct list *list, const char *text)
{
	struct list *taken = take_all(list);
	for (size_t i = 0; i < taken->count; i++)
		answer_text(taken->requests[i], text, strlen(text));
	free(taken);
}

/* One line a fact, then the body. */
static void answer_echo(struct http_request *request)
{
	struct http_response response = { .status = 200, .content_type = "text/plain" };
	struct buffer *body = &response.body;
	buffer_printf(body, "%s %s\n", http_method_name(request->method), request->path);
	for (size_t i = 0; i < request->query_count; i++)
		buffer_printf(body, "%s=%s\n", request->query[i].name, request->query[i].value);
	if (request->peer->is_local)
		buffer_printf(body, "uid %u\n", (unsigned)request->peer->uid);
	else
		buffer_printf(body, "peer %s\n", request->peer->address);
	buffer_append(body, request->body, request->body_length);
	http_response_header(&response, "X-Seen", "yes\r\nX-Injected: no");
	http_answer(request, &response);
}

static void gone(struct http_request *request)
{
	struct http_request *told = NULL;
	pthread_mutex_lock(&lock);
	bool was_parked = take_out(&parked, request), was_asking = take_out(&next_gone, request);
	if (was_parked && next_gone.count > 0)
		told = next_gone.requests[--next_gone.count];
	else
		gone_untold_count += was_parked;
	pthread_mutex_unlock(&lock);
	if (was_parked || was_asking)
		answer_text(request, "", 0);
	if (told)
		answer_text(told, "gone", 4);
}

static void tell_next_gone(struct http_request *request)
{
	pthread_mutex_lock(&lock);
	bool is_told = gone_untold_count > 0;
	gone_untold_count -= is_told;
	if (!is_told) {
		add(&next_gone, request);
		http_request_on_gone(request, gone);
	}
	pthread_mutex_unlock(&lock);
	if (is_told)
		answer_text(request, "gone", 4);
}

static void handle(void *context, struct http_request *request)
{
	(void)context;
	if (strcmp(request->path, "/parked") == 0) {
		char count[24];
		pthread_mutex_lock(&lock);
		int length = snprintf(count, sizeof(count), "%zu", parked.count);
		pthread_mutex_unlock(&lock);
		answer_text(request, count, (size_t)length);
	} else if (strcmp(request->path, "/release") == 0) {
		answer_all(&parked, request->body);
		answer_text(request, "", 0);
	} else if (strcmp(request->path, "/refused") == 0) {
		struct error error;
		error_set(&error, ERR_HELD, "say \"please\"\n");
		error.hold = 12;
		snprintf(error.reason, sizeof(error.reason), "kernel \\ upgrade");
		error.until_ms = INT64_C(4102444800000);
		http_problem(request, &error);
	} else if (strcmp(request->path, "/park") == 0) {
		pthread_mutex_lock(&lock);
		add(&parked, request);
		http_request_on_gone(request, gone);
		pthread_mutex_unlock(&lock);
	} else if (strcmp(request->path, "/next-gone") == 0) {
		tell_next_gone(request);
	} else if (text_starts_with(request->path, "/later")) {
		pthread_mutex_lock(&lock);
		add(&later, request);
		pthread_cond_signal(&filled);
		pthread_mutex_unlock(&lock);
	} else {
		answer_echo(request);
	}
}

static void *answer_later(void *unused)
{
	(void)unused;
	for (;;) {
		pthread_mutex_lock(&lock);
		while (later.count == 0)
			pthread_cond_wait(&filled, &lock);
		pthread_mutex_unlock(&lock);
		struct list *taken = take_all(&later);
		for (size_t i = 0; i < taken->count; i++)
			answer_echo(taken->requests[i]);
		free(taken);
	}
	return NULL;
}

static void read_setting(struct http_settings *settings, const char *name, char *value)
{
	static const char *hosts[2];
	if (strcmp(name, "socket_path") == 0)
		settings->socket_path = value;
	else if (strcmp(name, "address") == 0)
		settings->address = value;
	else if (strcmp(name, "takes_any_host") == 0)
		settings->takes_any_host = true;
	else if (strcmp(name, "port") == 0)
		settings->port = atoi(value);
	else if (strcmp(name, "host") == 0)
		hosts[0] = value, settings->hosts = hosts;
	else if (strcmp(name, "thread_count") == 0)
		settings->thread_count = (unsigned)atoi(value);
	else if (strcmp(name, "body_bytes") == 0)
		settings->body_bytes = (size_t)atol(value);
	else if (strcmp(name, "header_ms") == 0)
		settings->header_ms = atol(value);
	else if (strcmp(name, "body_ms") == 0)
		settings->body_ms = atol(value);
	else if (strcmp(name, "idle_ms") == 0)
		settings->idle_ms = atol(value);
	else if (strcmp(name, "connections_per_address") == 0)
		settings->connections_per_address = (unsigned)atoi(value);
	else
		ASSERT(!"a known setting");
}

int main(int argc, char **argv)
{
	struct http_settings settings = { 0 };
	struct error error;
	struct http_server *server;
	for (int i = 1; i < argc; i++) {
		char *value = strchr(argv[i], '=');
		ASSERT(value != NULL);
		*value = '\0';
		read_setting(&settings, argv[i], value + 1);
	}
	pthread_t answerer;
	ASSERT(pthread_create(&answerer, NULL, answer_later, NULL) == 0);
	if (!http_server_open(&settings, handle, NULL, &server, &error)) {
		printf("refused %s %s\n", error_name(error.code), error.detail);
		return 1;
	}
	printf("ready %d\n", http_server_port(server));
	fflush(stdout);
	char word[32];
	while (fgets(word, sizeof(word), stdin) && strcmp(word, "close\n") != 0) {
		http_server_quiesce(server);
		puts("quiesced");
		fflush(stdout);
	}
	http_server_close(server);
	puts("closed");
	return 0;
}
