/*
 * What an agent and its runners say to each other, over a socket that is the runner's standard input.
 *
 * The agent sends run orders, one at a time: a length (uint32), then a record. The runner answers with notes of
 * a fixed size: began, output grew (at most every RUNNER_NOTE_OUTPUT_MS), then ended; or refused alone. Numbers
 * are the machine's own. When the socket closes, the runner finishes its attempt, syncs the end, and exits.
 *
 * A runner knows nothing of flows: the agent lays out arguments, environment and files.
 *
 * Stop and kill do not go over the socket but by real-time signals to the process that holds the lock of the
 * attempt's file, so that they reach a runner in one way, whether its agent started it or found it. The signal's
 * value is the runner's `turn` from the file's head: a runner ignores a signal meant for an earlier attempt.
 * Real-time signals queue, so a late one never swallows the one that counts.
 */
#ifndef LULL_SPOOL_RUN_ORDER_H
#define LULL_SPOOL_RUN_ORDER_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buffer.h"
#include "base/error.h"
#include "spool/attempt_file.h"

enum {
	RUN_ORDER_BYTES = 16 << 20,             /* of one record; the limits on flows and inputs give less */
	RUN_ORDER_GROUPS = 64,
	RUNNER_NOTE_OUTPUT_MS = 200,
	RUNNER_GRACE_MS = 10 * 1000,            /* between SIGTERM and SIGKILL of a timeout */
};
#define RUNNER_SIGNAL_STOP SIGRTMIN             /* SIGTERM to every process of the attempt */
#define RUNNER_SIGNAL_KILL (SIGRTMIN + 1)       /* SIGKILL, until none is left */

/* A file to be put into the scratch folder before the command starts. */
struct run_file {
	const char *name;
	const char *bytes;
	size_t length;
};

struct run_order {
	const char *attempt;
	const char *flow;                       /* for people, as in the file's head */
	const char *task;
	const char **arguments;                 /* the first is the program's path; `argument_count`, then NULL */
	size_t argument_count;
	const char **environment;               /* "NAME=value"; `environment_count`, then NULL */
	size_t environment_count;
	struct run_file *files;
	size_t file_count;
	int64_t timeout_ms;                     /* 0: none */
	bool changes_user;                      /* to the following */
	uint32_t uid;
	uint32_t gid;
	uint32_t groups[RUN_ORDER_GROUPS];
	size_t group_count;
};

/* Appends the length and the record. */
void run_order_write(struct buffer *buffer, const struct run_order *order);
/* Reads a record without its length; texts point into `bytes`, arrays live in the arena. False: ERR_INVALID. */
bool run_order_read(const char *bytes, size_t length, struct arena *arena, struct run_order *order,
		    struct error *error) MUST_CHECK;

enum runner_note_kind {
	NOTE_BEGAN = 1,                         /* at_ms, turn */
	NOTE_OUTPUT = 2,                        /* kept_bytes */
	NOTE_ENDED = 3,                         /* end */
	NOTE_EXISTS = 4,                        /* the attempt is in the spool; it was not begun again */
	NOTE_FENCED = 5,                        /* a newer agent owns the spool; never begun; the runner exits */
	NOTE_REFUSED = 6,                       /* end.detail: why it could not be spooled; never begun */
};

struct runner_note {
	int32_t kind;
	int32_t padding;
	int64_t at_ms;
	int64_t turn;
	int64_t kept_bytes;
	struct attempt_end end;
};

/*
 * Tells the runner `pidfd` to stop or kill (RUNNER_SIGNAL_…) the attempt of that turn.
 * False: ERR_NOT_FOUND, it is gone; ERR_SYSTEM.
 */
bool runner_signal(int pidfd, int signal, int64_t turn, struct error *error) MUST_CHECK;

#endif
