/*
 * The life of a hold.
 *
 *	planned ──► draining ◄──► suspended
 *	   │            │             │
 *	   └────────────┴──────┬──────┘
 *	                       ▼
 *	                     ended
 *
 * planned:    written down for planned_ms; the gate does not see it.
 * draining:   in force with its policy's first column. What it lets run on, runs on.
 * suspended:  in force with the second column. Nothing of it was running when this began, unless forced.
 * ended:      history. Ending one hold never ends another's effect.
 *
 * Fenced, settled and drained are no phases: they follow from what is in flight, which is not looked at here.
 * Whoever looks tells the step with HOLD_DRAINED and HOLD_OCCUPIED; drained_ms remembers only since when it was
 * told, so that it is announced once each time it becomes true.
 *
 * The ladder: at deadline_ms what still runs is told to stop, or to die (`then`); grace_ms after a stop it is
 * told to die. A hold whose policy stops what runs, when it begins, has taken that step at its beginning. All
 * of it is in the hold, so a ladder goes on where it was after a restart.
 */
#ifndef LULL_CORE_HOLD_H
#define LULL_CORE_HOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/instant.h"
#include "core/id.h"
#include "core/policy.h"
#include "core/scope.h"

/* Stored: never renumber. */
enum hold_phase {
	HOLD_PLANNED = 0,
	HOLD_DRAINING = 1,
	HOLD_SUSPENDED = 2,
	HOLD_ENDED = 3,
	HOLD_PHASES
};

/* What happens at the deadline. Stored: never renumber. */
enum hold_then { THEN_WAIT = 0, THEN_STOP = 1, THEN_KILL = 2, HOLD_THENS };

struct hold {
	struct hold_id id;
	enum hold_phase phase;
	struct policy policy;
	struct scope scope;
	struct account_id owner;
	const char *owner_name;
	const char *reason;
	const char *ticket;              /* NULL: none */
	const char *ended_by;            /* NULL while not ended; an account's name, "expiry" or "restart" */
	instant created_ms;              /* this one is always set; of the others 0 says not yet, or none */
	instant planned_ms;
	instant began_ms;
	instant suspended_ms;
	instant ended_ms;
	instant expires_ms;
	instant drained_ms;              /* drained without a break since; 0: it is not, as far as was told */
	instant deadline_ms;
	enum hold_then then;
	int64_t grace_ms;                /* from a stop to the kill; 0: no kill follows */
	instant stopped_ms;              /* what ran was told to stop */
	instant killed_ms;               /* … to die */
};

/* The holds in force or planned, as one read saw them; version as the store counts it. */
struct hold_set {
	const struct hold *list;
	size_t count;
	int64_t version;
};

enum hold_event_kind {
	HOLD_BEGIN,                      /* by command, or the step itself when planned_ms comes */
	HOLD_SUSPEND,
	HOLD_DRAIN,                      /* suspended work may run on: back to draining */
	HOLD_STOP,                       /* tell what runs to stop, or to die, by command */
	HOLD_KILL,
	HOLD_EXTEND,                     /* new deadline, then, grace and expiry */
	HOLD_DRAINED,                    /* the census was found empty */
	HOLD_OCCUPIED,                   /* … not empty */
	HOLD_RESTART,                    /* a node started, and no other was alive */
	HOLD_TICK,                       /* time has passed */
	HOLD_END,
	HOLD_EVENTS
};

struct hold_event {
	enum hold_event_kind kind;
	instant now;
	const char *by;                  /* HOLD_END: whose command; lives as long as the hold */
	bool has_blockers;               /* HOLD_SUSPEND: the census is not empty */
	bool is_forced;                  /* … and that does not matter */
	instant deadline_ms;             /* HOLD_EXTEND: these four replace the hold's */
	enum hold_then then;
	int64_t grace_ms;
	instant expires_ms;
};

/* What to do after a step: the order to what still runs under the hold. */
enum hold_order { HOLD_ORDERS_NOTHING, HOLD_ORDERS_STOP, HOLD_ORDERS_KILL };

struct hold_update {
	enum hold_phase before;          /* differs from the hold's phase if it changed */
	bool is_changed;                 /* there is something to save */
	bool is_news_drained;            /* it became drained: announce it */
	enum hold_order order;
};

/*
 * One event. True: *hold is what is so now (nothing else assigns its phase), *update says what follows. False,
 * both untouched: ERR_CONFLICT where the phase or the policy does not have the event ("hold 7 has ended"),
 * ERR_INVALID for an extension into the past.
 * HOLD_TICK takes one step that is due; hold_next_ms tells whether another one is.
 */
bool hold_step(struct hold *hold, const struct hold_event *event, struct hold_update *update,
	       struct error *error) MUST_CHECK;

/* When time alone changes something: a HOLD_TICK is due then. INSTANT_NONE: never. */
instant hold_next_ms(const struct hold *hold) MUST_CHECK;
/* Is it draining or suspended? */
bool hold_is_in_force(const struct hold *hold) MUST_CHECK;
/* The column of the policy that counts; only for a hold in force. */
enum policy_phase hold_policy_phase(const struct hold *hold) MUST_CHECK;
bool hold_may_become(enum hold_phase phase, enum hold_phase next) MUST_CHECK;

/* Names as the API writes them; parsing answers false for a name that is none. */
const char *hold_phase_name(enum hold_phase phase) MUST_CHECK;
const char *hold_then_name(enum hold_then then) MUST_CHECK;
bool hold_then_parse(const char *name, enum hold_then *then) MUST_CHECK;

#endif
