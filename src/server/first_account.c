#include "server/first_account.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/kill_point.h"
#include "ops/accounts.h"
#include "sys/environment.h"
#include "sys/file.h"
#include "sys/random.h"

enum { SHORTEST_TOKEN = 16, LONGEST_TOKEN = 512 };

/* A call that a thread waits for. */
struct begin_call {
	struct call call;
	const struct first_account *first;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool is_done;
};

static bool run_begin(struct tx *tx, struct call **calls, size_t count, struct error *error)
{
	(void)count;
	return accounts_begin(tx, CONTAINER_OF(calls[0], struct begin_call, call)->first, error);
}

static void end_begin(struct call *call)
{
	struct begin_call *begin = CONTAINER_OF(call, struct begin_call, call);
	pthread_mutex_lock(&begin->lock);
	begin->is_done = true;
	pthread_cond_signal(&begin->changed);
	pthread_mutex_unlock(&begin->lock);
}

static bool store(struct lane *writes, const struct first_account *first, struct error *error)
{
	static const struct call_type type = { "first_account", CALL_COMMAND, false, run_begin };
	struct begin_call begin = {
		.call = { .type = &type, .rows = 1, .done = end_begin },
		.first = first,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
	};
	if (!lane_put(writes, &begin.call, error))
		return false;
	pthread_mutex_lock(&begin.lock);
	while (!begin.is_done)
		pthread_cond_wait(&begin.changed, &begin.lock);
	pthread_mutex_unlock(&begin.lock);
	if (begin.call.error.code == ERR_NONE)
		return true;
	*error = begin.call.error;
	return false;
}

static bool make_token_file(const char *path, char *token, size_t room, struct error *error)
{
	unsigned char random[32];
	char made[TOKEN_TEXT_BYTES], line[TOKEN_TEXT_BYTES + 1];
	random_bytes(random, sizeof(random));
	credential_make(random, made);
	int length = snprintf(line, sizeof(line), "%s\n", made);
	if (!file_replace(path, 0600, line, (size_t)length, error))
		return false;
	snprintf(token, room, "%s", made);
	return true;
}

/* The token in the file, made if there is none. */
static bool file_token(const char *data, char *token, size_t room, struct error *error)
{
	char path[PATH_MAX + 16];
	struct buffer content = { 0 };
	snprintf(path, sizeof(path), "%s/admin-token", data);
	if (!file_read(path, LONGEST_TOKEN, &content, error)) {
		buffer_fini(&content);
		return error->code == ERR_NOT_FOUND && make_token_file(path, token, room, error);
	}
	int length = (int)strcspn(buffer_cstr(&content), "\r\n");
	snprintf(token, room, "%.*s", length, buffer_cstr(&content));
	buffer_fini(&content);
	if (length >= SHORTEST_TOKEN)
		return true;
	return error_set(error, ERR_INVALID, "%.300s holds no token; remove the file and start again", path);
}

struct first_secrets first_secrets_take(void)
{
	return (struct first_secrets){
		.token = environment_take("LULL_ADMIN_TOKEN"),
		.password = environment_take("LULL_ADMIN_PASSWORD"),
	};
}

void first_secrets_fini(struct first_secrets *secrets)
{
	free(secrets->token);
	free(secrets->password);
	*secrets = (struct first_secrets){ 0 };
}

static bool take_secrets(const struct first_secrets *secrets, struct first_account *first, unsigned char digest[32],
			 char hash[128], struct error *error)
{
	size_t length = secrets->token ? strlen(secrets->token) : 0;
	if (secrets->token && (length < SHORTEST_TOKEN || length > LONGEST_TOKEN))
		return error_set(error, ERR_INVALID, "LULL_ADMIN_TOKEN must have %d to %d characters", SHORTEST_TOKEN,
				 LONGEST_TOKEN);
	if (secrets->token) {
		credential_digest(secrets->token, digest);
		first->token = digest;
	}
	if (!secrets->password)
		return true;
	if (!password_hash(secrets->password, hash, error))
		return error_prefix(error, "LULL_ADMIN_PASSWORD");
	first->password_hash = hash;
	return true;
}

bool first_account_begin(struct lane *writes, const char *data, const struct first_secrets *secrets,
			 struct error *error)
{
	struct first_account first = { 0 };
	unsigned char environment_digest[32], file_digest[32];
	char hash[128], token[LONGEST_TOKEN + 1];
	if (!take_secrets(secrets, &first, environment_digest, hash, error))
		return false;
	if (!first.token) {
		if (!file_token(data, token, sizeof(token), error))
			return false;
		KILL_POINT("first_account.token_kept");
		credential_digest(token, file_digest);
		first.file_token = file_digest;
	}
	return store(writes, &first, error);
}
