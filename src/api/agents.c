/*
 * Agents: what they say, and what is known of them.
 */
#include <string.h>

#include "api/api.h"
#include "base/limits.h"
#include "ops/agents.h"
#include "store/executions.h"
#include "wire/exchange.h"

struct hello_in {
	struct hello hello;
	struct hello_answer answer;
};

struct agents_out {
	struct agent_row *rows;
	size_t *open;
	instant *heard;
	size_t count;
	instant now;
};

static bool read_hello(struct api_call *call, struct error *error)
{
	struct hello_in *in = ARENA_NEW(&call->call.arena, struct hello_in);
	call->in = in;
	return hello_read(call->request->body, call->request->body_length, &call->call.arena, &in->hello, error);
}

static bool run_hello(struct tx *tx, struct api_call *call, struct error *error)
{
	struct hello_in *in = call->in;
	return agents_hello(tx, &call->credential, &in->hello, &call->call.arena, &in->answer, error);
}

static void write_hello(struct api_call *call, struct writer *out)
{
	const struct hello_in *in = call->in;
	hello_answer_write(out->buffer, &in->answer);
}

static bool read_exchange(struct api_call *call, struct error *error)
{
	struct agents_exchange *in = ARENA_NEW(&call->call.arena, struct agents_exchange);
	struct exchange *exchange = ARENA_NEW(&call->call.arena, struct exchange);
	call->in = in;
	in->credential = &call->credential;
	in->exchange = exchange;
	in->arena = &call->call.arena;
	in->call = &call->call;
	in->client = call->request;
	if (!exchange_read(call->request->body, call->request->body_length, &call->call.arena, exchange, error))
		return false;
	call->call.rows = 1 + 2 * exchange->report_count;
	return true;
}

static void write_exchange(struct api_call *call, struct writer *out)
{
	const struct agents_exchange *in = call->in;
	exchange_answer_write(out->buffer, &in->answer);
}

static bool run_list(struct tx *tx, struct api_call *call, struct error *error)
{
	struct identity identity;
	struct agents_out *out = ARENA_NEW(&call->call.arena, struct agents_out);
	call->out = out;
	out->now = tx->now;
	if (!identity_need(tx, &call->credential, PERM_AGENT_READ, &identity, error) ||
	    !agents_list(tx, (struct agent_id){ 0 }, LIMIT_AGENTS, &out->rows, &out->count, error))
		return false;
	out->open = ARENA_ARRAY(tx->arena, size_t, out->count);
	out->heard = ARENA_ARRAY(tx->arena, instant, out->count);
	for (size_t i = 0; i < out->count; i++) {
		struct attempt_row *open;
		out->heard[i] = agents_last_heard(tx, &out->rows[i]);
		if (!attempts_open(tx, out->rows[i].id, LIMIT_SLOTS, &open, &out->open[i], error))
			return false;
	}
	return true;
}

static void write_labels(struct writer *out, const char *labels)
{
	writer_key_array(out, "labels");
	while (*labels) {
		size_t length = strcspn(labels, ",");
		writer_bytes(out, labels, length);
		labels += length;
		labels += *labels == ',';
	}
	writer_end_array(out);
}

static void write_list(struct api_call *call, struct writer *out)
{
	const struct agents_out *result = call->out;
	writer_begin_object(out);
	writer_key_array(out, "items");
	for (size_t i = 0; i < result->count; i++) {
		const struct agent_row *row = &result->rows[i];
		writer_begin_object(out);
		writer_key_text(out, "name", row->name);
		writer_key_text(out, "pool", row->pool);
		write_labels(out, row->labels);
		writer_key_int(out, "slots", row->slots);
		writer_key_text(out, "host", row->host);
		writer_key_text(out, "version", row->version);
		writer_key_int(out, "open", (int64_t)result->open[i]);
		writer_key_instant(out, "contact", row->contact_ms);
		writer_key_bool(out, "silent", result->heard[i] + LIMIT_LEASE_MS < result->now);
		writer_end_object(out);
	}
	writer_end_array(out);
	writer_key(out, "next");
	writer_null(out);
	writer_end_object(out);
}

const struct api_route api_agent_routes[] = {
	{ HTTP_GET, "/v1/agents", "", API_READ, 200, NULL, run_list, write_list, "Agents that ever said hello" },
	{ HTTP_POST, "/v1/agent/hello", "", API_COMMAND, 200, read_hello, run_hello, write_hello,
	  "An agent begins a session; see the exchange" },
	{ HTTP_POST, "/v1/agent/exchange", "", API_EXCHANGE, 200, read_exchange, NULL, write_exchange,
	  "An agent's reports and output in, its orders out" },
	{ 0 },
};
