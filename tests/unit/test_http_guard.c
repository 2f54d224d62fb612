#include "lib/test.h"

#include <stdio.h>
#include <string.h>

#include "http/guard.h"
#include "http/problem.h"
#include "http/target.h"

static void every_percent_code_decodes_or_is_refused(void **state)
{
	(void)state;
	struct error error;
	for (int byte = 0; byte < 256; byte++) {
		char raw[8], decoded[8];
		snprintf(raw, sizeof(raw), "/%%%02x", (unsigned)byte);
		bool may_be_in_path = byte >= 0x20 && byte < 0x7F && byte != '/' && byte != '.';
		assert_int_equal(target_decode_path(raw, decoded, &error), may_be_in_path);
		if (may_be_in_path)
			assert_int_equal((unsigned char)decoded[1], byte);
		assert_int_equal(target_decode_part(raw, decoded, &error), byte > 0 && byte < 0x80);
	}
}

static void broken_codes_are_refused_without_reading_past_the_end(void **state)
{
	(void)state;
	struct error error;
	char decoded[16];
	const char *broken[] = { "/%", "/%2", "/%g0", "/%2g", "/%-1", "/%%20", "/a%" };
	for (size_t i = 0; i < COUNT_OF(broken); i++)
		assert_refuses(target_decode_path(broken[i], decoded, &error), ERR_INVALID, "hexadecimal");
}

static void overlong_and_surrogate_utf8_is_refused(void **state)
{
	(void)state;
	struct error error;
	char decoded[64];
	const char *bad[] = { "/%c0%af", "/%c0%ae%c0%ae/x", "/%ed%a0%80", "/%f4%90%80%80", "/%c3" };
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_refuses(target_decode_path(bad[i], decoded, &error), ERR_INVALID, "UTF-8");
	assert_works(target_decode_path("/%f0%9f%98%80", decoded, &error));
}

static void dots_are_refused_as_a_segment_only(void **state)
{
	(void)state;
	struct error error;
	char decoded[64];
	const char *bad[] = { "/.", "/..", "/./a", "/a/../b", "/a/%2e%2e", "/%2e/", "/a/." };
	const char *good[] = { "/...", "/a.b", "/.a", "/..a/b", "/a/.../b", "/", "//" };
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_refuses(target_decode_path(bad[i], decoded, &error), ERR_INVALID, "segment");
	for (size_t i = 0; i < COUNT_OF(good); i++)
		assert_works(target_decode_path(good[i], decoded, &error));
}

static void a_body_is_announced_in_one_way(void **state)
{
	(void)state;
	static const struct { const char *length, *encoding; int64_t bytes; } cases[] = {
		{ NULL, NULL, 0 }, { "0", NULL, 0 }, { "17", NULL, 17 }, { NULL, "Chunked", -1 },
		{ "9223372036854775807", NULL, INT64_MAX },
	};
	static const struct { const char *length, *encoding; } bad[] = {
		{ "1", "chunked" }, { "", NULL }, { "-0", NULL }, { "+1", NULL }, { "1,1", NULL }, { "0x1", NULL },
		{ "1 ", NULL }, { "9223372036854775808", NULL }, { NULL, "identity" }, { NULL, "gzip, chunked" },
		{ NULL, "" },
	};
	struct error error;
	int64_t bytes;
	struct http_field headers[3] = { { "host", "h" } };
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		headers[1] = (struct http_field){ cases[i].length ? "Content-length" : "transfer-encoding",
						  cases[i].length ? cases[i].length : cases[i].encoding };
		size_t count = cases[i].length || cases[i].encoding ? 2 : 1;
		assert_works(guard_framing(headers, count, &bytes, &error));
		assert_int_equal(bytes, cases[i].bytes);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		size_t count = 1;
		if (bad[i].length)
			headers[count++] = (struct http_field){ "CONTENT-LENGTH", bad[i].length };
		if (bad[i].encoding)
			headers[count++] = (struct http_field){ "Transfer-Encoding", bad[i].encoding };
		assert_refuses(guard_framing(headers, count, &bytes, &error), ERR_INVALID, "");
	}
}

static void a_name_that_is_not_ours_is_refused(void **state)
{
	(void)state;
	static const char *const hosts[] = { "lull.example", NULL };
	const char *good[] = { "localhost", "LocalHost:1", "127.0.0.1:7460", "[::1]", "[2001:db8::1]:80", "10.1.2.3",
			       "LULL.example", "lull.example:443", "localhost:" };
	const char *bad[] = { "evil.example", "localhost.evil.example", "lull.example.", "1.2.3", "", ":80", "[::1",
			      "[]", "localhost:80x", "localhost:80:80", "a@localhost", "localhost/", "::1" };
	struct error error;
	for (size_t i = 0; i < COUNT_OF(good); i++)
		assert_works(guard_host(good[i], hosts, &error));
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_refuses(guard_host(bad[i], hosts, &error), ERR_INVALID, "");
	assert_refuses(guard_host("lull.example", NULL, &error), ERR_INVALID, "hosts");
}

static void only_our_own_pages_may_change_anything(void **state)
{
	(void)state;
	static const struct { const char *origin, *site; bool is_ours; } cases[] = {
		{ NULL, NULL, true }, { NULL, "same-origin", true }, { NULL, "none", true },
		{ NULL, "Cross-Site", false },
		{ "http://lull:7460", NULL, true }, { "https://LULL:7460", "same-origin", true },
		{ "http://lull:7460", "cross-site", false }, { "http://lull", NULL, false }, { "null", NULL, false },
		{ "http://lull:7460.evil.example", NULL, false }, { "ftp://lull:7460", NULL, false },
		{ "", NULL, false },
	};
	struct error error;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		for (int method = 0; method < HTTP_METHODS; method++) {
			struct http_field headers[3] = { { "Host", "lull:7460" } };
			size_t count = 1;
			if (cases[i].origin)
				headers[count++] = (struct http_field){ "origin", cases[i].origin };
			if (cases[i].site)
				headers[count++] = (struct http_field){ "sec-fetch-site", cases[i].site };
			struct http_request request = { .method = (enum http_method)method, .headers = headers,
							.header_count = count };
			bool is_safe = method == HTTP_GET || method == HTTP_OPTIONS;
			assert_int_equal(guard_origin(&request, &error), cases[i].is_ours || is_safe);
		}
}

static void every_error_is_known_again_by_its_type(void **state)
{
	(void)state;
	char type[PROBLEM_TYPE_BYTES];
	for (int code = ERR_NONE + 1; code < ERROR_CODES; code++)
		assert_int_equal(problem_code(problem_type((enum error_code)code, type), 418), code);
	assert_string_equal(problem_type(ERR_TOO_LARGE, type), "urn:lull:error:too_large");
}

static void without_a_type_the_status_decides_and_never_says_held(void **state)
{
	(void)state;
	for (int status = 400; status < 600; status++) {
		enum error_code code = problem_code(NULL, status);
		assert_true(code != ERR_NONE && code != ERR_HELD);
		assert_int_equal(problem_code("about:blank", status), code);
	}
	assert_int_equal(problem_code(NULL, 404), ERR_NOT_FOUND);
	assert_int_equal(problem_code(NULL, 503), ERR_BUSY);
	assert_int_equal(problem_code(NULL, 418), ERR_INVALID);
	assert_int_equal(problem_code(NULL, 599), ERR_INTERNAL);
}

static const char *retry_after(const struct http_response *response)
{
	struct http_field header;
	size_t place = 0;
	return http_response_next_header(response, &place, &header) ? header.value : "";
}

static void a_problem_says_when_to_come_back(void **state)
{
	(void)state;
	static const struct { enum error_code code; int64_t until_ms; const char *retry_after; } cases[] = {
		{ ERR_NOT_FOUND, 0, "" }, { ERR_BUSY, 0, "1" }, { ERR_TOO_MANY, 0, "1" }, { ERR_HELD, 0, "30" },
		{ ERR_HELD, 1000001, "1" }, { ERR_HELD, 1002001, "3" }, { ERR_HELD, 999000, "1" },
		{ ERR_HELD, 90000000, "3600" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct error error;
		struct http_response response = { 0 };
		error_set(&error, cases[i].code, "why");
		error.until_ms = cases[i].until_ms;
		problem_fill(&response, &error, 1000000);
		assert_string_equal(retry_after(&response), cases[i].retry_after);
		assert_int_equal(response.status, error_http_status(cases[i].code));
		http_response_fini(&response);
	}
}

static void what_is_not_utf8_in_a_problem_is_marked(void **state)
{
	(void)state;
	struct error error;
	struct http_response response = { 0 };
	error_set(&error, ERR_INVALID, "\xFF\x01\"");
	problem_fill(&response, &error, 0);
	assert_non_null(strstr(response.body.at, "\"detail\":\"\xEF\xBF\xBD\\u0001\\\"\"}"));
	http_response_fini(&response);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_percent_code_decodes_or_is_refused),
		cmocka_unit_test(broken_codes_are_refused_without_reading_past_the_end),
		cmocka_unit_test(overlong_and_surrogate_utf8_is_refused),
		cmocka_unit_test(dots_are_refused_as_a_segment_only),
		cmocka_unit_test(a_body_is_announced_in_one_way),
		cmocka_unit_test(a_name_that_is_not_ours_is_refused),
		cmocka_unit_test(only_our_own_pages_may_change_anything),
		cmocka_unit_test(every_error_is_known_again_by_its_type),
		cmocka_unit_test(without_a_type_the_status_decides_and_never_says_held),
		cmocka_unit_test(a_problem_says_when_to_come_back),
		cmocka_unit_test(what_is_not_utf8_in_a_problem_is_marked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
