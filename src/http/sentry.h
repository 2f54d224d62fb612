/*
 * One thread that looks after all connections of a server, where the HTTP library does not: it closes those that
 * miss an absolute deadline, sees clients vanish whose request is parked, and lets a refused client finish
 * sending, so that it can read why.
 *
 * A connection enters when it is accepted and leaves before its socket is closed; between the two its number may
 * be used here. All functions are thread-safe. One lock guards everything; no callback runs under it except `hold`.
 */
#ifndef LULL_HTTP_SENTRY_H
#define LULL_HTTP_SENTRY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "http/request.h"

#define SENTRY_NO_DEADLINE INT64_MAX

struct sentry;

struct connection {
	struct http_peer peer;
	int fd;
	_Atomic(int64_t) deadline_ms;      /* on the monotonic clock; the socket is shut down once it has passed */
	bool should_linger;                /* told to sentry_leave: read on for a while */
	/* The sentry's own, under its lock. */
	void *watched;                     /* whose client may vanish; NULL: nobody asked */
	bool is_registered, is_lingering;
	struct connection *previous, *next;
};

/* What to do about a watched subject whose client has vanished. */
struct sentry_duty {
	void (*hold)(void *subject);       /* keep it alive until gone has returned; called under the sentry's lock */
	void (*gone)(void *subject);       /* tell it; called once, on the sentry's thread */
};

/* Deadlines are kept with a precision of `tick_ms`. False: ERR_SYSTEM. */
bool sentry_open(const struct sentry_duty *duty, int64_t tick_ms, struct sentry **sentry, struct error *error)
	MUST_CHECK;
/* All connections have left. NULL accepted. */
void sentry_close(struct sentry *sentry);

/* A new connection on this socket, to be closed if it has not got further by `deadline_ms`. */
struct connection *sentry_enter(struct sentry *sentry, int fd, int64_t deadline_ms) MUST_CHECK;
/* The connection's socket is about to be closed; the connection is not to be touched any more. */
void sentry_leave(struct sentry *sentry, struct connection *connection);
static inline void sentry_set_deadline(struct connection *connection, int64_t deadline_ms)
{
	atomic_store_explicit(&connection->deadline_ms, deadline_ms, memory_order_relaxed);
}

/* Has the duty done for `subject` if the client vanishes, or has already; at most once. */
void sentry_watch(struct sentry *sentry, struct connection *connection, void *subject);
/* No longer. Once this has returned, the duty does not begin for `subject`; it may be under way. */
void sentry_unwatch(struct sentry *sentry, struct connection *connection, void *subject);

#endif
