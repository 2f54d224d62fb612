#include "agent/reports.h"

#include <string.h>

#include "agent/state.h"
#include "base/assert.h"
#include "base/heap.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "spool/attempt_file.h"

enum {
	OUTPUT_BUDGET_BYTES = 700 << 10,  /* of one exchange; as base64 it stays within about a megabyte */
	REPORTS_OF_A_WORK = 4 + OUTPUT_BUDGET_BYTES / LIMIT_OUTPUT_PART_BYTES,
};

/* An exchange that is being filled. */
struct filling {
	struct agent *agent;
	struct arena *arena;
	struct exchange *exchange;
	size_t budget_bytes;
};

static struct report *add(struct filling *filling, const struct work *work, enum report_kind kind)
{
	struct exchange *exchange = filling->exchange;
	ASSERT(exchange->report_count < LIMIT_EXCHANGE_REPORTS);
	struct report *report = &exchange->reports[exchange->report_count++];
	*report = (struct report){ .attempt = work->attempt, .kind = kind, .detail = "" };
	return report;
}

/* How many of the bytes to tell, so that no character is cut in two if it is text. */
static size_t whole_characters(const char *bytes, size_t length)
{
	for (size_t cut = 1; cut <= 3 && cut <= length; cut++) {
		unsigned char c = (unsigned char)bytes[length - cut];
		size_t needed = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
		if (c < 0x80 || needed > 1)
			return needed > cut ? length - cut : length;
	}
	return length;
}

/* The work's output from `offset`; *length 0 if it cannot be read. */
static const char *read_output(struct filling *filling, struct work *work, int64_t offset, size_t wanted,
			       size_t *length)
{
	*length = wanted;
	if (work->message)
		return work->message + offset;
	struct error error;
	char *bytes = ARENA_ARRAY(filling->arena, char, wanted + 1);
	if (attempt_file_read_output(work->folder, work->name, offset, bytes, wanted, length, &error))
		return bytes;
	log_line(LOG_ERROR, "%s", error.detail);
	*length = 0;
	return "";
}

/* Adds what there is of output; answers whether all of it is told then. */
static bool add_output(struct filling *filling, struct told *told)
{
	struct work *work = told->work;
	bool is_over = work->phase == WORK_ENDED;
	while (told->output_to < work->kept_bytes && filling->budget_bytes > 0) {
		int64_t left = work->kept_bytes - told->output_to;
		size_t wanted = filling->budget_bytes < LIMIT_OUTPUT_PART_BYTES ? filling->budget_bytes :
				LIMIT_OUTPUT_PART_BYTES;
		bool is_last = left <= (int64_t)wanted;
		if (is_last)
			wanted = (size_t)left;
		size_t length;
		const char *bytes = read_output(filling, work, told->output_to, wanted, &length);
		if (length == 0) {
			/* The file is shorter than was said, or gone: the end is worth more than waiting for it. */
			told->output_to = work->kept_bytes;
			break;
		}
		if (!(is_last && is_over))
			length = whole_characters(bytes, length);
		if (length == 0)
			break;
		struct report *report = add(filling, work, REPORT_OUTPUT);
		report->offset = told->output_to;
		report->bytes = bytes;
		report->length = length;
		told->output_to += (int64_t)length;
		filling->budget_bytes -= length;
	}
	return told->output_to >= work->kept_bytes;
}

static void add_end(struct filling *filling, const struct work *work)
{
	struct report *report = add(filling, work, REPORT_ENDED);
	report->at_ms = work->ended_ms;
	report->began_ms = work->began_ms;
	report->result = work->result;
	report->exit_code = work->exit_code;
	report->signal = work->signal;
	report->output_bytes = work->output_bytes;
	report->cut = work->is_cut;
	report->detail = work->detail ? work->detail : "";
}

static void tell(struct filling *filling, struct told *told)
{
	struct work *work = told->work;
	if (work->phase == WORK_TAKEN_BACK) {
		add(filling, work, REPORT_TAKEN_BACK);
		told->is_final = true;
		return;
	}
	/* An end says when it began: one that ended at once needs no report of its beginning, unless output waits. */
	bool has_begun = work->phase >= WORK_RUNNING && work->began_ms > 0;
	bool is_at_once = work->phase == WORK_ENDED && work->kept_bytes == 0;
	if (has_begun && !is_at_once && !work->began_is_recorded) {
		add(filling, work, REPORT_BEGAN)->at_ms = work->began_ms;
		told->began = true;
	}
	bool all_told = add_output(filling, told);
	if (work->phase == WORK_ENDED && all_told) {
		add_end(filling, work);
		told->is_final = true;
	}
}

void reports_fill(struct agent *agent, struct tale *tale, struct arena *arena, struct exchange *exchange)
{
	struct filling filling = { agent, arena, exchange, OUTPUT_BUDGET_BYTES };
	ASSERT(tale->count == 0);
	tale->wants_answer = false;
	if (ring_is_empty(&agent->to_tell))
		return;
	exchange->reports = ARENA_ARRAY(arena, struct report, LIMIT_EXCHANGE_REPORTS);
	while (!ring_is_empty(&agent->to_tell) && filling.budget_bytes > 0 &&
	       exchange->report_count + REPORTS_OF_A_WORK <= LIMIT_EXCHANGE_REPORTS) {
		struct work *work = CONTAINER_OF(agent->to_tell.next, struct work, to_tell);
		ring_remove(&work->to_tell);
		size_t before = exchange->report_count;
		struct told told = { .work = work, .output_to = work->recorded_bytes };
		tell(&filling, &told);
		if (exchange->report_count == before)
			continue;
		if (tale->count == tale->room) {
			tale->room = tale->room ? tale->room * 2 : 64;
			tale->told = heap_grow(tale->told, tale->room, sizeof(*tale->told));
		}
		tale->told[tale->count++] = told;
		tale->wants_answer |= !told.is_final || work->folder >= 0;
		work->is_under_way = true;
	}
}

static bool has_more(const struct work *work)
{
	return work->phase == WORK_ENDED || work->phase == WORK_TAKEN_BACK || work->recorded_bytes < work->kept_bytes ||
	       (work->phase >= WORK_RUNNING && !work->began_is_recorded);
}

void reports_settle(struct agent *agent, struct tale *tale, bool is_recorded)
{
	for (size_t i = 0; i < tale->count; i++) {
		struct told *told = &tale->told[i];
		struct work *work = told->work;
		work->is_under_way = false;
		if (is_recorded) {
			work->began_is_recorded |= told->began;
			work->recorded_bytes = told->output_to;
		}
		if ((is_recorded && told->is_final) || (work->is_forgotten && work->phase == WORK_ENDED))
			work_settled(agent, work);
		else if (has_more(work))
			work_tell(agent, work);
	}
	tale->count = 0;
}
