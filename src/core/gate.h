/*
 * The gate: what becomes of an act under all holds in force, and which hold says so.
 *
 * Pure, without memory of its own: (holds, act, caller, path) → the value on the act's axis + the hold that gave
 * it. It takes the holds that cover the path and have the axis, leaves out those that exempt the caller, and
 * joins the rest: the strongest value wins and names its hold, of several equally strong ones the oldest.
 * The join is associative, commutative and idempotent, so the order of holds does not matter, and ending one
 * never ends another's effect.
 *
 *	act                      exempt?  axis        0          1           2
 *	submit, rerun, resume    yes      submit      accept     refuse
 *	start, poll              no       dispatch    start      hold
 *	advance                  no       advance     execution  task
 *	fire_schedule            no       trigger     fire       defer       skip
 *	fire_event               no       trigger     fire       defer       (deferred too)
 *	change                   yes      change      allow      refuse
 *	interrupt                yes      interrupt   allow      refuse
 *	read                     yes      serve       all        essentials
 *	report                   no       serve       all        essentials
 *	housekeep                no       system      run        skip
 *	console                  no       console     open       closed
 *
 * A hold on a place (pool, agent, node) has only the axis `dispatch`: nothing new there. For `advance` that
 * means `task`, since a next task would be something new on that place.
 *
 * The essentials (health, sign-in, maintenance itself) never ask, so nobody is locked out. Whether an agent
 * with unfinished work may still report under `essentials` is decided by whoever takes the report.
 */
#ifndef LULL_CORE_GATE_H
#define LULL_CORE_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "core/axis.h"
#include "core/hold.h"
#include "core/id.h"
#include "core/scope.h"

enum act {
#define X(act, ...) act,
#include "core/act.def"
#undef X
	ACTS
};

/* Who acts. A zeroed caller is nobody in particular: the scheduler, the dispatcher, an agent. */
struct caller {
	uint32_t permissions;                    /* BIT(permission) each */
	bool asks_bypass;                        /* asked for by the request, where a policy wants it asked */
	/* An execution that was admitted past these holds passes start and advance under them too. */
	const struct hold_id *admitted_past;
	size_t admitted_past_count;
};

struct ruling {
	enum axis axis;
	uint8_t value;                           /* 0: nothing holds the act back */
	const struct hold *hold;                 /* who gave the value; NULL where it is 0; one of the set's */
};

/* No allocation; below 1 µs with 100 holds. */
struct ruling gate_rule(const struct hold_set *holds, enum act act, const struct caller *caller,
			const struct scope_path *path) MUST_CHECK;
/* The stronger of two rulings on one axis. */
struct ruling ruling_join(struct ruling a, struct ruling b) MUST_CHECK;
/*
 * True where the ruling lets the act pass. False: ERR_HELD with the hold, its reason and, where it is known,
 * until when. For acts that are refused; what is held, deferred or skipped looks at the value instead.
 */
bool ruling_allows(const struct ruling *ruling, struct error *error) MUST_CHECK;

/* Is the caller exempt from this hold where a caller can be? */
bool caller_is_exempt(const struct caller *caller, const struct hold *hold) MUST_CHECK;

/* Name, axis and exemption as act.def has them. */
const char *act_name(enum act act) MUST_CHECK;
enum axis act_axis(enum act act) MUST_CHECK;
bool act_can_be_exempt(enum act act) MUST_CHECK;

#endif
