#include "sys/environment.h"

#include <stdlib.h>

#include "base/heap.h"

char *environment_take(const char *name)
{
	char *value = heap_text(getenv(name));
	unsetenv(name);
	return value;
}
