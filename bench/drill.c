/*
 * The drills of the bench: how long single steps take, seen by a caller and by an agent at once. The agent is this
 * program itself: it speaks wire/exchange.h, and every attempt ends as it begins.
 *
 *	drill latency PORT TOKEN SOCKET FLOW RATE SECONDS   submit sent → the agent has read the start order
 *	drill enter   PORT TOKEN ROUNDS                     "enter" sent → answered
 *	drill drained PORT TOKEN SOCKET FLOW ROUNDS         "ended" sent → a waiting client has read "drained"
 *	drill release PORT TOKEN SOCKET ROUNDS              "end" sent → the agent has read the first start order
 *	drill agent   SOCKET SLOTS                          runs what it is given until SIGTERM, in small bites
 *
 * Says "<figure> <value>", a line each. Whatever goes otherwise than it should ends the drill with code 1.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "sys/clock.h"
#include "talk.h"
#include "wire/exchange.h"

#define MS INT64_C(1000000)
#define HOLD "{\"preset\":\"default\",\"scope\":\"instance\",\"reason\":\"a bench\"}"

enum { SLOTS = 256, RELEASE_SLOTS = 4, WAIT_MS = 30000, SETTLE_MS = 3 };

/* ---- an agent */

struct hand {
	struct talk talk;
	struct arena arena;             /* the last answer */
	int64_t session;
	int64_t got;
	int32_t slots;
	struct exchange_answer answer;
};

static void hand_hello(struct hand *hand, const char *socket, int32_t slots)
{
	const struct hello hello = {
		.agent = "bench", .pool = "default", .slots = slots, .boot = "bench", .spool = "bench",
		.host = "bench", .version = "bench", .pid = getpid(),
	};
	struct hello_answer answer;
	struct buffer body = { 0 };
	struct error error;
	*hand = (struct hand){ .slots = slots };
	talk_open_unix(&hand->talk, socket);
	hello_write(&body, &hello);
	const char *told = talk_ask(&hand->talk, "POST", "/v1/agent/hello", NULL, buffer_cstr(&body), 200);
	if (!hello_answer_read(told, strlen(told), &hand->arena, &answer, &error))
		bench_fail("hello: %s", error.detail);
	hand->session = answer.session;
	buffer_fini(&body);
}

static void hand_send(struct hand *hand, struct report *reports, size_t count, int32_t free, int64_t wait_ms)
{
	const struct exchange exchange = { .session = hand->session, .got = hand->got, .free = free,
					   .wait_ms = wait_ms, .reports = reports, .report_count = count };
	struct buffer body = { 0 }, out = { 0 };
	exchange_write(&body, &exchange);
	talk_write(&out, "POST", "/v1/agent/exchange", NULL, body.at, body.length);
	talk_drop(&hand->talk);
	talk_send(&hand->talk, out.at, out.length);
	buffer_fini(&body);
	buffer_fini(&out);
}

/* The orders are in the hand's answer until the next call. */
static void hand_receive(struct hand *hand)
{
	struct error error;
	talk_receive(&hand->talk);
	arena_reset(&hand->arena);
	if (hand->talk.status != 200)
		bench_fail("exchange: %d: %.500s", hand->talk.status, hand->talk.body);
	if (!exchange_answer_read(hand->talk.body, hand->talk.length, &hand->arena, &hand->answer, &error))
		bench_fail("exchange: %s", error.detail);
	if (hand->answer.refused_count)
		bench_fail("a report was refused: %s", hand->answer.refused[0].detail);
	if (hand->answer.seq > hand->got)
		hand->got = hand->answer.seq;
}

/* For every start order of the last answer, what an attempt that began and ended just now says. *count: how many. */
static struct report *hand_reports(struct hand *hand, size_t *count)
{
	struct report *reports = heap_new(2 * hand->answer.order_count + 1, sizeof(*reports));
	int64_t now_ms = clock_now();
	*count = 0;
	for (size_t i = 0; i < hand->answer.order_count; i++) {
		const struct order *order = &hand->answer.orders[i];
		if (order->kind != ORDER_START)
			continue;
		reports[(*count)++] = (struct report){ .attempt = order->attempt, .kind = REPORT_BEGAN,
						       .at_ms = now_ms };
		reports[(*count)++] = (struct report){ .attempt = order->attempt, .kind = REPORT_ENDED,
						       .at_ms = now_ms, .began_ms = now_ms,
						       .result = RESULT_SUCCEEDED, .detail = "" };
	}
	return reports;
}

/* Reports all that the last answer ordered as done, and asks for more. */
static void hand_turn(struct hand *hand, int32_t free_slots, int64_t wait_ms)
{
	size_t count;
	struct report *reports = hand_reports(hand, &count);
	hand_send(hand, reports, count, free_slots, wait_ms);
	free(reports);
	hand_receive(hand);
}

/* ---- a person */

struct person {
	struct talk talk;
	const char *token;
};

static void person_meet(struct person *person, const char *port, const char *token)
{
	person->token = token;
	talk_open_tcp(&person->talk, atoi(port));
}

static int64_t person_submit(struct person *person, const char *flow)
{
	char body[256];
	snprintf(body, sizeof(body), "{\"flow\":\"%s\"}", flow);
	return talk_last(talk_ask(&person->talk, "POST", "/v1/executions", person->token, body, 201), "number");
}

static int64_t person_enter(struct person *person)
{
	const char *told = talk_ask(&person->talk, "POST", "/v1/maintenance", person->token, HOLD, 201);
	if (!strstr(told, "\"fenced\":true"))
		bench_fail("entered and not fenced: %.500s", told);
	return talk_first(told, "id");
}

static void person_end(struct person *person, int64_t hold)
{
	char path[96];
	snprintf(path, sizeof(path), "/v1/maintenance/%" PRId64 "/end", hold);
	talk_ask(&person->talk, "POST", path, person->token, NULL, 200);
}

/* ---- latency */

struct arrivals {
	struct hand hand;
	atomic_bool is_over;
	int64_t *at_ns;                 /* by the execution's number */
	int64_t room;
};

static void *take_arrivals(void *argument)
{
	struct arrivals *arrivals = argument;
	struct hand *hand = &arrivals->hand;
	while (!atomic_load(&arrivals->is_over)) {
		hand_turn(hand, hand->slots, 200);
		int64_t now = now_ns();
		for (size_t i = 0; i < hand->answer.order_count; i++) {
			struct execution_id id = { hand->answer.orders[i].attempt.execution };
			int64_t number = execution_id_number(id);
			if (number < arrivals->room)
				arrivals->at_ns[number] = now;
		}
	}
	hand_turn(hand, 0, 0);
	return NULL;
}

static void drill_latency(char **arguments)
{
	struct arrivals arrivals = { .room = 0 };
	struct person person;
	struct samples begun = { 0 }, answered = { 0 };
	double rate = atof(arguments[4]);
	int64_t count = (int64_t)(rate * atof(arguments[5]));
	pthread_t thread;
	person_meet(&person, arguments[0], arguments[1]);
	/* The first is not measured: it makes the backlog, and says where the numbers are. */
	int64_t first = person_submit(&person, arguments[3]);
	arrivals.room = first + count + 1;
	arrivals.at_ns = heap_new((size_t)arrivals.room, sizeof(int64_t));
	int64_t *sent = heap_new((size_t)arrivals.room, sizeof(int64_t));
	hand_hello(&arrivals.hand, arguments[2], SLOTS);
	if (pthread_create(&thread, NULL, take_arrivals, &arrivals) != 0)
		bench_fail("no thread could be started");
	int64_t next = now_ns();
	for (int64_t i = 0; i < count; i++) {
		next += (int64_t)(1e9 / rate);
		sleep_until_ns(next);
		int64_t now = now_ns();
		int64_t number = person_submit(&person, arguments[3]);
		samples_add(&answered, now_ns() - now);
		if (number >= arrivals.room)
			bench_fail("somebody else submits, too");
		sent[number] = now;
	}
	sleep_until_ns(now_ns() + 100 * MS);
	atomic_store(&arrivals.is_over, true);
	pthread_join(thread, NULL);
	for (int64_t i = first + 1; i < arrivals.room; i++) {
		if (!arrivals.at_ns[i])
			bench_fail("execution %" PRId64 " was not handed out", i);
		samples_add(&begun, arrivals.at_ns[i] - sent[i]);
	}
	samples_print(&begun, "begun");
	samples_print(&answered, "answered");
}

/* ---- holds */

static void drill_enter(char **arguments)
{
	enum { PAUSE_MS = 10 };
	struct person person;
	struct samples entered = { 0 }, ended = { 0 };
	person_meet(&person, arguments[0], arguments[1]);
	for (int64_t rounds = atoll(arguments[2]); rounds > 0; rounds--) {
		sleep_until_ns(now_ns() + PAUSE_MS * MS);
		int64_t began = now_ns();
		int64_t hold = person_enter(&person);
		samples_add(&entered, now_ns() - began);
		sleep_until_ns(now_ns() + PAUSE_MS * MS);
		began = now_ns();
		person_end(&person, hold);
		samples_add(&ended, now_ns() - began);
	}
	samples_print(&entered, "enter");
	samples_print(&ended, "end");
}

static void send_wait(struct person *person, int64_t hold)
{
	struct buffer out = { 0 };
	char path[128];
	snprintf(path, sizeof(path), "/v1/maintenance/%" PRId64 "?until=drained&wait=PT30S", hold);
	talk_write(&out, "GET", path, person->token, NULL, 0);
	talk_drop(&person->talk);
	talk_send(&person->talk, out.at, out.length);
	buffer_fini(&out);
}

static void must_be_silent(const struct person *person)
{
	struct pollfd poll_one = { .fd = person->talk.fd, .events = POLLIN };
	if (poll(&poll_one, 1, 0) != 0)
		bench_fail("told before the last attempt had ended");
}

static void must_be_drained(const struct person *person)
{
	if (person->talk.status != 200 || !strstr(person->talk.body, "\"drained\":true"))
		bench_fail("told, and not drained: %d: %.500s", person->talk.status, person->talk.body);
}

static void drill_drained(char **arguments)
{
	struct person person, waiting;
	struct hand hand;
	struct samples told = { 0 };
	person_meet(&person, arguments[0], arguments[1]);
	person_meet(&waiting, arguments[0], arguments[1]);
	hand_hello(&hand, arguments[2], SLOTS);
	for (int64_t rounds = atoll(arguments[4]); rounds > 0; rounds--) {
		person_submit(&person, arguments[3]);
		while (hand.answer.order_count == 0)
			hand_turn(&hand, hand.slots, WAIT_MS);
		size_t count;
		struct report *reports = hand_reports(&hand, &count);
		hand_send(&hand, reports, 1, 0, 0);
		hand_receive(&hand);
		int64_t hold = person_enter(&person);
		send_wait(&waiting, hold);
		sleep_until_ns(now_ns() + SETTLE_MS * MS);
		must_be_silent(&waiting);
		int64_t began = now_ns();
		hand_send(&hand, reports + 1, count - 1, 0, 0);
		talk_receive(&waiting.talk);
		samples_add(&told, now_ns() - began);
		must_be_drained(&waiting);
		hand_receive(&hand);
		free(reports);
		person_end(&person, hold);
	}
	samples_print(&told, "drained");
}

static void drill_release(char **arguments)
{
	struct person person;
	struct hand hand;
	struct samples started = { 0 };
	person_meet(&person, arguments[0], arguments[1]);
	hand_hello(&hand, arguments[2], RELEASE_SLOTS);
	for (int64_t rounds = atoll(arguments[3]); rounds > 0; rounds--) {
		int64_t hold = person_enter(&person);
		hand_turn(&hand, 0, 0);
		hand_send(&hand, NULL, 0, hand.slots, WAIT_MS);
		sleep_until_ns(now_ns() + SETTLE_MS * MS);
		int64_t began = now_ns();
		struct buffer out = { 0 };
		char path[96];
		snprintf(path, sizeof(path), "/v1/maintenance/%" PRId64 "/end", hold);
		talk_write(&out, "POST", path, person.token, NULL, 0);
		talk_drop(&person.talk);
		talk_send(&person.talk, out.at, out.length);
		buffer_fini(&out);
		hand_receive(&hand);
		samples_add(&started, now_ns() - began);
		if (hand.answer.order_count == 0)
			bench_fail("the agent was told nothing after the end");
		talk_receive(&person.talk);
		if (person.talk.status != 200)
			bench_fail("end: %d: %.500s", person.talk.status, person.talk.body);
	}
	hand_turn(&hand, 0, 0);
	samples_print(&started, "started");
}

static volatile sig_atomic_t is_told_to_end;

static void on_end(int number)
{
	(void)number;
	is_told_to_end = 1;
}

static void drill_agent(char **arguments)
{
	struct hand hand;
	struct sigaction action = { .sa_handler = on_end };
	sigaction(SIGTERM, &action, NULL);
	hand_hello(&hand, arguments[0], atoi(arguments[1]));
	puts("ready");
	fflush(stdout);
	while (!is_told_to_end) {
		hand_turn(&hand, hand.slots, 100);
		sleep_until_ns(now_ns() + MS);
	}
	hand_turn(&hand, 0, 0);
}

int main(int count, char **arguments)
{
	static const struct {
		const char *name;
		int arguments;
		void (*run)(char **arguments);
	} drills[] = {
		{ "latency", 6, drill_latency }, { "enter",   3, drill_enter   }, { "drained", 5, drill_drained },
		{ "release", 4, drill_release }, { "agent",   2, drill_agent   },
	};
	for (size_t i = 0; i < COUNT_OF(drills); i++) {
		if (count == drills[i].arguments + 2 && strcmp(arguments[1], drills[i].name) == 0) {
			drills[i].run(arguments + 2);
			return 0;
		}
	}
	bench_fail("see the head of bench/drill.c");
}
