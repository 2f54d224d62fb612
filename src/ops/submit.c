#include "ops/submit.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/kill_point.h"
#include "core/execution.h"
#include "core/pairs.h"
#include "ops/flows.h"
#include "ops/memory.h"
#include "ops/waiting.h"
#include "store/ids.h"

/* A flow that some item of this transaction names, looked up once. */
struct named_flow {
	const char *name;
	struct tenant_id tenant;
	struct flow_row row;
	const struct flow *flow;
	struct backlog_id backlog;       /* of its first task, kind start; 0: not asked yet */
	struct named_flow *next;
};

/* An item that was judged and will be written. */
struct accepted {
	struct submit_result *result;
	const struct submit_item *item;
	struct named_flow *flow;
	struct identity identity;
	const char *inputs;
	unsigned char digest[DIGEST_BYTES];
	struct accepted *next_keyed;     /* of this transaction */
};

/* An item whose key an item before it in this transaction has: it gets the same answer. */
struct repeat {
	struct submit_result *result;
	const struct accepted *of;
	struct repeat *next;
};

struct batch {
	struct tx *tx;
	struct named_flow *flows;
	struct accepted *list;
	size_t count;
	struct accepted *keyed;
	struct repeat *repeats;
	/* Submits change neither holds nor accounts, so what was read once counts for the whole batch. */
	const struct hold_set *holds;
	const struct credential *last;   /* whose identity was looked up last */
	struct identity last_identity;
};

/* May this person submit this flow now? Asked for each item: an exemption is the caller's. */
static bool ask_gate(struct batch *batch, const struct identity *identity, const struct named_flow *named,
		     struct error *error)
{
	if (!batch->holds && !memory_holds(batch->tx, &batch->holds, error))
		return false;
	struct scope_path path = { .tenant = identity->tenant, .name_space = named->row.name_space,
				   .flow = named->row.id };
	struct ruling ruling = gate_rule(batch->holds, ACT_SUBMIT, &identity->caller, &path);
	return ruling_allows(&ruling, error);
}

static bool find_flow(struct batch *batch, const struct identity *identity, const char *name,
		      struct named_flow **found, struct error *error)
{
	struct named_flow *named = batch->flows;
	while (named && (named->tenant.value != identity->tenant.value || strcmp(named->name, name) != 0))
		named = named->next;
	if (!named) {
		named = ARENA_NEW(batch->tx->arena, struct named_flow);
		named->name = name;
		named->tenant = identity->tenant;
		if (!flows_resolve(batch->tx, identity->tenant, name, &named->row, error) ||
		    !memory_flow(batch->tx, named->row.id, named->row.revision, &named->flow, error))
			return false;
		named->next = batch->flows;
		batch->flows = named;
	}
	*found = named;
	return ask_gate(batch, identity, named, error);
}

/* What a key stands for: everything that was asked, but not who asked. */
static void digest_item(const struct submit_item *item, const char *inputs, unsigned char digest[DIGEST_BYTES])
{
	char priority[24];
	int length = snprintf(priority, sizeof(priority), "%d\n", item->priority);
	crypto_hash_sha256_state state;
	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, (const unsigned char *)priority, (size_t)length);
	if (inputs)
		crypto_hash_sha256_update(&state, (const unsigned char *)inputs, strlen(inputs));
	crypto_hash_sha256_final(&state, digest);
}

static bool same_digest(const void *a, const unsigned char *b, const char *key, struct error *error)
{
	if (memcmp(a, b, DIGEST_BYTES) == 0)
		return true;
	return error_set(error, ERR_CONFLICT,
			 "the key \"%.100s\" was used with other inputs or priority; use a new key", key);
}

/* An earlier execution of the same key, if there is one: of an earlier transaction, or of this one. */
static bool find_repeat(struct batch *batch, struct accepted *one, bool *is_repeated, struct error *error)
{
	struct submit_key_row row;
	bool found;
	*is_repeated = false;
	const struct accepted *other = batch->keyed;
	while (other && (other->flow->row.id.value != one->flow->row.id.value ||
			 strcmp(other->item->key, one->item->key) != 0))
		other = other->next_keyed;
	if (other) {
		struct repeat *repeat = ARENA_NEW(batch->tx->arena, struct repeat);
		*repeat = (struct repeat){ .result = one->result, .of = other, .next = batch->repeats };
		batch->repeats = repeat;
		*is_repeated = true;
		return same_digest(other->digest, one->digest, one->item->key, error);
	}
	if (!submit_keys_find(batch->tx, one->flow->row.id, one->item->key, &row, &found, error))
		return false;
	if (!found || row.created_ms <= batch->tx->now - (instant)SUBMIT_KEY_HOURS * 3600 * 1000)
		return true;
	struct execution_row execution;
	if (!same_digest(row.digest, one->digest, one->item->key, error) ||
	    !executions_get(batch->tx, row.execution, &execution, &found, error))
		return false;
	if (!found)
		return true;
	*is_repeated = true;
	*one->result = (struct submit_result){
		.number = execution_id_number(execution.id), .revision = execution.revision, .state = execution.state,
		.is_repeated = true,
	};
	return true;
}

/* Judges one item; an accepted one stands in the batch afterwards. */
static bool judge_item(struct batch *batch, const struct identity *identity, const struct submit_item *item,
		       struct submit_result *result, struct error *error)
{
	struct accepted *one = &batch->list[batch->count];
	*one = (struct accepted){ .result = result, .item = item, .identity = *identity };
	struct flow_pair *bound;
	size_t bound_count;
	if (!find_flow(batch, identity, item->flow, &one->flow, error) ||
	    !flow_bind_inputs(one->flow->flow, item->inputs, item->input_count, batch->tx->arena, &bound, &bound_count,
			      error))
		return false;
	one->inputs = pairs_format(bound, bound_count, batch->tx->arena);
	if (one->inputs && strlen(one->inputs) > LIMIT_INPUTS_BYTES)
		return error_set(error, ERR_TOO_LARGE, "the inputs have %zu bytes, at most %d are taken",
				 strlen(one->inputs), LIMIT_INPUTS_BYTES);
	if (item->key) {
		bool is_repeated;
		digest_item(item, one->inputs, one->digest);
		if (!find_repeat(batch, one, &is_repeated, error))
			return false;
		if (is_repeated)
			return true;
		one->next_keyed = batch->keyed;
		batch->keyed = one;
	}
	batch->count++;
	return true;
}

static bool same_credential(const struct credential *a, const struct credential *b)
{
	return a->is_local_agent == b->is_local_agent && a->has_token == b->has_token &&
	       a->asks_bypass == b->asks_bypass && memcmp(a->digest, b->digest, sizeof(a->digest)) == 0;
}

/* A caller who sends much sends it by one token: it is looked up once. */
static bool identify(struct batch *batch, const struct credential *credential, struct identity *identity,
		     struct error *error)
{
	if (!batch->last || !same_credential(batch->last, credential)) {
		if (!identity_find(batch->tx, credential, identity, error))
			return false;
		batch->last = credential;
		batch->last_identity = *identity;
	}
	*identity = batch->last_identity;
	return identity_may(identity, PERM_EXECUTION_SUBMIT, error);
}

/* Judges one request. Refused: none of its items stays in the batch. */
static bool judge(struct batch *batch, struct submit *submit, struct error *error)
{
	struct identity identity;
	size_t before = batch->count;
	struct accepted *keyed = batch->keyed;
	struct repeat *repeats = batch->repeats;
	bool ok = identify(batch, submit->credential, &identity, error);
	size_t bytes = 0;
	for (size_t i = 0; ok && i < submit->count; i++) {
		size_t first = batch->count;
		ok = judge_item(batch, &identity, &submit->items[i], &submit->results[i], error);
		if (ok && batch->count > first && batch->list[first].inputs)
			bytes += strlen(batch->list[first].inputs);
		/* Defaults count, too: a small request must not keep everybody else waiting with what it unfolds to. */
		if (ok && bytes > LIMIT_BODY_BYTES)
			ok = error_set(error, ERR_TOO_LARGE, "the inputs of the request have more than %d bytes with "
				       "their defaults; submit fewer at a time", LIMIT_BODY_BYTES);
		if (!ok && submit->is_batch)
			error_prefix(error, "items[%zu]", i);
	}
	if (!ok) {
		batch->count = before;
		batch->keyed = keyed;
		batch->repeats = repeats;
	}
	return ok;
}

static bool number_executions(struct batch *batch, struct execution_row *rows, struct error *error)
{
	/* Tenants stand in runs in practice; each run takes its numbers at once. */
	for (size_t i = 0; i < batch->count;) {
		struct tenant_id tenant = batch->list[i].identity.tenant;
		size_t end = i;
		while (end < batch->count && batch->list[end].identity.tenant.value == tenant.value)
			end++;
		int64_t first;
		const char *kind = arena_printf(batch->tx->arena, "execution/%" PRId64, tenant.value);
		if (!ids_take(batch->tx, kind, (int64_t)(end - i), &first, error))
			return false;
		for (; i < end; i++)
			rows[i].id = execution_id_make(tenant, first++);
	}
	return true;
}

static bool write_keys(struct batch *batch, const struct execution_row *rows, struct error *error)
{
	for (size_t i = 0; i < batch->count; i++) {
		const struct accepted *one = &batch->list[i];
		struct submit_key_row row = { .flow = one->flow->row.id, .key = one->item->key, .digest = one->digest,
					      .execution = rows[i].id, .created_ms = batch->tx->now };
		if (one->item->key && !submit_keys_save(batch->tx, &row, 1, error))
			return false;
	}
	return true;
}

static bool write_ready(struct batch *batch, const struct execution_row *rows, struct error *error)
{
	struct ready_row *ready = ARENA_ARRAY(batch->tx->arena, struct ready_row, batch->count);
	for (size_t i = 0; i < batch->count; i++) {
		struct named_flow *named = batch->list[i].flow;
		int32_t first = execution_first_task(named->flow);
		if (!named->backlog.value && !waiting_backlog(batch->tx, &rows[i], &named->flow->tasks[first],
							      BACKLOG_START, &named->backlog, error))
			return false;
		ready[i] = waiting_row(named->backlog, &rows[i], first);
	}
	return waiting_add(batch->tx, ready, batch->count, error);
}

static bool write_all(struct batch *batch, struct error *error)
{
	struct execution_row *rows = ARENA_ARRAY(batch->tx->arena, struct execution_row, batch->count);
	if (!number_executions(batch, rows, error))
		return false;
	for (size_t i = 0; i < batch->count; i++) {
		const struct accepted *one = &batch->list[i];
		struct execution_id id = rows[i].id;
		rows[i] = (struct execution_row){
			.id = id, .flow = one->flow->row.id, .revision = one->flow->row.revision,
			.state = EXECUTION_QUEUED, .priority = one->item->priority, .account = one->identity.account,
			.created_ms = batch->tx->now, .inputs = one->inputs,
		};
		*one->result = (struct submit_result){ .number = execution_id_number(id),
						       .revision = one->flow->row.revision };
	}
	/* Now the numbers are known. */
	for (const struct repeat *repeat = batch->repeats; repeat; repeat = repeat->next) {
		*repeat->result = *repeat->of->result;
		repeat->result->is_repeated = true;
	}
	if (!executions_add(batch->tx, rows, batch->count, error) || !write_keys(batch, rows, error) ||
	    !write_ready(batch, rows, error))
		return false;
	KILL_POINT("submit.written");
	return true;
}

bool submit_all(struct tx *tx, struct submit **submits, size_t count, struct error *error)
{
	size_t items = 0;
	for (size_t i = 0; i < count; i++)
		items += submits[i]->count;
	struct batch batch = { .tx = tx, .list = ARENA_ARRAY(tx->arena, struct accepted, items + 1) };
	for (size_t i = 0; i < count; i++) {
		error_clear(&submits[i]->error);
		if (judge(&batch, submits[i], &submits[i]->error))
			continue;
		if (store_is_failure(&submits[i]->error)) {
			*error = submits[i]->error;
			return false;
		}
	}
	return batch.count == 0 || write_all(&batch, error);
}

bool submit_forget_keys(struct tx *tx, struct error *error)
{
	enum { AT_ONCE = 500 };
	return submit_keys_forget(tx, tx->now - (instant)SUBMIT_KEY_HOURS * 3600 * 1000, AT_ONCE, error);
}
