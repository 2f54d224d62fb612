/*
 * Flows and their revisions. A revision never changes once it is stored.
 */
#ifndef LULL_STORE_FLOWS_H
#define LULL_STORE_FLOWS_H

#include "core/id.h"
#include "store/tx.h"

struct flow_row {
	struct flow_id id;
	struct tenant_id tenant;
	const char *name_space;
	const char *name;
	int64_t revision;                /* the newest */
	instant deleted_ms;              /* 0: there */
};

struct revision_row {
	struct flow_id flow;
	int64_t revision;
	const char *source;              /* YAML */
	const char *account;
	instant created_ms;
};

/* Text lives in the transaction's arena. A deleted flow is found too: look at deleted_ms. */
bool flows_find(struct tx *tx, struct tenant_id tenant, const char *name_space, const char *name,
		struct flow_row *row, bool *found, struct error *error) MUST_CHECK;
bool flows_get(struct tx *tx, struct flow_id id, struct flow_row *row, bool *found, struct error *error) MUST_CHECK;
/* Up to `limit` flows that are there, by namespace and name, after the given ones ("" at first). */
bool flows_list(struct tx *tx, struct tenant_id tenant, const char *after_name_space, const char *after_name,
		size_t limit, struct flow_row **rows, size_t *count, struct error *error) MUST_CHECK;
/* Inserts the flow, or sets revision and deleted_ms of the one with this id. */
bool flows_save(struct tx *tx, const struct flow_row *row, struct error *error) MUST_CHECK;

/* Revisions are added and read, never changed. */
bool revisions_add(struct tx *tx, const struct revision_row *row, struct error *error) MUST_CHECK;
bool revisions_get(struct tx *tx, struct flow_id flow, int64_t revision, struct revision_row *row, bool *found,
		   struct error *error) MUST_CHECK;

/* The sketch of how long a task (its id; "" for the whole flow) takes, NULL if there is none. */
bool forecasts_get(struct tx *tx, struct flow_id flow, const char *task, const char **sketch,
		   struct error *error) MUST_CHECK;
bool forecasts_save(struct tx *tx, struct flow_id flow, const char *task, const char *sketch,
		    struct error *error) MUST_CHECK;

#endif
