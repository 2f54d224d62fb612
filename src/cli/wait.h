/*
 * Waiting for something at the server: short questions that the server answers when the thing has come true or
 * its time is over, with a picture between them. A server that restarts meanwhile is waited for, and said so.
 */
#ifndef LULL_CLI_WAIT_H
#define LULL_CLI_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "cli/errand.h"
#include "cli/progress.h"

enum { WAIT_FOR_EVER = -1 };

struct wait {
	const char *path;                /* "/v1/executions/12" */
	const char *until;               /* "ended": what the server is asked to wait for */
	int64_t deadline_ms;             /* by the monotonic clock, INT64_MAX: none */
	/* Looks at an answer, gives the lines of the picture. The arena is for this look. True: it is over. */
	bool (*look)(struct errand *errand, struct arena *arena, struct answer answer, struct progress *progress,
		     void *context);
	void *context;
};

/* The deadline of a wait of `timeout_ms` (or WAIT_FOR_EVER) that begins now. */
int64_t wait_deadline(int64_t timeout_ms) MUST_CHECK;
/*
 * Waits. `reply` is the last answer in any case. False: ERR_NOT_YET, the deadline came first; ERR_UNREACHABLE, the
 * server was not there from the beginning, or not at the deadline; or the server's own error.
 */
bool wait_for(struct errand *errand, const struct wait *wait, struct progress *progress, struct reply *reply,
	      struct error *error) MUST_CHECK;

#endif
