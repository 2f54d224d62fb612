#include "lib/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/client.h"
#include "http/server.h"

#define TOKEN "lull_secret0123456789"

/* Does by path what a test asks for; /echo answers "METHOD path?query authorization content-type body". */
static void handle(void *context, struct http_request *request)
{
	(void)context;
	struct http_response response = { .status = 200, .content_type = "text/plain" };
	const char *token = http_request_header(request, "Authorization");
	const char *type = http_request_header(request, "Content-Type");
	if (strcmp(request->path, "/held") == 0) {
		struct error error;
		error_set(&error, ERR_HELD, "nothing starts");
		error.hold = 12;
		snprintf(error.reason, sizeof(error.reason), "kernel upgrade");
		error.until_ms = 86400123;
		http_problem(request, &error);
		return;
	}
	if (strcmp(request->path, "/elsewhere") == 0) {
		response.status = 302;
		http_response_header(&response, "Location", "/echo");
	} else if (strcmp(request->path, "/teapot") == 0) {
		response.status = 418;
	} else if (strcmp(request->path, "/long") == 0) {
		memset(buffer_reserve(&response.body, 100000), 'x', 100000);
		buffer_grew(&response.body, 100000);
	}
	buffer_printf(&response.body, "%s %s", http_method_name(request->method), request->path);
	for (size_t i = 0; i < request->query_count; i++)
		buffer_printf(&response.body, " %s=%s", request->query[i].name, request->query[i].value);
	buffer_printf(&response.body, " %s %s %s", token ? token : "-", type ? type : "-", request->body);
	http_answer(request, &response);
}

struct house {
	struct http_server *tcp, *local;
	char url[64], folder[64], path[96];
};

static int open_house(void **state)
{
	static struct house house;
	struct error error;
	const char *below = getenv("TMPDIR");
	snprintf(house.folder, sizeof(house.folder), "%s/client-XXXXXX", below ? below : "/tmp");
	assert_non_null(mkdtemp(house.folder));
	snprintf(house.path, sizeof(house.path), "%s/socket", house.folder);
	struct http_settings tcp = { 0 }, local = { .socket_path = house.path };
	assert_works(http_server_open(&tcp, handle, NULL, &house.tcp, &error));
	assert_works(http_server_open(&local, handle, NULL, &house.local, &error));
	snprintf(house.url, sizeof(house.url), "http://localhost:%d", http_server_port(house.tcp));
	*state = &house;
	return 0;
}

static int close_house(void **state)
{
	struct house *house = *state;
	http_server_close(house->tcp);
	http_server_close(house->local);
	rmdir(house->folder);
	return 0;
}

static struct client *open_client(const struct client_settings *settings)
{
	struct client *client;
	struct error error;
	assert_works(client_open(settings, &client, &error));
	return client;
}

static void a_call_carries_all_that_it_was_given(void **state)
{
	struct house *house = *state;
	struct client *client = open_client(&(struct client_settings){ .url = house->url, .token = TOKEN });
	struct client_request request = { .method = "PATCH", .path = "/echo?a=%20b", .body = "{}", .length = 2 };
	struct buffer answer = { 0 };
	struct error error;
	int status;
	assert_works(client_call(client, &request, &status, &answer, &error));
	assert_int_equal(status, 200);
	assert_string_equal(answer.at, "PATCH /echo a= b Bearer " TOKEN " application/json {}");
	client_close(client);
	buffer_fini(&answer);
}

/* What one call sets does not show in the next. */
static void calls_follow_each_other_on_one_connection(void **state)
{
	struct house *house = *state;
	struct client *client = open_client(&(struct client_settings){ .socket_path = house->path });
	static const struct { struct client_request request; const char *answer; } calls[] = {
		{ { .method = "POST", .path = "/echo", .body = "x", .length = 1, .content_type = "text/yaml" },
		  "POST /echo - text/yaml x" },
		{ { .method = "GET", .path = "/echo" }, "GET /echo - - " },
		{ { .method = "DELETE", .path = "/echo" }, "DELETE /echo - - " },
		{ { .method = "GET", .path = "/echo" }, "GET /echo - - " },
		{ { .method = "POST", .path = "/echo" }, "POST /echo - - " },
	};
	for (size_t i = 0; i < COUNT_OF(calls); i++) {
		struct buffer answer = { 0 };
		struct error error;
		int status;
		assert_works(client_call(client, &calls[i].request, &status, &answer, &error));
		assert_string_equal(answer.at, calls[i].answer);
		buffer_fini(&answer);
	}
	client_close(client);
}

/* Calls and expects a refusal; *answer as it came. */
static struct error refusal(const struct client_settings *settings, const char *path, struct buffer *answer)
{
	struct client *client = open_client(settings);
	struct client_request request = { .method = "POST", .path = path };
	struct error error;
	int status = -1;
	assert_false(client_call(client, &request, &status, answer, &error));
	assert_int_equal(status, -1);
	assert_null(strstr(error.detail, "secret"));
	client_close(client);
	return error;
}

static void a_hold_comes_through_whole(void **state)
{
	struct house *house = *state;
	struct buffer answer = { 0 };
	struct error error = refusal(&(struct client_settings){ .url = house->url, .token = TOKEN }, "/held", &answer);
	assert_int_equal(error.code, ERR_HELD);
	assert_int_equal(error.hold, 12);
	assert_int_equal(error.until_ms, 86400123);
	assert_string_equal(error.reason, "kernel upgrade");
	assert_string_equal(error.detail, "nothing starts");
	assert_non_null(strstr(answer.at, "\"hold\":12"));
	buffer_fini(&answer);
}

static void what_is_no_problem_document_is_refused_by_its_status(void **state)
{
	struct house *house = *state;
	struct buffer answer = { 0 };
	struct error error = refusal(&(struct client_settings){ .url = house->url }, "/teapot", &answer);
	assert_int_equal(error.code, ERR_INVALID);
	assert_non_null(strstr(error.detail, "418"));
	buffer_fini(&answer);
}

static void a_redirect_is_an_answer_and_is_not_followed(void **state)
{
	struct house *house = *state;
	struct client *client = open_client(&(struct client_settings){ .url = house->url, .token = TOKEN });
	struct client_request request = { .method = "GET", .path = "/elsewhere" };
	struct buffer answer = { 0 };
	struct error error;
	int status;
	assert_works(client_call(client, &request, &status, &answer, &error));
	assert_int_equal(status, 302);
	assert_non_null(strstr(answer.at, "GET /elsewhere"));
	client_close(client);
	buffer_fini(&answer);
}

static void an_answer_beyond_the_bound_is_refused(void **state)
{
	struct house *house = *state;
	struct buffer answer = { 0 };
	struct client_settings settings = { .url = house->url, .answer_bytes = 99999 };
	assert_int_equal(refusal(&settings, "/long", &answer).code, ERR_TOO_LARGE);
	assert_int_equal(answer.length, 0);
	buffer_fini(&answer);
}

static void a_server_that_is_not_there_is_out_of_reach(void **state)
{
	struct house *house = *state;
	struct buffer answer = { 0 };
	struct error error;
	struct http_server *server;
	char url[64], path[128];
	struct http_settings settings = { 0 };
	assert_works(http_server_open(&settings, handle, NULL, &server, &error));
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", http_server_port(server));
	http_server_close(server);
	error = refusal(&(struct client_settings){ .url = url, .token = TOKEN }, "/echo", &answer);
	assert_int_equal(error.code, ERR_UNREACHABLE);
	assert_non_null(strstr(error.detail, "http://127.0.0.1:"));
	snprintf(path, sizeof(path), "%s/nobody", house->folder);
	error = refusal(&(struct client_settings){ .socket_path = path }, "/echo", &answer);
	assert_int_equal(error.code, ERR_UNREACHABLE);
	assert_non_null(strstr(error.detail, path));
}

/* The proxy of the environment does not exist; had it been asked, the call would fail. */
static void this_machine_is_reached_without_the_proxy_of_the_environment(void **state)
{
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	a_call_carries_all_that_it_was_given(state);
	unsetenv("http_proxy");
}

static void settings_that_cannot_be_meant_are_refused(void **state)
{
	(void)state;
	struct client *client;
	struct error error;
	static const char *const urls[] = { "ftp://localhost", "file:///etc/passwd", "localhost:7460", "http://", "",
					    "http://a:b@localhost", "http://localhost/?q", "http://localhost/#f" };
	for (size_t i = 0; i < COUNT_OF(urls); i++) {
		struct client_settings settings = { .url = urls[i] };
		assert_refuses(client_open(&settings, &client, &error), ERR_INVALID, "URL");
	}
	struct client_settings injecting = { .url = "http://localhost", .token = "secret\r\nX-Other: 1" };
	assert_refuses(client_open(&injecting, &client, &error), ERR_INVALID, "token");
	assert_null(strstr(error.detail, "secret"));
	assert_refuses(client_open(&(struct client_settings){ 0 }, &client, &error), ERR_INVALID, "server");
}

static void a_part_of_a_path_is_coded_so_that_it_stays_one(void **state)
{
	(void)state;
	struct buffer target = { 0 };
	client_append_part(&target, "a/b c?&=%é~");
	assert_string_equal(target.at, "a%2Fb%20c%3F%26%3D%25%C3%A9~");
	buffer_fini(&target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_carries_all_that_it_was_given),
		cmocka_unit_test(calls_follow_each_other_on_one_connection),
		cmocka_unit_test(a_hold_comes_through_whole),
		cmocka_unit_test(what_is_no_problem_document_is_refused_by_its_status),
		cmocka_unit_test(a_redirect_is_an_answer_and_is_not_followed),
		cmocka_unit_test(an_answer_beyond_the_bound_is_refused),
		cmocka_unit_test(a_server_that_is_not_there_is_out_of_reach),
		cmocka_unit_test(this_machine_is_reached_without_the_proxy_of_the_environment),
		cmocka_unit_test(settings_that_cannot_be_meant_are_refused),
		cmocka_unit_test(a_part_of_a_path_is_coded_so_that_it_stays_one),
	};
	return cmocka_run_group_tests(tests, open_house, close_house);
}
