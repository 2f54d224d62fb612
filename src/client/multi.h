/*
 * Requests to a Lull server that do not wait, for a program with a poll loop of its own.
 *
 * The loop watches one descriptor, multi_fd, for reading, sleeps at most multi_wait_ms, and calls multi_run after
 * either. All work is done in multi_run, and only there are answers told. Connections are kept and used again.
 * A multi belongs to one thread.
 */
#ifndef LULL_CLIENT_MULTI_H
#define LULL_CLIENT_MULTI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"

struct multi;
struct multi_request;

/* What became of a request; lives until `done` returns. */
struct multi_answer {
	int status;                        /* of HTTP, whatever it is; 0: there was no answer */
	const char *bytes;                 /* the body, with a NUL after it */
	size_t length;
	const char *detail;                /* with status 0: why, for a person; otherwise "" */
};

/* As client_open: `url` may be NULL with a socket path, `token` may be NULL. False: ERR_INVALID, ERR_SYSTEM. */
bool multi_open(const char *url, const char *socket_path, const char *token, struct multi **multi,
		struct error *error) MUST_CHECK;
/* Cancels what is under way. NULL accepted. */
void multi_close(struct multi *multi);

/* The descriptor to watch for reading. */
int multi_fd(const struct multi *multi) MUST_CHECK;
/* After how many ms multi_run wants to be called even if nothing can be read: 0 at once, -1 no need. */
int64_t multi_wait_ms(const struct multi *multi) MUST_CHECK;
/* Goes on with what can be gone on with, and calls `done` for what is answered. */
void multi_run(struct multi *multi);

/*
 * Starts a POST of a JSON body, which is copied; the whole may take timeout_ms. `done` is called once from multi_run,
 * may start and cancel others, and is the end of the request: its handle is not to be used any more.
 */
struct multi_request *multi_post(struct multi *multi, const char *target, const char *body, size_t length,
				 int64_t timeout_ms, void (*done)(void *context, const struct multi_answer *answer),
				 void *context);
/* Gives a request up: `done` is not called. The server may still carry it out. */
void multi_cancel(struct multi *multi, struct multi_request *request);

#endif
