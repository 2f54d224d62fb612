/*
 * The account `admin` at the server's start: its token in DATA/admin-token, or what the environment brings.
 */
#ifndef LULL_SERVER_FIRST_ACCOUNT_H
#define LULL_SERVER_FIRST_ACCOUNT_H

#include "base/error.h"
#include "lane/lane.h"

/*
 * Makes the account if it is missing. LULL_ADMIN_TOKEN and LULL_ADMIN_PASSWORD, where set, become its token and its
 * password, and leave the environment. Without LULL_ADMIN_TOKEN the token is the one in DATA/admin-token (0600), which
 * is made if it is missing; removing the file and starting anew gives a new token and revokes the old one.
 */
bool first_account_begin(struct lane *writes, const char *data, struct error *error) MUST_CHECK;

#endif
