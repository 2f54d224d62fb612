#include "agent/orders.h"

#include <inttypes.h>
#include <stdio.h>

#include "agent/layout.h"
#include "agent/local.h"
#include "agent/state.h"
#include "base/heap.h"
#include "base/kill_point.h"
#include "base/log.h"
#include "sys/clock.h"

static void start_shell(struct agent *agent, struct work *work, const struct order *order)
{
	char scratch[sizeof(agent->folder) + ATTEMPT_TEXT_BYTES + 8];
	snprintf(scratch, sizeof(scratch), "%s/scratch/%s", agent->folder, work->name);
	char mark[WORK_MARK_BYTES];
	struct run_order run;
	struct buffer record = { 0 };
	layout_run_order(order, work->name, work_mark(agent, work, mark), scratch, &agent->user, &agent->arena, &run);
	run_order_write(&record, &run);
	work->order_bytes = record.length;
	work->order = buffer_take(&record);
	ring_add_last(&agent->waiting, &work->listed);
}

static void start(struct agent *agent, const struct order *order)
{
	struct work *work = work_find(agent, order->attempt);
	if (work) {
		/* It is ours already, and was perhaps told to a server that has forgotten. */
		work->began_is_recorded = false;
		work_tell(agent, work);
		return;
	}
	work = work_new(agent, order->attempt);
	if (agent->is_draining) {
		work_enter(agent, work, WORK_TAKEN_BACK);
		work_tell(agent, work);
	} else if (task_type_has_process(order->type)) {
		start_shell(agent, work, order);
	} else {
		local_start(agent, work, order);
	}
}

static void take_back(struct agent *agent, const struct order *order)
{
	struct work *work = work_find(agent, order->attempt);
	if (work && work->phase != WORK_WAITING)
		return;                 /* What it has become is told anyway. */
	/* One that is not known here cannot begin any more: its start would have come before this order. */
	if (!work)
		work = work_new(agent, order->attempt);
	work_enter(agent, work, WORK_TAKEN_BACK);
	work_tell(agent, work);
}

static void interrupt(struct agent *agent, struct work *work, enum work_wish wish)
{
	enum result result = wish == WISH_KILL ? RESULT_KILLED : RESULT_STOPPED;
	if (work->phase == WORK_WAITING) {
		work->ended_ms = clock_now();
		work_ended(agent, work, result, "it had not begun");
	} else if (work->phase == WORK_RUNNING && !work->slot && work->adopted.fd < 0) {
		local_interrupt(agent, work, result);
	} else if (work->phase == WORK_GIVEN || work->phase == WORK_RUNNING) {
		if (wish > work->wish)
			work->wish = wish;
		slots_tell_wish(agent, work);
	}
}

static void carry_out(struct agent *agent, const struct order *order)
{
	struct work *work = work_find(agent, order->attempt);
	switch (order->kind) {
	case ORDER_START:
		start(agent, order);
		return;
	case ORDER_TAKE_BACK:
		take_back(agent, order);
		return;
	case ORDER_STOP:
	case ORDER_KILL:
		/* What is not here has ended, and the server has recorded it. */
		if (work)
			interrupt(agent, work, order->kind == ORDER_KILL ? WISH_KILL : WISH_STOP);
		return;
	}
}

void orders_take(struct agent *agent, const struct exchange_answer *answer, int64_t *got)
{
	for (size_t i = 0; i < answer->order_count; i++) {
		if (answer->orders[i].seq <= *got)
			continue;
		KILL_POINT("agent.order.before");
		carry_out(agent, &answer->orders[i]);
		KILL_POINT("agent.order.after");
		*got = answer->orders[i].seq;
	}
}

void orders_forget(struct agent *agent, struct attempt_id attempt)
{
	struct work *work = work_find(agent, attempt);
	if (!work)
		return;
	log_line(LOG_WARNING, "%s is not the server's any more (it was %s)", work->name,
		 work_is_busy(work) ? "under way: killed" : "over");
	ring_remove(&work->to_tell);
	if (work->phase == WORK_WAITING || work->phase == WORK_ENDED || work->phase == WORK_TAKEN_BACK) {
		work_settled(agent, work);
		return;
	}
	work->is_forgotten = true;
	interrupt(agent, work, WISH_KILL);
}
