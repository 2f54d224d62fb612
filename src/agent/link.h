/*
 * The agent's link to its server (wire/exchange.h says what is spoken).
 *
 *	down ──► greeting ──► up ──► down …
 *
 * down:      no session; the next hello is due at retry_at_ms, after a pause that grows from 20 ms to 1 s.
 * greeting:  a hello is under way, and nothing else: every answer of the older session was dropped before.
 * up:        there is a session. One exchange waits at the server for orders; another goes out as soon as there
 *            is something to tell. It waits in its turn, unless its answer is needed soon: because there is more
 *            to tell of the same attempt, or because the answer lets its file be deleted.
 *
 * A failure of the connection, a 409 and a refusal lead down; a server that is merely busy is asked again after
 * the same pause within the session.
 */
#ifndef LULL_AGENT_LINK_H
#define LULL_AGENT_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/reports.h"
#include "base/attr.h"
#include "base/error.h"

struct multi;
struct multi_request;

enum link_state { LINK_DOWN, LINK_GREETING, LINK_UP };
enum { LINK_EXCHANGES = 2 };

/* A request under way. */
struct call {
	struct agent *agent;
	struct multi_request *request;  /* NULL: none */
	struct tale tale;
};

struct link {
	enum link_state state;
	struct multi *multi;
	struct call hello;
	struct call exchanges[LINK_EXCHANGES];
	int64_t session;
	int64_t got;                    /* the highest order taken */
	int64_t told_got;               /* as the last exchange said it */
	int32_t told_free;
	bool told_draining;
	int64_t retry_at_ms;
	int64_t pause_ms;
	int32_t failure_count;          /* in a row */
};

/* False: ERR_INVALID, the server's address is none. */
bool link_init(struct agent *agent, struct error *error) MUST_CHECK;
/* Drops what is under way. */
void link_fini(struct agent *agent);
/* Takes what has come in by time alone; what comes by events is taken as it comes. */
void link_run(struct agent *agent);
/* Says hello when it is due, and sends an exchange where one is wanted and may go. */
void link_tick(struct agent *agent);
bool link_is_up(const struct link *link) MUST_CHECK;
/* Has the server been tried in vain? */
bool link_is_in_vain(const struct link *link) MUST_CHECK;

#endif
