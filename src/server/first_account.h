/*
 * The account `admin` at the server's start: its token in DATA/admin-token, or what the environment brings.
 */
#ifndef LULL_SERVER_FIRST_ACCOUNT_H
#define LULL_SERVER_FIRST_ACCOUNT_H

#include "base/error.h"
#include "lane/lane.h"

/* What LULL_ADMIN_TOKEN and LULL_ADMIN_PASSWORD said; NULL: they were not set. */
struct first_secrets {
	char *token;
	char *password;
};

/* Takes them out of the environment; before the process has threads. */
struct first_secrets first_secrets_take(void);
void first_secrets_fini(struct first_secrets *secrets);

/*
 * Makes the account if it is missing; the secrets become its token and its password. Without a token among them
 * it is the one in DATA/admin-token (0600), which is made if it is missing; removing the file and starting anew
 * gives a new token and revokes the old one.
 */
bool first_account_begin(struct lane *writes, const char *data, const struct first_secrets *secrets,
			 struct error *error) MUST_CHECK;

#endif
