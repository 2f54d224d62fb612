/*
 * Agents: worker processes by name, known since their first hello.
 */
#ifndef LULL_STORE_AGENTS_H
#define LULL_STORE_AGENTS_H

#include "core/id.h"
#include "store/tx.h"

struct agent_row {
	struct agent_id id;
	const char *name;
	const char *pool;
	const char *labels;              /* sorted, joined by commas; "" for none */
	int32_t slots;
	const char *boot;
	const char *spool;               /* tells an agent from another one of the same name */
	const char *host;
	const char *version;
	int64_t session;                 /* counts its hellos */
	instant hello_ms;
	instant contact_ms;              /* last heard, to within a quarter of the lease */
	bool is_forgotten;
	instant gave_up_ms;              /* its attempts were given up, and it has not said hello since; 0: no */
};

/* By name or by id; texts live in the transaction's arena. */
bool agents_find(struct tx *tx, const char *name, struct agent_row *row, bool *found, struct error *error) MUST_CHECK;
bool agents_get(struct tx *tx, struct agent_id id, struct agent_row *row, bool *found, struct error *error) MUST_CHECK;
/* Inserts, or saves all but the name. */
bool agents_save(struct tx *tx, const struct agent_row *row, struct error *error) MUST_CHECK;
bool agents_touch(struct tx *tx, struct agent_id id, instant contact_ms, struct error *error) MUST_CHECK;
/* By id, after the given one; at most `limit`. */
bool agents_list(struct tx *tx, struct agent_id after, size_t limit, struct agent_row **rows, size_t *count,
		 struct error *error) MUST_CHECK;
/* Those with open attempts that were last heard before. */
bool agents_silent(struct tx *tx, instant before, size_t limit, struct agent_row **rows, size_t *count,
		   struct error *error) MUST_CHECK;

#endif
