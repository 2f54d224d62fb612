/*
 * Health, readiness, status.
 */
#include <inttypes.h>
#include <unistd.h>

#include "api/api.h"
#include "ops/overview.h"

static void write_health(struct api_call *call, struct writer *out)
{
	(void)call;
	writer_begin_object(out);
	writer_key_text(out, "status", "ok");
	writer_end_object(out);
}

static bool read_ready(struct api_call *call, struct error *error)
{
	return atomic_load(api_settings_of(call)->is_ready) ||
	       error_set(error, ERR_BUSY, "the server is starting or stopping");
}

static void write_ready(struct api_call *call, struct writer *out)
{
	(void)call;
	writer_begin_object(out);
	writer_key_bool(out, "ready", true);
	writer_end_object(out);
}

static bool run_status(struct tx *tx, struct api_call *call, struct error *error)
{
	struct identity identity;
	struct overview *overview = ARENA_NEW(&call->call.arena, struct overview);
	call->out = overview;
	return identity_need(tx, &call->credential, PERM_MAINTENANCE_READ, &identity, error) &&
	       overview_take(tx, NULL, OVERVIEW_WAITING, overview, error);
}

static void write_status(struct api_call *call, struct writer *out)
{
	const struct overview *overview = call->out;
	const struct api_settings *settings = api_settings_of(call);
	bool is_held = overview->holds->count > 0;
	writer_begin_object(out);
	writer_key_text(out, "version", settings->version);
	writer_key_instant(out, "started", settings->started_ms);
	writer_key_int(out, "pid", getpid());
	writer_key_text(out, "data", settings->data);
	writer_key_int(out, "agents", (int64_t)overview->agent_count);
	writer_key_int(out, "running", overview->running);
	writer_key_int(out, "waiting", overview->waiting);
	writer_key_bool(out, "waiting_is_more", overview->is_waiting_more);
	writer_key_text(out, "maintenance", !is_held ? "open" : overview->verdict.is_drained ? "drained" : "draining");
	writer_end_object(out);
}

const struct api_route api_server_routes[] = {
	{ HTTP_GET, "/v1/health", "", API_HERE, 200, NULL, NULL, write_health, "Is the process alive? Open to all" },
	{ HTTP_GET, "/v1/ready", "", API_HERE, 200, read_ready, NULL, write_ready,
	  "Does it take requests? Open to all" },
	{ HTTP_GET, "/v1/status", "", API_READ, 200, NULL, run_status, write_status, "What this server is and does" },
	{ 0 },
};
