#include "core/policy.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/text.h"

static const char *const phase_names[POLICY_PHASES] = {
	[POLICY_DRAINING] = "draining", [POLICY_SUSPENDED] = "suspended",
};
static const char *const running_names[] = {
	[RUNNING_FINISH] = "finish", [RUNNING_STOP] = "stop", [RUNNING_KILL] = "kill", NULL
};
static const char *const suspend_names[] = {
	[SUSPEND_COMMAND] = "command", [SUSPEND_NEVER] = "never", [SUSPEND_WHEN_DRAINED] = "when_drained", NULL
};
static const char *const restart_names[] = { [RESTART_KEEP] = "keep", [RESTART_END] = "end", NULL };

#define VALUES(submit, dispatch, advance, trigger, change, interrupt, serve, system, console) \
	{ \
		[AXIS_SUBMIT] = SUBMIT_##submit, \
		[AXIS_DISPATCH] = DISPATCH_##dispatch, \
		[AXIS_ADVANCE] = ADVANCE_##advance, \
		[AXIS_TRIGGER] = TRIGGER_##trigger, \
		[AXIS_CHANGE] = CHANGE_##change, \
		[AXIS_INTERRUPT] = INTERRUPT_##interrupt, \
		[AXIS_SERVE] = SERVE_##serve, \
		[AXIS_SYSTEM] = SYSTEM_##system, \
		[AXIS_CONSOLE] = CONSOLE_##console, \
	}

static const struct policy presets[PRESETS] = {
#define X(place, name, draining, suspended, on_entry, exempt_who, asked, suspend_rule, restart_rule, by) \
	[place] = { \
		.values = { [POLICY_DRAINING] = draining, [POLICY_SUSPENDED] = suspended }, \
		.running = on_entry, \
		.exempt = exempt_who, \
		.exempt_is_asked = asked, \
		.suspend = suspend_rule, \
		.restart = restart_rule, \
		.commanded_by = by, \
		.preset = name, \
	},
#include "core/presets.def"
#undef X
};

const struct policy *preset_policy(enum preset preset)
{
	ASSERT(preset < PRESETS);
	return &presets[preset];
}

const char *preset_name(enum preset preset)
{
	ASSERT(preset < PRESETS);
	return presets[preset].preset;
}

bool preset_parse(const char *name, enum preset *preset)
{
	for (int i = 0; i < PRESETS; i++) {
		if (strcmp(presets[i].preset, name) != 0)
			continue;
		*preset = (enum preset)i;
		return true;
	}
	return false;
}

struct policy policy_open(void)
{
	return (struct policy){ .exempt = PERM_NONE, .commanded_by = PERM_MAINTENANCE_COMMAND };
}

/* The place of the value among the names; -1: none, the error tells the nearest. */
static int choose(const char *key, const char *value, const char *const *names, struct error *error)
{
	for (int i = 0; names[i]; i++)
		if (strcmp(names[i], value) == 0)
			return i;
	const char *nearest = text_nearest(value, names);
	if (!nearest)
		nearest = names[0];
	error_set(error, ERR_INVALID, "%s has no value \"%.40s\"; write one like \"%s\"", key, value, nearest);
	return -1;
}

static bool set_axis(struct policy *policy, enum axis axis, const char *value, struct error *error)
{
	const char *names[AXIS_VALUES + 1] = { NULL };
	for (uint8_t i = 0; i < axis_value_count(axis); i++)
		names[i] = axis_value_name(axis, i);
	const char *slash = strchr(value, '/');
	char first[32];
	snprintf(first, sizeof(first), "%.*s", slash ? (int)(slash - value) : (int)strlen(value), value);
	int draining = choose(axis_name(axis), first, names, error);
	int suspended = draining < 0 ? -1 : choose(axis_name(axis), slash ? slash + 1 : first, names, error);
	if (suspended < 0)
		return false;
	policy->values[POLICY_DRAINING][axis] = (uint8_t)draining;
	policy->values[POLICY_SUSPENDED][axis] = (uint8_t)suspended;
	return true;
}

static bool choose_permission(const char *key, const char *value, enum permission *permission, struct error *error)
{
	const char *names[PERMISSIONS + 1] = { NULL };
	for (int i = 0; i < PERMISSIONS; i++)
		names[i] = permission_name((enum permission)i);
	int place = choose(key, value, names, error);
	if (place < 0)
		return false;
	*permission = (enum permission)place;
	return true;
}

/* What stands beside the axes: how each is set and written. */

static bool set_running(struct policy *policy, const char *value, struct error *error)
{
	int place = choose("running", value, running_names, error);
	if (place < 0)
		return false;
	policy->running = (enum running)place;
	return true;
}

static bool set_exempt(struct policy *policy, const char *value, struct error *error)
{
	const char *asked = strstr(value, ":asked");
	bool is_asked = asked && strcmp(asked, ":asked") == 0;
	char name[32];
	snprintf(name, sizeof(name), "%.*s", is_asked ? (int)(asked - value) : (int)strlen(value), value);
	enum permission permission = PERM_NONE;
	if (strcmp(name, "nobody") != 0 && !choose_permission("exempt", name, &permission, error))
		return false;
	policy->exempt = permission;
	policy->exempt_is_asked = is_asked && permission != PERM_NONE;
	return true;
}

static bool set_suspend(struct policy *policy, const char *value, struct error *error)
{
	int place = choose("suspend", value, suspend_names, error);
	if (place < 0)
		return false;
	policy->suspend = (enum suspend)place;
	return true;
}

static bool set_restart(struct policy *policy, const char *value, struct error *error)
{
	int place = choose("restart", value, restart_names, error);
	if (place < 0)
		return false;
	policy->restart = (enum restart)place;
	return true;
}

static bool set_commanded_by(struct policy *policy, const char *value, struct error *error)
{
	return choose_permission("commanded_by", value, &policy->commanded_by, error);
}

static bool set_preset(struct policy *policy, const char *value, struct error *error)
{
	if (*value && !text_is_name(value, LIMIT_NAME_BYTES, false))
		return error_set(error, ERR_INVALID, "\"%.40s\" is no preset's name", value);
	snprintf(policy->preset, sizeof(policy->preset), "%s", value);
	return true;
}

static void write_running(const struct policy *policy, char *text, size_t room)
{
	snprintf(text, room, "%s", running_name(policy->running));
}

static void write_exempt(const struct policy *policy, char *text, size_t room)
{
	snprintf(text, room, "%s%s", policy->exempt == PERM_NONE ? "nobody" : permission_name(policy->exempt),
		 policy->exempt_is_asked ? ":asked" : "");
}

static void write_suspend(const struct policy *policy, char *text, size_t room)
{
	snprintf(text, room, "%s", suspend_name(policy->suspend));
}

static void write_restart(const struct policy *policy, char *text, size_t room)
{
	snprintf(text, room, "%s", restart_name(policy->restart));
}

static void write_commanded_by(const struct policy *policy, char *text, size_t room)
{
	snprintf(text, room, "%s", permission_name(policy->commanded_by));
}

static void write_preset(const struct policy *policy, char *text, size_t room)
{
	snprintf(text, room, "%s", policy->preset);
}

static const struct {
	const char *key;
	bool (*set)(struct policy *policy, const char *value, struct error *error);
	void (*write)(const struct policy *policy, char *text, size_t room);
} besides[] = {
	{ "running",      set_running,      write_running },
	{ "exempt",       set_exempt,       write_exempt },
	{ "suspend",      set_suspend,      write_suspend },
	{ "restart",      set_restart,      write_restart },
	{ "commanded_by", set_commanded_by, write_commanded_by },
	{ "preset",       set_preset,       write_preset },
};

bool policy_set(struct policy *policy, const char *key, const char *value, struct error *error)
{
	enum axis axis;
	if (axis_parse(key, &axis))
		return set_axis(policy, axis, value, error);
	const char *names[AXES + COUNT_OF(besides) + 1] = { NULL };
	for (size_t i = 0; i < COUNT_OF(besides); i++) {
		if (strcmp(besides[i].key, key) == 0)
			return besides[i].set(policy, value, error);
		names[AXES + i] = besides[i].key;
	}
	for (int i = 0; i < AXES; i++)
		names[i] = axis_name((enum axis)i);
	const char *nearest = text_nearest(key, names);
	return error_set(error, ERR_INVALID, "a policy has no \"%.40s\"%s%s%s", key,
			 nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
}

bool policy_fits(const struct policy *policy, enum scope_kind kind, struct error *error)
{
	for (int axis = 0; axis < AXES; axis++)
		if (!axis_exists_on((enum axis)axis, kind) &&
		    (policy->values[POLICY_DRAINING][axis] || policy->values[POLICY_SUSPENDED][axis]))
			return error_set(error, ERR_INVALID,
					 "a hold on one %s cannot hold back \"%s\"; leave it out or "
					 "choose a wider scope",
					 scope_kind_name(kind), axis_name((enum axis)axis));
	return true;
}

struct policy policy_cut(const struct policy *policy, enum scope_kind kind)
{
	struct policy cut = *policy;
	for (int axis = 0; axis < AXES; axis++)
		if (!axis_exists_on((enum axis)axis, kind))
			cut.values[POLICY_DRAINING][axis] = cut.values[POLICY_SUSPENDED][axis] = 0;
	return cut;
}

const char *policy_format(const struct policy *policy, char text[POLICY_TEXT_BYTES])
{
	size_t at = 0;
	for (int i = 0; i < AXES; i++) {
		enum axis axis = (enum axis)i;
		at += (size_t)snprintf(text + at, POLICY_TEXT_BYTES - at, "%s=%s/%s ", axis_name(axis),
				       axis_value_name(axis, policy->values[POLICY_DRAINING][axis]),
				       axis_value_name(axis, policy->values[POLICY_SUSPENDED][axis]));
		ASSERT(at < POLICY_TEXT_BYTES);
	}
	for (size_t i = 0; i < COUNT_OF(besides); i++) {
		char value[LIMIT_NAME_BYTES + 1];
		besides[i].write(policy, value, sizeof(value));
		at += (size_t)snprintf(text + at, POLICY_TEXT_BYTES - at, "%s=%s ", besides[i].key, value);
		ASSERT(at < POLICY_TEXT_BYTES);
	}
	text[at - 1] = '\0';
	return text;
}

bool policy_parse(const char *text, struct policy *policy, struct error *error)
{
	struct policy read = policy_open();
	for (const char *at = text; *at;) {
		char pair[128];
		size_t length = strcspn(at, " ");
		if (length >= sizeof(pair))
			return error_set(error, ERR_INVALID, "\"%.40s…\" is no part of a policy", at);
		memcpy(pair, at, length);
		pair[length] = '\0';
		at += length + (at[length] == ' ');
		char *equals = strchr(pair, '=');
		if (!equals)
			return error_set(error, ERR_INVALID,
					 "\"%.40s\" is no part of a policy; write axis=value", pair);
		*equals = '\0';
		if (!policy_set(&read, pair, equals + 1, error))
			return false;
	}
	*policy = read;
	return true;
}

bool policy_same(const struct policy *a, const struct policy *b)
{
	return memcmp(a->values, b->values, sizeof(a->values)) == 0 && a->running == b->running &&
	       a->exempt == b->exempt && a->exempt_is_asked == b->exempt_is_asked && a->suspend == b->suspend &&
	       a->restart == b->restart && a->commanded_by == b->commanded_by && strcmp(a->preset, b->preset) == 0;
}

const char *policy_phase_name(enum policy_phase phase)
{
	ASSERT(phase < POLICY_PHASES);
	return phase_names[phase];
}

const char *running_name(enum running running)
{
	ASSERT(running < RUNNINGS);
	return running_names[running];
}

const char *suspend_name(enum suspend suspend)
{
	ASSERT(suspend < SUSPENDS);
	return suspend_names[suspend];
}

const char *restart_name(enum restart restart)
{
	ASSERT(restart < RESTARTS);
	return restart_names[restart];
}
