#include "agent/local.h"

#include <stdio.h>
#include <string.h>

#include "agent/state.h"
#include "base/assert.h"
#include "base/heap.h"
#include "sys/clock.h"

static void end(struct agent *agent, struct work *work, enum result result)
{
	work->ended_ms = clock_now();
	work_ended(agent, work, result, NULL);
}

static void start_sleep(struct agent *agent, struct work *work, const struct order *order)
{
	work->is_timeout = order->timeout_ms > 0 && order->timeout_ms < order->duration_ms;
	/* From now, not from when this round of the loop began, and never short by a cut-off part of a millisecond. */
	work->wake_ms = clock_monotonic_ms() + 1 + (work->is_timeout ? order->timeout_ms : order->duration_ms);
	ring_add_last(&agent->sleeping, &work->listed);
	/* The nearest may be this one. */
	if (agent->wake_ms == AGENT_NEVER_MS || work->wake_ms < agent->wake_ms)
		agent->wake_ms = work->wake_ms;
}

static void say(struct work *work, const char *message)
{
	size_t length = strlen(message);
	work->message = heap_new(length + 2, 1);
	memcpy(work->message, message, length);
	work->message[length] = '\n';
	work->kept_bytes = work->output_bytes = (int64_t)length + 1;
}

void local_start(struct agent *agent, struct work *work, const struct order *order)
{
	work_began(agent, work, clock_now());
	switch (order->type) {
	case TASK_SLEEP:
		start_sleep(agent, work, order);
		return;
	case TASK_LOG:
		say(work, order->message);
		end(agent, work, RESULT_SUCCEEDED);
		return;
	case TASK_NOOP:
		end(agent, work, RESULT_SUCCEEDED);
		return;
	case TASK_SHELL:
	case TASK_TYPES:
		break;
	}
	ASSERT(!"a local task");
}

void local_interrupt(struct agent *agent, struct work *work, enum result result)
{
	end(agent, work, result);
}

void local_tick(struct agent *agent)
{
	if (agent->wake_ms == AGENT_NEVER_MS)
		return;
	if (agent->now_ms >= agent->wake_ms) {
		agent->wake_ms = AGENT_NEVER_MS;
		struct ring *next;
		for (struct ring *at = agent->sleeping.next; at != &agent->sleeping; at = next) {
			next = at->next;
			struct work *work = CONTAINER_OF(at, struct work, listed);
			if (agent->now_ms >= work->wake_ms)
				end(agent, work, work->is_timeout ? RESULT_TIMED_OUT : RESULT_SUCCEEDED);
			else if (agent->wake_ms == AGENT_NEVER_MS || work->wake_ms < agent->wake_ms)
				agent->wake_ms = work->wake_ms;
		}
	}
	if (agent->wake_ms != AGENT_NEVER_MS)
		agent_due(agent, agent->wake_ms);
}
