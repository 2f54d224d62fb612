/*
 * Callers who never rest: each thread has a connection, submits an execution, waits until it has ended, and submits
 * the next. So at most one a thread is open, held or not.
 *
 *	fence_load PORT TOKEN THREADS FLOW…
 *
 * Threads take the flows in turns. When standard input ends, each thread waits for its last execution; then a line
 * "number flow" a submitted execution is printed. Exit code 0: every answer was as it has to be.
 */
#include <arpa/inet.h>
#include <jansson.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 1 << 16, MOST_THREADS = 256, MOST_SUBMITS = 1 << 16 };

struct submitted {
	long long number;
	const char *flow;
};

struct caller {
	pthread_t thread;
	int fd;
	const char *flow;
	char answer[ROOM];
	struct submitted *list;
	size_t count;
};

static struct caller callers[MOST_THREADS];
static const char *token;
static atomic_bool is_over;

static void fail(const char *what, const char *answer)
{
	fprintf(stderr, "%s: %s\n", what, answer);
	exit(1);
}

static int connect_to(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		fail("connect", "refused");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* Reads one answer; the body's place in it is returned. */
static char *read_answer(struct caller *caller)
{
	size_t have = 0;
	for (;;) {
		ssize_t got = read(caller->fd, caller->answer + have, ROOM - 1 - have);
		if (got <= 0)
			fail("the connection ended within an answer", caller->answer);
		have += (size_t)got;
		caller->answer[have] = '\0';
		char *body = strstr(caller->answer, "\r\n\r\n");
		char *length = body ? strcasestr(caller->answer, "\r\nContent-Length:") : NULL;
		if (!length)
			continue;
		body += 4;
		if (have - (size_t)(body - caller->answer) >= strtoul(length + 17, NULL, 10))
			return body;
	}
}

static json_t *ask(struct caller *caller, const char *method, const char *path, const char *body)
{
	char request[2048];
	int length = snprintf(request, sizeof(request),
			      "%s %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"
			      "Content-Length: %zu\r\n\r\n%s",
			      method, path, token, strlen(body), body);
	if (write(caller->fd, request, (size_t)length) != length)
		fail("write", path);
	json_t *document = json_loads(read_answer(caller), 0, NULL);
	int status = atoi(caller->answer + strlen("HTTP/1.1 "));
	if (!document || (status != 200 && status != 201))
		fail(path, caller->answer);
	return document;
}

static long long submit(struct caller *caller)
{
	char body[256];
	snprintf(body, sizeof(body), "{\"flow\":\"%s\"}", caller->flow);
	json_t *document = ask(caller, "POST", "/v1/executions", body);
	long long number = json_integer_value(json_object_get(document, "number"));
	json_decref(document);
	return number;
}

static bool has_ended(struct caller *caller, long long number)
{
	char path[128];
	snprintf(path, sizeof(path), "/v1/executions/%lld?until=ended&wait=20s", number);
	json_t *document = ask(caller, "GET", path, "");
	bool ended = json_is_string(json_object_get(document, "ended"));
	json_decref(document);
	return ended;
}

static void *call(void *argument)
{
	struct caller *caller = argument;
	while (!atomic_load(&is_over) && caller->count < MOST_SUBMITS) {
		struct submitted *one = &caller->list[caller->count++];
		*one = (struct submitted){ .number = submit(caller), .flow = caller->flow };
		while (!has_ended(caller, one->number))
			;
	}
	return NULL;
}

int main(int count, char **arguments)
{
	if (count < 5)
		return 2;
	int port = atoi(arguments[1]), threads = atoi(arguments[3]), flows = count - 4;
	char ignored[64];
	token = arguments[2];
	if (threads < 1 || threads > MOST_THREADS)
		return 2;
	for (int i = 0; i < threads; i++) {
		callers[i].fd = connect_to(port);
		callers[i].flow = arguments[4 + i % flows];
		callers[i].list = calloc(MOST_SUBMITS, sizeof(struct submitted));
		if (!callers[i].list || pthread_create(&callers[i].thread, NULL, call, &callers[i]) != 0)
			fail("thread", "refused");
	}
	while (read(STDIN_FILENO, ignored, sizeof(ignored)) > 0)
		;
	atomic_store(&is_over, true);
	for (int i = 0; i < threads; i++) {
		pthread_join(callers[i].thread, NULL);
		for (size_t k = 0; k < callers[i].count; k++)
			printf("%lld %s\n", callers[i].list[k].number, callers[i].list[k].flow);
		close(callers[i].fd);
		free(callers[i].list);
	}
	return 0;
}
