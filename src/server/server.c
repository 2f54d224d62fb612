#include "server/server.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/api.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "base/version.h"
#include "client/local.h"
#include "engine/engine.h"
#include "http/server.h"
#include "lane/lane.h"
#include "ops/accounts.h"
#include "ops/dispatch.h"
#include "ops/memory.h"
#include "server/first_account.h"
#include "server/listen.h"
#include "sys/clock.h"
#include "sys/file.h"

/* Sent to ourselves when the outcome of a COMMIT is not known. */
#define SIGNAL_START_ANEW SIGUSR2

struct server {
	const struct server_settings *settings;
	char data[PATH_MAX];
	char store[PATH_MAX + 32];
	int lock;
	instant started_ms;
	atomic_bool is_ready;
	struct lane *writes;
	struct lane *reads;
	struct lane *sign_ins;
	struct api *api;
	struct engine *engine;
	struct http_server *callers;
	struct http_server *agents;
	char url[128];
	struct first_secrets secrets;
};

static bool open_data(struct server *server, struct error *error)
{
	char path[PATH_MAX + 16];
	pid_t holder = 0;
	/* Passable for the user of the attempts, whose scratch folders lie below; everything else in it is 0600. */
	if (!file_make_folder(server->settings->data, 0711, error))
		return false;
	if (!realpath(server->settings->data, server->data))
		return error_set(error, ERR_SYSTEM, "%.300s: %s", server->settings->data, strerror(errno));
	snprintf(path, sizeof(path), "%s/lock", server->data);
	snprintf(server->store, sizeof(server->store), "sqlite:%s/lull.db", server->data);
	if (file_lock(path, &server->lock, &holder, error))
		return true;
	if (error->code == ERR_CONFLICT)
		return error_set(error, ERR_CONFLICT,
				 "another lull serve, pid %ld, uses the data folder %.300s; stop it, or "
				 "give another folder by --data", (long)holder, server->data);
	return false;
}

static void tell_effects(void *context, const struct effect *effects, size_t count)
{
	struct server *server = context;
	if (server->reads)
		lane_wake(server->reads, effects, count);
}

static void start_anew(void *context, const struct error *error)
{
	(void)context;
	log_line(LOG_ERROR, "the store failed, starting anew: %s", error->detail);
	kill(getpid(), SIGNAL_START_ANEW);
}

static void *open_memory(void *context)
{
	struct server *server = context;
	return memory_open(&server->started_ms);
}

static bool open_lanes(struct server *server, struct error *error)
{
	enum { READERS = 2, SIGN_INS = 1 };
	struct lane_settings settings = {
		.store = server->store,
		.memory_open = open_memory,
		.memory_forget = memory_forget,
		.memory_close = memory_close,
		.memory_trim = memory_trim,
		.at_end = dispatch_at_end,
		.effects = tell_effects,
		.fatal = start_anew,
		.context = server,
	};
	if (!lane_open(&settings, &server->writes, error))
		return false;
	settings.at_end = NULL;
	settings.effects = NULL;
	settings.readers = READERS;
	if (!lane_open(&settings, &server->reads, error))
		return false;
	settings.readers = SIGN_INS;
	return lane_open(&settings, &server->sign_ins, error);
}

static bool open_listeners(struct server *server, struct error *error)
{
	char host[64], socket_path[PATH_MAX + 16];
	int port;
	if (!listen_parse(server->settings->listen, server->settings->is_insecure, host, sizeof(host), &port, error))
		return false;
	snprintf(socket_path, sizeof(socket_path), "%s/agent.sock", server->data);
	const struct http_settings callers = { .address = host, .port = port, .hosts = server->settings->hosts };
	const struct http_settings agents = { .socket_path = socket_path, .thread_count = 1 };
	if (!http_server_open(&agents, api_handle, server->api, &server->agents, error) ||
	    !http_server_open(&callers, api_handle, server->api, &server->callers, error))
		return false;
	listen_url(host, http_server_port(server->callers), server->url, sizeof(server->url));
	return true;
}

/* Where clients find this server: DIR/url for whoever knows the folder, and the user's own runtime folder. */
static bool publish(struct server *server, struct error *error)
{
	char path[PATH_MAX + 16], line[sizeof(server->url) + 1];
	snprintf(path, sizeof(path), "%s/url", server->data);
	int length = snprintf(line, sizeof(line), "%s\n", server->url);
	return file_replace(path, 0600, line, (size_t)length, error) && local_publish(server->url, server->data, error);
}

static bool start(struct server *server, struct error *error)
{
	if (!accounts_set_up(error) || !open_data(server, error))
		return false;
	server->started_ms = clock_now();
	if (!open_lanes(server, error) || !first_account_begin(server->writes, server->data, &server->secrets, error))
		return false;
	const struct api_settings api = {
		.writes = server->writes, .reads = server->reads, .sign_ins = server->sign_ins,
		.version = LULL_VERSION, .data = server->data, .started_ms = server->started_ms,
		.is_ready = &server->is_ready,
	};
	server->api = api_open(&api);
	if (!open_listeners(server, error))
		return false;
	const struct engine_settings engine = { .writes = server->writes, .reads = server->reads,
						.lost_after_ms = LIMIT_LOST_AFTER_MS };
	server->engine = engine_open(&engine);
	if (!publish(server, error))
		return false;
	return !server->settings->has_agent || server->settings->start_agent(server->settings, server->data, error);
}

/*
 * What waits is answered first, so that the listeners find nothing pending; whoever comes meanwhile is told to
 * try again.
 */
static void stop(struct server *server)
{
	atomic_store(&server->is_ready, false);
	engine_close(server->engine);
	if (server->callers)
		http_server_quiesce(server->callers);
	if (server->agents)
		http_server_quiesce(server->agents);
	struct lane *lanes[] = { server->reads, server->sign_ins, server->writes };
	for (size_t i = 0; i < COUNT_OF(lanes); i++)
		if (lanes[i])
			lane_stop(lanes[i]);
	http_server_close(server->callers);
	http_server_close(server->agents);
	api_close(server->api);
	for (size_t i = 0; i < COUNT_OF(lanes); i++)
		lane_close(lanes[i]);
	if (server->lock >= 0)
		close(server->lock);
}

static void block_signals(sigset_t *wanted)
{
	sigemptyset(wanted);
	sigaddset(wanted, SIGTERM);
	sigaddset(wanted, SIGINT);
	sigaddset(wanted, SIGNAL_START_ANEW);
	pthread_sigmask(SIG_BLOCK, wanted, NULL);
}

/* The store cannot be trusted in this process any more: what is on disk decides, read by a new one. */
static void run_anew(const struct server_settings *settings, const sigset_t *signals)
{
	const struct timespec at_once = { 0 };
	/* Several failures may have asked; the new process is to hear none of them. */
	while (sigtimedwait(signals, NULL, &at_once) == SIGNAL_START_ANEW)
		;
	execv(settings->program, settings->arguments);
	log_line(LOG_ERROR, "starting anew failed: %s", strerror(errno));
}

bool server_run(const struct server_settings *settings, struct error *error)
{
	struct server server = { .settings = settings, .lock = -1, .secrets = first_secrets_take() };
	sigset_t signals;
	int number = 0;
	log_setup(LOG_INFO, "server");
	block_signals(&signals);
	bool ok = start(&server, error);
	if (ok) {
		atomic_store(&server.is_ready, true);
		log_line(LOG_INFO, "lull %s serves %s, data in %s", LULL_VERSION, server.url, server.data);
		while (sigwait(&signals, &number) != 0)
			;
		log_line(LOG_INFO, "stopping; attempts and their agent go on");
	}
	stop(&server);
	if (ok && number == SIGNAL_START_ANEW)
		run_anew(settings, &signals);
	first_secrets_fini(&server.secrets);
	return ok;
}
