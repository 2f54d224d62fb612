#include "lib/test.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"

static const enum error_code all_codes[] = {
#define X(code, title, status, exit_code) code,
#include "base/error.def"
#undef X
};

static void every_code_has_a_name_a_title_and_numbers_of_its_kind(void **state)
{
	(void)state;
	assert_int_equal(COUNT_OF(all_codes), ERROR_CODES - 1);
	for (size_t i = 0; i < COUNT_OF(all_codes); i++) {
		enum error_code code = all_codes[i];
		assert_int_equal(error_from_name(error_name(code)), code);
		assert_true(strlen(error_title(code)) > 0);
		assert_in_range(error_http_status(code), 400, 599);
		assert_in_range(error_exit_code(code), 1, 8);
	}
}

static void a_name_that_is_not_known_is_an_internal_error(void **state)
{
	(void)state;
	assert_int_equal(error_from_name("ERR_FROM_A_NEWER_SERVER"), ERR_INTERNAL);
	assert_int_equal(error_from_name(""), ERR_INTERNAL);
}

static void setting_an_error_clears_what_belonged_to_the_last_one(void **state)
{
	(void)state;
	struct error error = { .code = ERR_HELD, .hold = 7, .reason = "disks", .until_ms = 9 };
	assert_false(error_set(&error, ERR_NOT_FOUND, "no flow %s", "ops.backup"));
	assert_int_equal(error.code, ERR_NOT_FOUND);
	assert_string_equal(error.detail, "no flow ops.backup");
	assert_int_equal(error.hold, 0);
	assert_string_equal(error.reason, "");
	assert_int_equal(error.until_ms, 0);
	error_clear(&error);
	assert_int_equal(error.code, ERR_NONE);
}

static void an_error_may_be_set_from_its_own_detail(void **state)
{
	(void)state;
	struct error error;
	error_set(&error, ERR_INVALID, "inner");
	assert_false(error_set(&error, ERR_STORE, "outer: %s", error.detail));
	assert_string_equal(error.detail, "outer: inner");
}

static void a_prefix_stands_before_the_detail_and_keeps_the_rest(void **state)
{
	(void)state;
	struct error error;
	error_set(&error, ERR_HELD, "maintenance");
	error.hold = 3;
	assert_false(error_prefix(&error, "item %d", 2));
	assert_string_equal(error.detail, "item 2: maintenance");
	assert_int_equal(error.code, ERR_HELD);
	assert_int_equal(error.hold, 3);
}

/* Whatever the length and wherever the cut falls, no character is cut in two. */
static void a_long_detail_is_cut_at_a_whole_character(void **state)
{
	(void)state;
	struct error error;
	for (size_t ascii = 0; ascii < 8; ascii++) {
		char text[700] = "";
		memset(text, 'x', ascii);
		for (size_t length = ascii; length < 680; length += 3)
			memcpy(text + length, "\xE2\x82\xAC", 4);
		error_set(&error, ERR_INVALID, "%s", text);
		assert_in_range(strlen(error.detail), sizeof(error.detail) - 4, sizeof(error.detail) - 1);
		assert_true(text_is_utf8(error.detail, strlen(error.detail)));
		error_prefix(&error, "%s", "flow");
		assert_true(text_is_utf8(error.detail, strlen(error.detail)));
		error_prefix(&error, "%s%s", text, text);
		assert_true(text_is_utf8(error.detail, strlen(error.detail)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_has_a_name_a_title_and_numbers_of_its_kind),
		cmocka_unit_test(a_name_that_is_not_known_is_an_internal_error),
		cmocka_unit_test(setting_an_error_clears_what_belonged_to_the_last_one),
		cmocka_unit_test(an_error_may_be_set_from_its_own_detail),
		cmocka_unit_test(a_prefix_stands_before_the_detail_and_keeps_the_rest),
		cmocka_unit_test(a_long_detail_is_cut_at_a_whole_character),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
