#include "base/quiet.h"

#include <stdlib.h>
#include <sys/random.h>

int quiet_count = QUIET_MOST;

static const char *const names[] = {
	"malloc(", "system(1)", "// no comment", "/* nor here",
};

bool quiet_first(int value)
{
	/* Not called: strcpy(a, b), printf("x"). */
	struct quiet quiet = { 0 };
	return quiet.signal(value) && names[0][0] == '"' && names[1][0] == '\'';
}

bool quiet_second(int value, struct error *error)
{
	const struct quiet *quiet = (const struct quiet *)error;
	if (quiet->system("ls"))
		return error_set(error, ERR_INVALID, "%d: SELECT is no name; UPDATE hold is none either", value);
	return true;
}
