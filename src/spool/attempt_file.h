/*
 * The file of one attempt in the spool: who runs it, what it said, how it ended.
 *
 *	0      head: whose attempt it is, and the begin record; written whole, before anything runs
 *	1024   the end record, blank (zeroes) until it ended
 *	2048   output, as it came, at most LIMIT_OUTPUT_BYTES and a mark where it was cut
 *
 * The place of the end is written together with the head, so that a disk that fills up cannot keep a result
 * from being recorded. Numbers are the machine's own: a spool never leaves its machine. Head and end carry a
 * checksum: one that does not fit counts as not written.
 *
 * The runner locks the file (fcntl) from its creation until it has written the end or is gone.
 *
 *	locked, by process P     the attempt lives; P is its runner
 *	unlocked, with an end    it ended, as the end says
 *	unlocked, without end    its runner is gone; whatever it left has to be killed, then it is lost
 *	unlocked, without head   it never began
 *
 * A process loses its locks on a file when it closes any descriptor of it: a runner opens its file once.
 */
#ifndef LULL_SPOOL_ATTEMPT_FILE_H
#define LULL_SPOOL_ATTEMPT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/error.h"
#include "spool/spool.h"

enum {
	ATTEMPT_FILE_END_AT = 1024,
	ATTEMPT_FILE_OUTPUT_AT = 2048,
	ATTEMPT_FILE_FLOW_BYTES = 320,
	ATTEMPT_FILE_TASK_BYTES = 128,
	ATTEMPT_FILE_DETAIL_BYTES = 256,
};

struct attempt_head {
	char magic[8];
	char attempt[SPOOL_NAME_BYTES];
	char flow[ATTEMPT_FILE_FLOW_BYTES];     /* tenant/namespace.id, for people */
	char task[ATTEMPT_FILE_TASK_BYTES];
	int64_t pid;                            /* of the runner */
	int64_t turn;                           /* counts the attempts of that runner; see runner_signal */
	int64_t began_ms;
	uint64_t checksum;
};

/* Why an attempt is over. The first cause counts, but a kill order goes over a stop order. */
enum ended_by {
	ENDED_BY_ITSELF = 1,
	ENDED_BY_TIMEOUT = 2,
	ENDED_BY_STOP = 3,
	ENDED_BY_KILL = 4,
	ENDED_BY_FAILURE = 5,                   /* the command could not be started; detail says why */
};

struct attempt_end {
	int64_t ended_ms;
	int64_t output_bytes;                   /* all that it wrote */
	int64_t kept_bytes;                     /* what is in the file, the mark included */
	int32_t ended_by;
	int32_t exit_code;                      /* of the command; 0 where a signal ended it */
	int32_t signal;                         /* that ended the command; 0: none */
	int32_t is_cut;
	char detail[ATTEMPT_FILE_DETAIL_BYTES];
	uint64_t checksum;
};

/*
 * Creates and locks the file and writes its head; fills in its magic and checksum. Call between spool_enter and
 * spool_leave. False: ERR_CONFLICT, there is such a file: do not begin. ERR_DISK_FULL, ERR_SYSTEM: nothing is left.
 */
bool attempt_file_create(int folder, struct attempt_head *head, int *file, struct error *error) MUST_CHECK;

/* What was written of the output so far. Zeroed at first. */
struct attempt_output {
	int64_t total_bytes;
	int64_t kept_bytes;
	bool is_cut;
};

/* Appends output within its bound. What does not fit, or what the disk refuses, is counted and cut. */
void attempt_file_append(int file, struct attempt_output *output, const void *bytes, size_t length);
/* Writes the end; fills in its checksum. False: ERR_SYSTEM. */
bool attempt_file_end(int file, struct attempt_end *end, struct error *error) MUST_CHECK;

/* What a file says. */
struct attempt_record {
	struct attempt_head head;
	struct attempt_end end;
	bool has_begun;                         /* head is whole */
	bool has_ended;                         /* end is whole */
	int64_t kept_bytes;                     /* output in the file now */
	pid_t holder;                           /* the process that has it locked; 0: none */
};

/*
 * Reads a file. The lock is looked at first: what was unlocked then no longer changes.
 * False: ERR_NOT_FOUND, ERR_SYSTEM.
 */
bool attempt_file_read(int folder, const char *name, struct attempt_record *record, struct error *error) MUST_CHECK;
/* Reads up to `length` bytes of output from `offset` on; fewer only at its end. False: ERR_NOT_FOUND, ERR_SYSTEM. */
bool attempt_file_read_output(int folder, const char *name, int64_t offset, void *bytes, size_t length,
			      size_t *got, struct error *error) MUST_CHECK;
/* The output that the file holds now; -1 if the file cannot be looked at. */
int64_t attempt_file_kept(int folder, const char *name) MUST_CHECK;
/* Brings the file to the disk. False: ERR_SYSTEM. */
bool attempt_file_sync(int folder, const char *name, struct error *error) MUST_CHECK;

#endif
