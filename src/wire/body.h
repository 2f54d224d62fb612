/*
 * The bodies that the command line sends to /v1. Texts go as they are (what is not UTF-8 becomes U+FFFD); the
 * server judges them.
 */
#ifndef LULL_WIRE_BODY_H
#define LULL_WIRE_BODY_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

struct body_input {
	const char *name;
	const char *value;
};

/* What POST /v1/executions asks for. */
struct body_execution {
	const char *flow;
	const struct body_input *inputs;
	size_t input_count;
	int32_t priority;
	const char *key;               /* NULL: none */
};

/* What POST /v1/maintenance asks for; NULL members are left to the server. */
struct body_hold {
	const char *reason;
	const char *preset;
	const char *scope;
	const char *ticket;
};

/*
 * Appends {"items":[…]} with `count` such executions. With a key, the one at `index` of all (beginning with
 * `first`) gets the key "KEY-index", so that repeating the whole command starts nothing twice.
 */
void body_executions(struct buffer *body, const struct body_execution *execution, int64_t first, int64_t count);
/* Appends the execution alone. */
void body_execution(struct buffer *body, const struct body_execution *execution);
void body_hold(struct buffer *body, const struct body_hold *hold);
/* Appends {"reason":…}, or {} where it is NULL. */
void body_reason(struct buffer *body, const char *reason);
void body_sign_in(struct buffer *body, const char *account, const char *password);

#endif
