/*
 * The one place that knows all three: server, agent and command line.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "base/version.h"
#include "cli/cli.h"
#include "server/server.h"

/* As main got them: the server starts its agent, and itself anew, with the same program. */
static char **program_arguments;

/* The agent beside a server: on its socket, by the host's name, with as many slots as were asked for. */
static bool start_agent(const struct server_settings *server, const char *data, struct error *error)
{
	char option[] = "--data", folder[PATH_MAX];
	char *arguments[] = { option, folder, NULL };
	struct agent_settings settings;
	snprintf(folder, sizeof(folder), "%s", data);
	if (!agent_settings_parse(2, arguments, &settings, error))
		return false;
	settings.token = NULL;
	settings.run_as = server->run_as;
	settings.version = LULL_VERSION;
	if (server->slots)
		settings.slots = server->slots;
	return agent_spawn(&settings, server->program, error);
}

static bool serve(const struct cli_serve *told, struct error *error)
{
	char program[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
	if (length < 0)
		return error_set(error, ERR_SYSTEM, "where is this program: %s", strerror(errno));
	program[length] = '\0';
	const struct server_settings settings = {
		.data = told->data,
		.listen = told->listen,
		.is_insecure = told->is_insecure,
		.has_agent = told->has_agent,
		.slots = told->slots,
		.run_as = told->run_as,
		.hosts = told->hosts,
		.host_count = told->host_count,
		.program = program,
		.arguments = program_arguments,
		.start_agent = start_agent,
	};
	return server_run(&settings, error);
}

static bool be_agent(int count, char **arguments, struct error *error)
{
	struct agent_settings settings;
	if (!agent_settings_parse(count, arguments, &settings, error))
		return false;
	settings.version = LULL_VERSION;
	return agent_run(&settings, error);
}

int main(int count, char **arguments)
{
	const struct cli_house house = {
		.serve = serve, .agent = be_agent, .agent_stop = agent_stop, .version = LULL_VERSION,
	};
	program_arguments = arguments;
	/* Whoever writes to a peer that has gone learns it from write. */
	sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
	return cli_run(count, arguments, &house);
}
