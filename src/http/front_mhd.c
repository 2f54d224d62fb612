/*
 * The server of server.h on libmicrohttpd (0.9.75), the only file that knows it.
 *
 * The life of a request. `state` says who goes on:
 *
 *	READING ──whole──► RUNNING ──handler returned──► PARKED ──http_answer──► ANSWERED
 *	                      └────────http_answer──────────────────────────────────┘
 *
 *	READING   the HTTP thread collects the body; nobody else knows the request
 *	RUNNING   the handler has it and may have passed it on; the connection is not suspended, so that
 *	          an answer that comes by now costs no suspending
 *	PARKED    the connection is suspended: whoever answers resumes it
 *	ANSWERED  `response` is filled; the HTTP thread sends it
 *
 * The HTTP thread suspends the connection first and then moves RUNNING to PARKED; http_answer moves whatever is
 * there to ANSWERED. So exactly one of the two finds the other's word, and it resumes.
 *
 * Three may hold a request: the library until it reports the request completed, the owner until http_answer is
 * over, the sentry while it says that the client is gone. The last one frees it.
 */
#include "http/server.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/heap.h"
#include "base/limits.h"
#include "http/intake.h"
#include "http/listener.h"
#include "http/problem.h"
#include "http/sentry.h"
#include "sys/clock.h"

enum { SHORTEST_TICK_MS = 5, LONGEST_TICK_MS = 250 };

struct http_server {
	struct http_settings settings;     /* with the defaults filled in; hosts and socket_path are our own copies */
	struct intake_rule rule;
	http_handler *handler;
	void *context;
	struct MHD_Daemon *daemon;
	struct sentry *sentry;
	int listen_fd, port;
	atomic_bool is_quiescing, is_closing;
	pthread_mutex_t lock;              /* guards handed_count */
	pthread_cond_t all_answered;
	size_t handed_count;               /* requests that the handler has got and that are not freed yet */
};

enum state { READING, RUNNING, PARKED, ANSWERED };

struct visit {
	struct http_request request;
	struct http_server *server;
	struct MHD_Connection *library;
	struct connection *connection;
	atomic_int state;
	atomic_int holders;
	bool was_handed, is_watched;
	void (*gone)(struct http_request *request);
	struct buffer body;
	struct http_response response;
	char *texts;                       /* the decoded path and query */
	struct http_field fields[];        /* headers, then query */
};

static struct visit *visit_of(struct http_request *request)
{
	return CONTAINER_OF(request, struct visit, request);
}

/* ---- holding and letting go */

static void hold(void *subject)
{
	struct visit *visit = subject;
	atomic_fetch_add(&visit->holders, 1);
}

static void count_handed(struct http_server *server, int step)
{
	pthread_mutex_lock(&server->lock);
	server->handed_count += (size_t)step;
	if (server->handed_count == 0)
		pthread_cond_signal(&server->all_answered);
	pthread_mutex_unlock(&server->lock);
}

static void let_go(struct visit *visit)
{
	if (atomic_fetch_sub(&visit->holders, 1) > 1)
		return;
	struct http_server *server = visit->server;
	bool was_handed = visit->was_handed;
	buffer_fini(&visit->body);
	http_response_fini(&visit->response);
	free(visit->texts);
	free(visit);
	if (was_handed)
		count_handed(server, -1);
}

/* ---- sending */

static bool queue_response(struct MHD_Connection *library, struct http_response *response, bool is_last)
{
	size_t length = response->body.length;
	void *body = buffer_take(&response->body);
	struct MHD_Response *made = MHD_create_response_from_buffer(length, body, MHD_RESPMEM_MUST_FREE);
	if (!made) {
		free(body);
		return false;
	}
	bool is_good = true;
	if (response->content_type)
		is_good = MHD_add_response_header(made, "Content-Type", response->content_type) == MHD_YES;
	struct http_field header;
	for (size_t place = 0; is_good && http_response_next_header(response, &place, &header);)
		is_good = MHD_add_response_header(made, header.name, header.value) == MHD_YES;
	if (is_good && is_last)
		is_good = MHD_add_response_header(made, "Connection", "close") == MHD_YES;
	is_good = is_good && MHD_queue_response(library, (unsigned)response->status, made) == MHD_YES;
	MHD_destroy_response(made);
	return is_good;
}

/*
 * Refuses a request before it is whole. The library then closes the connection and reads nothing more of it; the
 * sentry does, for a while.
 */
static enum MHD_Result refuse(struct MHD_Connection *library, struct connection *connection,
			      const struct error *error)
{
	struct http_response response = { 0 };
	problem_fill(&response, error, clock_now());
	if (error->code == ERR_METHOD)
		http_response_header(&response, "Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
	connection->should_linger = true;
	bool is_queued = queue_response(library, &response, true);
	http_response_fini(&response);
	return is_queued ? MHD_YES : MHD_NO;
}

/* The same in the middle of a body, where the library takes no answer: it is written past it. */
static enum MHD_Result refuse_body(struct visit *visit)
{
	struct error error;
	struct http_response response = { 0 };
	struct buffer raw = { 0 };
	error_set(&error, ERR_TOO_LARGE, "a request's body has at most %zu bytes", visit->server->rule.body_bytes);
	problem_fill(&response, &error, clock_now());
	buffer_printf(&raw, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
		      response.status, MHD_get_reason_phrase_for((unsigned)response.status), response.content_type,
		      response.body.length, response.body.at);
	/* Nothing else of this connection is on its way out, so it fits the socket's buffer. */
	ssize_t sent = send(visit->connection->fd, raw.at, raw.length, MSG_DONTWAIT | MSG_NOSIGNAL);
	visit->connection->should_linger = sent > 0;
	buffer_fini(&raw);
	http_response_fini(&response);
	return MHD_NO;
}

/* ---- taking in */

/* Names and values stay where the library has them: it keeps them until the request is completed. */
static enum MHD_Result take_field(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
	(void)kind;
	struct http_field **next = context;
	*(*next)++ = (struct http_field){ name, value ? value : "" };
	return MHD_YES;
}

/* Room for the request and all that is decoded of it, in one piece. */
static struct visit *new_visit(struct http_server *server, struct MHD_Connection *library,
			       struct connection *connection, size_t field_count)
{
	struct visit *visit = heap_new(1, sizeof(*visit) + field_count * sizeof(struct http_field));
	visit->server = server;
	visit->library = library;
	visit->connection = connection;
	visit->request.peer = &connection->peer;
	atomic_init(&visit->holders, 1);
	atomic_init(&visit->state, READING);
	return visit;
}

/* The headers are whole: makes the request, or refuses it. `method` is where the library has its first byte. */
static enum MHD_Result begin(struct http_server *server, struct MHD_Connection *library, const char *url,
			     const char *method, const char *version, void **place)
{
	size_t header_count = (size_t)MHD_get_connection_values(library, MHD_HEADER_KIND, NULL, NULL);
	size_t query_count = (size_t)MHD_get_connection_values(library, MHD_GET_ARGUMENT_KIND, NULL, NULL);
	size_t raw_bytes = MHD_get_connection_info(library, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size;
	struct connection *connection =
		MHD_get_connection_info(library, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
	struct visit *visit = new_visit(server, library, connection, header_count + query_count);
	struct http_field *next = visit->fields;
	MHD_get_connection_values(library, MHD_HEADER_KIND, take_field, &next);
	MHD_get_connection_values(library, MHD_GET_ARGUMENT_KIND, take_field, &next);

	struct error error;
	int64_t body_bytes;
	struct intake intake = {
		.method = method, .path = url, .version = version, .raw = method, .raw_end = method + raw_bytes,
		.headers = visit->fields, .header_count = header_count,
		.query = visit->fields + header_count, .query_count = query_count,
	};
	visit->texts = heap_new(intake_text_bytes(&intake), 1);
	if (!intake_check(&intake, &server->rule, visit->texts, &visit->request, &body_bytes, &error)) {
		let_go(visit);
		return refuse(library, connection, &error);
	}
	if (body_bytes != 0)
		sentry_set_deadline(connection, clock_monotonic_ms() + server->settings.body_ms);
	*place = visit;
	return MHD_YES;
}

static enum MHD_Result send_answer(struct visit *visit)
{
	bool is_last = atomic_load_explicit(&visit->server->is_quiescing, memory_order_relaxed);
	return queue_response(visit->library, &visit->response, is_last) ? MHD_YES : MHD_NO;
}

/* The request is whole: hands it to the handler and suspends the connection unless it was answered meanwhile. */
static enum MHD_Result hand_over(struct visit *visit)
{
	struct http_server *server = visit->server;
	sentry_set_deadline(visit->connection, SENTRY_NO_DEADLINE);
	visit->request.body = buffer_cstr(&visit->body);
	visit->request.body_length = visit->body.length;
	visit->was_handed = true;
	count_handed(server, 1);
	hold(visit);
	atomic_store(&visit->state, RUNNING);
	if (atomic_load(&server->is_closing)) {
		struct error error;
		error_set(&error, ERR_BUSY, "this server is shutting down");
		http_problem(&visit->request, &error);
	} else {
		server->handler(server->context, &visit->request);
	}
	if (atomic_load(&visit->state) == ANSWERED)
		return send_answer(visit);

	struct MHD_Connection *library = visit->library;
	MHD_suspend_connection(library);
	int expected = RUNNING;
	if (!atomic_compare_exchange_strong(&visit->state, &expected, PARKED))
		MHD_resume_connection(library);
	return MHD_YES;
}

/* Called when the headers are whole, for each part of the body, when all is there, and after resuming. */
static enum MHD_Result on_access(void *context, struct MHD_Connection *library, const char *url, const char *method,
				 const char *version, const char *part, size_t *part_bytes, void **place)
{
	struct http_server *server = context;
	struct visit *visit = *place;
	if (!visit)
		return begin(server, library, url, method, version, place);
	if (*part_bytes > 0) {
		if (*part_bytes > server->settings.body_bytes - visit->body.length)
			return refuse_body(visit);
		buffer_append(&visit->body, part, *part_bytes);
		*part_bytes = 0;
		return MHD_YES;
	}
	return atomic_load(&visit->state) == ANSWERED ? send_answer(visit) : hand_over(visit);
}

static void on_completed(void *context, struct MHD_Connection *library, void **place,
			 enum MHD_RequestTerminationCode code)
{
	(void)library, (void)code;
	struct http_server *server = context;
	struct visit *visit = *place;
	if (!visit)
		return;
	*place = NULL;
	sentry_set_deadline(visit->connection, clock_monotonic_ms() + server->settings.idle_ms);
	let_go(visit);
}

static void on_connection(void *context, struct MHD_Connection *library, void **place,
			  enum MHD_ConnectionNotificationCode code)
{
	struct http_server *server = context;
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		int fd = MHD_get_connection_info(library, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
		*place = sentry_enter(server->sentry, fd, clock_monotonic_ms() + server->settings.header_ms);
	} else if (*place) {
		sentry_leave(server->sentry, *place);
		*place = NULL;
	}
}

/* Keeps percent codes as they are: target.h decodes, and refuses, with more care. */
static size_t keep_coded(void *context, struct MHD_Connection *library, char *text)
{
	(void)context, (void)library;
	return strlen(text);
}

/* ---- what request.h promises */

void http_answer(struct http_request *request, struct http_response *response)
{
	struct visit *visit = visit_of(request);
	if (visit->is_watched)
		sentry_unwatch(visit->server->sentry, visit->connection, visit);
	visit->response = *response;
	*response = (struct http_response){ 0 };
	int before = atomic_exchange(&visit->state, ANSWERED);
	ASSERT(before == RUNNING || before == PARKED);
	if (before == PARKED)
		MHD_resume_connection(visit->library);
	let_go(visit);
}

static void tell_gone(void *subject)
{
	struct visit *visit = subject;
	visit->gone(&visit->request);
	let_go(visit);
}

void http_request_on_gone(struct http_request *request, void (*gone)(struct http_request *request))
{
	struct visit *visit = visit_of(request);
	visit->gone = gone;
	visit->is_watched = true;
	sentry_watch(visit->server->sentry, visit->connection, visit);
}

/* ---- opening and closing */

static char **copy_hosts(const char *const *hosts)
{
	size_t count = 0;
	while (hosts && hosts[count])
		count++;
	char **copy = heap_new(count + 1, sizeof(*copy));
	for (size_t i = 0; i < count; i++)
		copy[i] = heap_text(hosts[i]);
	return copy;
}

static void fill_settings(struct http_settings *settings)
{
	settings->address = settings->address ? settings->address : "127.0.0.1";
	settings->socket_path = heap_text(settings->socket_path);
	settings->hosts = (const char *const *)copy_hosts(settings->hosts);
	settings->thread_count = settings->thread_count ? settings->thread_count : 2;
	settings->body_bytes = settings->body_bytes ? settings->body_bytes : LIMIT_BODY_BYTES;
	settings->header_ms = settings->header_ms ? settings->header_ms : 10 * 1000;
	settings->body_ms = settings->body_ms ? settings->body_ms : 60 * 1000;
	settings->idle_ms = settings->idle_ms ? settings->idle_ms : 75 * 1000;
	settings->connection_count = settings->connection_count ? settings->connection_count : 16384;
}

/* A quarter of the shortest deadline, within reason. */
static int64_t tick_of(const struct http_settings *settings)
{
	int64_t shortest_ms = settings->header_ms < settings->body_ms ? settings->header_ms : settings->body_ms;
	shortest_ms = settings->idle_ms < shortest_ms ? settings->idle_ms : shortest_ms;
	int64_t tick_ms = shortest_ms / 4;
	return tick_ms < SHORTEST_TICK_MS ? SHORTEST_TICK_MS : tick_ms > LONGEST_TICK_MS ? LONGEST_TICK_MS : tick_ms;
}

static void free_server(struct http_server *server)
{
	sentry_close(server->sentry);
	if (server->listen_fd >= 0)
		close(server->listen_fd);
	for (size_t i = 0; server->settings.hosts[i]; i++)
		free((void *)server->settings.hosts[i]);
	free((void *)server->settings.hosts);
	free((void *)server->settings.socket_path);
	pthread_mutex_destroy(&server->lock);
	pthread_cond_destroy(&server->all_answered);
	free(server);
}

static bool start_library(struct http_server *server, struct error *error)
{
	const struct http_settings *settings = &server->settings;
	/* The library's own timeout is for answers that nobody reads; whole seconds, rounded up. */
	unsigned idle_s = (unsigned)((settings->idle_ms + 999) / 1000);
	server->daemon = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC, 0, NULL, NULL,
		on_access, server,
		MHD_OPTION_LISTEN_SOCKET, server->listen_fd,
		MHD_OPTION_THREAD_POOL_SIZE, settings->thread_count,
		/* Its strictness would refuse no more than the guards do, with two heads in one answer. */
		MHD_OPTION_STRICT_FOR_CLIENT, 0,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)2 * LIMIT_HEADER_BYTES,
		MHD_OPTION_CONNECTION_LIMIT, settings->connection_count,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, settings->connections_per_address,
		MHD_OPTION_CONNECTION_TIMEOUT, idle_s,
		MHD_OPTION_UNESCAPE_CALLBACK, keep_coded, NULL,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, server,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
		MHD_OPTION_END);
	return server->daemon || error_set(error, ERR_SYSTEM, "the HTTP library does not start; are there enough file "
					   "descriptors and memory?");
}

bool http_server_open(const struct http_settings *settings, http_handler *handler, void *context,
		      struct http_server **opened, struct error *error)
{
	static const struct sentry_duty duty = { hold, tell_gone };
	struct http_server *server = heap_new(1, sizeof(*server));
	server->settings = *settings;
	server->handler = handler;
	server->context = context;
	server->listen_fd = -1;
	pthread_mutex_init(&server->lock, NULL);
	pthread_cond_init(&server->all_answered, NULL);
	fill_settings(&server->settings);
	settings = &server->settings;
	server->rule = (struct intake_rule){ .body_bytes = settings->body_bytes, .hosts = settings->hosts,
					     .checks_host = !settings->socket_path && !settings->takes_any_host };

	bool is_listening = settings->socket_path
		? listener_open_unix(settings->socket_path, &server->listen_fd, error)
		: listener_open_tcp(settings->address, settings->port, &server->listen_fd, &server->port, error);
	if (is_listening && sentry_open(&duty, tick_of(settings), &server->sentry, error)
	    && start_library(server, error)) {
		*opened = server;
		return true;
	}
	free_server(server);
	return false;
}

int http_server_port(const struct http_server *server)
{
	return server->port;
}

/*
 * Shut down, the socket refuses; it keeps its number until the library has ended, whose threads may still use it.
 */
void http_server_quiesce(struct http_server *server)
{
	if (atomic_exchange(&server->is_quiescing, true))
		return;
	MHD_quiesce_daemon(server->daemon);
	shutdown(server->listen_fd, SHUT_RDWR);
	if (server->settings.socket_path)
		unlink(server->settings.socket_path);
}

void http_server_close(struct http_server *server)
{
	if (!server)
		return;
	http_server_quiesce(server);
	atomic_store(&server->is_closing, true);
	pthread_mutex_lock(&server->lock);
	while (server->handed_count > 0)
		pthread_cond_wait(&server->all_answered, &server->lock);
	pthread_mutex_unlock(&server->lock);
	MHD_stop_daemon(server->daemon);
	free_server(server);
}
