#include "ops/waiting.h"

#include <string.h>

#include "ops/memory.h"
#include "store/ids.h"

bool waiting_backlog(struct tx *tx, const struct execution_row *execution, const struct flow_task *task,
		     enum backlog_kind kind, struct backlog_id *backlog, struct error *error)
{
	struct need_id need;
	struct backlog_row row;
	bool found;
	if (!memory_need_of(tx, task, &need, error) ||
	    !backlogs_find(tx, execution->flow, need, kind, &row, &found, error))
		return false;
	if (!found) {
		row = (struct backlog_row){
			.tenant = execution_id_tenant(execution->id), .flow = execution->flow, .need = need,
			.kind = kind,
		};
		if (!ids_take(tx, "backlog", 1, &row.id.value, error) || !backlogs_add(tx, &row, error))
			return false;
	}
	*backlog = row.id;
	return true;
}

struct ready_row waiting_row(struct backlog_id backlog, const struct execution_row *execution, int32_t task)
{
	return (struct ready_row){
		.backlog = backlog,
		.rank = -execution->priority,
		.ready_ms = execution->created_ms,
		.execution = execution->id,
		.task = task,
	};
}

static bool goes_before(int64_t rank, instant ready_ms, const struct backlog_row *head)
{
	return !head->is_open || rank < head->head_rank || (rank == head->head_rank && ready_ms < head->head_ms);
}

/* Opens the backlog of rows[first], or moves its head, as all its rows from there on ask. */
static bool raise_head(struct tx *tx, const struct ready_row *rows, size_t first, size_t count, struct error *error)
{
	struct backlog_row backlog;
	if (!backlogs_get(tx, rows[first].backlog, &backlog, error))
		return false;
	bool is_moved = false;
	for (size_t i = first; i < count; i++) {
		if (rows[i].backlog.value != backlog.id.value || !goes_before(rows[i].rank, rows[i].ready_ms, &backlog))
			continue;
		backlog.is_open = true;
		backlog.head_rank = rows[i].rank;
		backlog.head_ms = rows[i].ready_ms;
		is_moved = true;
	}
	return !is_moved || backlogs_save(tx, &backlog, error);
}

/* Does the backlog of rows[i] stand before i already? Looks back a little; doing one twice does no harm. */
static bool is_seen(const struct ready_row *rows, size_t i)
{
	for (size_t back = 1; back <= i && back <= 64; back++)
		if (rows[i - back].backlog.value == rows[i].backlog.value)
			return true;
	return false;
}

bool waiting_add(struct tx *tx, const struct ready_row *rows, size_t count, struct error *error)
{
	if (count == 0)
		return true;
	if (!ready_add(tx, rows, count, error))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!is_seen(rows, i) && !raise_head(tx, rows, i, count, error))
			return false;
	memory_of(tx)->has_new_work = true;
	return true;
}

bool waiting_refresh(struct tx *tx, struct backlog_id id, struct error *error)
{
	struct backlog_row backlog;
	struct ready_row first;
	size_t count;
	if (!backlogs_get(tx, id, &backlog, error) || !ready_first(tx, id, 1, &first, &count, error))
		return false;
	bool is_open = count > 0;
	if (is_open == backlog.is_open &&
	    (!is_open || (first.rank == backlog.head_rank && first.ready_ms == backlog.head_ms)))
		return true;
	backlog.is_open = is_open;
	if (is_open) {
		backlog.head_rank = first.rank;
		backlog.head_ms = first.ready_ms;
	}
	return backlogs_save(tx, &backlog, error);
}

bool waiting_remove(struct tx *tx, const struct ready_row *rows, size_t count, struct error *error)
{
	int64_t removed;
	if (count == 0)
		return true;
	if (!ready_remove(tx, rows, count, &removed, error))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!is_seen(rows, i) && !waiting_refresh(tx, rows[i].backlog, error))
			return false;
	return true;
}
