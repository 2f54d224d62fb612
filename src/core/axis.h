/*
 * The axes of a policy and their values, which are ordered: a greater one holds back more, 0 holds back nothing.
 */
#ifndef LULL_CORE_AXIS_H
#define LULL_CORE_AXIS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "core/scope.h"

enum axis {
#define X(axis, ...) axis,
#include "core/axes.def"
#undef X
	AXES
};

enum { AXIS_VALUES = 3 };            /* at most */

enum { SUBMIT_ACCEPT, SUBMIT_REFUSE };
enum { DISPATCH_START, DISPATCH_HOLD };
enum { ADVANCE_EXECUTION, ADVANCE_TASK };
enum { TRIGGER_FIRE, TRIGGER_DEFER, TRIGGER_SKIP };
enum { CHANGE_ALLOW, CHANGE_REFUSE };
enum { INTERRUPT_ALLOW, INTERRUPT_REFUSE };
enum { SERVE_ALL, SERVE_ESSENTIALS };
enum { SYSTEM_RUN, SYSTEM_SKIP };
enum { CONSOLE_OPEN, CONSOLE_CLOSED };

/* Names as the API writes them. */
const char *axis_name(enum axis axis) MUST_CHECK;
bool axis_parse(const char *name, enum axis *axis) MUST_CHECK;
/* How many values it has; they are 0 to that number - 1. */
uint8_t axis_value_count(enum axis axis) MUST_CHECK;
const char *axis_value_name(enum axis axis, uint8_t value) MUST_CHECK;
/* False: the axis has no value of that name. */
bool axis_value_parse(enum axis axis, const char *name, uint8_t *value) MUST_CHECK;
/* The kinds of scope on which a hold has this axis, BIT(kind) each; and does it on this one? */
unsigned axis_scopes(enum axis axis) MUST_CHECK;
bool axis_exists_on(enum axis axis, enum scope_kind kind) MUST_CHECK;

#endif
