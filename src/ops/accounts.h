/*
 * The first account, and signing in with a password.
 */
#ifndef LULL_OPS_ACCOUNTS_H
#define LULL_OPS_ACCOUNTS_H

#include "ops/identity.h"
#include "store/accounts.h"
#include "store/tx.h"

/* What the server's start brings; NULL: not given. */
struct first_account {
	const char *password_hash;       /* as password_hash made it */
	const unsigned char *token;      /* digest of the token from the environment */
	const unsigned char *file_token; /* digest of the token in DATA/admin-token */
};

/*
 * Makes the account `admin` (host administrator of `main`) if it is missing, and sees to it that these tokens are
 * its own; one that came the same way before and differs is revoked.
 */
bool accounts_begin(struct tx *tx, const struct first_account *first, struct error *error) MUST_CHECK;

/* Once, before anything of this header and of identity.h. False: ERR_SYSTEM. */
bool accounts_set_up(struct error *error) MUST_CHECK;

/*
 * argon2id of the password, as text for the store; costs about 70 ms and 64 MB. False: ERR_INVALID for an empty
 * or too long one.
 */
bool password_hash(const char *password, char hash[128], struct error *error) MUST_CHECK;

/*
 * First half of signing in, a read: the account whose password this is. Takes as long for an account that is not
 * there. False: ERR_UNAUTHENTIC.
 */
bool accounts_verify(struct tx *tx, const char *name, const char *password, struct account_row *account,
		     struct error *error) MUST_CHECK;
/* Second half, a write: a token for that account which expires at `expires_ms`. */
bool accounts_sign_in(struct tx *tx, struct account_id account, const unsigned char digest[32], instant expires_ms,
		      struct account_row *row, struct error *error) MUST_CHECK;

#endif
