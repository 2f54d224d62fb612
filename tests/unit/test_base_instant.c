#include "lib/test.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/instant.h"

struct reading {
	const char *text;
	int64_t ms;
};

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Day by day from 1970 to 2404, counted by hand: every leap rule comes by, and the exception of 2100. */
static void every_day_is_written_and_read_as_the_calendar_counts_it(void **state)
{
	(void)state;
	static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	struct error error;
	instant day = 0;
	for (int year = 1970; year < 2405; year++) {
		for (int month = 1; month <= 12; month++) {
			int length = lengths[month - 1] + (month == 2 && is_leap(year));
			for (int number = 1; number <= length; number++, day += 86400000) {
				char expected[64], text[INSTANT_TEXT_BYTES];
				snprintf(expected, sizeof(expected), "%04d-%02d-%02dT23:59:58.007Z", year, month,
					 number);
				instant at = day + 86398007, read;
				assert_string_equal(instant_format(at, text), expected);
				assert_works(instant_parse(text, &read, &error));
				assert_int_equal(read, at);
			}
			char text[64];
			instant read = 7;
			snprintf(text, sizeof(text), "%04d-%02d-%02dT00:00:00Z", year, month, length + 1);
			assert_refuses(instant_parse(text, &read, &error), ERR_INVALID, text);
			assert_int_equal(read, 7);
		}
	}
}

static void an_instant_is_read_in_every_form_of_rfc_3339(void **state)
{
	(void)state;
	static const struct reading good[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1970-01-01t00:00:00z", 0 },
		{ "1970-01-01 00:00:01Z", 1000 },
		{ "1970-01-01T00:00:00.5Z", 500 },
		{ "1970-01-01T00:00:00.0019999999999999999999Z", 1 },
		{ "1970-01-01T01:00:00+01:00", 0 },
		{ "1970-01-01T00:00:00-00:30", 1800000 },
		{ "2026-11-21T04:30:00.123+05:45", INT64_C(1795214700123) },
		{ "2024-02-29T23:59:59+23:59", INT64_C(1709164859000) },
		{ "2016-12-31T23:59:60Z", INT64_C(1483228800000) },         /* a leap second is the next one */
		{ "9999-12-31T23:59:59.999Z", INT64_C(253402300799999) },
	};
	struct error error;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		instant at;
		assert_works(instant_parse(good[i].text, &at, &error));
		assert_int_equal(at, good[i].ms);
	}
}

static void what_is_no_instant_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"", "now", "2026-11-21", "2026-11-21T04:30Z", "2026-11-21T04:30:00", "2026-11-21T04:30:00.Z",
		"2026-11-21T04:30:00+1:00", "2026-11-21T04:30:00+0100", "2026-11-21T04:30:00+24:00",
		"2026-11-21T04:30:00+01:60", "2026-11-21T04:30:00Z ", " 2026-11-21T04:30:00Z",
		"2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z",
		"2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z", "1969-12-31T23:59:59Z", "12026-01-01T00:00:00Z",
		"2100-02-29T00:00:00Z", "2026-01-01T00:00:00.5.5Z", "+2026-01-01T00:00:00Z", "2026-1-01T00:00:00Z",
		"9999-12-31T23:59:59-00:01", "1970-01-01T00:00:00+00:01",
	};
	struct error error;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		instant at = 7;
		assert_refuses(instant_parse(bad[i], &at, &error), ERR_INVALID, "is no instant");
		assert_int_equal(at, 7);
	}
}

static void a_duration_is_read_in_iso_8601_and_in_the_short_form(void **state)
{
	(void)state;
	static const struct reading good[] = {
		{ "0", 0 }, { "0s", 0 }, { "PT0S", 0 }, { "P0D", 0 },
		{ "250ms", 250 }, { "90s", 90000 }, { "15m", 900000 }, { "1h30m", 5400000 }, { "2d", 172800000 },
		{ "1d2h3m4s5ms", 93784005 }, { "1.5h", 5400000 }, { "0.25s", 250 }, { "2.5s", 2500 },
		{ "PT15M", 900000 }, { "P1DT2H", 93600000 }, { "P2W", 1209600000 }, { "PT1H30M", 5400000 },
		{ "PT0.250S", 250 }, { "PT0,5S", 500 }, { "PT1.0009S", 1000 }, { "P1W1DT1S", 691201000 },
		{ "P36525D", INT64_C(3155760000000) }, { "3155760000s", INT64_C(3155760000000) },
	};
	struct error error;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		int64_t ms;
		assert_works(duration_parse(good[i].text, &ms, &error));
		assert_int_equal(ms, good[i].ms);
	}
}

static void what_is_no_duration_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"", "5", "-5s", "+5s", "1.5", "s", "5 s", "5s ", "5x", "1m1h", "1s1s", "0.5ms", "1.s", ".5s", "00",
		"P", "PT", "P1DT", "P1H", "PT1D", "P1Y", "P1M", "PT1S1M", "P1D1W", "PT1HT1M", "p1d", "PT1s", "1H",
		"P36525DT1S", "36526d", "99999999999999999999s", "999999999999s", "P99999999999W",
	};
	struct error error;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		int64_t ms = 7;
		assert_refuses(duration_parse(bad[i], &ms, &error), ERR_INVALID, "is no duration");
		assert_int_equal(ms, 7);
	}
}

static void a_duration_that_was_written_is_read_as_the_same(void **state)
{
	(void)state;
	static const int64_t scales[] = { 1, 1000, 60000, 3600000, 86400000 };
	char text[DURATION_TEXT_BYTES];
	struct error error;
	assert_string_equal(duration_format(0, text), "PT0S");
	assert_string_equal(duration_format(250, text), "PT0.250S");
	assert_string_equal(duration_format(5400000, text), "PT1H30M");
	assert_string_equal(duration_format(187200000, text), "P2DT4H");
	assert_string_equal(duration_format(86400000, text), "P1D");
	assert_true(strlen(duration_format(INT64_MAX, text)) < DURATION_TEXT_BYTES);
	for (int i = 0; i < 20000; i++) {
		int64_t ms = (int64_t)test_random(36525) * scales[test_random(COUNT_OF(scales))], read;
		assert_works(duration_parse(duration_format(ms, text), &read, &error));
		assert_int_equal(read, ms);
	}
}

static void people_see_the_two_largest_units(void **state)
{
	(void)state;
	static const struct reading shown[] = {
		{ "0ms", 0 }, { "999ms", 999 }, { "1.0s", 1000 }, { "2.4s", 2499 }, { "59s", 59999 },
		{ "1m 0s", 60000 }, { "59m 59s", 3599999 }, { "1h 30m", 5400000 }, { "2d 4h", 187200000 },
	};
	char text[DURATION_TEXT_BYTES];
	for (size_t i = 0; i < COUNT_OF(shown); i++)
		assert_string_equal(duration_human(shown[i].ms, text), shown[i].text);
}

static void any_number_can_be_written_as_an_instant(void **state)
{
	(void)state;
	char text[INSTANT_TEXT_BYTES];
	assert_string_equal(instant_format(-1, text), "1969-12-31T23:59:59.999Z");
	assert_string_equal(instant_format(-1000, text), "1969-12-31T23:59:59.000Z");
	assert_true(strlen(instant_format(INT64_MAX, text)) < INSTANT_TEXT_BYTES);
	assert_true(strlen(instant_format(INT64_MIN, text)) < INSTANT_TEXT_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_day_is_written_and_read_as_the_calendar_counts_it),
		cmocka_unit_test(an_instant_is_read_in_every_form_of_rfc_3339),
		cmocka_unit_test(what_is_no_instant_is_refused),
		cmocka_unit_test(a_duration_is_read_in_iso_8601_and_in_the_short_form),
		cmocka_unit_test(what_is_no_duration_is_refused),
		cmocka_unit_test(a_duration_that_was_written_is_read_as_the_same),
		cmocka_unit_test(people_see_the_two_largest_units),
		cmocka_unit_test(any_number_can_be_written_as_an_instant),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
