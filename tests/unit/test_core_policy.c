#include "lib/test.h"

#include <stdio.h>
#include <string.h>

#include "core/policy.h"

/* Every preset as the plan has it: the values while draining and while suspended, then what stands beside the
 * axes. */
static const char *const as_planned[PRESETS] = {
	[PRESET_DEFAULT] =
		"submit=accept/refuse dispatch=hold/hold advance=execution/task trigger=defer/defer "
		"change=allow/refuse interrupt=allow/allow serve=all/all system=run/skip console=open/open "
		"running=finish exempt=nobody suspend=command restart=keep "
		"commanded_by=maintenance.command preset=default",
	[PRESET_KESTRA] =
		"submit=accept/accept dispatch=hold/hold advance=task/task trigger=fire/fire "
		"change=allow/allow interrupt=allow/allow serve=all/all system=run/run console=open/open "
		"running=finish exempt=nobody suspend=never restart=keep "
		"commanded_by=maintenance.command preset=kestra",
	[PRESET_OCTOPUS] =
		"submit=refuse/refuse dispatch=start/start advance=execution/execution trigger=fire/fire "
		"change=refuse/refuse interrupt=refuse/refuse serve=all/all system=run/run "
		"console=open/open running=finish exempt=system.administer suspend=never restart=keep "
		"commanded_by=system.administer preset=octopus",
	[PRESET_GOCD] =
		"submit=refuse/refuse dispatch=hold/hold advance=task/task trigger=skip/skip "
		"change=allow/allow interrupt=allow/allow serve=all/all system=run/run console=open/open "
		"running=finish exempt=nobody suspend=never restart=end "
		"commanded_by=maintenance.command preset=gocd",
	[PRESET_UIPATH] = "submit=refuse/refuse dispatch=hold/hold advance=execution/task trigger=skip/skip "
			  "change=allow/refuse interrupt=allow/refuse serve=all/essentials system=skip/skip "
			  "console=closed/closed running=stop exempt=nobody suspend=command restart=keep "
			  "commanded_by=host.administer preset=uipath",
	[PRESET_CLOUDIFY] =
		"submit=refuse/refuse dispatch=hold/hold advance=task/task trigger=skip/skip "
		"change=refuse/refuse interrupt=refuse/refuse serve=all/essentials system=run/skip "
		"console=open/closed running=finish exempt=maintenance.bypass:asked "
		"suspend=when_drained restart=keep commanded_by=maintenance.command preset=cloudify",
};

static void presets_are_as_planned_and_read_back(void **state)
{
	(void)state;
	for (int i = 0; i < PRESETS; i++) {
		const struct policy *policy = preset_policy((enum preset)i);
		char text[POLICY_TEXT_BYTES];
		struct policy read;
		struct error error;
		enum preset preset;
		assert_string_equal(policy_format(policy, text), as_planned[i]);
		assert_works(policy_parse(text, &read, &error));
		assert_true(policy_same(&read, policy));
		assert_true(preset_parse(preset_name((enum preset)i), &preset));
		assert_int_equal(preset, i);
	}
}

static void suspended_never_holds_back_less_than_draining(void **state)
{
	(void)state;
	for (int i = 0; i < PRESETS; i++)
		for (int axis = 0; axis < AXES; axis++)
			assert_true(preset_policy((enum preset)i)->values[POLICY_SUSPENDED][axis] >=
				    preset_policy((enum preset)i)->values[POLICY_DRAINING][axis]);
}

/* Every pair of values of every axis, and everything beside them, through the text and back. */
static void every_policy_reads_back(void **state)
{
	(void)state;
	struct error error;
	for (int axis = 0; axis < AXES; axis++) {
		uint8_t count = axis_value_count((enum axis)axis);
		assert_in_range(count, 2, AXIS_VALUES);
		for (int pair = 0; pair < count * count; pair++) {
			struct policy policy = policy_open(), read;
			char value[40], text[POLICY_TEXT_BYTES];
			snprintf(value, sizeof(value), "%s/%s",
				 axis_value_name((enum axis)axis, (uint8_t)(pair / count)),
				 axis_value_name((enum axis)axis, (uint8_t)(pair % count)));
			assert_works(policy_set(&policy, axis_name((enum axis)axis), value, &error));
			assert_int_equal(policy.values[POLICY_DRAINING][axis], pair / count);
			assert_int_equal(policy.values[POLICY_SUSPENDED][axis], pair % count);
			assert_works(policy_parse(policy_format(&policy, text), &read, &error));
			assert_true(policy_same(&policy, &read));
		}
	}
	for (int permission = 0; permission <= PERMISSIONS; permission++) {
		struct policy policy = preset_policy(PRESET_CLOUDIFY)[0], read;
		char text[POLICY_TEXT_BYTES];
		policy.exempt = (enum permission)permission;
		policy.exempt_is_asked = permission % 2 && permission != PERM_NONE;
		policy.commanded_by = (enum permission)(permission % PERMISSIONS);
		assert_works(policy_parse(policy_format(&policy, text), &read, &error));
		assert_true(policy_same(&policy, &read));
	}
	for (int i = 0; i < RUNNINGS * SUSPENDS * RESTARTS; i++) {
		struct policy policy = policy_open(), read;
		char text[POLICY_TEXT_BYTES];
		policy.running = (enum running)(i % RUNNINGS);
		policy.suspend = (enum suspend)(i / RUNNINGS % SUSPENDS);
		policy.restart = (enum restart)(i / RUNNINGS / SUSPENDS);
		assert_works(policy_parse(policy_format(&policy, text), &read, &error));
		assert_true(policy_same(&policy, &read));
	}
}

static void the_longest_policy_fits_its_text(void **state)
{
	(void)state;
	struct policy policy = *preset_policy(PRESET_CLOUDIFY);
	memset(policy.preset, 'p', LIMIT_NAME_BYTES);
	policy.preset[LIMIT_NAME_BYTES] = '\0';
	policy.exempt = policy.commanded_by = PERM_MAINTENANCE_COMMAND;
	char text[POLICY_TEXT_BYTES];
	assert_true(strlen(policy_format(&policy, text)) < POLICY_TEXT_BYTES - 100);
}

static void a_policy_of_an_older_lull_holds_back_nothing_new(void **state)
{
	(void)state;
	struct policy read, expected = policy_open();
	struct error error;
	expected.values[POLICY_DRAINING][AXIS_DISPATCH] = expected.values[POLICY_SUSPENDED][AXIS_DISPATCH] =
		DISPATCH_HOLD;
	assert_works(policy_parse("dispatch=hold", &read, &error));
	assert_true(policy_same(&read, &expected));
}

static void wrong_policies_are_told_what_to_write(void **state)
{
	(void)state;
	static const struct { const char *key, *value, *told; } rows[] = {
		{ "submti", "refuse", "a policy has no \"submti\"; did you mean \"submit\"?" },
		{ "", "", "a policy has no \"\"" },
		{ "submit", "refues", "submit has no value \"refues\"; write one like \"refuse\"" },
		{ "submit", "accept/refuse/refuse", "submit has no value \"refuse/refuse\"" },
		{ "submit", "", "submit has no value \"\"; write one like \"accept\"" },
		{ "trigger", "hold", "trigger has no value \"hold\"" },
		{ "running", "stopp", "running has no value \"stopp\"; write one like \"stop\"" },
		{ "exempt", "everybody", "exempt has no value \"everybody\"" },
		{ "exempt", "maintenance.bypas:asked", "write one like \"maintenance.bypass\"" },
		{ "suspend", "x", "suspend has no value \"x\"; write one like \"command\"" },
		{ "restart", "x", "restart has no value \"x\"; write one like \"keep\"" },
		{ "commanded_by", "nobody", "commanded_by has no value \"nobody\"" },
		{ "preset", "a b", "\"a b\" is no preset's name" },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct policy policy = policy_open(), before = policy;
		struct error error;
		assert_refuses(policy_set(&policy, rows[i].key, rows[i].value, &error), ERR_INVALID, rows[i].told);
		assert_true(policy_same(&policy, &before));
	}
	struct policy untouched = policy_open();
	struct error error;
	assert_refuses(policy_parse("submit", &untouched, &error), ERR_INVALID, "\"submit\" is no part of a policy");
	assert_refuses(policy_parse("  ", &untouched, &error), ERR_INVALID, "no part of a policy");
}

/* Which axes exist where: serve, system and console on the wide scopes, only dispatch on a place. */
static void a_scope_has_its_axes_only(void **state)
{
	(void)state;
	for (int kind = 0; kind < SCOPE_KINDS; kind++) {
		struct scope scope = { .kind = (enum scope_kind)kind };
		for (int axis = 0; axis < AXES; axis++) {
			bool is_wide = kind == SCOPE_INSTANCE || kind == SCOPE_TENANT;
			bool needs_wide = axis == AXIS_SERVE || axis == AXIS_SYSTEM || axis == AXIS_CONSOLE;
			bool expected = scope_is_place(&scope) ? axis == AXIS_DISPATCH : is_wide || !needs_wide;
			assert_int_equal(axis_exists_on((enum axis)axis, scope.kind), expected);

			struct policy policy = policy_open();
			struct error error;
			policy.values[POLICY_SUSPENDED][axis] = 1;
			assert_int_equal(policy_fits(&policy, scope.kind, &error), expected);
			struct policy cut = policy_cut(&policy, scope.kind);
			assert_true(policy_fits(&cut, scope.kind, &error));
			assert_int_equal(policy_same(&cut, &policy), expected);
		}
	}
}

static void names_read_back(void **state)
{
	(void)state;
	for (int i = 0; i < AXES; i++) {
		enum axis axis;
		assert_true(axis_parse(axis_name((enum axis)i), &axis));
		assert_int_equal(axis, i);
	}
	for (int i = 0; i < PERMISSIONS; i++) {
		enum permission permission;
		assert_true(permission_parse(permission_name((enum permission)i), &permission));
		assert_int_equal(permission, i);
	}
	for (int i = 0; i < ROLES; i++) {
		enum role role;
		assert_true(role_parse(role_name((enum role)i), &role));
		assert_int_equal(role, i);
	}
	enum axis axis;
	enum permission permission;
	enum role role;
	enum preset preset;
	assert_false(axis_parse("Submit", &axis));
	assert_false(permission_parse("", &permission));
	assert_false(role_parse("root", &role));
	assert_false(preset_parse("none", &preset));
	assert_string_equal(policy_phase_name(POLICY_DRAINING), "draining");
	assert_string_equal(policy_phase_name(POLICY_SUSPENDED), "suspended");
}

static void every_permission_is_somebodys_and_roles_differ(void **state)
{
	(void)state;
	uint32_t all = 0;
	for (int i = 0; i < ROLES; i++) {
		all |= role_permissions((enum role)i);
		for (int k = 0; k < i; k++)
			assert_int_not_equal(role_permissions((enum role)i), role_permissions((enum role)k));
	}
	assert_int_equal(all, BIT(PERMISSIONS) - 1);
	/* An agent does nothing else, and nobody else is an agent. */
	assert_int_equal(role_permissions(ROLE_AGENT), BIT(PERM_AGENT_EXCHANGE));
	/* A viewer changes nothing. */
	uint32_t writes = BIT(PERM_MAINTENANCE_COMMAND) | BIT(PERM_FLOW_WRITE) | BIT(PERM_EXECUTION_SUBMIT) |
			  BIT(PERM_EXECUTION_INTERRUPT) | BIT(PERM_AGENT_WRITE) | BIT(PERM_ACCOUNT_WRITE);
	assert_int_equal(role_permissions(ROLE_VIEWER) & writes, 0);
	/* A tenant's people do nothing to the instance. */
	uint32_t above = BIT(PERM_HOST_ADMINISTER) | BIT(PERM_SYSTEM_ADMINISTER) | BIT(PERM_AGENT_WRITE);
	for (int i = ROLE_TENANT_ADMINISTRATOR; i < ROLES; i++)
		assert_int_equal(role_permissions((enum role)i) & above, 0);
	/* Whoever may command every preset's hold can always end it: there is a role for each. */
	for (int i = 0; i < PRESETS; i++)
		assert_true(role_permissions(ROLE_HOST_ADMINISTRATOR) &
			    BIT(preset_policy((enum preset)i)->commanded_by));
}

static void scopes_read_back_and_nonsense_does_not(void **state)
{
	(void)state;
	static const char *const good[] = {
		"instance", "tenant/1", "namespace/1/ops.db", "flow/1/17", "pool/default", "agent/3", "node/2",
	};
	static const char *const bad[] = {
		"",
		"/",
		"instance/",
		"instance/1",
		"tenant",
		"tenant/",
		"tenant/0",
		"tenant/-1",
		"tenant/x",
		"tenant/1/",
		"tenant/1/2",
		"namespace/1",
		"namespace/1/",
		"namespace/1/.ops",
		"namespace/1/a/b",
		"namespace//ops",
		"flow/1",
		"flow/1/x",
		"pool/",
		"pool/a b",
		"agent/",
		"agent/0",
		"node/99999999999999999999",
		"server/1",
		"Instance",
	};
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		struct scope scope, again;
		struct error error;
		char text[SCOPE_TEXT_BYTES];
		assert_works(scope_parse(good[i], &scope, &error));
		assert_int_equal(scope.kind, i);
		assert_string_equal(scope_format(&scope, text), good[i]);
		assert_works(scope_parse(text, &again, &error));
		for (size_t k = 0; k < COUNT_OF(good); k++) {
			assert_works(scope_parse(good[k], &again, &error));
			assert_int_equal(scope_same(&scope, &again), i == k);
		}
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct scope scope = { .id = 77 };
		struct error error;
		assert_refuses(scope_parse(bad[i], &scope, &error), ERR_INVALID, "is no scope");
		assert_int_equal(scope.id, 77);
	}
	for (int i = 0; i < SCOPE_KINDS; i++) {
		enum scope_kind kind;
		assert_true(scope_kind_parse(scope_kind_name((enum scope_kind)i), &kind));
		assert_int_equal(kind, i);
	}
}

/* Each scope against each place on the paths of work and of places. */
static void a_scope_covers_what_is_at_or_below_it(void **state)
{
	(void)state;
	static const struct { const char *name; struct scope_path path;
	} paths[] = {
		{ "instance", { .node = 0 } },
		{ "tenant", { .tenant = { 1 } } },
		{ "ops", { .tenant = { 1 }, .name_space = "ops" } },
		{ "ops.db", { .tenant = { 1 }, .name_space = "ops.db" } },
		{ "opsx", { .tenant = { 1 }, .name_space = "opsx" } },
		{ "flow", { .tenant = { 1 }, .name_space = "ops.db", .flow = { 17 } } },
		{ "other", { .tenant = { 2 }, .name_space = "ops.db", .flow = { 18 } } },
		{ "pool", { .pool = "big" } },
		{ "agent", { .pool = "big", .agent = { 3 } } },
		{ "elsewhere", { .pool = "small", .agent = { 4 } } },
		{ "node", { .node = 2 } },
		{ "at-agent",
		  { .tenant = { 1 },
		    .name_space = "ops.db",
		    .flow = { 17 },
		    .pool = "big",
		    .agent = { 3 } } },
	};
	static const struct { const char *scope, *covered; } rows[] = {
		{ "instance", "instance tenant ops ops.db opsx flow other pool agent elsewhere node at-agent " },
		{ "tenant/1", "tenant ops ops.db opsx flow at-agent " },
		{ "tenant/2", "other " },
		{ "namespace/1/ops", "ops ops.db flow at-agent " },
		{ "namespace/1/ops.db", "ops.db flow at-agent " },
		{ "flow/1/17", "flow at-agent " },
		{ "pool/big", "pool agent at-agent " },
		{ "agent/3", "agent at-agent " },
		{ "node/2", "node " },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct scope scope;
		struct error error;
		char covered[200] = "";
		assert_works(scope_parse(rows[i].scope, &scope, &error));
		for (size_t k = 0; k < COUNT_OF(paths); k++)
			if (scope_covers(&scope, &paths[k].path))
				strcat(strcat(covered, paths[k].name), " ");
		assert_string_equal(covered, rows[i].covered);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(presets_are_as_planned_and_read_back),
		cmocka_unit_test(suspended_never_holds_back_less_than_draining),
		cmocka_unit_test(every_policy_reads_back),
		cmocka_unit_test(the_longest_policy_fits_its_text),
		cmocka_unit_test(a_policy_of_an_older_lull_holds_back_nothing_new),
		cmocka_unit_test(wrong_policies_are_told_what_to_write),
		cmocka_unit_test(a_scope_has_its_axes_only),
		cmocka_unit_test(names_read_back),
		cmocka_unit_test(every_permission_is_somebodys_and_roles_differ),
		cmocka_unit_test(scopes_read_back_and_nonsense_does_not),
		cmocka_unit_test(a_scope_covers_what_is_at_or_below_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
