/*
 * Accepting executions: the hot entrance, so it takes an array.
 */
#ifndef LULL_OPS_SUBMIT_H
#define LULL_OPS_SUBMIT_H

#include "core/flow.h"
#include "ops/identity.h"
#include "store/executions.h"
#include "store/tx.h"

/* One execution that is asked for. Texts are borrowed until the transaction ends. */
struct submit_item {
	const char *flow;                /* namespace.id */
	const struct flow_pair *inputs;
	size_t input_count;
	int32_t priority;
	const char *key;                 /* NULL: none */
};

struct submit_result {
	int64_t number;
	int64_t revision;
	enum execution_state state;
	bool is_repeated;                /* an earlier request with the same key made it */
};

/* One request: all of its items or none. */
struct submit {
	const struct credential *credential;
	const struct submit_item *items;
	size_t count;
	bool is_batch;                   /* errors name items[i] */
	struct submit_result *results;   /* room for `count` */
	struct error error;              /* refused */
};

/*
 * Judges all requests, then writes those that are not refused, in one go. A refused one has its error set and has
 * written nothing. False: the engine failed.
 */
bool submit_all(struct tx *tx, struct submit **submits, size_t count, struct error *error) MUST_CHECK;

enum { SUBMIT_KEY_HOURS = 24 };

/* A tick: forgets keys that are older than SUBMIT_KEY_HOURS. */
bool submit_forget_keys(struct tx *tx, struct error *error) MUST_CHECK;

#endif
