#include "lib/test.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/multi.h"
#include "http/server.h"

enum { MANY = 200, PATIENCE_MS = 20000 };

/* One request waits on /wait until a test releases it or its client goes away. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct http_request *waiting;

static struct http_request *take_waiting(void)
{
	pthread_mutex_lock(&lock);
	struct http_request *taken = waiting;
	waiting = NULL;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	return taken;
}

static void answer(struct http_request *request)
{
	struct http_response response = { .status = 200, .content_type = "text/plain" };
	const char *token = http_request_header(request, "Authorization");
	buffer_printf(&response.body, "%s %s", token ? token : "-", request->body);
	http_answer(request, &response);
}

static void gone(struct http_request *request)
{
	if (take_waiting())
		answer(request);
}

static void handle(void *context, struct http_request *request)
{
	(void)context;
	if (strcmp(request->path, "/wait") != 0) {
		answer(request);
		return;
	}
	pthread_mutex_lock(&lock);
	waiting = request;
	http_request_on_gone(request, gone);
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

struct house {
	struct http_server *server;
	char folder[64], path[96];
};

static int open_house(void **state)
{
	static struct house house;
	struct error error;
	const char *below = getenv("TMPDIR");
	snprintf(house.folder, sizeof(house.folder), "%s/multi-XXXXXX", below ? below : "/tmp");
	assert_non_null(mkdtemp(house.folder));
	snprintf(house.path, sizeof(house.path), "%s/socket", house.folder);
	struct http_settings settings = { .socket_path = house.path };
	assert_works(http_server_open(&settings, handle, NULL, &house.server, &error));
	*state = &house;
	return 0;
}

static int close_house(void **state)
{
	struct house *house = *state;
	http_server_close(house->server);
	rmdir(house->folder);
	return 0;
}

/* What the callback has seen. */
struct seen {
	struct multi *multi;
	struct multi_request *other;       /* cancelled by the callback */
	int count, status;
	size_t length;
	char bytes[64], detail[512];
};

static void see(void *context, const struct multi_answer *got)
{
	struct seen *seen = context;
	seen->count++;
	seen->status = got->status;
	seen->length = got->length;
	snprintf(seen->bytes, sizeof(seen->bytes), "%s", got->bytes);
	snprintf(seen->detail, sizeof(seen->detail), "%s", got->detail);
	if (seen->other)
		multi_cancel(seen->multi, seen->other);
	seen->other = NULL;
}

/* One turn of a poll loop. */
static void turn(struct multi *multi)
{
	struct pollfd ready = { .fd = multi_fd(multi), .events = POLLIN };
	int64_t wait_ms = multi_wait_ms(multi);
	poll(&ready, 1, wait_ms < 0 || wait_ms > PATIENCE_MS ? PATIENCE_MS : (int)wait_ms);
	multi_run(multi);
}

static void turn_until(struct multi *multi, const int *count, int wanted)
{
	while (*count < wanted)
		turn(multi);
}

static struct multi *open_multi(const char *path)
{
	struct multi *multi;
	struct error error;
	assert_works(multi_open(NULL, path, "lull_secret", &multi, &error));
	return multi;
}

static void a_body_goes_out_and_an_answer_comes_back(void **state)
{
	struct house *house = *state;
	struct multi *multi = open_multi(house->path);
	for (int round = 0; round < 3; round++) {
		struct seen seen = { .multi = multi };
		char body[] = "{\"a\":1}";
		assert_non_null(multi_post(multi, "/echo", body, strlen(body), PATIENCE_MS, see, &seen));
		memset(body, 'x', strlen(body));
		turn_until(multi, &seen.count, 1);
		assert_int_equal(seen.status, 200);
		assert_string_equal(seen.bytes, "Bearer lull_secret {\"a\":1}");
		assert_string_equal(seen.detail, "");
	}
	multi_close(multi);
}

static void many_are_under_way_at_once(void **state)
{
	struct house *house = *state;
	struct multi *multi = open_multi(house->path);
	struct seen seen = { .multi = multi };
	for (int i = 0; i < MANY; i++)
		assert_non_null(multi_post(multi, "/echo", "", 0, PATIENCE_MS, see, &seen));
	turn_until(multi, &seen.count, MANY);
	assert_int_equal(seen.count, MANY);
	multi_close(multi);
}

/* Until the server has the request on /wait, or has it no more. */
static void turn_until_waiting(struct multi *multi, bool wanted)
{
	for (bool is_there = !wanted; is_there != wanted;) {
		multi_run(multi);
		pthread_mutex_lock(&lock);
		is_there = waiting != NULL;
		pthread_mutex_unlock(&lock);
	}
}

static void a_waiting_one_holds_up_no_other(void **state)
{
	struct house *house = *state;
	struct multi *multi = open_multi(house->path);
	struct seen first = { .multi = multi }, second = { .multi = multi };
	assert_non_null(multi_post(multi, "/wait", "1", 1, PATIENCE_MS, see, &first));
	turn_until_waiting(multi, true);
	assert_non_null(multi_post(multi, "/echo", "2", 1, PATIENCE_MS, see, &second));
	turn_until(multi, &second.count, 1);
	assert_int_equal(first.count, 0);
	answer(take_waiting());
	turn_until(multi, &first.count, 1);
	assert_string_equal(first.bytes, "Bearer lull_secret 1");
	multi_close(multi);
}

static void a_cancelled_one_is_told_to_nobody_and_the_server_sees_it(void **state)
{
	struct house *house = *state;
	struct multi *multi = open_multi(house->path);
	struct seen seen = { .multi = multi };
	struct multi_request *request = multi_post(multi, "/wait", "", 0, PATIENCE_MS, see, &seen);
	turn_until_waiting(multi, true);
	multi_cancel(multi, request);
	turn_until_waiting(multi, false);
	assert_int_equal(seen.count, 0);
	multi_close(multi);
}

static void a_callback_may_cancel_another(void **state)
{
	struct house *house = *state;
	struct multi *multi = open_multi(house->path);
	struct seen other = { .multi = multi }, seen = { .multi = multi };
	seen.other = multi_post(multi, "/wait", "", 0, PATIENCE_MS, see, &other);
	turn_until_waiting(multi, true);
	assert_non_null(multi_post(multi, "/echo", "", 0, PATIENCE_MS, see, &seen));
	turn_until(multi, &seen.count, 1);
	turn_until_waiting(multi, false);
	assert_int_equal(other.count, 0);
	multi_close(multi);
}

static void a_server_that_is_not_there_is_told_with_its_place_and_without_the_token(void **state)
{
	struct house *house = *state;
	char path[128];
	snprintf(path, sizeof(path), "%s/nobody", house->folder);
	struct multi *multi = open_multi(path);
	struct seen seen = { .multi = multi };
	assert_non_null(multi_post(multi, "/echo", "", 0, PATIENCE_MS, see, &seen));
	turn_until(multi, &seen.count, 1);
	assert_int_equal(seen.status, 0);
	assert_int_equal(seen.length, 0);
	assert_non_null(strstr(seen.detail, path));
	assert_null(strstr(seen.detail, "secret"));
	multi_close(multi);
}

static void an_answer_that_does_not_come_in_time_is_given_up(void **state)
{
	struct house *house = *state;
	struct multi *multi = open_multi(house->path);
	struct seen seen = { .multi = multi };
	assert_non_null(multi_post(multi, "/wait", "", 0, 100, see, &seen));
	turn_until(multi, &seen.count, 1);
	assert_int_equal(seen.status, 0);
	turn_until_waiting(multi, false);
	multi_close(multi);
}

static void closing_gives_up_what_is_under_way(void **state)
{
	struct house *house = *state;
	struct multi *multi = open_multi(house->path);
	struct seen seen = { .multi = multi };
	assert_non_null(multi_post(multi, "/wait", "", 0, PATIENCE_MS, see, &seen));
	turn_until_waiting(multi, true);
	multi_close(multi);
	assert_int_equal(seen.count, 0);
	pthread_mutex_lock(&lock);
	while (waiting)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_body_goes_out_and_an_answer_comes_back),
		cmocka_unit_test(many_are_under_way_at_once),
		cmocka_unit_test(a_waiting_one_holds_up_no_other),
		cmocka_unit_test(a_cancelled_one_is_told_to_nobody_and_the_server_sees_it),
		cmocka_unit_test(a_callback_may_cancel_another),
		cmocka_unit_test(a_server_that_is_not_there_is_told_with_its_place_and_without_the_token),
		cmocka_unit_test(an_answer_that_does_not_come_in_time_is_given_up),
		cmocka_unit_test(closing_gives_up_what_is_under_way),
	};
	return cmocka_run_group_tests(tests, open_house, close_house);
}
