/*
 * The load of the bench: callers that submit, and what the machine does without Lull.
 *
 *	load submit PORT TOKEN FLOW CONNECTIONS BATCH SECONDS
 *	load fill   PORT TOKEN FLOW CONNECTIONS BATCH COUNT       the same until COUNT are accepted
 *	load finish PORT TOKEN FLOW CONNECTIONS BATCH COUNT       … and until all of them are recorded as ended
 *	load spawn  SECONDS                                       posix_spawn and wait, /bin/true, one at a time
 *	load sync   FOLDER SECONDS                                4 kB and fdatasync, one after another
 *
 * Each connection has one request under way. Says "<figure> <value>", a line each. A refusal is an error, but 503
 * with a full queue, which is counted and asked again.
 */
#include <fcntl.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "talk.h"

enum { MOST_CONNECTIONS = 1024, EVENTS_AT_ONCE = 64, STATUS_CREATED = 201, STATUS_BUSY = 503 };

struct caller {
	struct talk talk;
	int64_t sent_ns;
};

struct load {
	const char *token;
	int port;
	size_t connections;
	int64_t batch;
	int64_t wanted;                 /* executions; 0: as many as the time allows */
	int64_t until_ns;               /* 0: no bound */
	struct buffer request;          /* the same every time */
	struct caller callers[MOST_CONNECTIONS];
	int epoll;
	int64_t asked, accepted, busy, last;
	struct samples took;
};

static void write_request(struct load *load, const char *flow)
{
	struct buffer body = { 0 };
	if (load->batch > 1)
		buffer_text(&body, "{\"items\":[");
	for (int64_t i = 0; i < load->batch; i++)
		buffer_printf(&body, "%s{\"flow\":\"%s\"}", i ? "," : "", flow);
	if (load->batch > 1)
		buffer_text(&body, "]}");
	talk_write(&load->request, "POST", "/v1/executions", load->token, body.at, body.length);
	buffer_fini(&body);
}

static void ask(struct load *load, struct caller *caller)
{
	bool is_enough = load->wanted ? load->asked >= load->wanted : now_ns() >= load->until_ns;
	caller->sent_ns = 0;
	if (is_enough)
		return;
	load->asked += load->batch;
	caller->sent_ns = now_ns();
	talk_send(&caller->talk, load->request.at, load->request.length);
}

static void take(struct load *load, struct caller *caller)
{
	struct talk *talk = &caller->talk;
	talk_fill(talk);
	if (!talk_parse(talk))
		return;
	if (talk->status == STATUS_CREATED) {
		samples_add(&load->took, now_ns() - caller->sent_ns);
		load->accepted += load->batch;
		/* Looked for in the last part only: the answer's own end. */
		size_t tail = talk->length > 200 ? talk->length - 200 : 0;
		int64_t number = talk_last(talk->body + tail, "number");
		load->last = number > load->last ? number : load->last;
	} else if (talk->status == STATUS_BUSY) {
		load->busy++;
		load->asked -= load->batch;
	} else {
		bench_fail("submit: %d: %.500s", talk->status, talk->body);
	}
	talk_drop(talk);
	ask(load, caller);
}

static bool is_under_way(const struct load *load)
{
	for (size_t i = 0; i < load->connections; i++)
		if (load->callers[i].sent_ns)
			return true;
	return false;
}

static void run(struct load *load)
{
	load->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (size_t i = 0; i < load->connections; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = &load->callers[i] };
		talk_open_tcp(&load->callers[i].talk, load->port);
		epoll_ctl(load->epoll, EPOLL_CTL_ADD, load->callers[i].talk.fd, &event);
	}
	for (size_t i = 0; i < load->connections; i++)
		ask(load, &load->callers[i]);
	while (is_under_way(load)) {
		struct epoll_event events[EVENTS_AT_ONCE];
		int count = epoll_wait(load->epoll, events, EVENTS_AT_ONCE, -1);
		for (int i = 0; i < count; i++)
			take(load, events[i].data.ptr);
	}
}

/* Until nothing waits or runs: the last one is waited for, then what was overtaken by it. */
static void wait_for_end(struct load *load)
{
	struct talk *talk = &load->callers[0].talk;
	char path[96];
	snprintf(path, sizeof(path), "/v1/executions/%" PRId64 "?until=ended&wait=PT30S", load->last);
	while (strstr(talk_ask(talk, "GET", path, load->token, NULL, 200), "\"ended\":null"))
		;
	for (;;) {
		const char *status = talk_ask(talk, "GET", "/v1/status", load->token, NULL, 200);
		if (talk_first(status, "running") == 0 && talk_first(status, "waiting") == 0)
			return;
	}
}

static int submit(int count, char **arguments)
{
	static struct load load;
	if (count != 8)
		bench_fail("load %s takes six arguments", arguments[1]);
	load.port = atoi(arguments[2]);
	load.token = arguments[3];
	load.connections = strtoul(arguments[5], NULL, 10);
	load.batch = atoll(arguments[6]);
	if (load.connections < 1 || load.connections > MOST_CONNECTIONS || load.batch < 1)
		bench_fail("1 to %d connections, batches of at least 1", MOST_CONNECTIONS);
	bool is_timed = strcmp(arguments[1], "submit") == 0;
	int64_t began = now_ns();
	if (is_timed)
		load.until_ns = began + (int64_t)(atof(arguments[7]) * 1e9);
	else
		load.wanted = atoll(arguments[7]);
	write_request(&load, arguments[4]);
	run(&load);
	int64_t submitted = now_ns();
	if (strcmp(arguments[1], "finish") == 0)
		wait_for_end(&load);
	double seconds = (double)(now_ns() - began) / 1e9;
	printf("executions %" PRId64 "\nbusy %" PRId64 "\nlast %" PRId64 "\n", load.accepted, load.busy, load.last);
	printf("seconds %.4f\nrate %.1f\n", seconds, (double)load.accepted / seconds);
	printf("submit_rate %.1f\n", (double)load.accepted / ((double)(submitted - began) / 1e9));
	samples_print(&load.took, "request");
	return 0;
}

static int spawn(double seconds)
{
	char *const arguments[] = { (char *)"/bin/true", NULL };
	int64_t began = now_ns(), count = 0;
	for (; now_ns() - began < (int64_t)(seconds * 1e9); count++) {
		pid_t pid;
		int status;
		if (posix_spawn(&pid, arguments[0], NULL, NULL, arguments, environ) != 0 ||
		    waitpid(pid, &status, 0) != pid || status != 0)
			bench_fail("/bin/true: %s", strerror(errno));
	}
	printf("rate %.1f\n", (double)count / ((double)(now_ns() - began) / 1e9));
	return 0;
}

static int sync_disk(const char *folder, double seconds)
{
	char path[4096], page[4096] = { 0 };
	snprintf(path, sizeof(path), "%s/sync", folder);
	int file = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	struct samples took = { 0 };
	int64_t began = now_ns(), count = 0;
	for (int64_t now = began; now - began < (int64_t)(seconds * 1e9); count++) {
		/* Over and over the same megabyte, as a write-ahead log does. */
		if (pwrite(file, page, sizeof(page), (count % 256) * (off_t)sizeof(page)) != sizeof(page) ||
		    fdatasync(file) < 0)
			bench_fail("%s: %s", path, strerror(errno));
		int64_t before = now;
		now = now_ns();
		samples_add(&took, now - before);
	}
	printf("rate %.1f\n", (double)count / ((double)(now_ns() - began) / 1e9));
	samples_print(&took, "sync");
	close(file);
	unlink(path);
	return 0;
}

int main(int count, char **arguments)
{
	const char *what = count > 1 ? arguments[1] : "";
	if (strcmp(what, "spawn") == 0 && count == 3)
		return spawn(atof(arguments[2]));
	if (strcmp(what, "sync") == 0 && count == 4)
		return sync_disk(arguments[2], atof(arguments[3]));
	if (strcmp(what, "submit") == 0 || strcmp(what, "fill") == 0 || strcmp(what, "finish") == 0)
		return submit(count, arguments);
	bench_fail("see the head of bench/load.c");
}
