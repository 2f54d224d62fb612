/*
 * Who asks: a credential as it came with a request, and the account behind it.
 *
 * HTTP threads only hash what came; the lane looks the account up in the call's own transaction, so a revoked
 * token is refused from the moment its revocation is committed.
 */
#ifndef LULL_OPS_IDENTITY_H
#define LULL_OPS_IDENTITY_H

#include "core/flow.h"
#include "core/gate.h"
#include "core/id.h"
#include "core/permission.h"
#include "store/tx.h"

enum { TOKEN_TEXT_BYTES = 64 };

struct credential {
	bool is_local_agent;             /* came through the agents' socket from a user who may */
	bool has_token;
	unsigned char digest[32];        /* of the token */
	bool asks_bypass;
};

struct identity {
	struct account_id account;       /* 0: an agent on the local socket */
	struct tenant_id tenant;
	const char *tenant_name;
	const char *name;
	enum role role;
	struct caller caller;
};

/* SHA-256 of the token's text. */
void credential_digest(const char *token, unsigned char digest[32]);
/* A new token, "lull_" and 43 characters of 256 random bits; `random` has 32 bytes. */
void credential_make(const unsigned char random[32], char token[TOKEN_TEXT_BYTES]);

/* False: ERR_UNAUTHENTIC without a token, or with one that is wrong, expired or revoked: which, it does not say. */
bool identity_find(struct tx *tx, const struct credential *credential, struct identity *identity,
		   struct error *error) MUST_CHECK;
/* False: ERR_FORBIDDEN, naming the permission. */
bool identity_may(const struct identity *identity, enum permission permission, struct error *error) MUST_CHECK;
/* Both in one: who is it, and may they? */
bool identity_need(struct tx *tx, const struct credential *credential, enum permission permission,
		   struct identity *identity, struct error *error) MUST_CHECK;

/* Writes an audit row for an act of this person; the pairs become its detail. */
bool identity_audit(struct tx *tx, const struct identity *identity, const char *act, const char *subject,
		    const struct flow_pair *pairs, size_t count, struct error *error) MUST_CHECK;

#endif
