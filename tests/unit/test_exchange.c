#include "lib/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "wire/base64.h"
#include "wire/exchange.h"

#define SESSION "{\"session\":1,\"got\":0,\"free\":1"
#define REPORT(members) SESSION ",\"reports\":[{\"attempt\":\"1099511627777.0.1\"," members "}]}"
#define FIRST ((struct attempt_id){ EXECUTION_NUMBER_LIMIT + 7, 3, 2 })
#define SECOND ((struct attempt_id){ 5 * EXECUTION_NUMBER_LIMIT + 1, 0, 1 })

static void hello_is_read_as_it_was_written(void **state)
{
	(void)state;
	const char *labels[] = { "linux", "has \"quotes\"" };
	struct known_attempt known[] = { { FIRST, KNOWN_HANDED }, { SECOND, KNOWN_ENDED } };
	struct hello hello = {
		.agent = "local", .pool = "default", .labels = labels, .label_count = 2, .slots = 8, .boot = "boot",
		.spool = "spool", .host = "db1", .version = "0.1.0", .pid = 4711, .attempts = known, .attempt_count = 2,
	};
	struct buffer body = { 0 };
	struct arena arena = { 0 };
	struct hello read;
	struct error error;
	hello_write(&body, &hello);
	assert_works(hello_read(body.at, body.length, &arena, &read, &error));
	assert_string_equal(read.agent, "local");
	assert_string_equal(read.pool, "default");
	assert_int_equal(read.label_count, 2);
	assert_string_equal(read.labels[1], labels[1]);
	assert_int_equal(read.slots, 8);
	assert_string_equal(read.boot, "boot");
	assert_string_equal(read.spool, "spool");
	assert_string_equal(read.host, "db1");
	assert_string_equal(read.version, "0.1.0");
	assert_int_equal(read.pid, 4711);
	assert_int_equal(read.attempt_count, 2);
	assert_true(attempt_id_same(read.attempts[0].attempt, FIRST));
	assert_int_equal(read.attempts[1].phase, KNOWN_ENDED);
	arena_fini(&arena);
	buffer_fini(&body);
}

static void the_answer_to_hello_is_read_as_it_was_written(void **state)
{
	(void)state;
	struct attempt_id forget[] = { FIRST, SECOND };
	struct hello_answer answer = { .session = INT64_MAX, .lease_ms = 60000, .forget = forget, .forget_count = 2 };
	struct buffer body = { 0 };
	struct arena arena = { 0 };
	struct hello_answer read;
	struct error error;
	hello_answer_write(&body, &answer);
	assert_works(hello_answer_read(body.at, body.length, &arena, &read, &error));
	assert_int_equal(read.session, INT64_MAX);
	assert_int_equal(read.lease_ms, 60000);
	assert_int_equal(read.forget_count, 2);
	assert_true(attempt_id_same(read.forget[1], SECOND));
	arena_fini(&arena);
	buffer_fini(&body);
}

static void reports_are_read_as_they_were_written(void **state)
{
	(void)state;
	static const char binary[] = { 'a', '\0', '\xFF', '\n' };
	struct report reports[] = {
		{ .attempt = FIRST, .kind = REPORT_BEGAN, .at_ms = 1700000000000 },
		{ .attempt = FIRST, .kind = REPORT_OUTPUT, .offset = 12, .bytes = "grüße\n", .length = 8 },
		{ .attempt = FIRST, .kind = REPORT_OUTPUT, .offset = 20, .bytes = binary, .length = 4 },
		{ .attempt = FIRST, .kind = REPORT_ENDED, .at_ms = 5, .began_ms = 4, .result = RESULT_FAILED,
		  .exit_code = 255, .signal = 9, .output_bytes = 24, .cut = true, .detail = "a \"reason\"" },
		{ .attempt = SECOND, .kind = REPORT_TAKEN_BACK },
	};
	struct exchange exchange = { .session = 17, .got = 4, .free = 3, .wait_ms = 30000, .reports = reports,
				     .report_count = COUNT_OF(reports) };
	struct buffer body = { 0 };
	struct arena arena = { 0 };
	struct exchange read;
	struct error error;
	exchange_write(&body, &exchange);
	assert_works(exchange_read(body.at, body.length, &arena, &read, &error));
	assert_int_equal(read.session, 17);
	assert_int_equal(read.got, 4);
	assert_int_equal(read.free, 3);
	assert_int_equal(read.wait_ms, 30000);
	assert_int_equal(read.report_count, COUNT_OF(reports));
	assert_int_equal(read.reports[0].at_ms, 1700000000000);
	assert_int_equal(read.reports[1].offset, 12);
	assert_int_equal(read.reports[1].length, 8);
	assert_memory_equal(read.reports[1].bytes, "grüße\n", 8);
	assert_int_equal(read.reports[2].length, 4);
	assert_memory_equal(read.reports[2].bytes, binary, 4);
	const struct report *ended = &read.reports[3];
	assert_int_equal(ended->result, RESULT_FAILED);
	assert_int_equal(ended->exit_code, 255);
	assert_int_equal(ended->signal, 9);
	assert_int_equal(ended->began_ms, 4);
	assert_int_equal(ended->output_bytes, 24);
	assert_true(ended->cut);
	assert_string_equal(ended->detail, "a \"reason\"");
	assert_int_equal(read.reports[4].kind, REPORT_TAKEN_BACK);
	assert_true(attempt_id_same(read.reports[4].attempt, SECOND));
	arena_fini(&arena);
	buffer_fini(&body);
}

static void orders_are_read_as_they_were_written(void **state)
{
	(void)state;
	const char *commands[] = { "echo 'a'", "exit 1" };
	struct text_pair env[] = { { "A", "b" }, { "EMPTY", "" } };
	struct text_pair inputs[] = { { "DAY", "mon\nday" } };
	struct order orders[] = {
		{ .seq = 5, .kind = ORDER_START, .attempt = FIRST, .tenant = "main", .flow = "ops.backup",
		  .task = "dump", .type = TASK_SHELL, .commands = commands, .command_count = 2,
		  .env = env, .env_count = 2, .inputs = inputs, .input_count = 1, .timeout_ms = 60000 },
		{ .seq = 6, .kind = ORDER_START, .attempt = FIRST, .tenant = "main", .flow = "a.b", .task = "t",
		  .type = TASK_LOG, .message = "said" },
		{ .seq = 7, .kind = ORDER_START, .attempt = FIRST, .tenant = "main", .flow = "a.b", .task = "t",
		  .type = TASK_SLEEP, .duration_ms = 10 },
		{ .seq = 8, .kind = ORDER_TAKE_BACK, .attempt = SECOND },
	};
	struct refused_report refused[] = { { SECOND, "not yours" } };
	struct exchange_answer answer = { .seq = 8, .orders = orders, .order_count = COUNT_OF(orders),
					  .refused = refused, .refused_count = 1 };
	struct buffer body = { 0 };
	struct arena arena = { 0 };
	struct exchange_answer read;
	struct error error;
	exchange_answer_write(&body, &answer);
	assert_works(exchange_answer_read(body.at, body.length, &arena, &read, &error));
	assert_int_equal(read.seq, 8);
	assert_int_equal(read.order_count, COUNT_OF(orders));
	const struct order *start = &read.orders[0];
	assert_int_equal(start->command_count, 2);
	assert_string_equal(start->commands[0], "echo 'a'");
	assert_int_equal(start->env_count, 2);
	assert_string_equal(start->env[1].name, "EMPTY");
	assert_string_equal(start->env[1].value, "");
	assert_string_equal(start->inputs[0].value, "mon\nday");
	assert_string_equal(start->tenant, "main");
	assert_string_equal(start->flow, "ops.backup");
	assert_string_equal(start->task, "dump");
	assert_int_equal(start->type, TASK_SHELL);
	assert_int_equal(start->timeout_ms, 60000);
	assert_string_equal(read.orders[1].message, "said");
	assert_int_equal(read.orders[2].duration_ms, 10);
	assert_int_equal(read.orders[3].kind, ORDER_TAKE_BACK);
	assert_true(attempt_id_same(read.orders[3].attempt, SECOND));
	assert_int_equal(read.refused_count, 1);
	assert_string_equal(read.refused[0].detail, "not yours");
	arena_fini(&arena);
	buffer_fini(&body);
}

/* What an agent may never make a server believe. */
static void an_exchange_that_is_none_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *body;
		const char *part;
	} rows[] = {
		{ "[]", "must be an object" },
		{ "{\"got\":0,\"free\":1}", "session is missing" },
		{ "{\"session\":1,\"got\":0,\"free\":100000}", "free must be an integer" },
		{ SESSION ",\"wait_ms\":9999999}", "wait_ms must be an integer" },
		{ SESSION ",\"secret\":1}", "secret" },
		{ SESSION ",\"reports\":[{\"attempt\":\"7\",\"is\":\"began\"}]}",
		  "reports[0]: \"7\" names no attempt" },
		{ REPORT("\"is\":\"gone\""), "cannot be \"gone\"" },
		{ REPORT("\"is\":\"ended\",\"at_ms\":1,\"result\":\"none\""), "is no result" },
		{ REPORT("\"is\":\"ended\",\"at_ms\":1,\"result\":\"failed\",\"exit\":256"),
		  "exit must be an integer" },
		{ REPORT("\"is\":\"output\",\"offset\":-1,\"text\":\"\""), "offset must be an integer" },
		{ REPORT("\"is\":\"output\",\"offset\":0"), "\"text\" or \"base64\"" },
		{ REPORT("\"is\":\"output\",\"offset\":0,\"base64\":\"a\""), "\"base64\" is none" },
	};
	struct arena arena = { 0 };
	struct exchange untouched = { .session = -1 };
	struct error error;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_refuses(exchange_read(rows[i].body, strlen(rows[i].body), &arena, &untouched, &error),
			       ERR_INVALID, rows[i].part);
	assert_int_equal(untouched.session, -1);
	arena_fini(&arena);
}

static void output_of_one_report_is_bounded(void **state)
{
	(void)state;
	static char bytes[LIMIT_OUTPUT_PART_BYTES + 1];
	struct arena arena = { 0 };
	struct error error;
	for (int is_text = 0; is_text <= 1; is_text++) {
		for (size_t more = 0; more <= 1; more++) {
			memset(bytes, is_text ? 'x' : 0xFF, sizeof(bytes));
			struct report report = { .attempt = FIRST, .kind = REPORT_OUTPUT, .bytes = bytes,
						 .length = LIMIT_OUTPUT_PART_BYTES + more };
			struct exchange exchange = { .session = 1, .reports = &report, .report_count = 1 };
			struct buffer body = { 0 };
			struct exchange read;
			exchange_write(&body, &exchange);
			bool is_taken = exchange_read(body.at, body.length, &arena, &read, &error);
			assert_int_equal(is_taken, more == 0);
			buffer_fini(&body);
		}
	}
	arena_fini(&arena);
}

static void base64_is_that_of_the_standard(void **state)
{
	(void)state;
	/* RFC 4648, section 10. */
	static const char *const rows[][2] = {
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
	};
	struct arena arena = { 0 };
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct buffer text = { 0 };
		char *bytes;
		size_t length;
		base64_append(&text, rows[i][0], strlen(rows[i][0]));
		assert_string_equal(buffer_cstr(&text), rows[i][1]);
		assert_true(base64_read(rows[i][1], &arena, &bytes, &length));
		assert_int_equal(length, strlen(rows[i][0]));
		assert_memory_equal(bytes, rows[i][0], length);
		buffer_fini(&text);
	}
	static const char *const none[] = { "Z", "Zg", "Zg=", "Zh==", "Zm9=", "====", "Zg==Zg==", "Zm9v\n", "Z m9",
					    "Zm-_" };
	for (size_t i = 0; i < COUNT_OF(none); i++) {
		char *bytes = NULL;
		size_t length = 0;
		if (base64_read(none[i], &arena, &bytes, &length))
			fail_msg("\"%s\" was taken for base64", none[i]);
	}
	arena_fini(&arena);
}

static void base64_gives_back_any_bytes(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	for (size_t length = 0; length < 200; length++) {
		unsigned char bytes[200];
		for (size_t i = 0; i < length; i++)
			bytes[i] = (unsigned char)test_random(256);
		struct buffer text = { 0 };
		char *read;
		size_t read_length;
		base64_append(&text, bytes, length);
		assert_true(base64_read(buffer_cstr(&text), &arena, &read, &read_length));
		assert_int_equal(read_length, length);
		assert_memory_equal(read, bytes, length);
		buffer_fini(&text);
	}
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hello_is_read_as_it_was_written),
		cmocka_unit_test(the_answer_to_hello_is_read_as_it_was_written),
		cmocka_unit_test(reports_are_read_as_they_were_written),
		cmocka_unit_test(orders_are_read_as_they_were_written),
		cmocka_unit_test(an_exchange_that_is_none_is_refused),
		cmocka_unit_test(output_of_one_report_is_bounded),
		cmocka_unit_test(base64_is_that_of_the_standard),
		cmocka_unit_test(base64_gives_back_any_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
