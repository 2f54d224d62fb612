#include "store/accounts.h"

#include "store/ids.h"

enum { TOKEN_DIGEST_BYTES = 32 };

#define ACCOUNT_COLUMNS "a.id, a.tenant, t.name, a.name, a.role, a.password, a.created_ms"
#define ACCOUNT_TABLES "account a JOIN tenant t ON t.id = a.tenant"

static const struct statement select_by_name = {
	"SELECT " ACCOUNT_COLUMNS " FROM " ACCOUNT_TABLES " WHERE a.tenant = ?1 AND a.name = ?2", "it",
};
static const struct statement select_by_id = {
	"SELECT " ACCOUNT_COLUMNS " FROM " ACCOUNT_TABLES " WHERE a.id = ?1", "i",
};
static const struct statement select_by_token = {
	"SELECT " ACCOUNT_COLUMNS " FROM token k JOIN account a ON a.id = k.account JOIN tenant t ON t.id = a.tenant "
	"WHERE k.digest = ?1 AND k.revoked_ms = 0 AND (k.expires_ms = 0 OR k.expires_ms > ?2)", "bi",
};
static const struct statement upsert_account = {
	"INSERT INTO account (id, tenant, name, role, password, created_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6) "
	"ON CONFLICT (id) DO UPDATE SET role = excluded.role, password = excluded.password", "iittti",
};
static const struct statement insert_token = {
	"INSERT INTO token (digest, account, name, created_ms, expires_ms, revoked_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6) "
	"ON CONFLICT (digest) DO UPDATE SET account = excluded.account, name = excluded.name, "
	"created_ms = excluded.created_ms, expires_ms = excluded.expires_ms, revoked_ms = excluded.revoked_ms",
	"bitiii",
};
static const struct statement revoke_tokens = {
	"UPDATE token SET revoked_ms = ?3 WHERE account = ?1 AND name = ?2 AND revoked_ms = 0", "iti",
};
static const struct statement insert_audit = {
	"INSERT INTO audit (id, at_ms, tenant, account, account_name, act, subject, detail) "
	"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", "iiiitttt",
};

static bool one_account(struct tx *tx, const struct statement *statement, const struct value *key,
			struct account_row *row, bool *found, struct error *error)
{
	struct rows rows;
	if (!store_select(tx->store, statement, key, &rows, error))
		return false;
	bool ok = rows_next(&rows, found, error);
	if (ok && *found) {
		enum role role;
		const char *role_text = rows_text(&rows, 4, tx->arena);
		ok = role_parse(role_text, &role) || error_set(error, ERR_STORE, "no role \"%.60s\" is known",
							       role_text);
		if (ok)
			*row = (struct account_row){
				.id = { rows_int(&rows, 0) },
				.tenant = { rows_int(&rows, 1) },
				.tenant_name = rows_text(&rows, 2, tx->arena),
				.name = rows_text(&rows, 3, tx->arena),
				.role = role,
				.password = rows_text(&rows, 5, tx->arena),
				.created_ms = rows_int(&rows, 6),
			};
	}
	rows_end(&rows);
	return ok;
}

bool accounts_find(struct tx *tx, struct tenant_id tenant, const char *name, struct account_row *row, bool *found,
		   struct error *error)
{
	const struct value key[] = { STORE_INT(tenant.value), store_text(name) };
	return one_account(tx, &select_by_name, key, row, found, error);
}

bool accounts_get(struct tx *tx, struct account_id id, struct account_row *row, bool *found, struct error *error)
{
	const struct value key[] = { STORE_INT(id.value) };
	return one_account(tx, &select_by_id, key, row, found, error);
}

bool accounts_save(struct tx *tx, const struct account_row *row, struct error *error)
{
	const struct value values[] = {
		STORE_INT(row->id.value), STORE_INT(row->tenant.value), store_text(row->name),
		store_text(role_name(row->role)), store_text(row->password), STORE_INT(row->created_ms),
	};
	return store_run(tx->store, &upsert_account, values, NULL, error);
}

bool tokens_find_account(struct tx *tx, const void *digest, struct account_row *row, bool *found, struct error *error)
{
	const struct value key[] = { STORE_BYTES(digest, TOKEN_DIGEST_BYTES), STORE_INT(tx->now) };
	return one_account(tx, &select_by_token, key, row, found, error);
}

bool tokens_add(struct tx *tx, const struct token_row *row, struct error *error)
{
	const struct value values[] = {
		STORE_BYTES(row->digest, TOKEN_DIGEST_BYTES), STORE_INT(row->account.value), store_text(row->name),
		STORE_INT(row->created_ms), STORE_INT(row->expires_ms), STORE_INT(row->revoked_ms),
	};
	return store_run(tx->store, &insert_token, values, NULL, error);
}

bool tokens_revoke(struct tx *tx, struct account_id account, const char *name, struct error *error)
{
	const struct value values[] = { STORE_INT(account.value), store_text(name), STORE_INT(tx->now) };
	return store_run(tx->store, &revoke_tokens, values, NULL, error);
}

bool audit_add(struct tx *tx, const struct audit_row *row, struct error *error)
{
	int64_t id;
	if (!ids_take(tx, "audit", 1, &id, error))
		return false;
	const struct value values[] = {
		STORE_INT(id), STORE_INT(tx->now), STORE_INT(row->tenant.value), STORE_INT(row->account.value),
		store_text(row->account_name), store_text(row->act), store_text(row->subject), store_text(row->detail),
	};
	return store_run(tx->store, &insert_audit, values, NULL, error);
}
