/*
 * The user that attempts run as.
 *
 * An agent of root never runs attempts as root unless told so in words: it needs the user `lull-run`, or another
 * one by name. Another agent runs them as itself, since it cannot do otherwise.
 */
#ifndef LULL_AGENT_USER_H
#define LULL_AGENT_USER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "spool/run_order.h"

struct agent_user {
	bool is_other;                  /* than the agent's own */
	uint32_t uid;
	uint32_t gid;
	uint32_t groups[RUN_ORDER_GROUPS];
	size_t group_count;
	char name[64];
	char home[256];
};

/* `run_as` NULL: the default. False: ERR_NOT_FOUND, there is no such user; ERR_FORBIDDEN, only root may choose. */
bool agent_user_find(const char *run_as, struct agent_user *user, struct error *error) MUST_CHECK;
/* Can the user reach the folder (absolute)? False: ERR_FORBIDDEN, and what to do about it. */
bool agent_user_reaches(const struct agent_user *user, const char *folder, struct error *error) MUST_CHECK;

#endif
