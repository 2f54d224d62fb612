/*
 * One `lull serve` process: the store's lanes, the listeners, the engine's ticks, the embedded agent.
 */
#ifndef LULL_SERVER_SERVER_H
#define LULL_SERVER_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"

struct server_settings {
	const char *data;                /* the data folder; made if it is missing */
	const char *listen;              /* "127.0.0.1:7460"; port 0: the kernel picks */
	bool is_insecure;                /* a listener beyond loopback without TLS was spelt out */
	bool has_agent;                  /* start (or find) the embedded agent */
	int32_t slots;                   /* of the embedded agent; 0: its own default */
	const char *run_as;              /* user of its attempts, NULL: see agent.h */
	const char *const *hosts;        /* Host names accepted beside the loopback ones */
	size_t host_count;
	const char *program;             /* path of this program, to start the agent and to start anew */
	char **arguments;                /* as given to main, NULL at the end, to start anew */
	/* Starts the embedded agent of `data` unless it runs; the server knows agents by their exchange only. */
	bool (*start_agent)(const struct server_settings *settings, const char *data, struct error *error);
};

/*
 * Serves until SIGTERM or SIGINT, then finishes the requests in flight and answers true. Attempts and the
 * embedded agent go on. Reads LULL_ADMIN_TOKEN and LULL_ADMIN_PASSWORD, then removes them from the environment.
 * Writes DIR/url with the address in use, and the file that lets clients of this user find it (see
 * client/local.h). False: what kept it from starting, and what to do.
 */
bool server_run(const struct server_settings *settings, struct error *error) MUST_CHECK;

#endif
