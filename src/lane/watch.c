#include "lane/watch.h"

void watch_init(struct watch *watch)
{
	*watch = (struct watch){ .count = 0 };
	pthread_mutex_init(&watch->lock, NULL);
}

void watch_fini(struct watch *watch)
{
	pthread_mutex_destroy(&watch->lock);
}

static size_t bucket_of(enum effect_kind kind, int64_t subject)
{
	uint64_t mixed = ((uint64_t)subject * EFFECT_KINDS + (uint64_t)kind) * UINT64_C(0x9E3779B97F4A7C15);
	return (size_t)(mixed >> 40) % WATCH_BUCKETS;
}

void watch_look(struct watch *watch, struct call *call)
{
	pthread_mutex_lock(&watch->lock);
	call->watch.seen = watch->buckets[bucket_of(call->watch.kind, call->watch.subject)].wakings;
	pthread_mutex_unlock(&watch->lock);
}

bool watch_keep(struct watch *watch, struct call *call)
{
	size_t bucket = bucket_of(call->watch.kind, call->watch.subject);
	pthread_mutex_lock(&watch->lock);
	call->watch.is_late |= watch->is_closed;
	bool kept = !watch->is_closed && watch->buckets[bucket].wakings == call->watch.seen;
	if (kept) {
		call->next = watch->buckets[bucket].first;
		watch->buckets[bucket].first = call;
		watch->count++;
	}
	pthread_mutex_unlock(&watch->lock);
	return kept;
}

/* Moves the calls of a bucket that `wanted` picks to the front of `taken`; the lock is held. */
static struct call *take_out(struct watch *watch, size_t bucket, struct call *taken,
			     bool (*wanted)(const struct call *call, const void *what), const void *what)
{
	struct call **link = &watch->buckets[bucket].first;
	while (*link) {
		struct call *call = *link;
		if (!wanted(call, what)) {
			link = &call->next;
			continue;
		}
		*link = call->next;
		call->next = taken;
		taken = call;
		watch->count--;
	}
	return taken;
}

static bool is_of_effect(const struct call *call, const void *what)
{
	const struct effect *effect = what;
	return call->watch.kind == effect->kind && call->watch.subject == effect->subject;
}

static bool is_due(const struct call *call, const void *what)
{
	return call->watch.deadline_ms <= *(const int64_t *)what;
}

struct call *watch_wake(struct watch *watch, enum effect_kind kind, int64_t subject)
{
	struct effect effect = { .kind = kind, .subject = subject };
	size_t bucket = bucket_of(kind, subject);
	pthread_mutex_lock(&watch->lock);
	watch->buckets[bucket].wakings++;
	struct call *taken = take_out(watch, bucket, NULL, is_of_effect, &effect);
	pthread_mutex_unlock(&watch->lock);
	return taken;
}

struct call *watch_expire(struct watch *watch, int64_t now_ms)
{
	struct call *taken = NULL;
	pthread_mutex_lock(&watch->lock);
	for (size_t bucket = 0; watch->count && bucket < WATCH_BUCKETS; bucket++)
		taken = take_out(watch, bucket, taken, is_due, &now_ms);
	pthread_mutex_unlock(&watch->lock);
	for (struct call *call = taken; call; call = call->next)
		call->watch.is_late = true;
	return taken;
}

struct call *watch_close(struct watch *watch)
{
	pthread_mutex_lock(&watch->lock);
	watch->is_closed = true;
	pthread_mutex_unlock(&watch->lock);
	return watch_expire(watch, INT64_MAX);
}
