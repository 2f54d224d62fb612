/*
 * A ring of things that carry their own links: adding and removing cost the same wherever they stand.
 * A link that is in no ring points to itself.
 */
#ifndef LULL_AGENT_RING_H
#define LULL_AGENT_RING_H

#include <stdbool.h>

#include "base/attr.h"

struct ring {
	struct ring *next;
	struct ring *previous;
};

/* Makes an empty ring, or a link that is in none. */
static inline void ring_init(struct ring *ring)
{
	ring->next = ring->previous = ring;
}

/* Has the ring no link? Of a link: is it in no ring? */
static inline bool ring_is_empty(const struct ring *ring)
{
	return ring->next == ring;
}

/* Takes the link out of its ring, if it is in one. */
static inline void ring_remove(struct ring *link)
{
	link->next->previous = link->previous;
	link->previous->next = link->next;
	ring_init(link);
}

/* Puts the link, which is in no ring, at the end of the ring that begins with `head`. */
static inline void ring_add_last(struct ring *head, struct ring *link)
{
	link->previous = head->previous;
	link->next = head;
	head->previous->next = link;
	head->previous = link;
}

/* Puts the link, which is in no ring, first behind `head`. */
static inline void ring_add_first(struct ring *head, struct ring *link)
{
	ring_add_last(head->next, link);
}

#endif
