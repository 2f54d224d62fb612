#include "ops/flows.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "ops/memory.h"
#include "store/ids.h"

const char *flow_change_name(enum flow_change change)
{
	static const char *const names[] = { "created", "updated", "unchanged", "deleted" };
	return names[change];
}

bool flow_name_split(const char *name, struct arena *arena, const char **name_space, const char **id,
		     struct error *error)
{
	const char *dot = strrchr(name, '.');
	const char *last = dot ? dot + 1 : name;
	const char *space = dot ? arena_copy(arena, name, (size_t)(dot - name)) : "default";
	if (!text_is_name(last, LIMIT_NAME_BYTES, false) || !namespace_is_valid(space))
		return error_set(error, ERR_INVALID, "\"%.100s\" names no flow; write namespace.id", name);
	*name_space = space;
	*id = last;
	return true;
}

bool flows_gate_change(struct tx *tx, const struct identity *identity, const struct scope_path *path,
		       struct error *error)
{
	const struct hold_set *holds;
	if (!memory_holds(tx, &holds, error))
		return false;
	struct ruling ruling = gate_rule(holds, ACT_CHANGE, &identity->caller, path);
	return ruling_allows(&ruling, error);
}

static bool find_flow(struct tx *tx, struct tenant_id tenant, const char *name, struct flow_row *row, bool *found,
		      struct error *error)
{
	const char *name_space, *id;
	return flow_name_split(name, tx->arena, &name_space, &id, error) &&
	       flows_find(tx, tenant, name_space, id, row, found, error);
}

bool flows_resolve(struct tx *tx, struct tenant_id tenant, const char *name, struct flow_row *row,
		   struct error *error)
{
	bool found;
	if (!find_flow(tx, tenant, name, row, &found, error))
		return false;
	if (found && !row->deleted_ms)
		return true;
	return error_set(error, ERR_NOT_FOUND, "there is no flow %.200s; `lull flow list` shows those there are", name);
}

static bool store_revision(struct tx *tx, const struct identity *identity, const char *source, struct flow_row *row,
			   enum flow_change change, struct error *error)
{
	struct revision_row revision = {
		.flow = row->id, .revision = row->revision, .source = source, .account = identity->name,
		.created_ms = tx->now,
	};
	const char *subject = arena_printf(tx->arena, "%s.%s", row->name_space, row->name);
	const char *number = arena_printf(tx->arena, "%" PRId64, row->revision);
	const struct flow_pair details[] = { { "revision", number }, { "change", flow_change_name(change) } };
	return flows_save(tx, row, error) && revisions_add(tx, &revision, error) &&
	       identity_audit(tx, identity, "flow.apply", subject, details, COUNT_OF(details), error);
}

bool flows_apply(struct tx *tx, const struct credential *credential, const char *source, const struct flow *flow,
		 int64_t *revision, enum flow_change *change, struct error *error)
{
	struct identity identity;
	struct flow_row row;
	bool found;
	if (!identity_need(tx, credential, PERM_FLOW_WRITE, &identity, error) ||
	    !flows_find(tx, identity.tenant, flow->name_space, flow->id, &row, &found, error))
		return false;
	struct scope_path path = { .tenant = identity.tenant, .name_space = flow->name_space,
				   .flow = found ? row.id : (struct flow_id){ 0 } };
	if (!flows_gate_change(tx, &identity, &path, error))
		return false;
	if (found && !row.deleted_ms) {
		struct revision_row newest;
		bool has_newest;
		if (!revisions_get(tx, row.id, row.revision, &newest, &has_newest, error))
			return false;
		if (has_newest && strcmp(newest.source, source) == 0) {
			*revision = row.revision;
			*change = FLOW_UNCHANGED;
			return true;
		}
	}
	*change = found && !row.deleted_ms ? FLOW_UPDATED : FLOW_CREATED;
	if (!found) {
		row = (struct flow_row){ .tenant = identity.tenant, .name_space = flow->name_space, .name = flow->id };
		if (!ids_take(tx, "flow", 1, &row.id.value, error))
			return false;
	}
	row.revision++;
	row.deleted_ms = 0;
	*revision = row.revision;
	return store_revision(tx, &identity, source, &row, *change, error);
}

bool flows_delete(struct tx *tx, const struct credential *credential, const char *name, struct error *error)
{
	struct identity identity;
	struct flow_row row;
	if (!identity_need(tx, credential, PERM_FLOW_WRITE, &identity, error) ||
	    !flows_resolve(tx, identity.tenant, name, &row, error))
		return false;
	struct scope_path path = { .tenant = identity.tenant, .name_space = row.name_space, .flow = row.id };
	if (!flows_gate_change(tx, &identity, &path, error))
		return false;
	row.deleted_ms = tx->now;
	return flows_save(tx, &row, error) && identity_audit(tx, &identity, "flow.delete", name, NULL, 0, error);
}

bool flows_show(struct tx *tx, const struct credential *credential, const char *name, struct revision_row *row,
		const struct flow **flow, struct error *error)
{
	struct identity identity;
	struct flow_row found_flow;
	bool found;
	if (!identity_need(tx, credential, PERM_FLOW_READ, &identity, error) ||
	    !flows_resolve(tx, identity.tenant, name, &found_flow, error) ||
	    !revisions_get(tx, found_flow.id, found_flow.revision, row, &found, error))
		return false;
	if (!found)
		return error_set(error, ERR_STORE, "the newest revision of %.200s is missing in the store", name);
	return memory_flow(tx, found_flow.id, found_flow.revision, flow, error);
}

bool flows_page(struct tx *tx, const struct credential *credential, const char *after, size_t limit,
		struct flow_row **rows, const struct flow ***flows, size_t *count, struct error *error)
{
	struct identity identity;
	const char *name_space = "", *id = "";
	if (!identity_need(tx, credential, PERM_FLOW_READ, &identity, error) ||
	    (*after && !flow_name_split(after, tx->arena, &name_space, &id, error)) ||
	    !flows_list(tx, identity.tenant, name_space, id, limit, rows, count, error))
		return false;
	*flows = ARENA_ARRAY(tx->arena, const struct flow *, *count);
	for (size_t i = 0; i < *count; i++)
		if (!memory_flow(tx, (*rows)[i].id, (*rows)[i].revision, &(*flows)[i], error))
			return false;
	return true;
}
