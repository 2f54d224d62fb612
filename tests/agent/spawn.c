/*
 * Starts an agent as a server does: spawn <program> [options of `lull agent`]. Ends with 0 once it lives.
 */
#include <stdio.h>

#include "agent/agent.h"

int main(int count, char **arguments)
{
	struct agent_settings settings;
	struct error error;
	if (agent_settings_parse(count - 2, arguments + 2, &settings, &error) &&
	    agent_spawn(&settings, arguments[1], &error))
		return 0;
	fprintf(stderr, "%s\n", error.detail);
	return 1;
}
