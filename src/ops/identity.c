#include "ops/identity.h"

#include <sodium.h>
#include <string.h>

#include "core/pairs.h"
#include "store/accounts.h"

void credential_digest(const char *token, unsigned char digest[32])
{
	crypto_hash_sha256(digest, (const unsigned char *)token, strlen(token));
}

void credential_make(const unsigned char random[32], char token[TOKEN_TEXT_BYTES])
{
	memcpy(token, "lull_", 5);
	sodium_bin2base64(token + 5, TOKEN_TEXT_BYTES - 5, random, 32, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

static struct identity local_agent(void)
{
	return (struct identity){
		.tenant = { TENANT_MAIN },
		.tenant_name = "main",
		.name = "agent",
		.role = ROLE_AGENT,
		.caller = { .permissions = role_permissions(ROLE_AGENT) },
	};
}

bool identity_find(struct tx *tx, const struct credential *credential, struct identity *identity,
		   struct error *error)
{
	if (credential->is_local_agent) {
		*identity = local_agent();
		return true;
	}
	if (!credential->has_token)
		return error_set(error, ERR_UNAUTHENTIC, "send a token: Authorization: Bearer <token>");
	struct account_row account;
	bool found;
	if (!tokens_find_account(tx, credential->digest, &account, &found, error))
		return false;
	if (!found)
		return error_set(error, ERR_UNAUTHENTIC, "the token is not valid; sign in again or ask for a new one");
	*identity = (struct identity){
		.account = account.id,
		.tenant = account.tenant,
		.tenant_name = account.tenant_name,
		.name = account.name,
		.role = account.role,
		.caller = { .permissions = role_permissions(account.role), .asks_bypass = credential->asks_bypass },
	};
	return true;
}

bool identity_may(const struct identity *identity, enum permission permission, struct error *error)
{
	if (permission == PERM_NONE || (identity->caller.permissions & BIT(permission)))
		return true;
	return error_set(error, ERR_FORBIDDEN, "%s lacks the permission %s; ask an administrator", identity->name,
			 permission_name(permission));
}

bool identity_need(struct tx *tx, const struct credential *credential, enum permission permission,
		   struct identity *identity, struct error *error)
{
	return identity_find(tx, credential, identity, error) && identity_may(identity, permission, error);
}

bool identity_audit(struct tx *tx, const struct identity *identity, const char *act, const char *subject,
		    const struct flow_pair *pairs, size_t count, struct error *error)
{
	const char *detail = pairs_format(pairs, count, tx->arena);
	struct audit_row row = {
		.tenant = identity->tenant,
		.account = identity->account,
		.account_name = identity->name,
		.act = act,
		.subject = subject,
		.detail = detail ? detail : "{}",
	};
	return audit_add(tx, &row, error);
}
