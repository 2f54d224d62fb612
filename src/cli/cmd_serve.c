#include "base/limits.h"
#include "cli/errand.h"
#include "cli/folder.h"
#include "cli/handlers.h"

#define USUAL_LISTEN "127.0.0.1:7460"

bool cmd_serve(struct errand *errand, struct error *error)
{
	const struct line *line = errand->line;
	const char **hosts = ARENA_ARRAY(&errand->arena, const char *, line->given_count + 1);
	struct cli_serve told = {
		.listen = line_value(line, "listen"),
		.is_insecure = line_has(line, "insecure"),
		.has_agent = !line_has(line, "no-agent"),
		.run_as = line_value(line, "run-as"),
		.hosts = hosts,
	};
	int64_t slots;
	const char *host;
	if (!told.listen)
		told.listen = USUAL_LISTEN;
	for (size_t place = 0; (host = line_next(line, "host", &place)); )
		hosts[told.host_count++] = host;
	if (!line_int(line, "slots", 1, LIMIT_SLOTS, 0, &slots, error) ||
	    !folder_of_data(errand, NULL, &told.data, error))
		return false;
	told.slots = (int32_t)slots;
	return errand->house->serve(&told, error);
}
