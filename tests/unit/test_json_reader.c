#include "lib/test.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/limits.h"
#include "json/reader.h"

static json_t *parsed(const char *text)
{
	struct error error;
	json_t *root;
	assert_works(reader_parse(text, strlen(text), &root, &error));
	return root;
}

struct refusal {
	const char *text;
	const char *detail;        /* a part of it */
};

static void what_is_not_strict_json_is_refused_with_its_place(void **state)
{
	(void)state;
	static const struct refusal rows[] = {
		{ "", "line 1, column 0" },
		{ "7", "line 1, column 1" },
		{ "\"text\"", "line 1" },
		{ "{\"a\":1}x", "line 1, column 8" },
		{ "{\n \"a\": tru }", "line 2" },
		{ "{'a':1}", "line 1" },
		{ "{\"a\":1,}", "line 1" },
		{ "[1,,2]", "line 1" },
		{ "[01]", "line 1" },
		{ "[.5]", "line 1" },
		{ "[NaN]", "line 1" },
		{ "[1e400]", "real number overflow" },
		{ "[9223372036854775808]", "too big integer" },
		{ "[\"\xFF\"]", "unable to decode byte 0xff" },
		{ "[\"\xED\xA0\x80\"]", "unable to decode byte 0xed" },
		{ "[\"\\ud800\"]", "line 1" },
		{ "[\"\\u0000\"]", "\\u0000" },
		{ "[\"a\nb\"]", "unexpected newline" },
		{ "[\"a\tb\"]", "control character" },
		{ "{\"a\":1,\"a\":1}", "duplicate object key" },
		{ "{\"o\":{\"a\":1,\"b\":2,\"a\":3}}", "duplicate object key" },
		{ "[1] // no comment", "line 1" },
	};
	struct error error;
	json_t *root = NULL;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_refuses(reader_parse(rows[i].text, strlen(rows[i].text), &root, &error), ERR_INVALID,
			       rows[i].detail);
		assert_null(root);
	}
	assert_refuses(reader_parse("[1]\0", 4, &root, &error), ERR_INVALID, "line 1");
	assert_refuses(reader_parse("{\"a\0b\":1}", 9, &root, &error), ERR_INVALID, "line 1");
}

static void nested(struct buffer *text, int depth)
{
	buffer_reset(text);
	for (int i = 0; i < depth; i++)
		buffer_text(text, i % 2 ? "[" : "{\"a\":");
	if (depth % 2)
		buffer_text(text, "1");
	for (int i = depth - 1; i >= 0; i--)
		buffer_char(text, i % 2 ? ']' : '}');
}

static void nesting_is_bounded_before_anything_is_built(void **state)
{
	(void)state;
	struct buffer text = { 0 };
	struct error error;
	json_t *root = NULL;
	nested(&text, LIMIT_JSON_DEPTH);
	assert_works(reader_parse(text.at, text.length, &root, &error));
	json_decref(root);
	root = NULL;
	nested(&text, LIMIT_JSON_DEPTH + 1);
	assert_refuses(reader_parse(text.at, text.length, &root, &error), ERR_INVALID, "nested deeper than 32");
	nested(&text, 100000);
	assert_refuses(reader_parse(text.at, text.length, &root, &error), ERR_INVALID, "nested deeper than 32");
	assert_null(root);

	/* Brackets within a text are no nesting, whatever is escaped before them. */
	buffer_reset(&text);
	buffer_text(&text, "[\"\\\\\\\"");
	for (int i = 0; i < 100; i++)
		buffer_text(&text, "[{");
	buffer_text(&text, "\"]");
	assert_works(reader_parse(text.at, text.length, &root, &error));
	json_decref(root);
	buffer_fini(&text);
}

/* A change of a few bytes anywhere never does worse than an error. */
static void damaged_json_is_an_error_and_nothing_else(void **state)
{
	(void)state;
	static const char good[] = "{\"a\":[1,-2.5e3,true,null,{\"b\":\"x\\u20acy\\n\"}],\"\xC3\xA9\":\"\\\\\"}";
	for (int round = 0; round < 20000; round++) {
		char bytes[sizeof(good)];
		memcpy(bytes, good, sizeof(good));
		for (uint64_t changes = 1 + test_random(3); changes > 0; changes--)
			bytes[test_random(sizeof(good) - 1)] = (char)test_random(256);
		struct error error = { .code = ERR_NONE };
		json_t *root = NULL;
		if (reader_parse(bytes, test_random(sizeof(good)), &root, &error))
			json_decref(root);
		else
			assert_int_equal(error.code, ERR_INVALID);
	}
}

static void every_error_names_the_place(void **state)
{
	(void)state;
	json_t *root = parsed("{\"items\":[{},{},{},{\"priority\":101,\"flow\":7,\"wait\":1,\"keys\":[1,2,3]}]}");
	struct reader_at top = reader_root(root), items = reader_key(&top, "items");
	struct reader_at item = reader_index(&items, 3), keys = reader_key(&item, "keys");
	struct error error;
	int64_t number = 7;
	const char *text = "as it was";
	bool flag = true;
	size_t count = 9;

	assert_refuses(reader_get_int(&item, "priority", -100, 100, 0, &number, &error), ERR_INVALID,
		       "items[3].priority must be an integer from -100 to 100");
	assert_refuses(reader_need_int(&item, "number", 0, 9, &number, &error), ERR_INVALID,
		       "items[3].number is missing");
	assert_refuses(reader_get_text(&item, "flow", 10, "", &text, &error), ERR_INVALID,
		       "items[3].flow must be a text");
	assert_refuses(reader_need_text(&item, "tenant", 10, &text, &error), ERR_INVALID,
		       "items[3].tenant is missing");
	assert_refuses(reader_get_bool(&item, "wait", false, &flag, &error), ERR_INVALID,
		       "items[3].wait must be true or false");
	assert_refuses(reader_want_array(&keys, 2, &count, &error), ERR_INVALID,
		       "items[3].keys has 3 elements, at most 2 are taken");
	assert_refuses(reader_want_array(&item, 2, &count, &error), ERR_INVALID, "items[3] must be an array");
	assert_refuses(reader_want_array(&top, 2, &count, &error), ERR_INVALID, "the JSON must be an array");

	/* On failure the outputs are as they were. */
	assert_int_equal(number, 7);
	assert_string_equal(text, "as it was");
	assert_true(flag);
	assert_int_equal(count, 9);
	json_decref(root);
}

static void an_unknown_member_is_refused_with_the_one_that_was_meant(void **state)
{
	(void)state;
	static const char *const known[] = { "reason", "deadline", NULL };
	json_t *root = parsed("{\"reason\":\"disks\",\"deadlien\":\"1h\"}"), *other = parsed("{\"x\":{\"colour\":1}}");
	struct reader_at top = reader_root(root), above = reader_root(other), inner = reader_key(&above, "x");
	struct reader_at missing = reader_key(&above, "y");
	struct error error;
	assert_refuses(reader_want_object(&top, known, &error), ERR_INVALID,
		       "the JSON has no member \"deadlien\"; is \"deadline\" meant?");
	assert_refuses(reader_want_object(&inner, known, &error), ERR_INVALID, "x has no member \"colour\"");
	assert_refuses(reader_want_object(&missing, known, &error), ERR_INVALID, "y must be an object");
	json_object_del(root, "deadlien");
	assert_works(reader_want_object(&top, known, &error));
	json_decref(root);
	json_decref(other);
}

static void missing_and_null_are_the_same(void **state)
{
	(void)state;
	json_t *root = parsed("{\"null\":null}");
	struct reader_at top = reader_root(root);
	static const char *const keys[] = { "null", "absent" };
	struct error error;
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		const char *text;
		int64_t number;
		bool flag;
		size_t count = 9;
		struct reader_at at = reader_key(&top, keys[i]), below = reader_key(&at, "deeper");
		assert_null(at.value);
		assert_null(below.value);
		assert_works(reader_get_text(&top, keys[i], 10, "fallback", &text, &error));
		assert_string_equal(text, "fallback");
		assert_works(reader_get_int(&top, keys[i], 0, 10, -1, &number, &error));
		assert_int_equal(number, -1);
		assert_works(reader_get_bool(&top, keys[i], true, &flag, &error));
		assert_true(flag);
		assert_works(reader_want_array(&at, 10, &count, &error));
		assert_int_equal(count, 0);
		assert_refuses(reader_need_text(&top, keys[i], 10, &text, &error), ERR_INVALID, "is missing");
	}
	json_decref(root);
}

static void values_are_read_within_their_bounds_and_only_in_their_type(void **state)
{
	(void)state;
	json_t *root = parsed("{\"t\":\"caf\xC3\xA9\",\"empty\":\"\",\"low\":-9223372036854775808,"
			      "\"real\":1.0,\"power\":1e2,\"digits\":\"7\",\"yes\":true}");
	struct reader_at top = reader_root(root);
	struct error error;
	const char *text;
	int64_t number;
	bool flag;

	/* A bound counts bytes. */
	assert_works(reader_need_text(&top, "t", 5, &text, &error));
	assert_string_equal(text, "caf\xC3\xA9");
	assert_refuses(reader_need_text(&top, "t", 4, &text, &error), ERR_INVALID,
		       "t has 5 bytes, at most 4 are taken");
	assert_works(reader_get_text(&top, "empty", 5, NULL, &text, &error));
	assert_string_equal(text, "");
	assert_refuses(reader_need_text(&top, "empty", 5, &text, &error), ERR_INVALID, "empty is empty");

	assert_works(reader_need_int(&top, "low", INT64_MIN, INT64_MAX, &number, &error));
	assert_true(number == INT64_MIN);
	assert_refuses(reader_need_int(&top, "real", 0, 10, &number, &error), ERR_INVALID, "real must be an integer");
	assert_refuses(reader_need_int(&top, "power", 0, 10, &number, &error), ERR_INVALID, "must be an integer");
	assert_refuses(reader_need_int(&top, "digits", 0, 10, &number, &error), ERR_INVALID, "must be an integer");
	assert_works(reader_get_bool(&top, "yes", false, &flag, &error));
	assert_true(flag);
	json_decref(root);
}

static void a_path_that_is_too_long_is_cut(void **state)
{
	(void)state;
	json_t *root = parsed("{\"a\":{\"b\":[0]}}");
	struct reader_at top = reader_root(root), a = reader_key(&top, "a"), b = reader_key(&a, "b");
	struct reader_at element = reader_index(&b, 0);
	char path[7];
	reader_path(&top, path, sizeof(path));
	assert_string_equal(path, "");
	reader_path(&element, path, sizeof(path));
	assert_string_equal(path, "a.b[0]");
	reader_path(&element, path, 5);
	assert_string_equal(path, "a.b[");
	reader_path(&element, path, 2);
	assert_string_equal(path, "a");
	json_decref(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_strict_json_is_refused_with_its_place),
		cmocka_unit_test(nesting_is_bounded_before_anything_is_built),
		cmocka_unit_test(damaged_json_is_an_error_and_nothing_else),
		cmocka_unit_test(every_error_names_the_place),
		cmocka_unit_test(an_unknown_member_is_refused_with_the_one_that_was_meant),
		cmocka_unit_test(missing_and_null_are_the_same),
		cmocka_unit_test(values_are_read_within_their_bounds_and_only_in_their_type),
		cmocka_unit_test(a_path_that_is_too_long_is_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
