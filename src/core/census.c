#include "core/census.h"

#include <inttypes.h>
#include <string.h>

#include "base/assert.h"

static const char *const kind_names[CENSUS_KINDS] = {
	[CENSUS_EXECUTION] = "execution",
	[CENSUS_ATTEMPT]   = "attempt",
	[CENSUS_POLL]      = "poll",
	[CENSUS_QUEUED]    = "queued",
};

static const char *const safe_names[SAFES] = { [SAFE_YES] = "yes", [SAFE_NO] = "no", [SAFE_UNKNOWN] = "unknown" };

static const char *const subject_names[SUBJECTS] = {
	[SUBJECT_EVERYTHING] = "everything",
	[SUBJECT_SERVER]     = "server",
	[SUBJECT_MACHINE]    = "machine",
	[SUBJECT_AGENT]      = "agent",
};

static const char *const sentences[VERDICT_REASONS] = {
	[VERDICT_BUSY]   = "work is in flight: wait until it has ended, or stop it",
	[VERDICT_SILENT] = "an agent is silent: see that it runs and reaches the server, then it reports",
	[VERDICT_OPEN]   = "nothing is in flight, but new work can begin at any moment: enter maintenance first",
	[VERDICT_CLEAR]  = "nothing is in flight and nothing can begin: go ahead",
};

bool census_entry_counts(const struct census *census, const struct census_entry *entry)
{
	if (entry->kind == CENSUS_ATTEMPT && census->counts_executions)
		return entry->is_unknown;        /* its execution may have gone on without it */
	return true;
}

bool census_entry_blocks(const struct census *census, const struct census_entry *entry, const struct subject *subject,
			 struct openness openness)
{
	/* Away from its attempts, a begun execution touches an agent or machine only by its next task. */
	bool is_coming = entry->kind == CENSUS_EXECUTION && openness.can_advance;
	switch (subject->kind) {
	case SUBJECT_EVERYTHING:
		return census_entry_counts(census, entry);
	case SUBJECT_SERVER:
		return entry->kind == CENSUS_POLL && entry->node == subject->node;
	case SUBJECT_MACHINE:
		return is_coming || (entry->machine && strcmp(entry->machine, subject->machine) == 0);
	case SUBJECT_AGENT:
		return is_coming || (entry->kind == CENSUS_ATTEMPT && entry->agent.value == subject->agent.value);
	default:
		ASSERT(!"a subject is of a known kind");
	}
}

/* The later end; where one is not known, so is not the whole's. */
static struct remaining later(struct remaining a, struct remaining b)
{
	if (a.usual_ms < 0 || b.usual_ms < 0)
		return (struct remaining){ -1, -1, a.is_overdue || b.is_overdue };
	return (struct remaining){
		.usual_ms = a.usual_ms > b.usual_ms ? a.usual_ms : b.usual_ms,
		.late_ms = a.late_ms > b.late_ms ? a.late_ms : b.late_ms,
	};
}

static enum verdict_reason reason_of(const struct verdict *verdict, struct openness openness)
{
	if (verdict->blocker_count > verdict->unknown_count)
		return VERDICT_BUSY;
	if (verdict->unknown_count > 0)
		return VERDICT_SILENT;
	return openness.can_start ? VERDICT_OPEN : VERDICT_CLEAR;
}

struct verdict verdict_of(const struct census *census, const struct subject *subject, struct openness openness)
{
	static const enum safe safe[VERDICT_REASONS] = {
		[VERDICT_BUSY] = SAFE_NO,
		[VERDICT_SILENT] = SAFE_UNKNOWN,
		[VERDICT_OPEN] = SAFE_NO,
		[VERDICT_CLEAR] = SAFE_YES,
	};
	struct verdict verdict = { .is_settled = true, .is_drained = true };
	for (const struct census_entry *entry = census->list; entry < census->list + census->count; entry++) {
		verdict.is_settled = verdict.is_settled && !entry->is_handed;
		verdict.is_drained = verdict.is_drained && !census_entry_counts(census, entry);
		if (!census_entry_blocks(census, entry, subject, openness))
			continue;
		verdict.blocker_count++;
		verdict.unknown_count += entry->is_unknown;
		verdict.remaining = later(verdict.remaining, entry->remaining);
	}
	verdict.reason = reason_of(&verdict, openness);
	verdict.safe = openness.can_start ? SAFE_NO : safe[verdict.reason];
	verdict.is_idle = verdict.reason == VERDICT_OPEN;
	return verdict;
}

size_t census_count(const struct census *census, enum census_kind kind)
{
	size_t count = 0;
	for (size_t i = 0; i < census->count; i++)
		count += census->list[i].kind == kind && census_entry_counts(census, &census->list[i]);
	return count;
}

const char *census_entry_clears(const struct census_entry *entry, struct arena *arena)
{
	const char *agent = entry->agent_name ? entry->agent_name : "its agent";
	if (entry->is_unknown)
		return arena_printf(arena, "its agent, %s, is started or reached again and reports",
				    entry->agent_name ? agent : "not known");
	if (entry->parked_by.value)
		return arena_printf(arena, "hold %" PRId64 " ends and it goes on, or it is stopped",
				    entry->parked_by.value);
	if (entry->is_handed)
		return arena_printf(arena, "%s begins it and it ends, or it is taken back", agent);
	switch (entry->kind) {
	case CENSUS_QUEUED:
		return "it starts and ends, or its dispatch is held";
	case CENSUS_POLL:
		return "it ends by itself within ten minutes";
	default:
		return "it ends by itself, or is stopped";
	}
}

const char *verdict_sentence(const struct verdict *verdict)
{
	return sentences[verdict->reason];
}

const char *census_kind_name(enum census_kind kind)
{
	ASSERT(kind < CENSUS_KINDS);
	return kind_names[kind];
}

const char *safe_name(enum safe safe)
{
	ASSERT(safe < SAFES);
	return safe_names[safe];
}

const char *subject_kind_name(enum subject_kind kind)
{
	ASSERT(kind < SUBJECTS);
	return subject_names[kind];
}

bool subject_kind_parse(const char *name, enum subject_kind *kind)
{
	for (int i = 0; i < SUBJECTS; i++) {
		if (strcmp(subject_names[i], name) != 0)
			continue;
		*kind = (enum subject_kind)i;
		return true;
	}
	return false;
}
