#include "ops/accounts.h"

#include <sodium.h>
#include <string.h>

#include "store/ids.h"

enum { LONGEST_PASSWORD = 1024 };

bool password_hash(const char *password, char hash[128], struct error *error)
{
	size_t length = strlen(password);
	if (length == 0 || length > LONGEST_PASSWORD)
		return error_set(error, ERR_INVALID, "a password has 1 to %d bytes", LONGEST_PASSWORD);
	if (crypto_pwhash_str(hash, password, length, crypto_pwhash_OPSLIMIT_INTERACTIVE,
			      crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0)
		return error_set(error, ERR_SYSTEM, "there is not enough memory to hash a password");
	return true;
}

static bool find_admin(struct tx *tx, struct account_row *admin, struct error *error)
{
	bool found;
	if (!accounts_find(tx, (struct tenant_id){ TENANT_MAIN }, "admin", admin, &found, error))
		return false;
	if (found)
		return true;
	*admin = (struct account_row){ .tenant = { TENANT_MAIN }, .tenant_name = "main", .name = "admin",
				       .role = ROLE_HOST_ADMINISTRATOR, .created_ms = tx->now };
	return ids_take(tx, "account", 1, &admin->id.value, error) && accounts_save(tx, admin, error);
}

static bool give_token(struct tx *tx, const struct account_row *account, const char *name, const unsigned char *digest,
		       struct error *error)
{
	struct token_row token = { .digest = digest, .account = account->id, .name = name, .created_ms = tx->now };
	return tokens_revoke(tx, account->id, name, error) && tokens_add(tx, &token, error);
}

/* Replaces an earlier one that came the same way; the same one again changes nothing. */
static bool take_token(struct tx *tx, const struct account_row *admin, const char *name, const unsigned char *digest,
		       struct error *error)
{
	struct account_row owner;
	bool found;
	if (!tokens_find_account(tx, digest, &owner, &found, error))
		return false;
	return found || give_token(tx, admin, name, digest, error);
}

bool accounts_begin(struct tx *tx, const struct first_account *first, struct error *error)
{
	struct account_row admin;
	if (!find_admin(tx, &admin, error) ||
	    (first->token && !take_token(tx, &admin, "environment", first->token, error)) ||
	    (first->file_token && !take_token(tx, &admin, "file", first->file_token, error)))
		return false;
	if (!first->password_hash)
		return true;
	admin.password = first->password_hash;
	return accounts_save(tx, &admin, error);
}

bool accounts_set_up(struct error *error)
{
	return sodium_init() >= 0 || error_set(error, ERR_SYSTEM, "libsodium cannot be set up on this machine");
}

bool accounts_verify(struct tx *tx, const char *name, const char *password, struct account_row *account,
		     struct error *error)
{
	bool found;
	struct account_row row;
	/* A hash that no password has, with the same cost, for accounts that are not there. */
	static const char nobody[] = "$argon2id$v=19$m=65536,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
				     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	if (!accounts_find(tx, (struct tenant_id){ TENANT_MAIN }, name, &row, &found, error))
		return false;
	const char *hash = found && row.password ? row.password : nobody;
	bool is_right = crypto_pwhash_str_verify(hash, password, strlen(password)) == 0;
	if (!is_right || !found || !row.password)
		return error_set(error, ERR_UNAUTHENTIC, "account or password is wrong");
	*account = row;
	return true;
}

bool accounts_sign_in(struct tx *tx, struct account_id account, const unsigned char digest[32], instant expires_ms,
		      struct account_row *row, struct error *error)
{
	bool found;
	struct token_row token = { .digest = digest, .account = account, .name = "sign-in", .created_ms = tx->now,
				   .expires_ms = expires_ms };
	if (!accounts_get(tx, account, row, &found, error))
		return false;
	if (!found)
		return error_set(error, ERR_UNAUTHENTIC, "account or password is wrong");
	struct identity identity = { .account = row->id, .tenant = row->tenant, .name = row->name };
	return tokens_add(tx, &token, error) && identity_audit(tx, &identity, "account.sign_in", row->name, NULL, 0,
							       error);
}
