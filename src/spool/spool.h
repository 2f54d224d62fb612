/*
 * The spool: the folder in which an agent's attempts outlive the agent.
 *
 *	<agent folder>/scratch/<attempt>        scratch folder of a running attempt
 *	<agent folder>/spool/identity           random, made once; names this spool towards the server
 *	<agent folder>/spool/generation         see below
 *	<agent folder>/spool/<boot id>/<attempt>   one file an attempt (attempt_file.h)
 *
 * One agent at a time owns the spool (it holds <agent folder>/lock). Runners outlive their agent, so there may
 * be runners of several agents. Two rules make an attempt begin at most once:
 *
 *  1. A runner creates an attempt's file exclusively before it begins. If the file is there, it does not begin.
 *  2. A runner creates a file only while it holds a shared lock on `generation` and reads its own agent's number
 *     there. A new agent takes that lock exclusively, raises the number, lets go, and looks at the files only
 *     then. So what an old runner has not spooled by that moment it can never begin, and the new agent may tell
 *     the server that whatever is not in the spool never began.
 */
#ifndef LULL_SPOOL_SPOOL_H
#define LULL_SPOOL_SPOOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"

enum { SPOOL_NAME_BYTES = 48 };    /* a boot id, an identity or an attempt's name, with its NUL */

struct spool {
	int folder;                /* <agent folder>/spool */
	int boot_folder;           /* that of the current boot */
	int work_folder;
	int generation_file;
	int64_t generation;
	char boot[SPOOL_NAME_BYTES];
	char identity[SPOOL_NAME_BYTES];
};

/*
 * For the agent, which owns the spool already: makes what is missing (spool 0700, work 0711), raises the
 * generation. Waits up to ten seconds for runners that are creating a file. False: ERR_SYSTEM, ERR_DISK_FULL,
 * ERR_BUSY with the pid of the runner that does not let go.
 */
bool spool_open(const char *agent_folder, struct spool *spool, struct error *error) MUST_CHECK;
/* For a runner of generation `generation` on boot `boot`; `identity` stays empty. False: ERR_SYSTEM. */
bool spool_join(const char *agent_folder, const char *boot, int64_t generation, struct spool *spool,
		struct error *error) MUST_CHECK;
void spool_close(struct spool *spool);

/*
 * Holds the generation until spool_leave. False: ERR_GONE, a newer agent owns the spool and nothing may begin
 * any more; ERR_SYSTEM.
 */
bool spool_enter(const struct spool *spool, struct error *error) MUST_CHECK;
void spool_leave(const struct spool *spool);

/*
 * Calls `visit` with each name in the folder but "." and "..", in no order. What `visit` removes does no harm.
 * False: ERR_SYSTEM.
 */
bool spool_each(int folder, void (*visit)(void *context, const char *name), void *context,
		struct error *error) MUST_CHECK;

#endif
