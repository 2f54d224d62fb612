#include "agent/work.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/state.h"
#include "base/assert.h"
#include "base/heap.h"
#include "base/kill_point.h"
#include "base/log.h"

/* Who may follow whom; work_enter asks. */
static const uint8_t next_phases[WORK_PHASES] = {
	[WORK_WAITING]    = BIT(WORK_GIVEN) | BIT(WORK_RUNNING) | BIT(WORK_SWEEPING) | BIT(WORK_ENDED) |
			    BIT(WORK_TAKEN_BACK),
	[WORK_GIVEN]      = BIT(WORK_WAITING) | BIT(WORK_RUNNING) | BIT(WORK_SWEEPING) | BIT(WORK_ENDED),
	[WORK_RUNNING]    = BIT(WORK_SWEEPING) | BIT(WORK_ENDED),
	[WORK_SWEEPING]   = BIT(WORK_ENDED),
	[WORK_ENDED]      = 0,
	[WORK_TAKEN_BACK] = 0,
};

struct work *work_find(const struct agent *agent, struct attempt_id attempt)
{
	struct work *work = map_get(&agent->works, attempt.execution);
	while (work && !attempt_id_same(work->attempt, attempt))
		work = work->same_execution;
	return work;
}

struct work *work_new(struct agent *agent, struct attempt_id attempt)
{
	struct work *work = heap_new(1, sizeof(*work));
	work->attempt = attempt;
	attempt_id_format(attempt, work->name);
	work->folder = -1;
	work->adopted.fd = -1;
	work->same_execution = map_get(&agent->works, attempt.execution);
	ring_init(&work->to_tell);
	ring_init(&work->listed);
	map_put(&agent->works, attempt.execution, work);
	agent->work_count++;
	agent->waiting_count++;
	return work;
}

static void unlink_from_map(struct agent *agent, struct work *work)
{
	struct work *first = map_get(&agent->works, work->attempt.execution);
	if (first == work) {
		if (work->same_execution)
			map_put(&agent->works, work->attempt.execution, work->same_execution);
		else
			map_remove(&agent->works, work->attempt.execution);
		return;
	}
	while (first->same_execution != work)
		first = first->same_execution;
	first->same_execution = work->same_execution;
}

void work_free(struct agent *agent, struct work *work)
{
	ASSERT(!work->is_under_way && !work->slot);
	unlink_from_map(agent, work);
	agent->busy_count -= work_is_busy(work);
	agent->waiting_count -= work->phase == WORK_WAITING;
	agent->work_count--;
	agent_unwatch(agent, &work->adopted);
	ring_remove(&work->to_tell);
	ring_remove(&work->listed);
	free(work->order);
	free(work->message);
	free(work->detail);
	free(work);
}

bool work_is_busy(const struct work *work)
{
	return work->phase == WORK_GIVEN || work->phase == WORK_RUNNING || work->phase == WORK_SWEEPING;
}

void work_enter(struct agent *agent, struct work *work, enum work_phase phase)
{
	ASSERT(next_phases[work->phase] & BIT(phase));
	agent->busy_count -= work_is_busy(work);
	agent->waiting_count -= work->phase == WORK_WAITING;
	work->phase = phase;
	agent->busy_count += work_is_busy(work);
	agent->waiting_count += work->phase == WORK_WAITING;
	ring_remove(&work->listed);
}

void work_began(struct agent *agent, struct work *work, instant began_ms)
{
	work_enter(agent, work, WORK_RUNNING);
	work->began_ms = began_ms;
	work_tell(agent, work);
}

void work_ended(struct agent *agent, struct work *work, enum result result, const char *detail)
{
	work_enter(agent, work, WORK_ENDED);
	work->result = result;
	if (detail && *detail)
		work->detail = heap_text(detail);
	if (work->folder >= 0) {
		work->is_unsynced = true;
		ring_add_last(&agent->unsynced, &work->listed);
	}
	if (work->is_forgotten && !work->is_under_way)
		work_settled(agent, work);
	else
		work_tell(agent, work);
}

void work_tell(struct agent *agent, struct work *work)
{
	if (!work->is_under_way && !work->is_forgotten && ring_is_empty(&work->to_tell))
		ring_add_last(&agent->to_tell, &work->to_tell);
}

void work_settled(struct agent *agent, struct work *work)
{
	KILL_POINT("agent.settle.before");
	if (work->folder >= 0 && unlinkat(work->folder, work->name, 0) < 0 && errno != ENOENT)
		log_line(LOG_ERROR, "removing %s from the spool: %s", work->name, strerror(errno));
	KILL_POINT("agent.settle.after");
	work_free(agent, work);
}

const char *work_mark(const struct agent *agent, const struct work *work, char mark[WORK_MARK_BYTES])
{
	snprintf(mark, WORK_MARK_BYTES, "LULL_MARK=%s@%s", work->name, agent->spool.identity);
	return mark;
}
