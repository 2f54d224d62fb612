#include "lib/test.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "http/router.h"

/* Rows in an order that is wrong everywhere, so that only the rules can bring the right one forward. */
static const struct { enum http_method method; const char *pattern; } rows[] = {
	{ HTTP_GET,    "/assets/{rest*}" },
	{ HTTP_GET,    "/v1/executions/{number}/logs" },
	{ HTTP_GET,    "/v1/maintenance/{id}" },
	{ HTTP_POST,   "/v1/maintenance/preview" },
	{ HTTP_GET,    "/v1/{thing}/list" },
	{ HTTP_GET,    "/odata/{set}" },
	{ HTTP_GET,    "/odata/Jobs({key})" },
	{ HTTP_POST,   "/odata/Jobs({key})/Stop" },
	{ HTTP_GET,    "/" },
	{ HTTP_GET,    "/v1/flows/{namespace}/{id}" },
	{ HTTP_DELETE, "/v1/flows/{namespace}/{id}" },
	{ HTTP_GET,    "/assets/index.html" },
};

static struct router *fill(bool ignores_case)
{
	struct router *router = router_open(ignores_case);
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		router_add(router, rows[i].method, rows[i].pattern, i);
	return router;
}

/* "pattern name=value name=value", or the error's name and detail. */
static const char *found(const struct router *router, enum http_method method, const char *path)
{
	static char text[512];
	struct arena arena = { 0 };
	struct route_match match;
	struct error error;
	struct buffer out = { 0 };
	if (router_find(router, method, path, &arena, &match, &error)) {
		buffer_text(&out, rows[match.row].pattern);
		for (size_t i = 0; i < match.parameter_count; i++)
			buffer_printf(&out, " %s=%s", match.parameters[i].name, match.parameters[i].value);
	} else {
		buffer_printf(&out, "%s %s", error_name(error.code), error.detail);
	}
	snprintf(text, sizeof(text), "%s", out.at);
	buffer_fini(&out);
	arena_fini(&arena);
	return text;
}

static void every_pattern_is_found_by_a_path_that_fits_it(void **state)
{
	(void)state;
	struct router *router = fill(false);
	assert_string_equal(found(router, HTTP_GET, "/"), "/");
	assert_string_equal(found(router, HTTP_GET, "/v1/executions/12/logs"),
			    "/v1/executions/{number}/logs number=12");
	assert_string_equal(found(router, HTTP_DELETE, "/v1/flows/a.b/c"),
			    "/v1/flows/{namespace}/{id} namespace=a.b id=c");
	assert_string_equal(found(router, HTTP_GET, "/assets/a/b.js"), "/assets/{rest*} rest=a/b.js");
	assert_string_equal(found(router, HTTP_POST, "/odata/Jobs(7)/Stop"), "/odata/Jobs({key})/Stop key=7");
	router_close(router);
}

static void what_says_more_wins_whatever_the_order_of_rows(void **state)
{
	(void)state;
	struct router *router = fill(false);
	assert_string_equal(found(router, HTTP_POST, "/v1/maintenance/preview"), "/v1/maintenance/preview");
	assert_string_equal(found(router, HTTP_GET, "/odata/Jobs(7)"), "/odata/Jobs({key}) key=7");
	assert_string_equal(found(router, HTTP_GET, "/odata/Jobs"), "/odata/{set} set=Jobs");
	assert_string_equal(found(router, HTTP_GET, "/odata/Jobs()"), "/odata/{set} set=Jobs()");
	assert_string_equal(found(router, HTTP_GET, "/assets/index.html"), "/assets/index.html");
	assert_string_equal(found(router, HTTP_GET, "/assets/index.html/x"), "/assets/{rest*} rest=index.html/x");
	router_close(router);
}

static void a_wrong_turn_is_taken_back(void **state)
{
	(void)state;
	struct router *router = fill(false);
	assert_string_equal(found(router, HTTP_GET, "/v1/maintenance/list"), "/v1/maintenance/{id} id=list");
	assert_string_equal(found(router, HTTP_GET, "/v1/executions/list"), "/v1/{thing}/list thing=executions");
	assert_string_equal(found(router, HTTP_GET, "/v1/maintenance/preview"), "/v1/maintenance/{id} id=preview");
	router_close(router);
}

static void what_is_not_there_and_what_takes_another_method_differ(void **state)
{
	(void)state;
	struct router *router = fill(false);
	const char *nowhere[] = { "/v2", "/v1", "/v1/", "/v1/flows/a", "/v1/flows/a/", "/v1/flows//c", "/assets/",
				  "/assets", "/v1/flows/a/b/c", "//", "/V1/maintenance/1" };
	for (size_t i = 0; i < COUNT_OF(nowhere); i++)
		assert_true(strncmp(found(router, HTTP_GET, nowhere[i]), "ERR_NOT_FOUND ", 14) == 0);
	assert_string_equal(found(router, HTTP_PUT, "/v1/flows/a/b"),
			    "ERR_METHOD /v1/flows/a/b takes GET, HEAD, DELETE");
	assert_string_equal(found(router, HTTP_PUT, "/v1/maintenance/preview"),
			    "ERR_METHOD /v1/maintenance/preview takes GET, HEAD, POST");
	router_close(router);
}

static void literals_may_ignore_case_and_parameters_keep_theirs(void **state)
{
	(void)state;
	struct router *router = fill(true);
	assert_string_equal(found(router, HTTP_POST, "/ODATA/jobs(AbC)/STOP"), "/odata/Jobs({key})/Stop key=AbC");
	assert_string_equal(found(router, HTTP_GET, "/V1/Flows/Ns/Id"),
			    "/v1/flows/{namespace}/{id} namespace=Ns id=Id");
	router_close(router);
}

static void a_parameter_is_asked_for_by_name(void **state)
{
	(void)state;
	struct router *router = fill(false);
	struct arena arena = { 0 };
	struct route_match match;
	struct error error;
	assert_works(router_find(router, HTTP_GET, "/v1/flows/a/b", &arena, &match, &error));
	assert_string_equal(route_parameter(&match, "id"), "b");
	assert_string_equal(route_parameter(&match, "namespace"), "a");
	arena_fini(&arena);
	router_close(router);
}

/* A path made of pieces of the patterns finds what a plain walk over the rows finds first by the rules, or nothing. */
static void random_paths_never_find_a_pattern_that_does_not_fit(void **state)
{
	(void)state;
	static const char *const pieces[] = { "/", "v1", "flows", "odata", "Jobs(", ")", "x", "assets", "maintenance",
					      "preview", "index.html", "logs", "executions", "list" };
	struct router *router = fill(false);
	for (int round = 0; round < 20000; round++) {
		struct buffer path = { 0 };
		buffer_char(&path, '/');
		for (uint64_t left = test_random(9); left > 0; left--)
			buffer_text(&path, pieces[test_random(COUNT_OF(pieces))]);
		struct arena arena = { 0 };
		struct route_match match;
		struct error error;
		if (router_find(router, HTTP_GET, path.at, &arena, &match, &error)) {
			struct buffer again = { 0 };
			size_t used = 0;
			for (const char *c = rows[match.row].pattern; *c; c++) {
				if (*c != '{') {
					buffer_char(&again, *c);
					continue;
				}
				c = strchr(c, '}');
				assert_true(match.parameters[used].value[0] != '\0');
				buffer_text(&again, match.parameters[used++].value);
			}
			assert_string_equal(again.at, path.at);
			assert_int_equal(used, match.parameter_count);
			buffer_fini(&again);
		}
		arena_fini(&arena);
		buffer_fini(&path);
	}
	router_close(router);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pattern_is_found_by_a_path_that_fits_it),
		cmocka_unit_test(what_says_more_wins_whatever_the_order_of_rows),
		cmocka_unit_test(a_wrong_turn_is_taken_back),
		cmocka_unit_test(what_is_not_there_and_what_takes_another_method_differ),
		cmocka_unit_test(literals_may_ignore_case_and_parameters_keep_theirs),
		cmocka_unit_test(a_parameter_is_asked_for_by_name),
		cmocka_unit_test(random_paths_never_find_a_pattern_that_does_not_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
