/*
 * Reads that wait until something they look at has changed. Thread-safe.
 *
 * No wake-up is lost: a read notes the count of wakings of its subject before it looks (watch_look), and
 * is kept only if none has come since (watch_keep).
 */
#ifndef LULL_LANE_WATCH_H
#define LULL_LANE_WATCH_H

#include <pthread.h>

#include "lane/lane.h"

enum { WATCH_BUCKETS = 1024 };

struct watch {
	pthread_mutex_t lock;
	size_t count;
	bool is_closed;
	struct {
		struct call *first;
		int64_t wakings;
	} buckets[WATCH_BUCKETS];
};

/* No call may wait in it when it ends. */
void watch_init(struct watch *watch);
void watch_fini(struct watch *watch);
/* Before the read transaction of a call that watches begins. */
void watch_look(struct watch *watch, struct call *call);
/* Keeps the call. False: something came meanwhile, or the watch is closed (then it is marked late); run it again. */
bool watch_keep(struct watch *watch, struct call *call) MUST_CHECK;
/* Takes out all calls that watch this subject; a list. */
struct call *watch_wake(struct watch *watch, enum effect_kind kind, int64_t subject) MUST_CHECK;
/* Takes out all calls with a deadline at or before `now_ms`, marked late; a list. */
struct call *watch_expire(struct watch *watch, int64_t now_ms) MUST_CHECK;
/* Takes out all calls, marked late, and keeps none from now on. */
struct call *watch_close(struct watch *watch) MUST_CHECK;

#endif
