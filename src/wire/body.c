#include "wire/body.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "json/writer.h"

static void key_text_if(struct writer *out, const char *key, const char *text)
{
	if (text)
		writer_key_text(out, key, text);
}

static void write_execution(struct writer *out, const struct body_execution *execution, const char *key)
{
	writer_begin_object(out);
	writer_key_text(out, "flow", execution->flow);
	if (execution->input_count) {
		writer_key_object(out, "inputs");
		for (size_t i = 0; i < execution->input_count; i++) {
			/* The names are the caller's, not ours, so they need the escaping of a text. */
			struct buffer name = { 0 };
			text_append_json(&name, execution->inputs[i].name, strlen(execution->inputs[i].name));
			writer_key_text(out, buffer_cstr(&name), execution->inputs[i].value);
			buffer_fini(&name);
		}
		writer_end_object(out);
	}
	if (execution->priority)
		writer_key_int(out, "priority", execution->priority);
	key_text_if(out, "key", key);
	writer_end_object(out);
}

void body_execution(struct buffer *body, const struct body_execution *execution)
{
	struct writer out = { .buffer = body };
	write_execution(&out, execution, execution->key);
}

void body_executions(struct buffer *body, const struct body_execution *execution, int64_t first, int64_t count)
{
	struct writer out = { .buffer = body };
	struct buffer key = { 0 };
	writer_begin_object(&out);
	writer_key_array(&out, "items");
	for (int64_t index = first; index < first + count; index++) {
		buffer_reset(&key);
		if (execution->key)
			buffer_printf(&key, "%s-%" PRId64, execution->key, index);
		write_execution(&out, execution, execution->key ? buffer_cstr(&key) : NULL);
	}
	writer_end_array(&out);
	writer_end_object(&out);
	buffer_fini(&key);
}

void body_hold(struct buffer *body, const struct body_hold *hold)
{
	struct writer out = { .buffer = body };
	writer_begin_object(&out);
	key_text_if(&out, "reason", hold->reason);
	key_text_if(&out, "preset", hold->preset);
	key_text_if(&out, "scope", hold->scope);
	key_text_if(&out, "ticket", hold->ticket);
	writer_end_object(&out);
}

void body_reason(struct buffer *body, const char *reason)
{
	struct writer out = { .buffer = body };
	writer_begin_object(&out);
	key_text_if(&out, "reason", reason);
	writer_end_object(&out);
}

void body_sign_in(struct buffer *body, const char *account, const char *password)
{
	struct writer out = { .buffer = body };
	writer_begin_object(&out);
	writer_key_text(&out, "account", account);
	writer_key_text(&out, "password", password);
	writer_end_object(&out);
}
