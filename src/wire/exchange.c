#include "wire/exchange.h"

#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "base/text.h"
#include "json/reader.h"
#include "json/writer.h"
#include "wire/base64.h"

enum {
	MOST_ATTEMPTS = 65536,             /* of one hello; what fits into LIMIT_BODY_BYTES */
	MOST_ORDERS = 4 * LIMIT_SLOTS,     /* of one answer: for each slot a start, a take back, a stop, a kill */
	DETAIL_BYTES = 1000,
	HOST_BYTES = 255,
};

static const char *const phase_names[] = { "handed", "begun", "ended", NULL };
static const char *const report_names[] = { "began", "output", "ended", "taken_back", NULL };
static const char *const order_names[] = { "start", "stop", "kill", "take_back", NULL };

static void write_attempt(struct writer *out, struct attempt_id attempt)
{
	char text[ATTEMPT_TEXT_BYTES];
	writer_key_text(out, "attempt", attempt_id_format(attempt, text));
}

/* The place of the text `key` in `names`. */
static bool need_name(const struct reader_at *object, const char *key, const char *const *names, int *place,
		      struct error *error)
{
	const char *name;
	if (!reader_need_text(object, key, LIMIT_NAME_BYTES, &name, error))
		return false;
	for (int i = 0; names[i]; i++) {
		if (strcmp(names[i], name) != 0)
			continue;
		*place = i;
		return true;
	}
	return error_set(error, ERR_INVALID, "\"%s\" cannot be \"%s\"", key, name);
}

static bool parse_attempt(const char *text, struct attempt_id *attempt, struct error *error)
{
	return attempt_id_parse(text, attempt) || error_set(error, ERR_INVALID, "\"%.60s\" names no attempt", text);
}

static bool need_attempt(const struct reader_at *object, struct attempt_id *attempt, struct error *error)
{
	const char *text;
	return reader_need_text(object, "attempt", ATTEMPT_TEXT_BYTES, &text, error) &&
	       parse_attempt(text, attempt, error);
}

/* A text that outlives the document. */
static bool need_text(const struct reader_at *object, const char *key, size_t most, struct arena *arena,
		      const char **text, struct error *error)
{
	const char *found;
	if (!reader_need_text(object, key, most, &found, error))
		return false;
	*text = arena_text(arena, found);
	return true;
}

static bool get_text(const struct reader_at *object, const char *key, size_t most, struct arena *arena,
		     const char **text, struct error *error)
{
	const char *found;
	if (!reader_get_text(object, key, most, "", &found, error))
		return false;
	*text = *found ? arena_text(arena, found) : "";
	return true;
}

/* An array of texts. */
static bool get_texts(const struct reader_at *object, const char *key, size_t most_texts, size_t most_bytes,
		      struct arena *arena, const char ***texts, size_t *count, struct error *error)
{
	struct reader_at array = reader_key(object, key);
	if (!reader_want_array(&array, most_texts, count, error))
		return false;
	*texts = ARENA_ARRAY(arena, const char *, *count + 1);
	for (size_t i = 0; i < *count; i++) {
		struct reader_at element = reader_index(&array, i);
		size_t length = json_string_length(element.value);
		if (!json_is_string(element.value) || length > most_bytes ||
		    strlen(json_string_value(element.value)) != length)
			return error_set(error, ERR_INVALID, "\"%s\" has an element that is no text of at most %zu "
					 "bytes", key, most_bytes);
		(*texts)[i] = arena_copy(arena, json_string_value(element.value), length);
	}
	return true;
}

/* Runs `read` on a document; what it makes lives in the arena. */
static bool read_document(const char *bytes, size_t length, struct arena *arena,
			  bool (*read)(const struct reader_at *root, struct arena *arena, void *into,
				       struct error *error),
			  void *into, struct error *error)
{
	json_t *document;
	if (!reader_parse(bytes, length, &document, error))
		return false;
	struct reader_at root = reader_root(document);
	bool ok = read(&root, arena, into, error);
	json_decref(document);
	return ok;
}

/* hello */

void hello_write(struct buffer *body, const struct hello *hello)
{
	struct writer out = { .buffer = body };
	writer_begin_object(&out);
	writer_key_text(&out, "agent", hello->agent);
	writer_key_text(&out, "pool", hello->pool);
	writer_key_array(&out, "labels");
	for (size_t i = 0; i < hello->label_count; i++)
		writer_text(&out, hello->labels[i]);
	writer_end_array(&out);
	writer_key_int(&out, "slots", hello->slots);
	writer_key_text(&out, "boot", hello->boot);
	writer_key_text(&out, "spool", hello->spool);
	writer_key_text(&out, "host", hello->host);
	writer_key_int(&out, "pid", hello->pid);
	writer_key_text(&out, "version", hello->version);
	writer_key_array(&out, "attempts");
	for (size_t i = 0; i < hello->attempt_count; i++) {
		writer_begin_object(&out);
		write_attempt(&out, hello->attempts[i].attempt);
		writer_key_text(&out, "phase", phase_names[hello->attempts[i].phase]);
		writer_end_object(&out);
	}
	writer_end_array(&out);
	writer_end_object(&out);
}

static bool read_known(const struct reader_at *root, struct arena *arena, struct hello *hello, struct error *error)
{
	static const char *const known[] = { "attempt", "phase", NULL };
	struct reader_at array = reader_key(root, "attempts");
	if (!reader_want_array(&array, MOST_ATTEMPTS, &hello->attempt_count, error))
		return false;
	hello->attempts = ARENA_ARRAY(arena, struct known_attempt, hello->attempt_count + 1);
	for (size_t i = 0; i < hello->attempt_count; i++) {
		struct reader_at element = reader_index(&array, i);
		int phase;
		if (!reader_want_object(&element, known, error) ||
		    !need_attempt(&element, &hello->attempts[i].attempt, error) ||
		    !need_name(&element, "phase", phase_names, &phase, error))
			return false;
		hello->attempts[i].phase = (enum known_phase)phase;
	}
	return true;
}

static bool read_hello(const struct reader_at *root, struct arena *arena, void *into, struct error *error)
{
	static const char *const known[] = { "agent", "pool", "labels", "slots", "boot", "spool", "host", "pid",
					     "version", "attempts", NULL };
	struct hello hello = { 0 };
	int64_t slots;
	if (!reader_want_object(root, known, error) ||
	    !need_text(root, "agent", LIMIT_NAME_BYTES, arena, &hello.agent, error) ||
	    !need_text(root, "pool", LIMIT_NAME_BYTES, arena, &hello.pool, error) ||
	    !get_texts(root, "labels", LIMIT_LABELS, LIMIT_LABEL_BYTES, arena, &hello.labels, &hello.label_count,
		       error) ||
	    !reader_need_int(root, "slots", 1, LIMIT_SLOTS, &slots, error) ||
	    !need_text(root, "boot", LIMIT_NAME_BYTES, arena, &hello.boot, error) ||
	    !need_text(root, "spool", LIMIT_NAME_BYTES, arena, &hello.spool, error) ||
	    !get_text(root, "host", HOST_BYTES, arena, &hello.host, error) ||
	    !reader_get_int(root, "pid", 0, INT32_MAX, 0, &hello.pid, error) ||
	    !get_text(root, "version", LIMIT_NAME_BYTES, arena, &hello.version, error) ||
	    !read_known(root, arena, &hello, error))
		return false;
	if (!text_is_name(hello.agent, LIMIT_NAME_BYTES, true) || !text_is_name(hello.pool, LIMIT_NAME_BYTES, true))
		return error_set(error, ERR_INVALID, "agent and pool are names: letters, digits, '_', '-' and '.'");
	hello.slots = (int32_t)slots;
	*(struct hello *)into = hello;
	return true;
}

bool hello_read(const char *bytes, size_t length, struct arena *arena, struct hello *hello, struct error *error)
{
	return read_document(bytes, length, arena, read_hello, hello, error);
}

void hello_answer_write(struct buffer *body, const struct hello_answer *answer)
{
	struct writer out = { .buffer = body };
	char text[ATTEMPT_TEXT_BYTES];
	writer_begin_object(&out);
	writer_key_int(&out, "session", answer->session);
	writer_key_int(&out, "lease_ms", answer->lease_ms);
	writer_key_array(&out, "forget");
	for (size_t i = 0; i < answer->forget_count; i++)
		writer_text(&out, attempt_id_format(answer->forget[i], text));
	writer_end_array(&out);
	writer_end_object(&out);
}

static bool read_hello_answer(const struct reader_at *root, struct arena *arena, void *into, struct error *error)
{
	static const char *const known[] = { "session", "lease_ms", "forget", NULL };
	struct hello_answer answer = { 0 };
	const char **forget;
	if (!reader_want_object(root, known, error) ||
	    !reader_need_int(root, "session", 1, INT64_MAX, &answer.session, error) ||
	    !reader_get_int(root, "lease_ms", 1, INT32_MAX, LIMIT_LEASE_MS, &answer.lease_ms, error) ||
	    !get_texts(root, "forget", MOST_ATTEMPTS, ATTEMPT_TEXT_BYTES, arena, &forget, &answer.forget_count, error))
		return false;
	answer.forget = ARENA_ARRAY(arena, struct attempt_id, answer.forget_count + 1);
	for (size_t i = 0; i < answer.forget_count; i++)
		if (!parse_attempt(forget[i], &answer.forget[i], error))
			return false;
	*(struct hello_answer *)into = answer;
	return true;
}

bool hello_answer_read(const char *bytes, size_t length, struct arena *arena, struct hello_answer *answer,
		       struct error *error)
{
	return read_document(bytes, length, arena, read_hello_answer, answer, error);
}

/* Reports */

static void write_output(struct writer *out, const struct report *report)
{
	writer_key_int(out, "offset", report->offset);
	if (text_is_utf8(report->bytes, report->length) && !memchr(report->bytes, '\0', report->length)) {
		writer_key(out, "text");
		writer_bytes(out, report->bytes, report->length);
	} else {
		writer_key(out, "base64");
		writer_raw(out, "\"", 1);
		base64_append(out->buffer, report->bytes, report->length);
		buffer_char(out->buffer, '"');
	}
}

static void write_ended(struct writer *out, const struct report *report)
{
	writer_key_int(out, "at_ms", report->at_ms);
	writer_key_int(out, "began_ms", report->began_ms);
	writer_key_text(out, "result", result_name(report->result));
	if (report->exit_code)
		writer_key_int(out, "exit", report->exit_code);
	if (report->signal)
		writer_key_int(out, "signal", report->signal);
	if (report->output_bytes)
		writer_key_int(out, "output_bytes", report->output_bytes);
	if (report->cut)
		writer_key_bool(out, "cut", true);
	if (report->detail && *report->detail)
		writer_key_text(out, "detail", report->detail);
}

static void write_report(struct writer *out, const struct report *report)
{
	writer_begin_object(out);
	write_attempt(out, report->attempt);
	writer_key_text(out, "is", report_names[report->kind]);
	if (report->kind == REPORT_BEGAN)
		writer_key_int(out, "at_ms", report->at_ms);
	else if (report->kind == REPORT_OUTPUT)
		write_output(out, report);
	else if (report->kind == REPORT_ENDED)
		write_ended(out, report);
	writer_end_object(out);
}

static bool read_output(const struct reader_at *at, struct arena *arena, struct report *report, struct error *error)
{
	struct reader_at text = reader_key(at, "text");
	struct reader_at base64 = reader_key(at, "base64");
	if (!reader_need_int(at, "offset", 0, INT64_MAX / 2, &report->offset, error))
		return false;
	if (!text.value == !base64.value)
		return error_set(error, ERR_INVALID, "output has \"text\" or \"base64\"");
	const char *given;
	if (text.value) {
		if (!reader_get_text(at, "text", LIMIT_OUTPUT_PART_BYTES, "", &given, error))
			return false;
		report->length = strlen(given);
		report->bytes = arena_copy(arena, given, report->length);
		return true;
	}
	char *bytes;
	if (!reader_get_text(at, "base64", LIMIT_OUTPUT_PART_BYTES * 4 / 3 + 4, "", &given, error))
		return false;
	if (!base64_read(given, arena, &bytes, &report->length) || report->length > LIMIT_OUTPUT_PART_BYTES)
		return error_set(error, ERR_INVALID, "\"base64\" is none, or more than %d bytes",
				 LIMIT_OUTPUT_PART_BYTES);
	report->bytes = bytes;
	return true;
}

static bool read_ended(const struct reader_at *at, struct arena *arena, struct report *report, struct error *error)
{
	const char *result;
	int64_t exit_code, signal;
	if (!reader_need_int(at, "at_ms", 0, INT64_MAX / 2, &report->at_ms, error) ||
	    !reader_get_int(at, "began_ms", 0, INT64_MAX / 2, 0, &report->began_ms, error) ||
	    !reader_need_text(at, "result", LIMIT_NAME_BYTES, &result, error) ||
	    !reader_get_int(at, "exit", 0, 255, 0, &exit_code, error) ||
	    !reader_get_int(at, "signal", 0, 64, 0, &signal, error) ||
	    !reader_get_int(at, "output_bytes", 0, INT64_MAX / 2, 0, &report->output_bytes, error) ||
	    !reader_get_bool(at, "cut", false, &report->cut, error) ||
	    !get_text(at, "detail", DETAIL_BYTES, arena, &report->detail, error))
		return false;
	if (!result_parse(result, &report->result) || report->result == RESULT_NONE)
		return error_set(error, ERR_INVALID, "\"%s\" is no result", result);
	report->exit_code = (int32_t)exit_code;
	report->signal = (int32_t)signal;
	return true;
}

static bool read_report(const struct reader_at *at, struct arena *arena, struct report *report, struct error *error)
{
	static const char *const known[] = { "attempt", "is", "at_ms", "result", "began_ms", "exit", "signal",
					     "output_bytes", "cut", "detail", "offset", "text", "base64", NULL };
	int kind;
	if (!reader_want_object(at, known, error) || !need_attempt(at, &report->attempt, error) ||
	    !need_name(at, "is", report_names, &kind, error))
		return false;
	report->kind = (enum report_kind)kind;
	report->detail = "";
	switch (report->kind) {
	case REPORT_BEGAN:      return reader_need_int(at, "at_ms", 0, INT64_MAX / 2, &report->at_ms, error);
	case REPORT_OUTPUT:     return read_output(at, arena, report, error);
	case REPORT_ENDED:      return read_ended(at, arena, report, error);
	case REPORT_TAKEN_BACK: return true;
	}
	return false;
}

void exchange_write(struct buffer *body, const struct exchange *exchange)
{
	struct writer out = { .buffer = body };
	writer_begin_object(&out);
	writer_key_int(&out, "session", exchange->session);
	writer_key_int(&out, "got", exchange->got);
	writer_key_int(&out, "free", exchange->free);
	writer_key_int(&out, "wait_ms", exchange->wait_ms);
	writer_key_array(&out, "reports");
	for (size_t i = 0; i < exchange->report_count; i++)
		write_report(&out, &exchange->reports[i]);
	writer_end_array(&out);
	writer_end_object(&out);
}

static bool read_exchange(const struct reader_at *root, struct arena *arena, void *into, struct error *error)
{
	static const char *const known[] = { "session", "got", "free", "wait_ms", "reports", NULL };
	struct exchange exchange = { 0 };
	struct reader_at reports = reader_key(root, "reports");
	int64_t free;
	if (!reader_want_object(root, known, error) ||
	    !reader_need_int(root, "session", 1, INT64_MAX, &exchange.session, error) ||
	    !reader_need_int(root, "got", 0, INT64_MAX, &exchange.got, error) ||
	    !reader_need_int(root, "free", 0, LIMIT_SLOTS, &free, error) ||
	    !reader_get_int(root, "wait_ms", 0, LIMIT_WAIT_MS, 0, &exchange.wait_ms, error) ||
	    !reader_want_array(&reports, LIMIT_EXCHANGE_REPORTS, &exchange.report_count, error))
		return false;
	exchange.free = (int32_t)free;
	exchange.reports = ARENA_ARRAY(arena, struct report, exchange.report_count + 1);
	for (size_t i = 0; i < exchange.report_count; i++) {
		struct reader_at at = reader_index(&reports, i);
		if (!read_report(&at, arena, &exchange.reports[i], error))
			return error_prefix(error, "reports[%zu]", i);
	}
	*(struct exchange *)into = exchange;
	return true;
}

bool exchange_read(const char *bytes, size_t length, struct arena *arena, struct exchange *exchange,
		   struct error *error)
{
	return read_document(bytes, length, arena, read_exchange, exchange, error);
}

/* Orders */

static void write_pairs(struct writer *out, const char *key, const struct text_pair *pairs, size_t count)
{
	if (count == 0)
		return;
	writer_key_object(out, key);
	for (size_t i = 0; i < count; i++)
		writer_key_text(out, pairs[i].name, pairs[i].value);
	writer_end_object(out);
}

static void write_start(struct writer *out, const struct order *order)
{
	writer_key_text(out, "tenant", order->tenant);
	writer_key_text(out, "flow", order->flow);
	writer_key_int(out, "execution", execution_id_number((struct execution_id){ order->attempt.execution }));
	writer_key_text(out, "task", order->task);
	writer_key_text(out, "type", task_type_name(order->type));
	if (order->command_count) {
		writer_key_array(out, "commands");
		for (size_t i = 0; i < order->command_count; i++)
			writer_text(out, order->commands[i]);
		writer_end_array(out);
	}
	write_pairs(out, "env", order->env, order->env_count);
	write_pairs(out, "inputs", order->inputs, order->input_count);
	if (order->message)
		writer_key_text(out, "message", order->message);
	if (order->duration_ms)
		writer_key_int(out, "duration_ms", order->duration_ms);
	if (order->timeout_ms)
		writer_key_int(out, "timeout_ms", order->timeout_ms);
}

void exchange_answer_write(struct buffer *body, const struct exchange_answer *answer)
{
	struct writer out = { .buffer = body };
	writer_begin_object(&out);
	writer_key_int(&out, "seq", answer->seq);
	writer_key_array(&out, "orders");
	for (size_t i = 0; i < answer->order_count; i++) {
		const struct order *order = &answer->orders[i];
		writer_begin_object(&out);
		writer_key_int(&out, "seq", order->seq);
		writer_key_text(&out, "do", order_names[order->kind]);
		write_attempt(&out, order->attempt);
		if (order->kind == ORDER_START)
			write_start(&out, order);
		writer_end_object(&out);
	}
	writer_end_array(&out);
	if (answer->refused_count) {
		writer_key_array(&out, "refused");
		for (size_t i = 0; i < answer->refused_count; i++) {
			writer_begin_object(&out);
			write_attempt(&out, answer->refused[i].attempt);
			writer_key_text(&out, "detail", answer->refused[i].detail);
			writer_end_object(&out);
		}
		writer_end_array(&out);
	}
	writer_end_object(&out);
}

/* The members of an object, all texts. */
static bool read_pairs(const struct reader_at *object, const char *key, size_t most, size_t most_bytes,
		       struct arena *arena, struct text_pair **pairs, size_t *count, struct error *error)
{
	struct reader_at at = reader_key(object, key);
	*count = json_object_size(at.value);
	if ((at.value && !json_is_object(at.value)) || *count > most)
		return error_set(error, ERR_INVALID, "\"%s\" is an object of at most %zu texts", key, most);
	*pairs = ARENA_ARRAY(arena, struct text_pair, *count + 1);
	const char *name;
	json_t *member;
	size_t i = 0;
	json_object_foreach(at.value, name, member) {
		const char *value;
		if (!reader_get_text(&at, name, most_bytes, "", &value, error))
			return false;
		(*pairs)[i++] = (struct text_pair){ arena_text(arena, name), arena_text(arena, value) };
	}
	return true;
}

static bool read_start(const struct reader_at *at, struct arena *arena, struct order *order, struct error *error)
{
	const char *type;
	if (!need_text(at, "tenant", LIMIT_NAME_BYTES, arena, &order->tenant, error) ||
	    !need_text(at, "flow", LIMIT_NAMESPACE_BYTES + 1 + LIMIT_NAME_BYTES, arena, &order->flow, error) ||
	    !need_text(at, "task", LIMIT_NAME_BYTES, arena, &order->task, error) ||
	    !reader_need_text(at, "type", LIMIT_NAME_BYTES, &type, error) ||
	    !get_texts(at, "commands", LIMIT_COMMANDS, LIMIT_COMMAND_BYTES, arena, &order->commands,
		       &order->command_count, error) ||
	    !read_pairs(at, "env", LIMIT_ENV, LIMIT_ENV_BYTES, arena, &order->env, &order->env_count, error) ||
	    !read_pairs(at, "inputs", LIMIT_INPUTS, LIMIT_INPUTS_BYTES, arena, &order->inputs, &order->input_count,
			error) ||
	    !get_text(at, "message", LIMIT_COMMAND_BYTES, arena, &order->message, error) ||
	    !reader_get_int(at, "duration_ms", 0, INT64_MAX / 4, 0, &order->duration_ms, error) ||
	    !reader_get_int(at, "timeout_ms", 0, INT64_MAX / 4, 0, &order->timeout_ms, error))
		return false;
	return task_type_parse(type, &order->type) || error_set(error, ERR_INVALID, "\"%s\" is no type of task", type);
}

static bool read_order(const struct reader_at *at, struct arena *arena, struct order *order, struct error *error)
{
	static const char *const known[] = { "seq", "do", "attempt", "tenant", "flow", "execution", "task", "type",
					     "commands", "env", "inputs", "message", "duration_ms", "timeout_ms",
					     NULL };
	int kind;
	if (!reader_want_object(at, known, error) || !reader_need_int(at, "seq", 1, INT64_MAX, &order->seq, error) ||
	    !need_name(at, "do", order_names, &kind, error) || !need_attempt(at, &order->attempt, error))
		return false;
	order->kind = (enum order_kind)kind;
	return order->kind != ORDER_START || read_start(at, arena, order, error);
}

static bool read_refused(const struct reader_at *array, struct arena *arena, struct exchange_answer *answer,
			 struct error *error)
{
	static const char *const known[] = { "attempt", "detail", NULL };
	if (!reader_want_array(array, LIMIT_EXCHANGE_REPORTS, &answer->refused_count, error))
		return false;
	answer->refused = ARENA_ARRAY(arena, struct refused_report, answer->refused_count + 1);
	for (size_t i = 0; i < answer->refused_count; i++) {
		struct reader_at at = reader_index(array, i);
		struct refused_report *refused = &answer->refused[i];
		if (!reader_want_object(&at, known, error) || !need_attempt(&at, &refused->attempt, error) ||
		    !get_text(&at, "detail", DETAIL_BYTES, arena, &refused->detail, error))
			return false;
	}
	return true;
}

static bool read_answer(const struct reader_at *root, struct arena *arena, void *into, struct error *error)
{
	static const char *const known[] = { "seq", "orders", "refused", NULL };
	struct exchange_answer answer = { 0 };
	struct reader_at orders = reader_key(root, "orders");
	struct reader_at refused = reader_key(root, "refused");
	if (!reader_want_object(root, known, error) ||
	    !reader_need_int(root, "seq", 0, INT64_MAX, &answer.seq, error) ||
	    !reader_want_array(&orders, MOST_ORDERS, &answer.order_count, error) ||
	    !read_refused(&refused, arena, &answer, error))
		return false;
	answer.orders = ARENA_ARRAY(arena, struct order, answer.order_count + 1);
	for (size_t i = 0; i < answer.order_count; i++) {
		struct reader_at at = reader_index(&orders, i);
		if (!read_order(&at, arena, &answer.orders[i], error))
			return error_prefix(error, "orders[%zu]", i);
	}
	*(struct exchange_answer *)into = answer;
	return true;
}

bool exchange_answer_read(const char *bytes, size_t length, struct arena *arena, struct exchange_answer *answer,
			  struct error *error)
{
	return read_document(bytes, length, arena, read_answer, answer, error);
}
