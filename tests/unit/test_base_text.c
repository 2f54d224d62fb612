#include "lib/test.h"

#include <string.h>

#include "base/text.h"

static void a_number_is_decimal_whole_and_within_its_bounds(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"", "-", "+1", " 1", "1 ", "1.0", "1e3", "0x10", "--1", "1a", "9223372036854775808",
		"-9223372036854775809", "99999999999999999999999",
	};
	int64_t number = 7;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_false(text_to_int64(bad[i], INT64_MIN, INT64_MAX, &number));
	assert_false(text_to_int64("11", 0, 10, &number));
	assert_false(text_to_int64("-1", 0, 10, &number));
	assert_int_equal(number, 7);

	assert_true(text_to_int64("10", 0, 10, &number));
	assert_int_equal(number, 10);
	assert_true(text_to_int64("-0", 0, 10, &number));
	assert_int_equal(number, 0);
	assert_true(text_to_int64("9223372036854775807", INT64_MIN, INT64_MAX, &number));
	assert_int_equal(number, INT64_MAX);
	assert_true(text_to_int64("-9223372036854775808", INT64_MIN, INT64_MAX, &number));
	assert_true(number == INT64_MIN);
}

/* Writes a code point as UTF-8 would if it had no rules; answers its length. */
static size_t encode(uint32_t point, size_t length, char *bytes)
{
	static const unsigned char firsts[] = { 0, 0x00, 0xC0, 0xE0, 0xF0 };
	for (size_t i = length - 1; i > 0; i--, point >>= 6)
		bytes[i] = (char)(0x80 | (point & 0x3F));
	bytes[0] = (char)(firsts[length] | point);
	return length;
}

/* Every code point in every length that could hold it: right in exactly one, surrogates in none (RFC 3629). */
static void utf8_is_the_shortest_form_of_a_scalar_value(void **state)
{
	(void)state;
	static const uint32_t ends[] = { 0, 0x80, 0x800, 0x10000, 0x200000 };
	for (size_t length = 1; length <= 4; length++) {
		for (uint32_t point = 0; point < ends[length]; point++) {
			char bytes[4];
			encode(point, length, bytes);
			bool expected = point >= ends[length - 1] && point <= 0x10FFFF &&
					!(point >= 0xD800 && point <= 0xDFFF);
			if (text_is_utf8(bytes, length) != expected)
				fail_msg("U+%04X in %zu bytes", point, length);
			if (length > 1 && text_is_utf8(bytes, length - 1))
				fail_msg("U+%04X, the first %zu of %zu bytes", point, length - 1, length);
		}
	}
	assert_true(text_is_utf8("", 0));
	assert_false(text_is_utf8("\x80", 1));
	assert_false(text_is_utf8("\xF8\x88\x80\x80\x80", 5));
}

static void what_is_not_utf8_becomes_replacement_marks(void **state)
{
	(void)state;
	static const struct { const char *bytes, *expected; } rows[] = {
		{ "plain", "plain" },
		{ "\xC3\xA9t\xC3\xA9", "\xC3\xA9t\xC3\xA9" },
		{ "a\xFF" "b", "a\xEF\xBF\xBD" "b" },
		{ "\xC3", "\xEF\xBF\xBD" },
		{ "\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD" },
		{ "x\xE2\x82", "x\xEF\xBF\xBD\xEF\xBF\xBD" },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct buffer buffer = { 0 };
		text_append_utf8(&buffer, rows[i].bytes, strlen(rows[i].bytes));
		assert_string_equal(buffer_cstr(&buffer), rows[i].expected);
		buffer_fini(&buffer);
	}
	for (int round = 0; round < 20000; round++) {
		struct buffer buffer = { 0 };
		char bytes[12];
		size_t length = test_random(sizeof(bytes) + 1);
		for (size_t i = 0; i < length; i++)
			bytes[i] = (char)test_random(256);
		text_append_utf8(&buffer, bytes, length);
		assert_true(text_is_utf8(buffer_cstr(&buffer), buffer.length));
		if (text_is_utf8(bytes, length))
			assert_int_equal(buffer.length, length);
		buffer_fini(&buffer);
	}
}

static void a_name_begins_with_a_letter_or_digit_and_is_bounded(void **state)
{
	(void)state;
	assert_true(text_is_name("a", 1, false));
	assert_true(text_is_name("Nightly_backup-2", 63, false));
	assert_true(text_is_name("0", 63, false));
	assert_true(text_is_name("ops.db", 63, true));
	static const char *const bad[] = {
		"", "-a", "_a", ".a", "a b", "a/b", "\xC3\xA9", "a\n", "ops.db", "abcdefghi",
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_false(text_is_name(bad[i], 8, false));
}

static void a_slip_of_the_hand_finds_what_was_meant(void **state)
{
	(void)state;
	static const char *const commands[] = { "enter", "status", "wait", "suspend", "end", "stop", "kill", NULL };
	static const struct { const char *typed, *meant; } rows[] = {
		{ "stauts", "status" }, { "statsu", "status" }, { "sus", "suspend" }, { "entr", "enter" },
		{ "wiat", "wait" }, { "kil", "kill" }, { "stpo", "stop" }, { "end", "end" },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_string_equal(text_nearest(rows[i].typed, commands), rows[i].meant);
	assert_null(text_nearest("", commands));
	assert_null(text_nearest("maintenance", commands));
	char endless[5000];
	memset(endless, 's', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = '\0';
	assert_null(text_nearest(endless, commands));
	const char *const wide[] = { endless, NULL };
	assert_null(text_nearest("stop", wide));
}

static void secrets_are_the_same_only_in_every_byte(void **state)
{
	(void)state;
	unsigned char a[32], b[32];
	memset(a, 0x5A, sizeof(a));
	memcpy(b, a, sizeof(b));
	assert_true(text_same_secret(a, b, sizeof(a)));
	for (size_t i = 0; i < 8 * sizeof(a); i++) {
		b[i / 8] ^= (unsigned char)BIT(i % 8);
		assert_false(text_same_secret(a, b, sizeof(a)));
		b[i / 8] ^= (unsigned char)BIT(i % 8);
	}
	assert_true(text_same_secret(a, "", 0));
}

static void hexadecimal_is_lower_case_and_ends_in_nul(void **state)
{
	(void)state;
	char hex[9];
	text_hex("\x00\x0F\xA5\xFF", 4, hex);
	assert_string_equal(hex, "000fa5ff");
	text_hex("", 0, hex);
	assert_string_equal(hex, "");
}

static void a_text_starts_with_each_of_its_beginnings(void **state)
{
	(void)state;
	assert_true(text_starts_with("/v1/flows", "/v1/"));
	assert_true(text_starts_with("/v1", ""));
	assert_false(text_starts_with("/v", "/v1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_is_decimal_whole_and_within_its_bounds),
		cmocka_unit_test(utf8_is_the_shortest_form_of_a_scalar_value),
		cmocka_unit_test(what_is_not_utf8_becomes_replacement_marks),
		cmocka_unit_test(a_name_begins_with_a_letter_or_digit_and_is_bounded),
		cmocka_unit_test(a_slip_of_the_hand_finds_what_was_meant),
		cmocka_unit_test(secrets_are_the_same_only_in_every_byte),
		cmocka_unit_test(hexadecimal_is_lower_case_and_ends_in_nul),
		cmocka_unit_test(a_text_starts_with_each_of_its_beginnings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
