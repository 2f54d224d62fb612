/*
 * Secrets that come in the environment.
 */
#ifndef LULL_SYS_ENVIRONMENT_H
#define LULL_SYS_ENVIRONMENT_H

#include "base/attr.h"

/*
 * The value of a variable, as memory for free(), NULL if it is not set; the variable is gone afterwards, so that
 * no child inherits it. Only before the process has threads: others may be reading the environment.
 */
char *environment_take(const char *name) MUST_CHECK;

#endif
