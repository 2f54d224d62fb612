/*
 * How work waits: needs, backlogs and their ready rows. See DESIGN.md, "How work waits".
 */
#ifndef LULL_STORE_BACKLOGS_H
#define LULL_STORE_BACKLOGS_H

#include "core/id.h"
#include "store/tx.h"

/* Stored: never renumber. What a begun execution does next goes before what has not begun. */
enum backlog_kind { BACKLOG_ADVANCE = 0, BACKLOG_START = 1, BACKLOG_KINDS };

struct need_row {
	struct need_id id;
	const char *pool;
	const char *labels;              /* sorted, joined by commas; "" for none */
};

struct backlog_row {
	struct backlog_id id;
	struct tenant_id tenant;
	struct flow_id flow;
	struct need_id need;
	enum backlog_kind kind;
	bool is_open;                    /* has a ready row; head_rank and head_ms are its first one's */
	int64_t head_rank;
	instant head_ms;
};

struct ready_row {
	struct backlog_id backlog;
	int64_t rank;                    /* the negated priority */
	instant ready_ms;
	struct execution_id execution;
	int32_t task;
};

/* Needs are only ever added. */
bool needs_all(struct tx *tx, struct need_row **rows, size_t *count, struct error *error) MUST_CHECK;
bool needs_add(struct tx *tx, const struct need_row *row, struct error *error) MUST_CHECK;

/* One backlog; backlogs_get answers ERR_STORE if there is none of that id. */
bool backlogs_find(struct tx *tx, struct flow_id flow, struct need_id need, enum backlog_kind kind,
		   struct backlog_row *row, bool *found, struct error *error) MUST_CHECK;
bool backlogs_get(struct tx *tx, struct backlog_id id, struct backlog_row *row, struct error *error) MUST_CHECK;
/* A new, closed or open one. */
bool backlogs_add(struct tx *tx, const struct backlog_row *row, struct error *error) MUST_CHECK;
/* Saves is_open and the head. */
bool backlogs_save(struct tx *tx, const struct backlog_row *row, struct error *error) MUST_CHECK;
/* The first tenant above `after` that has an open backlog of this kind and need; 0: none. */
bool backlogs_next_tenant(struct tx *tx, enum backlog_kind kind, struct need_id need, struct tenant_id after,
			  struct tenant_id *tenant, struct error *error) MUST_CHECK;
/* The open backlogs of a tenant with the best heads, best first; at most `limit`. */
bool backlogs_best(struct tx *tx, enum backlog_kind kind, struct need_id need, struct tenant_id tenant, size_t limit,
		   struct backlog_row *rows, size_t *count, struct error *error) MUST_CHECK;

/* Add and remove rows by their whole key; *removed says how many of them were there. */
bool ready_add(struct tx *tx, const struct ready_row *rows, size_t count, struct error *error) MUST_CHECK;
bool ready_remove(struct tx *tx, const struct ready_row *rows, size_t count, int64_t *removed,
		  struct error *error) MUST_CHECK;
/* The first rows of a backlog, best first; at most `limit`. */
bool ready_first(struct tx *tx, struct backlog_id backlog, size_t limit, struct ready_row *rows, size_t *count,
		 struct error *error) MUST_CHECK;
/* How many executions wait to start, counted up to `most`. */
bool ready_count(struct tx *tx, int64_t most, int64_t *count, struct error *error) MUST_CHECK;

#endif
