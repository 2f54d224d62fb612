/*
 * What looks like a fault and is none.
 */
#ifndef LULL_BASE_QUIET_H
#define LULL_BASE_QUIET_H

#include <stdbool.h>

#include "base/error.h"

/* A macro may go on in a comment /* and over
   lines (as this one does). */
#define QUIET_MOST 10 /* strcpy(a, b) is not called
                         here */

extern int quiet_count;

typedef bool (*quiet_visit)(int value, void *context);

struct quiet {
	bool (*signal)(int number);
	int (*system)(const char *what);
};

/* What the group has in common; TAP stands for what it stands for. */
bool quiet_first(int value) MUST_CHECK;
bool quiet_second(int value,
		  struct error *error) MUST_CHECK;

enum {
	QUIET_ONE = BIT(0),
};

#endif
