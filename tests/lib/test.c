#include "lib/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

void test_error_is(const struct error *error, enum error_code code, const char *part, const char *call)
{
	if (error->code != code || !strstr(error->detail, part))
		fail_msg("%s: %s \"%s\", expected %s with \"%s\"", call, error_name(error->code), error->detail,
			 error_name(code), part);
}

/* xorshift64*: enough to shake a data structure, and the same on every machine. */
uint64_t test_random(uint64_t limit)
{
	static uint64_t state;
	if (!state) {
		const char *seed = getenv("LULL_SEED");
		state = (seed ? strtoull(seed, NULL, 10) : 1) | UINT64_C(1) << 63;
	}
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * UINT64_C(2685821657736338717) >> 11) % limit;
}
