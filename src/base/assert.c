#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

void assert_failed(const char *file, int line, const char *condition)
{
	fprintf(stderr, "lull: %s:%d: this must hold and does not: %s\n", file, line, condition);
	abort();
}
