/*
 * What is in flight, named one by one, and what follows from it: may I go ahead?
 *
 * Whoever reads the store fills a census in one read; here is only what can be said about it. A census says
 * under which rule it was taken: where a hold lets begun executions go on to their next tasks (its advance is
 * `execution`), an execution is in flight from its first attempt to its end, and its open attempts are listed as
 * parts of it; where the hold lets tasks end only, the open attempts themselves are what is in flight.
 *
 * Fenced, settled, drained: fenced is whatever census a hold answers with, since no claim that it covers can be
 * committed any more; settled, when no `handed` attempt is left; drained, when nothing is in flight.
 */
#ifndef LULL_CORE_CENSUS_H
#define LULL_CORE_CENSUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/instant.h"
#include "core/forecast.h"
#include "core/id.h"
#include "core/life.h"

enum census_kind {
	CENSUS_EXECUTION,                /* begun and not ended */
	CENSUS_ATTEMPT,                  /* handed or begun, and not confirmed ended */
	CENSUS_POLL,
	CENSUS_QUEUED,                   /* due, and the gate would still start it */
	CENSUS_KINDS
};

struct census_entry {
	enum census_kind kind;
	bool is_unknown;                 /* its agent is silent: nobody knows whether it lives */
	bool is_handed;                  /* an attempt that may begin at any moment */
	const char *what;                /* "main/ops.backup #12", with the task for an attempt */
	const char *flow;                /* "ops.backup"; NULL: none */
	const char *task; /* of an attempt; of an execution, its open ones, "dump, check"; NULL: none */
	struct tenant_id tenant;
	struct execution_id execution;   /* 0 for a poll */
	struct attempt_id attempt;       /* of an attempt */
	instant since_ms;
	struct agent_id agent;           /* of an attempt; 0 otherwise */
	const char *agent_name;          /* where it runs; NULL: nowhere, or not known */
	const char *machine;             /* the host it is on; NULL: none */
	int64_t node;                    /* of a poll; 0 otherwise */
	struct hold_id parked_by;        /* an execution that another hold keeps from its next task; 0: none does */
	int64_t usual_ms;                /* -1: not known */
	struct remaining remaining;
};

struct census {
	const struct census_entry *list;
	size_t count;
	bool counts_executions;          /* the rule: attempts are parts of executions */
};

/* What somebody wants to take down. */
enum subject_kind { SUBJECT_EVERYTHING, SUBJECT_SERVER, SUBJECT_MACHINE, SUBJECT_AGENT, SUBJECTS };

struct subject {
	enum subject_kind kind;
	int64_t node;                    /* of a server */
	struct agent_id agent;           /* of an agent */
	const char *machine;             /* of a machine */
};

/* What could still begin on the subject, as the gate says it. */
struct openness {
	bool can_start;                  /* an accepted execution, or a poll */
	bool can_advance;                /* the next task of a begun execution */
};

enum safe { SAFE_YES, SAFE_NO, SAFE_UNKNOWN, SAFES };
/* Why, in the order in which they count. */
enum verdict_reason { VERDICT_BUSY, VERDICT_SILENT, VERDICT_OPEN, VERDICT_CLEAR, VERDICT_REASONS };

struct verdict {
	enum safe safe;
	enum verdict_reason reason;
	bool is_idle;                    /* nothing is in flight on the subject, though something may begin */
	bool is_settled;                 /* of the whole census */
	bool is_drained;                 /* of the whole census */
	size_t blocker_count;            /* on the subject, with the unknown ones */
	size_t unknown_count;
	struct remaining
		remaining; /* of the one that usually ends last; not known if it is not of one of them */
};

/*
 * `yes` promises that nothing of the subject is in flight and nothing can begin there after the read that made
 * the census. Where something could begin, the answer is `no`. Where the only blockers are those of a silent
 * agent, it is `unknown`. Attempts outlive a server, so only its own polls block it.
 */
struct verdict verdict_of(const struct census *census, const struct subject *subject,
			  struct openness openness) MUST_CHECK;
/* Is this entry of the census in the way of the subject? The blockers that verdict_of counts. */
bool census_entry_blocks(const struct census *census, const struct census_entry *entry, const struct subject *subject,
			 struct openness openness) MUST_CHECK;
/* Is it in flight by the census's rule, and no part of something else? */
bool census_entry_counts(const struct census *census, const struct census_entry *entry) MUST_CHECK;
/* Counts entries of this kind that count. */
size_t census_count(const struct census *census, enum census_kind kind) MUST_CHECK;

/* What would clear the entry, as a sentence for people; it lives in the arena or for ever. */
const char *census_entry_clears(const struct census_entry *entry, struct arena *arena) MUST_CHECK;
/* The verdict as a sentence: why, and what to do. */
const char *verdict_sentence(const struct verdict *verdict) MUST_CHECK;

/* Names as the API writes them; parsing answers false for a name that is none. */
const char *census_kind_name(enum census_kind kind) MUST_CHECK;
const char *safe_name(enum safe safe) MUST_CHECK;
const char *subject_kind_name(enum subject_kind kind) MUST_CHECK;
bool subject_kind_parse(const char *name, enum subject_kind *kind) MUST_CHECK;

#endif
