/*
 * Slots that have a runner: processes that carry out one attempt after another.
 *
 *	start ──► idle ──► busy ──► idle …
 *	            │        └──► gone without an end: the work is swept
 *	            └──► gone: ended after some idle seconds, or it died; nothing was lost
 *
 * A runner is started when a work waits and none is idle. It is told to stop or kill by signal
 * (spool/run_order.h), like a runner that was found in the spool.
 */
#ifndef LULL_AGENT_SLOTS_H
#define LULL_AGENT_SLOTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/ring.h"
#include "agent/work.h"
#include "base/buffer.h"
#include "spool/run_order.h"

struct slot {
	struct source source;           /* the socket to the runner */
	int pidfd;
	pid_t pid;
	struct work *work;              /* NULL: idle */
	struct buffer outgoing;         /* of the order, what the socket has not taken yet */
	size_t sent_bytes;
	struct runner_note note;        /* the next one, so far as it has arrived */
	size_t note_bytes;
	int64_t idle_since_ms;
	bool has_settled;               /* its runner has answered the order of the work */
	struct ring all;
	struct ring idle;
};

struct slots {
	int image;                      /* memfd with the runner's program */
	struct ring all;
	struct ring idle;               /* the one used last comes first */
	int32_t count;
	int64_t trim_ms;
};

/* False: ERR_SYSTEM. */
bool slots_init(struct agent *agent, struct error *error) MUST_CHECK;
/* Lets go of all runners: the idle ones end, the busy ones finish their attempts alone. */
void slots_fini(struct agent *agent);
/* Gives waiting works to runners while there are free slots; ends runners that have been idle for long. */
void slots_tick(struct agent *agent);
/* A child of the agent is gone. */
void slots_child_gone(struct agent *agent, pid_t pid);
/* Is the process one of the agent's runners? */
bool slots_has(const struct agent *agent, pid_t pid) MUST_CHECK;
/* Tells the runner of the work, own or adopted, what the work's wish is; a given work is told once it has begun. */
void slots_tell_wish(struct agent *agent, struct work *work);

#endif
