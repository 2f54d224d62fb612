#include "lib/test.h"

#include <string.h>

#include "core/gate.h"

static const struct caller nobody;
static const struct scope_path instance_path;

static struct hold make_hold(int64_t id, enum preset preset, enum hold_phase phase)
{
	return (struct hold){
		.id = { id }, .phase = phase, .policy = *preset_policy(preset), .owner_name = "ann", .reason = "disk",
		.created_ms = 1, .began_ms = 1, .suspended_ms = phase == HOLD_SUSPENDED,
	};
}

static uint8_t value_under(const struct hold *hold, enum act act, const struct caller *caller)
{
	struct hold_set holds = { .list = hold, .count = 1 };
	return gate_rule(&holds, act, caller, &instance_path).value;
}

/*
 * The whole truth: the value that meets an act under each preset, while draining and while suspended. A star:
 * whom the policy exempts passes. A new act or preset does not compile, or fails here, until its row is written.
 */
static const struct {
	const char *act;
	const char *values[PRESETS];
} truth[ACTS] = {
	/*                       default kestra octopus  gocd  uipath cloudify */
	[ACT_SUBMIT]        = { "submit",        { "01", "00", "11*", "11", "11", "11*" } },
	[ACT_RERUN]         = { "rerun",         { "01", "00", "11*", "11", "11", "11*" } },
	[ACT_RESUME]        = { "resume",        { "01", "00", "11*", "11", "11", "11*" } },
	[ACT_START]         = { "start",         { "11", "11", "00",  "11", "11", "11" } },
	[ACT_POLL]          = { "poll",          { "11", "11", "00",  "11", "11", "11" } },
	[ACT_ADVANCE]       = { "advance",       { "01", "11", "00",  "11", "01", "11" } },
	[ACT_FIRE_SCHEDULE] = { "fire_schedule", { "11", "00", "00",  "22", "22", "22" } },
	[ACT_FIRE_EVENT]    = { "fire_event",    { "11", "00", "00",  "11", "11", "11" } },
	[ACT_CHANGE]        = { "change",        { "01", "00", "11*", "00", "01", "11*" } },
	[ACT_INTERRUPT]     = { "interrupt",     { "00", "00", "11*", "00", "01", "11*" } },
	[ACT_READ]          = { "read",          { "00", "00", "00",  "00", "01", "01*" } },
	[ACT_REPORT]        = { "report",        { "00", "00", "00",  "00", "01", "01" } },
	[ACT_HOUSEKEEP]     = { "housekeep",     { "01", "00", "00",  "00", "11", "01" } },
	[ACT_CONSOLE]       = { "console",       { "00", "00", "00",  "00", "11", "01" } },
};

/* Of these two alone somebody is exempt. */
static bool is_exempt(enum preset preset, const struct caller *caller)
{
	if (preset == PRESET_OCTOPUS)
		return caller->permissions & BIT(PERM_SYSTEM_ADMINISTER);
	return preset == PRESET_CLOUDIFY && (caller->permissions & BIT(PERM_MAINTENANCE_BYPASS)) &&
	       caller->asks_bypass;
}

static void every_act_meets_its_value_under_every_preset_phase_and_role(void **state)
{
	(void)state;
	for (int act = 0; act < ACTS; act++) {
		assert_string_equal(act_name((enum act)act), truth[act].act);
		for (int preset = 0; preset < PRESETS; preset++) {
			for (int column = 0; column < POLICY_PHASES; column++) {
				struct hold hold = make_hold(7, (enum preset)preset, HOLD_DRAINING + column);
				const char *values = truth[act].values[preset];
				for (int who = 0; who < ROLES * 2; who++) {
					struct caller caller = { .permissions = role_permissions(
									 (enum role)(who / 2)),
								 .asks_bypass = who % 2 };
					bool passes = values[2] == '*' && is_exempt((enum preset)preset, &caller);
					assert_int_equal(value_under(&hold, (enum act)act, &caller),
							 passes ? 0 : values[column] - '0');
				}
			}
		}
	}
}

static void a_hold_that_is_not_in_force_holds_nothing(void **state)
{
	(void)state;
	for (int act = 0; act < ACTS; act++) {
		for (int preset = 0; preset < PRESETS; preset++) {
			struct hold planned = make_hold(7, (enum preset)preset, HOLD_PLANNED);
			struct hold ended = make_hold(7, (enum preset)preset, HOLD_ENDED);
			assert_int_equal(value_under(&planned, (enum act)act, &nobody), 0);
			assert_int_equal(value_under(&ended, (enum act)act, &nobody), 0);
		}
	}
}

static bool same(struct ruling a, struct ruling b)
{
	return a.axis == b.axis && a.value == b.value && a.hold == b.hold;
}

/* Every ruling that can be given on an axis: nothing, or each value by each of three holds. */
static size_t all_rulings(enum axis axis, const struct hold holds[3], struct ruling *rulings)
{
	size_t count = 0;
	rulings[count++] = (struct ruling){ .axis = axis };
	for (uint8_t value = 1; value < axis_value_count(axis); value++)
		for (size_t i = 0; i < 3; i++)
			rulings[count++] = (struct ruling){ axis, value, &holds[i] };
	return count;
}

static void the_join_is_associative_commutative_and_idempotent(void **state)
{
	(void)state;
	const struct hold holds[3] = {
		make_hold(1, PRESET_DEFAULT, HOLD_DRAINING), make_hold(2, PRESET_GOCD, HOLD_DRAINING),
		make_hold(3, PRESET_UIPATH, HOLD_SUSPENDED),
	};
	for (int axis = 0; axis < AXES; axis++) {
		struct ruling all[1 + 3 * AXIS_VALUES];
		size_t count = all_rulings((enum axis)axis, holds, all);
		for (size_t a = 0; a < count; a++) {
			assert_true(same(ruling_join(all[a], all[a]), all[a]));
			assert_true(same(ruling_join(all[a], all[0]), all[a]));
			for (size_t b = 0; b < count; b++) {
				struct ruling ab = ruling_join(all[a], all[b]);
				assert_true(same(ab, ruling_join(all[b], all[a])));
				assert_true(ab.value >= all[a].value && ab.value >= all[b].value);
				assert_int_equal(ab.value == 0, ab.hold == NULL);
				/* Of equally strong ones the oldest is named. */
				if (ab.hold && all[a].value == all[b].value)
					assert_true(ab.hold->id.value <= all[a].hold->id.value &&
						    ab.hold->id.value <= all[b].hold->id.value);
				for (size_t c = 0; c < count; c++)
					assert_true(same(ruling_join(ab, all[c]),
							 ruling_join(all[a], ruling_join(all[b], all[c]))));
			}
		}
	}
}

static const char *const scopes[] = {
	"instance",  "tenant/1", "tenant/2", "namespace/1/ops", "namespace/1/ops.db",
	"flow/1/17", "pool/big", "agent/3",  "node/2",
};
static const struct scope_path paths[] = {
	{ .node = 0 },
	{ .tenant = { 1 } },
	{ .tenant = { 1 }, .name_space = "ops.db", .flow = { 17 } },
	{ .tenant = { 2 }, .name_space = "ops", .flow = { 18 } },
	{ .pool = "big", .agent = { 3 } },
	{ .tenant = { 1 }, .name_space = "ops", .flow = { 19 }, .pool = "big", .agent = { 4 } },
	{ .node = 2 },
};

static struct hold random_hold(int64_t id)
{
	struct hold hold =
		make_hold(id, (enum preset)test_random(PRESETS), (enum hold_phase)test_random(HOLD_PHASES));
	struct error error;
	assert_works(scope_parse(scopes[test_random(COUNT_OF(scopes))], &hold.scope, &error));
	return hold;
}

/* So the order of holds does not matter, and ending one changes nothing that another gives. */
static void many_holds_rule_as_the_join_of_each_alone(void **state)
{
	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct hold list[6];
		struct hold_set holds = { .list = list, .count = test_random(COUNT_OF(list) + 1) };
		for (size_t i = 0; i < holds.count; i++)
			list[i] = random_hold((int64_t)(1 + test_random(1000)) * 10 + (int64_t)i);
		struct caller caller = { .permissions = role_permissions((enum role)test_random(ROLES)),
					 .asks_bypass = test_random(2) };
		const struct scope_path *path = &paths[test_random(COUNT_OF(paths))];
		for (int act = 0; act < ACTS; act++) {
			struct ruling joined = { .axis = act_axis((enum act)act) };
			for (size_t i = holds.count; i-- > 0;) {
				struct hold_set alone = { .list = &list[i], .count = 1 };
				joined = ruling_join(joined, gate_rule(&alone, (enum act)act, &caller, path));
			}
			assert_true(same(gate_rule(&holds, (enum act)act, &caller, path), joined));
		}
	}
}

static void a_hold_on_a_place_has_only_dispatch(void **state)
{
	(void)state;
	static const struct { const char *scope; struct scope_path path;
	} places[] = {
		{ "pool/big", { .pool = "big" } },
		{ "agent/3",
		  { .tenant = { 1 }, .name_space = "ops", .flow = { 17 }, .pool = "big", .agent = { 3 } } },
		{ "node/2", { .node = 2 } },
	};
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		for (int preset = 0; preset < PRESETS; preset++) {
			struct hold hold = make_hold(7, (enum preset)preset, HOLD_SUSPENDED);
			struct error error;
			assert_works(scope_parse(places[i].scope, &hold.scope, &error));
			struct hold_set holds = { .list = &hold, .count = 1 };
			bool holds_dispatch = hold.policy.values[POLICY_SUSPENDED][AXIS_DISPATCH] == DISPATCH_HOLD;
			for (int act = 0; act < ACTS; act++) {
				bool is_new_there = act == ACT_START || act == ACT_POLL || act == ACT_ADVANCE;
				assert_int_equal(gate_rule(&holds, (enum act)act, &nobody, &places[i].path).value,
						 is_new_there && holds_dispatch);
			}
		}
	}
}

/* A change of a setting stands on the instance: no tenant's hold refuses it. */
static void an_act_above_a_holds_scope_is_not_covered(void **state)
{
	(void)state;
	for (size_t i = 1; i < COUNT_OF(scopes); i++) {
		struct hold hold = make_hold(7, PRESET_CLOUDIFY, HOLD_SUSPENDED);
		struct error error;
		assert_works(scope_parse(scopes[i], &hold.scope, &error));
		for (int act = 0; act < ACTS; act++)
			assert_int_equal(value_under(&hold, (enum act)act, &nobody), 0);
	}
}

static void what_an_exemption_admitted_starts_and_goes_on_under_the_same_hold(void **state)
{
	(void)state;
	struct hold list[2] = { make_hold(7, PRESET_CLOUDIFY, HOLD_DRAINING),
				make_hold(8, PRESET_GOCD, HOLD_DRAINING) };
	struct hold_set one = { .list = list, .count = 1 }, both = { .list = list, .count = 2 };
	struct hold_id past[] = { { 5 }, { 7 } };
	struct caller admitted = { .admitted_past = past, .admitted_past_count = COUNT_OF(past) };
	for (int act = 0; act < ACTS; act++) {
		bool goes_on = act == ACT_START || act == ACT_ADVANCE;
		uint8_t alone = gate_rule(&one, (enum act)act, &nobody, &instance_path).value;
		assert_int_equal(gate_rule(&one, (enum act)act, &admitted, &instance_path).value,
				 goes_on ? 0 : alone);
	}
	/* Another hold is another matter. */
	struct ruling ruling = gate_rule(&both, ACT_START, &admitted, &instance_path);
	assert_int_equal(ruling.value, DISPATCH_HOLD);
	assert_int_equal(ruling.hold->id.value, 8);
}

static void a_refusal_names_the_hold_its_reason_and_its_end(void **state)
{
	(void)state;
	struct hold hold = make_hold(7, PRESET_GOCD, HOLD_DRAINING);
	struct hold_set holds = { .list = &hold, .count = 1 };
	struct error error;
	hold.expires_ms = 1700000000000;
	struct ruling ruling = gate_rule(&holds, ACT_SUBMIT, &nobody, &instance_path);
	assert_refuses(ruling_allows(&ruling, &error), ERR_HELD, "hold 7 (draining) by ann: disk");
	assert_int_equal(error.hold, 7);
	assert_int_equal(error.until_ms, 1700000000000);
	assert_string_equal(error.reason, "disk");

	/* A long reason is cut at a whole character. */
	char reason[600];
	for (size_t i = 0; i + 2 < sizeof(reason); i += 2)
		memcpy(reason + i, "\xC3\xA4\0", 3);
	hold.reason = reason;
	assert_refuses(ruling_allows(&ruling, &error), ERR_HELD, "hold 7");
	assert_int_equal(strlen(error.reason), 254);
	hold.reason = "";
	assert_refuses(ruling_allows(&ruling, &error), ERR_HELD, "no reason given");

	struct ruling open = gate_rule(&holds, ACT_READ, &nobody, &instance_path);
	assert_true(ruling_allows(&open, &error));
}

static void exemption_is_for_what_callers_do(void **state)
{
	(void)state;
	for (int act = 0; act < ACTS; act++) {
		enum axis axis = act_axis((enum act)act);
		bool expected = axis == AXIS_SUBMIT || axis == AXIS_CHANGE || axis == AXIS_INTERRUPT ||
				act == ACT_READ;
		assert_int_equal(act_can_be_exempt((enum act)act), expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_act_meets_its_value_under_every_preset_phase_and_role),
		cmocka_unit_test(a_hold_that_is_not_in_force_holds_nothing),
		cmocka_unit_test(the_join_is_associative_commutative_and_idempotent),
		cmocka_unit_test(many_holds_rule_as_the_join_of_each_alone),
		cmocka_unit_test(a_hold_on_a_place_has_only_dispatch),
		cmocka_unit_test(an_act_above_a_holds_scope_is_not_covered),
		cmocka_unit_test(what_an_exemption_admitted_starts_and_goes_on_under_the_same_hold),
		cmocka_unit_test(a_refusal_names_the_hold_its_reason_and_its_end),
		cmocka_unit_test(exemption_is_for_what_callers_do),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
