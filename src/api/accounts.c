/*
 * Signing in, and who one is.
 */
#include "api/api.h"
#include "ops/accounts.h"
#include "sys/random.h"

enum { SIGN_IN_HOURS = 12, LONGEST_PASSWORD = 1024 };

struct sign_in {
	const char *account;
	const char *password;
	char token[TOKEN_TEXT_BYTES];
	unsigned char digest[32];
	instant expires_ms;
	struct account_row row;
	struct lane *writes;
	void (*answer)(struct call *call);
};

static bool read_sign_in(struct api_call *call, struct error *error)
{
	static const char *const known[] = { "account", "password", NULL };
	struct sign_in *in = ARENA_NEW(&call->call.arena, struct sign_in);
	json_t *root;
	if (!api_body(call, known, &root, error))
		return false;
	struct reader_at at = reader_root(root);
	bool ok = reader_need_text(&at, "account", LIMIT_NAME_BYTES, &in->account, error) &&
		  reader_need_text(&at, "password", LONGEST_PASSWORD, &in->password, error);
	in->account = arena_text(&call->call.arena, in->account);
	in->password = arena_text(&call->call.arena, in->password);
	json_decref(root);
	unsigned char random[32];
	random_bytes(random, sizeof(random));
	credential_make(random, in->token);
	credential_digest(in->token, in->digest);
	call->in = in;
	return ok;
}

static void write_sign_in(struct api_call *call, struct writer *out)
{
	const struct sign_in *in = call->in;
	writer_begin_object(out);
	writer_key_text(out, "token", in->token);
	writer_key_text(out, "account", in->row.name);
	writer_key_text(out, "role", role_name(in->row.role));
	writer_key_instant(out, "expires", in->expires_ms);
	writer_end_object(out);
}

/* The write that follows a right password: it makes the token. */
static bool store_token(struct tx *tx, struct call **calls, size_t count, struct error *error)
{
	struct api_call *call = CONTAINER_OF(calls[0], struct api_call, call);
	struct sign_in *in = call->in;
	(void)count;
	call->status = call->route->status;
	in->expires_ms = tx->now + (instant)SIGN_IN_HOURS * 3600 * 1000;
	return accounts_sign_in(tx, in->row.id, in->digest, in->expires_ms, &in->row, error);
}

/* The password was looked at on the lane of sign-ins; a right one goes on to the write lane. */
static void after_verify(struct call *lane_call)
{
	static const struct call_type type = { "sign_in_store", CALL_COMMAND, false, store_token };
	struct api_call *call = CONTAINER_OF(lane_call, struct api_call, call);
	struct sign_in *in = call->in;
	lane_call->done = in->answer;
	if (lane_call->error.code == ERR_NONE) {
		struct error error;
		lane_call->type = &type;
		if (lane_put(in->writes, lane_call, &error))
			return;
		lane_call->error = error;
	}
	in->answer(lane_call);
}

static bool run_sign_in(struct tx *tx, struct api_call *call, struct error *error)
{
	struct sign_in *in = call->in;
	if (!accounts_verify(tx, in->account, in->password, &in->row, error))
		return false;
	in->writes = api_settings_of(call)->writes;
	in->answer = call->call.done;
	call->call.done = after_verify;
	return true;
}

static bool run_me(struct tx *tx, struct api_call *call, struct error *error)
{
	struct identity *identity = ARENA_NEW(&call->call.arena, struct identity);
	call->out = identity;
	return identity_find(tx, &call->credential, identity, error);
}

static void write_me(struct api_call *call, struct writer *out)
{
	const struct identity *identity = call->out;
	writer_begin_object(out);
	writer_key_text(out, "account", identity->name);
	writer_key_text(out, "role", role_name(identity->role));
	writer_key_text(out, "tenant", identity->tenant_name);
	writer_end_object(out);
}

const struct api_route api_account_routes[] = {
	{ HTTP_POST, "/v1/sign-in", "", API_SIGN_IN, 201, read_sign_in, run_sign_in, write_sign_in,
	  "A token for an account and its password. Open to all" },
	{ HTTP_GET, "/v1/me", "", API_READ, 200, NULL, run_me, write_me, "Whose token this is" },
	{ 0 },
};
