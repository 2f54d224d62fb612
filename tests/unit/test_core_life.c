#include "lib/test.h"

#include <string.h>

#include "core/id.h"
#include "core/life.h"

static void every_state_and_result_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (int i = 0; i < EXECUTION_STATES; i++) {
		enum execution_state parsed;
		assert_true(execution_state_parse(execution_state_name((enum execution_state)i), &parsed));
		assert_int_equal(parsed, i);
	}
	for (int i = 0; i < RESULTS; i++) {
		enum result parsed;
		assert_true(result_parse(result_name((enum result)i), &parsed));
		assert_int_equal(parsed, i);
	}
	for (int i = 0; i < ATTEMPT_STATES; i++)
		for (int k = 0; k < i; k++)
			assert_string_not_equal(attempt_state_name((enum attempt_state)i),
						attempt_state_name((enum attempt_state)k));
	enum execution_state untouched = EXECUTION_LOST;
	enum result same = RESULT_KILLED;
	assert_false(execution_state_parse("held", &untouched));
	assert_false(result_parse("", &same));
	assert_int_equal(untouched, EXECUTION_LOST);
	assert_int_equal(same, RESULT_KILLED);
}

/* The drawings of life.h as text, one row a state: what may follow. */
static void lives_are_as_drawn(void **state)
{
	(void)state;
	static const struct { enum execution_state from; const char *next; } executions[] = {
		{ EXECUTION_QUEUED,   "running cancelled " },
		{ EXECUTION_RUNNING,  "queued stopping killing succeeded failed timed_out lost " },
		{ EXECUTION_STOPPING, "killing succeeded failed timed_out stopped killed lost " },
		{ EXECUTION_KILLING,  "succeeded failed timed_out stopped killed lost " },
	};
	for (int from = 0; from < EXECUTION_STATES; from++) {
		char next[200] = "";
		for (int to = 0; to < EXECUTION_STATES; to++)
			if (execution_may_become((enum execution_state)from, (enum execution_state)to))
				strcat(strcat(next, execution_state_name((enum execution_state)to)), " ");
		assert_string_equal(next, from < (int)COUNT_OF(executions) ? executions[from].next : "");
	}
	static const char *const attempts[ATTEMPT_STATES] = {
		[ATTEMPT_HANDED]     = "running stopping killing ended taken_back ",
		[ATTEMPT_RUNNING]    = "stopping killing ended ",
		[ATTEMPT_STOPPING]   = "killing ended taken_back ",
		[ATTEMPT_KILLING]    = "ended taken_back ",
		[ATTEMPT_ENDED]      = "",
		[ATTEMPT_TAKEN_BACK] = "",
	};
	for (int from = 0; from < ATTEMPT_STATES; from++) {
		char next[200] = "";
		for (int to = 0; to < ATTEMPT_STATES; to++)
			if (attempt_may_become((enum attempt_state)from, (enum attempt_state)to))
				strcat(strcat(next, attempt_state_name((enum attempt_state)to)), " ");
		assert_string_equal(next, attempts[from]);
	}
}

static void only_what_is_open_has_successors(void **state)
{
	(void)state;
	for (int from = 0; from < EXECUTION_STATES; from++) {
		bool has_next = false;
		for (int to = 0; to < EXECUTION_STATES; to++)
			has_next = has_next ||
				   execution_may_become((enum execution_state)from, (enum execution_state)to);
		assert_int_equal(has_next, execution_is_open((enum execution_state)from));
	}
	for (int from = 0; from < ATTEMPT_STATES; from++) {
		bool has_next = false;
		for (int to = 0; to < ATTEMPT_STATES; to++)
			has_next = has_next || attempt_may_become((enum attempt_state)from, (enum attempt_state)to);
		assert_int_equal(has_next, attempt_is_open((enum attempt_state)from));
	}
}

static void an_execution_id_carries_tenant_and_number(void **state)
{
	(void)state;
	static const int64_t tenants[] = { 1, 2, (1 << 22) - 1 };
	static const int64_t numbers[] = { 1, 2, EXECUTION_NUMBER_LIMIT - 1 };
	for (size_t t = 0; t < COUNT_OF(tenants); t++) {
		for (size_t n = 0; n < COUNT_OF(numbers); n++) {
			struct execution_id id = execution_id_make((struct tenant_id){ tenants[t] }, numbers[n]);
			assert_int_equal(execution_id_tenant(id).value, tenants[t]);
			assert_int_equal(execution_id_number(id), numbers[n]);
		}
	}
}

static void an_attempts_name_reads_back(void **state)
{
	(void)state;
	struct attempt_id id = { execution_id_make((struct tenant_id){ 1 }, 1).value, 0, 1 }, read;
	char text[ATTEMPT_TEXT_BYTES];
	assert_string_equal(attempt_id_format(id, text), "1099511627777.0.1");
	assert_true(attempt_id_parse(text, &read));
	assert_true(attempt_id_same(id, read));
	static const char *const bad[] = {
		"", ".", "1.0.1", "1099511627777.0", "1099511627777.0.0", "1099511627777.0.1.", "1099511627777.-1.1",
		"1099511627777..1", "1099511627777.0.1x", " 1099511627777.0.1", "1099511627777.0.2147483648",
		"99999999999999999999999.0.1", "../../etc",
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_false(attempt_id_parse(bad[i], &read));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_and_result_has_a_name_of_its_own),
		cmocka_unit_test(lives_are_as_drawn),
		cmocka_unit_test(only_what_is_open_has_successors),
		cmocka_unit_test(an_execution_id_carries_tenant_and_number),
		cmocka_unit_test(an_attempts_name_reads_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
