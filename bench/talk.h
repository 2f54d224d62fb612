/*
 * What the bench's programs share: raw keep-alive HTTP, a clock, and quantiles. Requests are written by hand and
 * answers are looked into only as far as needed, so that little of the machine goes to the measuring.
 *
 * A bench ends with a sentence and code 1 at the first thing that goes otherwise than it should: what is measured
 * must have worked.
 */
#ifndef LULL_BENCH_TALK_H
#define LULL_BENCH_TALK_H

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/buffer.h"
#include "base/heap.h"

static NORETURN UNUSED void bench_fail(const char *format, ...) PRINTF_LIKE(1, 2);
static NORETURN UNUSED void bench_fail(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

static UNUSED int64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static UNUSED void sleep_until_ns(int64_t at)
{
	const struct timespec until = { .tv_sec = at / 1000000000, .tv_nsec = at % 1000000000 };
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}

/* ---- samples */

struct samples {
	int64_t *ns;
	size_t count;
	size_t room;
};

static UNUSED void samples_add(struct samples *samples, int64_t ns)
{
	if (samples->count == samples->room) {
		samples->room = samples->room ? samples->room * 2 : 4096;
		samples->ns = heap_grow(samples->ns, samples->room, sizeof(*samples->ns));
	}
	samples->ns[samples->count++] = ns;
}

static int samples_order(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
	return left < right ? -1 : left > right;
}

/* One line for each figure, "<name>_p50_ms 0.412", as run.py reads them. */
static UNUSED void samples_print(struct samples *samples, const char *name)
{
	if (samples->count == 0)
		bench_fail("%s: nothing was measured", name);
	qsort(samples->ns, samples->count, sizeof(*samples->ns), samples_order);
	printf("%s_count %zu\n", name, samples->count);
	printf("%s_p50_ms %.4f\n", name, (double)samples->ns[samples->count / 2] / 1e6);
	printf("%s_p99_ms %.4f\n", name, (double)samples->ns[samples->count * 99 / 100] / 1e6);
	printf("%s_max_ms %.4f\n", name, (double)samples->ns[samples->count - 1] / 1e6);
}

/* ---- a connection */

struct talk {
	int fd;
	struct buffer in;               /* what came; one answer at its front */
	int status;
	const char *body;               /* of the answer at the front, ended by a zero */
	size_t length;
	size_t taken;                   /* bytes of that answer */
};

static UNUSED void talk_open_tcp(struct talk *talk, int port)
{
	const struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
					     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int at_once = 1;
	*talk = (struct talk){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	if (talk->fd < 0 || connect(talk->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		bench_fail("connecting to port %d: %s", port, strerror(errno));
	setsockopt(talk->fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof(at_once));
}

static UNUSED void talk_open_unix(struct talk *talk, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(address.sun_path))
		bench_fail("%s: too long for a socket's path", path);
	strcpy(address.sun_path, path);
	*talk = (struct talk){ .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	if (talk->fd < 0 || connect(talk->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		bench_fail("%s: %s", path, strerror(errno));
}

/* Appends a whole request. `token` may be NULL. */
static UNUSED void talk_write(struct buffer *out, const char *method, const char *path, const char *token,
				    const char *body, size_t length)
{
	buffer_printf(out, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n", method, path);
	if (token)
		buffer_printf(out, "Authorization: Bearer %s\r\n", token);
	if (body)
		buffer_printf(out, "Content-Type: application/json\r\nContent-Length: %zu\r\n", length);
	buffer_append(out, "\r\n", 2);
	if (body)
		buffer_append(out, body, length);
}

static UNUSED void talk_send(struct talk *talk, const void *bytes, size_t length)
{
	for (size_t sent = 0; sent < length;) {
		ssize_t more = send(talk->fd, (const char *)bytes + sent, length - sent, MSG_NOSIGNAL);
		if (more < 0 && errno != EINTR)
			bench_fail("sending: %s", strerror(errno));
		sent += more > 0 ? (size_t)more : 0;
	}
}

/* Is a whole answer there? Then status, body and length say what it is. */
static UNUSED bool talk_parse(struct talk *talk)
{
	const char *at = buffer_cstr(&talk->in);
	const char *end = strstr(at, "\r\n\r\n");
	if (!end)
		return false;
	const char *length = strcasestr(at, "\r\nContent-Length:");
	if (!length || length > end)
		bench_fail("an answer without a length: %.200s", at);
	talk->length = strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
	talk->taken = (size_t)(end + 4 - at) + talk->length;
	if (talk->in.length < talk->taken)
		return false;
	talk->status = atoi(at + strlen("HTTP/1.1 "));
	talk->body = end + 4;
	return true;
}

/* Takes what has come, waiting for the first of it. */
static UNUSED void talk_fill(struct talk *talk)
{
	char part[65536];
	ssize_t got;
	do {
		got = recv(talk->fd, part, sizeof(part), 0);
	} while (got < 0 && errno == EINTR);
	if (got <= 0)
		bench_fail("the server hung up: %s", got < 0 ? strerror(errno) : "end of the connection");
	buffer_append(&talk->in, part, (size_t)got);
}

/* Waits for an answer. It is there until talk_drop. */
static UNUSED void talk_receive(struct talk *talk)
{
	while (!talk_parse(talk))
		talk_fill(talk);
}

/* Forgets the answer at the front, if there is one. */
static UNUSED void talk_drop(struct talk *talk)
{
	size_t rest = talk->in.length - talk->taken;
	if (talk->taken)
		memmove(talk->in.at, talk->in.at + talk->taken, rest + 1);
	talk->in.length = rest;
	talk->taken = 0;
}

/* Asks and waits; the answer has to have this status. It is there until the next call. */
static UNUSED const char *talk_ask(struct talk *talk, const char *method, const char *path, const char *token,
					 const char *body, int status)
{
	struct buffer out = { 0 };
	talk_write(&out, method, path, token, body, body ? strlen(body) : 0);
	talk_send(talk, out.at, out.length);
	buffer_fini(&out);
	talk_drop(talk);
	talk_receive(talk);
	if (talk->status != status)
		bench_fail("%s %s: %d: %.500s", method, path, talk->status, talk->body);
	return talk->body;
}

/* The number behind the first `"key":` of the text, or behind the last. */
static int64_t talk_number(const char *text, const char *key, bool is_last)
{
	char wanted[64];
	const char *found = NULL;
	snprintf(wanted, sizeof(wanted), "\"%s\":", key);
	for (const char *next = text; (!found || is_last) && (next = strstr(next, wanted)) != NULL;
	     next += strlen(wanted))
		found = next;
	if (!found)
		bench_fail("no %s in %.300s", key, text);
	return strtoll(found + strlen(wanted), NULL, 10);
}

static UNUSED int64_t talk_first(const char *text, const char *key)
{
	return talk_number(text, key, false);
}

static UNUSED int64_t talk_last(const char *text, const char *key)
{
	return talk_number(text, key, true);
}

#endif
