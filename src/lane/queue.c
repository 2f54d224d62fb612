#include "lane/queue.h"

#include "base/limits.h"

static const struct {
	const char *name;
	size_t most;
} kinds[CALL_KINDS] = {
#define X(kind, name, most) [kind] = { name, most },
#include "lane/kinds.def"
#undef X
};

bool queue_put(struct queue *queue, struct call *call, struct error *error)
{
	enum call_kind kind = call->type->kind;
	if (queue->kinds[kind].count >= kinds[kind].most)
		return error_set(error, ERR_BUSY, "%zu calls of the kind \"%s\" wait already; try again in a moment",
				 queue->kinds[kind].count, kinds[kind].name);
	queue_put_back(queue, call);
	return true;
}

void queue_put_back(struct queue *queue, struct call *call)
{
	enum call_kind kind = call->type->kind;
	call->next = NULL;
	if (queue->kinds[kind].last)
		queue->kinds[kind].last->next = call;
	else
		queue->kinds[kind].first = call;
	queue->kinds[kind].last = call;
	queue->kinds[kind].count++;
}

bool queue_has(const struct queue *queue, enum call_kind kind)
{
	return queue->kinds[kind].first != NULL;
}

bool queue_is_empty(const struct queue *queue)
{
	for (int kind = 0; kind < CALL_KINDS; kind++)
		if (queue->kinds[kind].first)
			return false;
	return true;
}

static struct call *take_from(struct queue *queue, int kind, size_t most_rows)
{
	struct call *first = queue->kinds[kind].first;
	struct call *last = first;
	size_t rows = first->rows, count = 1;
	while (first->type->is_array && last->next && last->next->type == first->type &&
	       rows + last->next->rows <= most_rows) {
		last = last->next;
		rows += last->rows;
		count++;
	}
	queue->kinds[kind].first = last->next;
	if (!last->next)
		queue->kinds[kind].last = NULL;
	queue->kinds[kind].count -= count;
	last->next = NULL;
	return first;
}

struct call *queue_take(struct queue *queue, size_t most_rows)
{
	for (int kind = 0; kind < CALL_KINDS; kind++)
		if (queue->kinds[kind].first)
			return take_from(queue, kind, most_rows);
	return NULL;
}
