/*
 * What a handler works with: the parsed line, and the server that it asks.
 *
 * The server is looked for at the first question: --url or $LULL_URL with the token of --token-file or $LULL_TOKEN;
 * otherwise the server of this user on this machine with its own token (client/local.h), which goes to no other.
 */
#ifndef LULL_CLI_SESSION_H
#define LULL_CLI_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/instant.h"
#include "cli/cli.h"
#include "cli/line.h"
#include "wire/answer.h"

struct client;

/* Exit code of a command that did its work, which came to nothing: an execution failed. */
enum { EXIT_CODE_FAILED = 1 };

struct session {
	const struct line *line;
	const struct cli_house *house;
	struct arena arena;              /* for all that a handler makes */
	bool is_json;                    /* --json was given */
	int exit_code;
	instant now;                     /* when the last answer came, for ages */
	struct client *client;           /* NULL until the first question */
};

/* Zeroed: nothing was asked. */
struct reply {
	struct buffer body;
	struct answer root;
};

struct request {
	const char *method;
	const char *path;
	const struct buffer *body;       /* NULL: none */
	const char *content_type;        /* NULL: JSON */
	bool is_raw;                     /* the answer is no JSON: only reply->body is set */
};

/*
 * Asks, and waits for the answer, which replaces what `reply` held. False: the server's own error, or
 * ERR_UNREACHABLE. `reply` is then the problem document where the server sent one, otherwise empty.
 */
bool session_ask(struct session *session, const struct request *request, struct reply *reply,
		 struct error *error) MUST_CHECK;
/* A GET of a path, in short. */
bool session_get(struct session *session, const char *path, struct reply *reply, struct error *error) MUST_CHECK;
/* Drops the connection, so that the next question looks for the server anew. */
void session_hang_up(struct session *session);
/* Hangs up and gives the arena back. */
void session_fini(struct session *session);

/* Prints the JSON as it came, with an end of line. */
void reply_print(const struct reply *reply);
void reply_fini(struct reply *reply);

/* The text as a part of a path or query: what is not plain becomes %XX. Lives in the session's arena. */
const char *session_escape(struct session *session, const char *text) MUST_CHECK;

#endif
