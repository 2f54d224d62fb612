/*
 * Applying, showing and deleting flows.
 */
#ifndef LULL_OPS_FLOWS_H
#define LULL_OPS_FLOWS_H

#include "core/flow.h"
#include "ops/identity.h"
#include "store/flows.h"
#include "store/tx.h"

enum flow_change { FLOW_CREATED, FLOW_UPDATED, FLOW_UNCHANGED, FLOW_DELETED };

/* "created", "updated", "unchanged", "deleted". */
const char *flow_change_name(enum flow_change change) MUST_CHECK;

/*
 * Stores the YAML (`flow` is what it was parsed to) as a new revision, if it differs from the newest one. A deleted
 * flow comes back with its next revision. False: a refusal by permission or hold, ERR_STORE.
 */
bool flows_apply(struct tx *tx, const struct credential *credential, const char *source, const struct flow *flow,
		 int64_t *revision, enum flow_change *change, struct error *error) MUST_CHECK;
/* Nothing new of it can start; what was accepted runs as it is. False: ERR_NOT_FOUND too. */
bool flows_delete(struct tx *tx, const struct credential *credential, const char *name, struct error *error) MUST_CHECK;
/* The newest revision, parsed; *flow is valid until the transaction ends. False: ERR_NOT_FOUND too. */
bool flows_show(struct tx *tx, const struct credential *credential, const char *name, struct revision_row *row,
		const struct flow **flow, struct error *error) MUST_CHECK;
/* Flows after the name `after` ("" at first), with each one's newest revision parsed. */
bool flows_page(struct tx *tx, const struct credential *credential, const char *after, size_t limit,
		struct flow_row **rows, const struct flow ***flows, size_t *count, struct error *error) MUST_CHECK;

/* Splits "ops.db.backup" into namespace and id, in the arena. False: ERR_INVALID. */
bool flow_name_split(const char *name, struct arena *arena, const char **name_space, const char **id,
		     struct error *error) MUST_CHECK;
/* The flow of that name in a tenant. False: ERR_NOT_FOUND too. */
bool flows_resolve(struct tx *tx, struct tenant_id tenant, const char *name, struct flow_row *row,
		   struct error *error) MUST_CHECK;

/* May this person change things on this path? False: ERR_HELD, naming the hold. */
bool flows_gate_change(struct tx *tx, const struct identity *identity, const struct scope_path *path,
		       struct error *error) MUST_CHECK;

#endif
