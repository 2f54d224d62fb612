#include "api/api.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/heap.h"
#include "base/kill_point.h"
#include "base/limits.h"
#include "base/text.h"
#include "http/problem.h"
#include "ops/agents.h"
#include "ops/submit.h"
#include "sys/clock.h"

static const struct api_route *const tables[] = {
	api_server_routes, api_account_routes, api_flow_routes, api_execution_routes,
	api_submit_routes, api_maintenance_routes, api_agent_routes,
};

enum { MOST_ROUTES = 256 };

struct api {
	struct api_settings settings;
	struct router *router;
	const struct api_route *routes[MOST_ROUTES];
	size_t route_count;
};

static struct api_call *api_call_of(struct call *call)
{
	return CONTAINER_OF(call, struct api_call, call);
}

struct api *api_open(const struct api_settings *settings)
{
	struct api *api = heap_new(1, sizeof(*api));
	api->settings = *settings;
	api->router = router_open(false);
	for (size_t i = 0; i < COUNT_OF(tables); i++) {
		for (const struct api_route *route = tables[i]; route->pattern; route++) {
			ASSERT(api->route_count < MOST_ROUTES);
			router_add(api->router, route->method, route->pattern, api->route_count);
			api->routes[api->route_count++] = route;
		}
	}
	return api;
}

void api_close(struct api *api)
{
	if (!api)
		return;
	router_close(api->router);
	free(api);
}

const struct api_settings *api_settings_of(const struct api_call *call)
{
	return &call->api->settings;
}

/* One call; it is refused before its first write, or done, or the engine failed. */
static bool run_one(struct tx *tx, struct call **calls, size_t count, struct error *error)
{
	ASSERT(count == 1);
	struct api_call *call = api_call_of(calls[0]);
	int64_t written = tx->store->rows_written;
	call->status = call->route->status;
	if (call->route->run(tx, call, &call->call.error))
		return true;
	if (store_is_failure(&call->call.error)) {
		*error = call->call.error;
		return false;
	}
	ASSERT(tx->store->rows_written == written);
	return true;
}

static bool run_submits(struct tx *tx, struct call **calls, size_t count, struct error *error)
{
	struct submit **submits = ARENA_ARRAY(tx->arena, struct submit *, count);
	for (size_t i = 0; i < count; i++) {
		submits[i] = api_call_of(calls[i])->in;
		api_call_of(calls[i])->status = api_call_of(calls[i])->route->status;
	}
	if (!submit_all(tx, submits, count, error))
		return false;
	for (size_t i = 0; i < count; i++)
		calls[i]->error = submits[i]->error;
	return true;
}

static bool run_exchanges(struct tx *tx, struct call **calls, size_t count, struct error *error)
{
	struct agents_exchange **exchanges = ARENA_ARRAY(tx->arena, struct agents_exchange *, count);
	for (size_t i = 0; i < count; i++) {
		exchanges[i] = api_call_of(calls[i])->in;
		api_call_of(calls[i])->status = api_call_of(calls[i])->route->status;
	}
	if (!agents_exchange(tx, exchanges, count, error))
		return false;
	for (size_t i = 0; i < count; i++) {
		calls[i]->error = exchanges[i]->error;
		calls[i]->waits = exchanges[i]->waits;
	}
	return true;
}

static const struct call_type types[] = {
	[API_READ]     = { "read",     CALL_READ,    false, run_one },
	[API_COMMAND]  = { "command",  CALL_COMMAND, false, run_one },
	[API_OTHER]    = { "other",    CALL_OTHER,   false, run_one },
	[API_SUBMIT]   = { "submit",   CALL_SUBMIT,  true,  run_submits },
	[API_EXCHANGE] = { "exchange", CALL_REPORT,  true,  run_exchanges },
	[API_SIGN_IN]  = { "sign_in",  CALL_READ,    false, run_one },
};

static void free_call(struct api_call *call)
{
	http_response_fini(&call->response);
	arena_fini(&call->call.arena);
	free(call);
}

static void answer(struct call *lane_call)
{
	struct api_call *call = api_call_of(lane_call);
	if (call->call.error.code != ERR_NONE) {
		http_problem(call->request, &call->call.error);
	} else {
		call->response.status = call->status;
		if (call->route->write) {
			struct writer out = { .buffer = &call->response.body };
			call->response.content_type = "application/json";
			call->route->write(call, &out);
		}
		KILL_POINT("api.answer");
		http_answer(call->request, &call->response);
		KILL_POINT("api.answered");
	}
	free_call(call);
}

/* The credential as it came: hashed here, looked up in the call's own transaction. */
static void read_credential(struct api_call *call)
{
	const struct http_peer *peer = call->request->peer;
	call->credential.is_local_agent = peer->is_local && (peer->uid == geteuid() || peer->uid == 0);
	const char *header = http_request_header(call->request, "Authorization");
	if (header && strncasecmp(header, "Bearer ", 7) == 0) {
		call->credential.has_token = true;
		credential_digest(header + 7 + strspn(header + 7, " "), call->credential.digest);
	}
}

static struct lane *lane_of(const struct api *api, enum api_lane lane)
{
	switch (lane) {
	case API_READ:
		return api->settings.reads;
	case API_SIGN_IN:
		return api->settings.sign_ins;
	default:
		return api->settings.writes;
	}
}

/* An agent that hangs up while its exchange waits must not be handed anything. */
struct hang_up {
	struct call call;
	const void *client;
};

static bool run_hang_up(struct tx *tx, struct call **calls, size_t count, struct error *error)
{
	(void)error;
	for (size_t i = 0; i < count; i++)
		agents_hang_up(tx, CONTAINER_OF(calls[i], struct hang_up, call)->client);
	return true;
}

static void free_hang_up(struct call *call)
{
	free(CONTAINER_OF(call, struct hang_up, call));
}

static void on_gone(struct http_request *request)
{
	static const struct call_type type = { "hang_up", CALL_CLAIM, true, run_hang_up };
	struct api *api = request->user;
	struct hang_up *hang_up = heap_new(1, sizeof(*hang_up));
	struct error error;
	hang_up->call = (struct call){ .type = &type, .rows = 1, .done = free_hang_up };
	/* Only compared, never looked into: the exchange may be answered by now. */
	hang_up->client = request;
	if (!lane_put(api->settings.writes, &hang_up->call, &error))
		free(hang_up);
}

static bool refuse_query(const struct api_call *call, const char *name, const char *const *known, struct error *error)
{
	const char *nearest = text_nearest(name, known);
	if (!known[0])
		return error_set(error, ERR_INVALID, "%s takes no query parameters; \"%.60s\" is one",
				 call->route->pattern, name);
	return error_set(error, ERR_INVALID, "there is no query parameter \"%.60s\"%s%s%s", name,
			 nearest ? "; is \"" : "", nearest ? nearest : "", nearest ? "\" meant?" : "");
}

/* Each query parameter must be one that the route's row names, and be there once. */
static bool check_query(struct api_call *call, struct error *error)
{
	enum { MOST_KNOWN = 8 };
	const char *known[MOST_KNOWN + 1] = { NULL };
	bool is_given[MOST_KNOWN] = { false };
	size_t count = 0;
	for (const char *at = call->route->query; *at; at += strspn(at, " ")) {
		size_t length = strcspn(at, " ");
		ASSERT(count < MOST_KNOWN);
		known[count++] = arena_copy(&call->call.arena, at, length);
		at += length;
	}
	for (size_t i = 0; i < call->request->query_count; i++) {
		const char *name = call->request->query[i].name;
		size_t k = 0;
		while (k < count && strcmp(known[k], name) != 0)
			k++;
		if (k == count)
			return refuse_query(call, name, known, error);
		if (is_given[k])
			return error_set(error, ERR_INVALID, "%s is given twice; say it once", name);
		is_given[k] = true;
	}
	return true;
}

static void start(struct api_call *call)
{
	const struct api_route *route = call->route;
	struct error error;
	if (!check_query(call, &error) || (route->read && !route->read(call, &error))) {
		http_problem(call->request, &error);
		free_call(call);
		return;
	}
	if (route->lane == API_HERE) {
		call->status = call->status ? call->status : route->status;
		answer(&call->call);
		return;
	}
	call->call.type = &types[route->lane];
	call->call.done = answer;
	call->call.rows = call->call.rows ? call->call.rows : 1;
	if (route->lane == API_EXCHANGE)
		http_request_on_gone(call->request, on_gone);
	if (!lane_put(lane_of(call->api, route->lane), &call->call, &error)) {
		http_problem(call->request, &error);
		free_call(call);
	}
}

void api_handle(void *context, struct http_request *request)
{
	struct api *api = context;
	struct api_call *call = heap_new(1, sizeof(*call));
	struct error error;
	call->api = api;
	call->request = request;
	request->user = api;
	if (!router_find(api->router, request->method, request->path, &call->call.arena, &call->match, &error)) {
		router_refuse(api->router, request, &error);
		free_call(call);
		return;
	}
	call->route = api->routes[call->match.row];
	read_credential(call);
	start(call);
}

const char *api_parameter(const struct api_call *call, const char *name)
{
	return route_parameter(&call->match, name);
}

bool api_number(const struct api_call *call, const char *name, int64_t *number, struct error *error)
{
	const char *text = api_parameter(call, name);
	if (text_to_int64(text, 1, EXECUTION_NUMBER_LIMIT - 1, number))
		return true;
	return error_set(error, ERR_NOT_FOUND, "\"%.60s\" is no number of anything here", text);
}

bool api_query_int(const struct api_call *call, const char *name, int64_t low, int64_t high, int64_t fallback,
		   int64_t *number, struct error *error)
{
	const char *text = http_request_query(call->request, name);
	if (!text) {
		*number = fallback;
		return true;
	}
	if (text_to_int64(text, low, high, number))
		return true;
	return error_set(error, ERR_INVALID, "%s must be a number from %" PRId64 " to %" PRId64, name, low, high);
}

bool api_query_wait(struct api_call *call, const char *until, enum effect_kind kind, int64_t subject,
		    struct error *error)
{
	const char *wanted = http_request_query(call->request, "until");
	const char *wait = http_request_query(call->request, "wait");
	int64_t wait_ms = LIMIT_WAIT_MS;
	if (wanted && strcmp(wanted, until) != 0)
		return error_set(error, ERR_INVALID, "until must be \"%s\"", until);
	if (wait && !duration_parse(wait, &wait_ms, error))
		return error_prefix(error, "wait");
	if (!wanted)
		return true;
	if (wait_ms > LIMIT_WAIT_MS)
		wait_ms = LIMIT_WAIT_MS;
	call->call.watch = (struct call_watch){
		.is_watching = wait_ms > 0, .kind = kind, .subject = subject,
		.deadline_ms = clock_monotonic_ms() + wait_ms,
	};
	return true;
}

void api_wait_is_over(struct api_call *call)
{
	call->call.watch.is_watching = false;
}

bool api_body(struct api_call *call, const char *const *known, json_t **root, struct error *error)
{
	const struct http_request *request = call->request;
	json_t *parsed;
	const char *bytes = request->body_length ? request->body : "{}";
	if (!reader_parse(bytes, request->body_length ? request->body_length : 2, &parsed, error))
		return false;
	struct reader_at at = reader_root(parsed);
	if (known && !reader_want_object(&at, known, error)) {
		json_decref(parsed);
		return false;
	}
	*root = parsed;
	return true;
}
