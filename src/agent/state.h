/*
 * The agent's inside, shared by the files of src/agent. One thread, one loop:
 *
 *	agent.c        the life: start, events, leaving, draining
 *	settings.c     the options of the command line
 *	control.c      the agent seen from outside: lock, stop, spawn
 *	user.c         the user that attempts run as
 *	work.c         the works
 *	orders.c       what the server wants: start, stop, kill, take back
 *	layout.c       from an order to arguments, environment and files
 *	slots.c        the runners
 *	local.c        noop, log, sleep
 *	adopt.c        what other agents left in the spool
 *	reports.c      from works to reports
 *	link.c         hello, exchange, trouble
 *
 * Every part has a tick: it does what is due at agent.now_ms and lowers agent.due_ms to when it wants the next.
 */
#ifndef LULL_AGENT_STATE_H
#define LULL_AGENT_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/agent.h"
#include "agent/link.h"
#include "agent/ring.h"
#include "agent/slots.h"
#include "agent/user.h"
#include "agent/work.h"
#include "base/arena.h"
#include "base/buffer.h"
#include "base/map.h"
#include "spool/spool.h"

struct agent {
	const struct agent_settings *settings;
	struct agent_user user;
	char folder[1024];              /* DIR/agent */
	char host[256];
	struct spool spool;
	int lock;
	int epoll;
	struct source signals;
	struct arena arena;             /* for one turn of the loop */

	int64_t now_ms;                 /* monotonic, taken once a turn */
	int64_t due_ms;                 /* when the next tick is wanted */
	bool has_signals;
	bool is_leaving;
	bool is_draining;

	struct map works;               /* by execution */
	int32_t work_count;
	int32_t busy_count;
	int32_t waiting_count;
	struct ring to_tell;
	struct ring waiting;            /* for a slot */
	struct ring sleeping;
	struct ring adopted;
	struct ring sweeping;
	struct ring unsynced;
	int64_t wake_ms;                /* the nearest end of a sleeping work, or AGENT_NEVER_MS */
	int64_t look_ms;                /* next look at adopted and swept works */
	int64_t sync_ms;

	struct slots slots;
	struct link link;
	struct source link_source;
};

enum { AGENT_NEVER_MS = -1 };

/* The loop calls `ready` for the source from now on; it is a programmer's mistake if the kernel refuses. */
void agent_watch(struct agent *agent, struct source *source, uint32_t events);
/* Stops watching and closes the descriptor. */
void agent_unwatch(struct agent *agent, struct source *source);
/* The loop turns at `at_ms` at the latest. */
void agent_due(struct agent *agent, int64_t at_ms);

#endif
