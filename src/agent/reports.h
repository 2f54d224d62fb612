/*
 * From works to reports: what an exchange tells, and what becomes of it.
 *
 * A work is told of in one exchange at a time, so that its reports are recorded in their order: began, output
 * from the first byte to the last, ended.
 */
#ifndef LULL_AGENT_REPORTS_H
#define LULL_AGENT_REPORTS_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/work.h"
#include "base/arena.h"
#include "wire/exchange.h"

/* What one exchange tells of one work. */
struct told {
	struct work *work;
	bool began;
	bool is_final;                  /* ended, or taken back */
	int64_t output_to;              /* output up to this byte */
};

/* What one exchange tells. Zeroed at first. */
struct tale {
	struct told *told;
	size_t count;
	size_t room;
	bool wants_answer;              /* more is to come of one of them, or its file waits to be deleted */
};

/*
 * Takes works from agent.to_tell, as many as fit, and fills in exchange.reports, which live in the arena.
 * What did not fit stays to be told.
 */
void reports_fill(struct agent *agent, struct tale *tale, struct arena *arena, struct exchange *exchange);
/* The exchange is over: its reports are recorded for good, or not and will be told again. Empties the tale. */
void reports_settle(struct agent *agent, struct tale *tale, bool is_recorded);

#endif
