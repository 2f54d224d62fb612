#include "ops/submit.h"

/* Each of these has a row in tools/banned. */
#define COPY(to, from) strcpy(to, from) /* bad: in a macro too */

int submit(const char *count)
{
	char *memory = malloc(10); /* bad */
	printf("%s", count); /* bad */
	log_line(0, "submitted"); /* bad */
	return memory ? atoi (count) : 0; /* bad */
}
