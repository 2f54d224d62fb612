/*
 * What an agent knows of: its works, one for each attempt from its order (or its file in the spool) until the
 * server has recorded its end.
 *
 *	             ┌────────────── local task ───────────────┐
 *	order ──► waiting ──► given ──► running ──────────────► ended ──► recorded: file deleted, work gone
 *	             │          │          │                     ▲
 *	             │          │          └──► sweeping ────────┤  the runner is gone without an end
 *	             │          └── refused, exists ─────────────┘
 *	             └──► taken back ──► recorded
 *
 * waiting:     no runner has the order: it has not begun, and does not unless a slot is free.
 * given:       a runner has it and may begin at any moment.
 * running:     begun, in the spool; or a task that the agent does itself.
 * sweeping:    no runner, no end. What it left is being killed; it may be told as lost only when nothing lives.
 * ended:       all is known, and its output is in the spool (or in `message`).
 * taken back:  it never began and never will.
 *
 * Given, running and sweeping works occupy a slot. What is to be told is not a queue of messages but the
 * difference between what a work is and what the server has recorded of it: nothing can be lost or reordered,
 * and after a new hello all of it is simply told again.
 */
#ifndef LULL_AGENT_WORK_H
#define LULL_AGENT_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/ring.h"
#include "base/attr.h"
#include "base/instant.h"
#include "base/map.h"
#include "core/id.h"
#include "core/life.h"

struct agent;
struct slot;

enum work_phase { WORK_WAITING, WORK_GIVEN, WORK_RUNNING, WORK_SWEEPING, WORK_ENDED, WORK_TAKEN_BACK, WORK_PHASES };

/* A stop or kill order that was not carried out yet. */
enum work_wish { WISH_NONE, WISH_STOP, WISH_KILL };

/* Something in the event loop; `ready` is called with the events of epoll. */
struct source {
	int fd;                         /* -1: none */
	void (*ready)(struct agent *agent, struct source *source, uint32_t events);
};

struct work {
	struct attempt_id attempt;
	char name[ATTEMPT_TEXT_BYTES];
	enum work_phase phase;
	struct work *same_execution;    /* others with the same key in the map */

	/* Who does it. */
	struct slot *slot;              /* a runner that this agent started */
	struct source adopted;          /* pidfd of a runner that an older agent started */
	int64_t turn;                   /* of the runner */
	char *order;                    /* waiting: the run order, encoded */
	size_t order_bytes;
	int64_t wake_ms;                /* a sleeping task's end, monotonic */
	bool is_timeout;                /* and that end is its timeout */
	enum work_wish wish;
	int32_t clean_looks;            /* sweeping: how often in a row nothing of it was found alive */

	/* Where it lies. */
	int folder;                     /* that of its boot; -1: it has no file */
	bool is_unsynced;               /* ended, and perhaps not on the disk */
	bool is_forgotten;              /* the server does not want to hear of it: kill, delete, say nothing */

	/* What it is. */
	instant began_ms;
	instant ended_ms;
	enum result result;
	int32_t exit_code;
	int32_t signal;
	int64_t output_bytes;
	int64_t kept_bytes;             /* output that can be read now */
	bool is_cut;
	char *message;                  /* the output of a log task */
	char *detail;

	/* What the server has recorded of it, and what an exchange under way tells it. */
	bool began_is_recorded;
	int64_t recorded_bytes;
	bool is_under_way;

	struct ring to_tell;            /* in agent.to_tell while there is something to tell */
	struct ring listed;             /* in the agent's ring of its phase: waiting, sleeping, adopted and so on */
};

/* The work of an attempt; NULL if there is none. */
struct work *work_find(const struct agent *agent, struct attempt_id attempt) MUST_CHECK;
/* A new work of an attempt that has none, waiting. */
struct work *work_new(struct agent *agent, struct attempt_id attempt) MUST_CHECK;
/* Forgets the work; it is in no exchange. Its file stays. */
void work_free(struct agent *agent, struct work *work);

/* Changes the phase and keeps the count of busy slots. */
void work_enter(struct agent *agent, struct work *work, enum work_phase phase);
bool work_is_busy(const struct work *work) MUST_CHECK;
/* Waiting or given becomes running. */
void work_began(struct agent *agent, struct work *work, instant began_ms);
/* Becomes ended; the facts beside result and detail are set already. A forgotten one goes at once. */
void work_ended(struct agent *agent, struct work *work, enum result result, const char *detail);
/* There may be something to tell. */
void work_tell(struct agent *agent, struct work *work);
/* The server has recorded all, or does not want it: deletes the file and the work. */
void work_settled(struct agent *agent, struct work *work);

enum { WORK_MARK_BYTES = 128 };

/*
 * "LULL_MARK=<attempt>@<spool>", the entry in the environment by which the processes of a work are found again.
 * Names of attempts are a server's own, and several servers may have agents on one machine: without the spool's
 * identity an agent would kill what is another's. Answers `mark`.
 */
const char *work_mark(const struct agent *agent, const struct work *work, char mark[WORK_MARK_BYTES]);

#endif
