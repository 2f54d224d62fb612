/*
 * What a handler works with: the parsed line, and the server that it asks.
 *
 * The server is looked for at the first question: --url or $LULL_URL with the token of --token-file or $LULL_TOKEN;
 * otherwise the server of this user on this machine with its own token (client/local.h), which goes to no other.
 */
#ifndef LULL_CLI_ERRAND_H
#define LULL_CLI_ERRAND_H

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

struct errand {
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
bool errand_ask(struct errand *errand, const struct request *request, struct reply *reply,
		struct error *error) MUST_CHECK;
/* A GET of a path, in short. */
bool errand_get(struct errand *errand, const char *path, struct reply *reply, struct error *error) MUST_CHECK;
/* Drops the connection, so that the next question looks for the server anew. */
void errand_hang_up(struct errand *errand);
/* Hangs up and gives the arena back. */
void errand_fini(struct errand *errand);

/* Prints the JSON as it came, with an end of line. */
void reply_print(const struct reply *reply);
void reply_fini(struct reply *reply);

/* The text as a part of a path or query: what is not plain becomes %XX. Lives in the errand's arena. */
const char *errand_escape(struct errand *errand, const char *text) MUST_CHECK;

#endif
