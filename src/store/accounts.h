/*
 * Accounts, their tokens, tenants, and the audit rows of what people did.
 */
#ifndef LULL_STORE_ACCOUNTS_H
#define LULL_STORE_ACCOUNTS_H

#include "core/id.h"
#include "core/permission.h"
#include "store/tx.h"

struct account_row {
	struct account_id id;
	struct tenant_id tenant;
	const char *tenant_name;         /* read only */
	const char *name;
	enum role role;
	const char *password;            /* argon2id, NULL: none */
	instant created_ms;
};

struct token_row {
	const void *digest;              /* SHA-256, 32 bytes */
	struct account_id account;
	const char *name;
	instant created_ms;
	instant expires_ms;              /* 0: never */
	instant revoked_ms;              /* 0: not */
};

struct audit_row {
	struct tenant_id tenant;
	struct account_id account;
	const char *account_name;
	const char *act;                 /* "flow.apply" */
	const char *subject;             /* "ops.backup", "12" */
	const char *detail;              /* a JSON object */
};

/* By name within a tenant, or by id; texts live in the transaction's arena. */
bool accounts_find(struct tx *tx, struct tenant_id tenant, const char *name, struct account_row *row, bool *found,
		   struct error *error) MUST_CHECK;
bool accounts_get(struct tx *tx, struct account_id id, struct account_row *row, bool *found,
		  struct error *error) MUST_CHECK;
/* Inserts, or saves role and password. */
bool accounts_save(struct tx *tx, const struct account_row *row, struct error *error) MUST_CHECK;

/* The account of a token that is neither expired nor revoked. */
bool tokens_find_account(struct tx *tx, const void *digest, struct account_row *row, bool *found,
			 struct error *error) MUST_CHECK;
bool tokens_add(struct tx *tx, const struct token_row *row, struct error *error) MUST_CHECK;
/* Revokes the tokens of this account and name. */
bool tokens_revoke(struct tx *tx, struct account_id account, const char *name, struct error *error) MUST_CHECK;
bool audit_add(struct tx *tx, const struct audit_row *row, struct error *error) MUST_CHECK;

#endif
