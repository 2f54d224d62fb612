#include "lib/test.h"

#include <string.h>

#include "base/text.h"
#include "json/reader.h"
#include "json/writer.h"

static void commas_come_by_themselves(void **state)
{
	(void)state;
	struct buffer body = { 0 };
	struct writer out = { .buffer = &body };
	writer_begin_object(&out);
	writer_key_array(&out, "empty");
	writer_end_array(&out);
	writer_key_array(&out, "items");
	writer_int(&out, 1);
	writer_begin_object(&out);
	writer_end_object(&out);
	writer_begin_array(&out);
	writer_null(&out);
	writer_bool(&out, true);
	writer_end_array(&out);
	writer_raw(&out, "{\"a\":1}", 7);
	writer_text(&out, "x");
	writer_end_array(&out);
	writer_key_object(&out, "hold");
	writer_key_int(&out, "id", 7);
	writer_key_bool(&out, "ended", false);
	writer_end_object(&out);
	writer_key_text(&out, "next", NULL);
	writer_end_object(&out);
	assert_string_equal(buffer_cstr(&body),
			    "{\"empty\":[],\"items\":[1,{},[null,true],{\"a\":1},\"x\"],"
			    "\"hold\":{\"id\":7,\"ended\":false},\"next\":null}");
	assert_int_equal(out.depth, 0);
	buffer_fini(&body);
}

static void instants_and_durations_that_are_none_are_null(void **state)
{
	(void)state;
	struct buffer body = { 0 };
	struct writer out = { .buffer = &body };
	writer_begin_object(&out);
	writer_key_instant(&out, "never", INSTANT_NONE);
	writer_key_instant(&out, "at", 1500);
	writer_key_duration(&out, "unknown", -1);
	writer_key_duration(&out, "none", 0);
	writer_key_duration(&out, "long", 5400000);
	writer_key_int(&out, "low", INT64_MIN);
	writer_end_object(&out);
	assert_string_equal(buffer_cstr(&body),
			    "{\"never\":null,\"at\":\"1970-01-01T00:00:01.500Z\",\"unknown\":null,\"none\":\"PT0S\","
			    "\"long\":\"PT1H30M\",\"low\":-9223372036854775808}");
	buffer_fini(&body);
}

static void what_json_forbids_in_a_text_is_escaped(void **state)
{
	(void)state;
	struct buffer body = { 0 };
	struct writer out = { .buffer = &body };
	writer_begin_array(&out);
	writer_text(&out, "a\"b\\c\n\r\t\x01\x1F\x7F/\xC3\xA9\xF0\x9F\x98\x80");
	writer_bytes(&out, "a\0b", 3);
	writer_bytes(&out, "", 0);
	writer_text(&out, "x\xFFy");
	writer_end_array(&out);
	assert_string_equal(buffer_cstr(&body),
			    "[\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u001f\\u007f/\xC3\xA9\xF0\x9F\x98\x80\","
			    "\"a\\u0000b\",\"\",\"x\xEF\xBF\xBDy\"]");
	buffer_fini(&body);
}

/* Whatever bytes go in: what comes out is JSON, and reads as those bytes with replacement marks. */
static void every_text_that_was_written_is_read_as_the_same(void **state)
{
	(void)state;
	for (int round = 0; round < 20000; round++) {
		char bytes[16];
		size_t length = test_random(sizeof(bytes));
		uint64_t range = test_random(2) ? 128 : 256;
		for (size_t i = 0; i < length; i++)
			bytes[i] = (char)(1 + test_random(range - 1));
		struct buffer body = { 0 }, expected = { 0 };
		struct writer out = { .buffer = &body };
		struct error error;
		json_t *root;
		writer_begin_array(&out);
		writer_bytes(&out, bytes, length);
		writer_end_array(&out);
		text_append_utf8(&expected, bytes, length);
		assert_works(reader_parse(body.at, body.length, &root, &error));
		assert_string_equal(json_string_value(json_array_get(root, 0)), buffer_cstr(&expected));
		json_decref(root);
		buffer_fini(&body);
		buffer_fini(&expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commas_come_by_themselves),
		cmocka_unit_test(instants_and_durations_that_are_none_are_null),
		cmocka_unit_test(what_json_forbids_in_a_text_is_escaped),
		cmocka_unit_test(every_text_that_was_written_is_read_as_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
