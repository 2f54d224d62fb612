/*
 * The agent: takes orders from a server, has them carried out, reports. This header is all that others see of it.
 *
 * Below the data folder DIR an agent keeps
 *
 *	DIR/agent/           0711, so that the user of the attempts can reach its scratch folder
 *	DIR/agent/lock       locked by the living agent, whose pid the lock names
 *	DIR/agent/log        where agent_spawn sends what the agent says
 *	DIR/agent/spool/     see spool/spool.h
 *	DIR/agent/scratch/   scratch folders
 *
 * What ends an agent, and what becomes of its attempts:
 *
 *	SIGTERM, SIGINT      it leaves now. Runners finish their attempts by themselves, and the next agent on the
 *	                     same folder adopts them; sleeping tasks end with it, and the server gives them out again
 *	SIGQUIT              it drains: takes nothing new, finishes and reports what runs, exits with 0; where no
 *	                     server answers, once all has ended and is on the disk
 *	SIGKILL, a crash     as SIGTERM; nothing is lost and nothing begins twice
 */
#ifndef LULL_AGENT_AGENT_H
#define LULL_AGENT_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/limits.h"

struct agent_settings {
	const char *data;               /* DIR, an absolute path */
	const char *name;               /* unique among the server's agents */
	const char *pool;
	const char *labels[LIMIT_LABELS];
	size_t label_count;
	int32_t slots;
	const char *server;             /* "http://host:7461"; NULL: the socket */
	const char *socket;             /* path of the server's Unix socket; NULL: DIR/agent.sock */
	const char *token;              /* NULL: none */
	const char *run_as;             /* root only: the user of the attempts; NULL: `lull-run` */
	const char *version;            /* told to the server; NULL: "" */
};

/*
 * Reads the options of `lull agent`, without the program's and the command's name: --data DIR, --name NAME,
 * --pool POOL, --label LABEL (again and again), --slots N, --server URL, --socket PATH, --run-as USER. What is not
 * said has a default: the host's name, pool "default", four slots a processor; the token is $LULL_TOKEN.
 * Texts point into `arguments` and the environment. False: ERR_INVALID.
 */
bool agent_settings_parse(int count, char **arguments, struct agent_settings *settings, struct error *error) MUST_CHECK;

/*
 * Is an agent until it is told to leave or drain. Owns the process: its signals, its children, its limits.
 * False: it could not begin. ERR_CONFLICT, another agent has the folder (the detail names its pid); ERR_NOT_FOUND,
 * there is no user `lull-run`; ERR_INVALID, ERR_SYSTEM.
 */
bool agent_run(const struct agent_settings *settings, struct error *error) MUST_CHECK;

/*
 * Tells the agent of a data folder to drain, or with `now` to leave, and waits up to `wait_ms` until it is gone.
 * *pid (may be NULL) is the agent's. False: ERR_NOT_FOUND, none is running; ERR_NOT_YET, it still runs; ERR_FORBIDDEN.
 */
bool agent_stop(const char *data, bool now, int64_t wait_ms, int64_t *pid, struct error *error) MUST_CHECK;

/* The pid of the living agent of a data folder; 0 if there is none. */
int64_t agent_pid(const char *data) MUST_CHECK;

/*
 * Starts an agent in a session of its own, as `program agent …` with these settings, its log appended to
 * DIR/agent/log; it is no child of the caller's. Does nothing if the folder has a living agent. Waits until the
 * agent has taken its lock. False: ERR_SYSTEM; the log says why where the agent itself refused.
 */
bool agent_spawn(const struct agent_settings *settings, const char *program, struct error *error) MUST_CHECK;

#endif
