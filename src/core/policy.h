/*
 * A policy: what a hold holds back, as a value on each axis, one for the phase `draining` and one for
 * `suspended`, and what stands beside the axes. A hold keeps the values themselves, so that changing or
 * removing a preset never changes a hold in force.
 */
#ifndef LULL_CORE_POLICY_H
#define LULL_CORE_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/limits.h"
#include "core/axis.h"
#include "core/permission.h"

enum policy_phase { POLICY_DRAINING, POLICY_SUSPENDED, POLICY_PHASES };

/* What becomes of running work when the hold begins. */
enum running { RUNNING_FINISH, RUNNING_STOP, RUNNING_KILL, RUNNINGS };
/* What makes a draining hold a suspended one. */
enum suspend { SUSPEND_COMMAND, SUSPEND_NEVER, SUSPEND_WHEN_DRAINED, SUSPENDS };
/* What becomes of the hold when a node starts and no other is alive. */
enum restart { RESTART_KEEP, RESTART_END, RESTARTS };

struct policy {
	uint8_t values[POLICY_PHASES][AXES];
	enum running running;
	enum permission exempt;                  /* who has it is not held; PERM_NONE: nobody is exempt */
	bool exempt_is_asked;                    /* … and only if the request asks for it */
	enum suspend suspend;
	enum restart restart;
	enum permission commanded_by;            /* who may enter, change and end such a hold */
	char preset[LIMIT_NAME_BYTES + 1];       /* where it came from; "" for one of its own */
};

enum preset {
#define X(preset, ...) preset,
#include "core/presets.def"
#undef X
	PRESETS
};

/* A preset that Lull brings; valid for ever. */
const struct policy *preset_policy(enum preset preset) MUST_CHECK;
bool preset_parse(const char *name, enum preset *preset) MUST_CHECK;
const char *preset_name(enum preset preset) MUST_CHECK;

/* Holds back nothing, ends by command only, is commanded by PERM_MAINTENANCE_COMMAND: where an own policy begins. */
struct policy policy_open(void) MUST_CHECK;
/*
 * Sets one value as the API writes it: policy_set(&policy, "submit", "accept/refuse", &error), or one value for
 * both phases, or one of what stands beside the axes: running (finish, stop, kill), exempt (nobody, a
 * permission, or "maintenance.bypass:asked"), suspend (command, never, when_drained), restart (keep, end),
 * commanded_by (a permission), preset (a name). False: ERR_INVALID with the nearest known.
 */
bool policy_set(struct policy *policy, const char *key, const char *value, struct error *error) MUST_CHECK;
/* Fails with ERR_INVALID where the policy holds back what a scope of this kind does not have. */
bool policy_fits(const struct policy *policy, enum scope_kind kind, struct error *error) MUST_CHECK;
/* The policy without what a scope of this kind does not have: how a preset is laid on it. */
struct policy policy_cut(const struct policy *policy, enum scope_kind kind) MUST_CHECK;

enum { POLICY_TEXT_BYTES = 768 };

/*
 * The form that the store keeps, one line, every axis and everything beside them in a fixed order:
 * "submit=accept/refuse dispatch=hold/hold … running=finish exempt=nobody …". Answers `text`.
 */
const char *policy_format(const struct policy *policy, char text[POLICY_TEXT_BYTES]);
/* Reads that form; what is missing, because an older Lull wrote it, is as policy_open has it. False: ERR_INVALID. */
bool policy_parse(const char *text, struct policy *policy, struct error *error) MUST_CHECK;
bool policy_same(const struct policy *a, const struct policy *b) MUST_CHECK;

/* Names as the API writes them. */
const char *policy_phase_name(enum policy_phase phase) MUST_CHECK;
const char *running_name(enum running running) MUST_CHECK;
const char *suspend_name(enum suspend suspend) MUST_CHECK;
const char *restart_name(enum restart restart) MUST_CHECK;

#endif
