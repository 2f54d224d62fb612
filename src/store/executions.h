/*
 * Executions, their attempts and what these wrote, and the keys that make a submit repeatable.
 */
#ifndef LULL_STORE_EXECUTIONS_H
#define LULL_STORE_EXECUTIONS_H

#include "base/buffer.h"
#include "core/id.h"
#include "core/life.h"
#include "store/tx.h"

struct execution_row {
	struct execution_id id;
	struct flow_id flow;
	int64_t revision;
	enum execution_state state;
	int32_t priority;
	struct account_id account;
	instant created_ms;
	instant started_ms;
	instant ended_ms;
	const char *inputs;              /* a JSON object, NULL: none */
	const char *cause;               /* NULL: none */
};

struct attempt_row {
	struct attempt_id id;
	struct flow_id flow;
	struct agent_id agent;
	enum attempt_state state;
	enum result result;
	instant handed_ms;
	instant began_ms;
	instant ended_ms;
	int32_t exit_code;
	int32_t signal;
	int64_t output_bytes;
	bool is_cut;
	const char *detail;              /* NULL: none */
};

struct submit_key_row {
	struct flow_id flow;
	const char *key;
	const void *digest;              /* 32 bytes */
	struct execution_id execution;
	instant created_ms;
};

enum { DIGEST_BYTES = 32 };

/* Inserts all of them. */
bool executions_add(struct tx *tx, const struct execution_row *rows, size_t count, struct error *error) MUST_CHECK;
/* Saves state, started_ms, ended_ms and cause of each. */
bool executions_save(struct tx *tx, const struct execution_row *rows, size_t count, struct error *error) MUST_CHECK;
bool executions_get(struct tx *tx, struct execution_id id, struct execution_row *row, bool *found,
		    struct error *error) MUST_CHECK;

/* Newest first, `before` excluded, down to the tenant's first; at most `limit`. With a flow, its own only. */
bool executions_before(struct tx *tx, struct tenant_id tenant, struct execution_id before, const struct flow_id *flow,
		       size_t limit, struct execution_row **rows, size_t *count, struct error *error) MUST_CHECK;
/*
 * Those with a task running or next: they have an open attempt or a row in an `advance` backlog. Oldest first,
 * after `after`.
 */
bool executions_begun(struct tx *tx, struct execution_id after, size_t limit, struct execution_row **rows,
		      size_t *count, struct error *error) MUST_CHECK;
/* Is there any such execution? */
bool executions_any_begun(struct tx *tx, bool *any, struct error *error) MUST_CHECK;

/* Inserts all of them. */
bool attempts_add(struct tx *tx, const struct attempt_row *rows, size_t count, struct error *error) MUST_CHECK;
/* Saves everything but the identity, the flow, the agent and handed_ms. */
bool attempts_save(struct tx *tx, const struct attempt_row *rows, size_t count, struct error *error) MUST_CHECK;
bool attempts_get(struct tx *tx, struct attempt_id id, struct attempt_row *row, bool *found,
		  struct error *error) MUST_CHECK;
/* All of an execution, by task and try. */
bool attempts_of(struct tx *tx, struct execution_id execution, struct attempt_row **rows, size_t *count,
		 struct error *error) MUST_CHECK;
/* The open ones of an agent, or with agent 0 of all; at most `limit`. */
bool attempts_open(struct tx *tx, struct agent_id agent, size_t limit, struct attempt_row **rows, size_t *count,
		   struct error *error) MUST_CHECK;
/* Those of an agent that ended as lost since then; at most `limit`. */
bool attempts_given_up(struct tx *tx, struct agent_id agent, instant since, size_t limit, struct attempt_row **rows,
		       size_t *count, struct error *error) MUST_CHECK;
/* Is there any that was given up with its agent, which has not said hello since? */
bool attempts_any_given_up(struct tx *tx, bool *any, struct error *error) MUST_CHECK;
bool attempts_count_open(struct tx *tx, int64_t *handed, int64_t *begun, struct error *error) MUST_CHECK;

/* Keeps a part of an attempt's output; of two parts from the same offset the longer one stays. */
bool outputs_add(struct tx *tx, struct attempt_id id, int64_t offset, const void *bytes, size_t length,
		 struct error *error) MUST_CHECK;
/* Appends what the attempt wrote from `offset` on, `most` bytes at the most. */
bool outputs_read(struct tx *tx, struct attempt_id id, int64_t offset, size_t most, struct buffer *bytes,
		  struct error *error) MUST_CHECK;

/* The execution that a key made; one that is saved replaces an older one of the same key. */
bool submit_keys_find(struct tx *tx, struct flow_id flow, const char *key, struct submit_key_row *row, bool *found,
		      struct error *error) MUST_CHECK;
bool submit_keys_save(struct tx *tx, const struct submit_key_row *rows, size_t count, struct error *error) MUST_CHECK;
/* Forgets up to `limit` keys made before. */
bool submit_keys_forget(struct tx *tx, instant before, size_t limit, struct error *error) MUST_CHECK;

#endif
