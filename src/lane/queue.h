/*
 * The calls that wait for a lane: a bounded first-in-first-out list per kind. Not thread-safe.
 */
#ifndef LULL_LANE_QUEUE_H
#define LULL_LANE_QUEUE_H

#include "lane/lane.h"

struct queue {
	struct {
		struct call *first;
		struct call *last;
		size_t count;
	} kinds[CALL_KINDS];
};

/* False: ERR_BUSY, this kind's queue is full. */
bool queue_put(struct queue *queue, struct call *call, struct error *error) MUST_CHECK;
/* As queue_put without a bound: for calls that were let in before. */
void queue_put_back(struct queue *queue, struct call *call);
bool queue_is_empty(const struct queue *queue) MUST_CHECK;
bool queue_has(const struct queue *queue, enum call_kind kind) MUST_CHECK;
/*
 * Takes the first call of the first kind that has one and, if its type is an array, those of the same type that
 * follow it, until `most_rows` are reached. The list ends with next == NULL; NULL: nothing waits.
 */
struct call *queue_take(struct queue *queue, size_t most_rows) MUST_CHECK;

#endif
