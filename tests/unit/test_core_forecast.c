#include "lib/test.h"

#include "core/forecast.h"

static struct forecast seen(const char *text)
{
	return forecast_parse(text);
}

static void a_sketch_reads_back_and_nonsense_is_an_empty_one(void **state)
{
	(void)state;
	static const char *const good[] = { "", "0", "5", "61200,59873,64010", "3155760000000,1" };
	static const char *const bad[] = {
		"x", "1,", "1,,2", ",1", "-1", "1;2", "99999999999999999", "3155760000001",
		"1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1",
	};
	char text[FORECAST_TEXT_BYTES];
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		struct forecast forecast = seen(good[i]);
		assert_string_equal(forecast_format(&forecast, text), good[i]);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(seen(bad[i]).count, 0);
	assert_int_equal(seen(NULL).count, 0);
}

static void only_the_last_runs_are_remembered(void **state)
{
	(void)state;
	struct forecast forecast = { .count = 0 };
	char text[FORECAST_TEXT_BYTES];
	for (int i = 1; i <= FORECAST_SAMPLES + 5; i++)
		forecast_add(&forecast, i);
	assert_int_equal(forecast.count, FORECAST_SAMPLES);
	assert_int_equal(forecast.samples[0], 6);
	assert_int_equal(forecast.samples[FORECAST_SAMPLES - 1], FORECAST_SAMPLES + 5);
	forecast_add(&forecast, -7);
	assert_int_equal(forecast.samples[FORECAST_SAMPLES - 1], 0);
	for (int i = 0; i < FORECAST_SAMPLES; i++)
		forecast_add(&forecast, INT64_MAX);
	assert_int_equal(seen(forecast_format(&forecast, text)).count, FORECAST_SAMPLES);
}

/* The nearest rank: a duration that was seen, never one between two. */
static void percentiles_are_durations_that_were_seen(void **state)
{
	(void)state;
	struct forecast ten = seen("10,9,8,7,6,5,4,3,2,1"), one = seen("42"), none = seen("");
	static const struct { int percent; int64_t expected; } rows[] = {
		{ 1, 1 }, { 10, 1 }, { 11, 2 }, { 50, 5 }, { 51, 6 }, { 90, 9 }, { 91, 10 }, { 100, 10 },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(forecast_percentile(&ten, rows[i].percent), rows[i].expected);
	assert_int_equal(forecast_percentile(&one, 1), 42);
	assert_int_equal(forecast_percentile(&one, 100), 42);
	assert_int_equal(forecast_percentile(&none, 50), -1);
}

/* A job of five hours is not "four minutes" because most runs of it are short: age decides which runs count. */
static void what_is_left_is_judged_by_the_runs_that_came_this_far(void **state)
{
	(void)state;
	struct forecast forecast = seen("100,100,100,100,100,100,100,5000,6000,7000");
	static const struct { int64_t age, usual, late; bool is_overdue; } rows[] = {
		{ -50, 100, 6000, false },
		{ 0, 100, 6000, false },
		{ 99, 1, 5901, false },
		{ 100, 5900, 6900, false },
		{ 5999, 1, 1001, false },
		{ 6000, 1000, 1000, false },
		{ 7000, -1, -1, true },
		{ INT64_MAX, -1, -1, true },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct remaining remaining = forecast_remaining(&forecast, rows[i].age);
		assert_int_equal(remaining.usual_ms, rows[i].usual);
		assert_int_equal(remaining.late_ms, rows[i].late);
		assert_int_equal(remaining.is_overdue, rows[i].is_overdue);
	}
}

static void where_nothing_was_seen_nothing_is_claimed(void **state)
{
	(void)state;
	struct forecast none = seen("");
	struct remaining remaining = forecast_remaining(&none, 1000);
	assert_int_equal(remaining.usual_ms, -1);
	assert_int_equal(remaining.late_ms, -1);
	assert_false(remaining.is_overdue);
}

static void what_is_left_is_positive_or_not_told(void **state)
{
	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct forecast forecast = { .count = 0 };
		for (uint64_t i = test_random(25); i > 0; i--)
			forecast_add(&forecast, (int64_t)test_random(1000));
		struct remaining remaining = forecast_remaining(&forecast, (int64_t)test_random(1200));
		if (remaining.usual_ms < 0) {
			assert_int_equal(remaining.usual_ms, -1);
			assert_int_equal(remaining.is_overdue, forecast.count > 0);
		} else {
			assert_true(remaining.usual_ms > 0 && remaining.late_ms >= remaining.usual_ms);
			assert_false(remaining.is_overdue);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sketch_reads_back_and_nonsense_is_an_empty_one),
		cmocka_unit_test(only_the_last_runs_are_remembered),
		cmocka_unit_test(percentiles_are_durations_that_were_seen),
		cmocka_unit_test(what_is_left_is_judged_by_the_runs_that_came_this_far),
		cmocka_unit_test(where_nothing_was_seen_nothing_is_claimed),
		cmocka_unit_test(what_is_left_is_positive_or_not_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
