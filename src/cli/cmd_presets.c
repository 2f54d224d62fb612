#include <stdio.h>
#include <string.h>

#include "cli/errand.h"
#include "cli/handlers.h"
#include "cli/table.h"
#include "core/axis.h"
#include "core/policy.h"

enum { VALUE_BYTES = 64 };

/* "accept/refuse", or one word where draining and suspended are the same; "-" for what holds back nothing. */
static const char *say_value(const struct policy *policy, enum axis axis, char text[VALUE_BYTES])
{
	const char *words[POLICY_PHASES];
	for (int phase = 0; phase < POLICY_PHASES; phase++) {
		uint8_t value = policy->values[phase][axis];
		words[phase] = value ? axis_value_name(axis, value) : "-";
	}
	bool is_one = strcmp(words[POLICY_DRAINING], words[POLICY_SUSPENDED]) == 0;
	snprintf(text, VALUE_BYTES, is_one ? "%s" : "%s / %s", words[POLICY_DRAINING], words[POLICY_SUSPENDED]);
	return text;
}

static void show_table(void)
{
	struct column columns[1 + PRESETS + 1] = { { "HOLDS BACK", COLUMN_TEXT } };
	char text[VALUE_BYTES];
	for (int preset = 0; preset < PRESETS; preset++)
		columns[1 + preset] = (struct column){ preset_name((enum preset)preset), COLUMN_TEXT };
	struct table *table = table_open(columns);
	for (int axis = 0; axis < AXES; axis++) {
		table_row(table);
		table_text(table, axis_name((enum axis)axis));
		for (int preset = 0; preset < PRESETS; preset++)
			table_text(table, say_value(preset_policy((enum preset)preset), (enum axis)axis, text));
	}
	table_row(table);
	table_text(table, "what runs");
	for (int preset = 0; preset < PRESETS; preset++)
		table_text(table, running_name(preset_policy((enum preset)preset)->running));
	table_close(table, "");
}

/* All words are names of ours, so nothing needs escaping. */
static void show_json(void)
{
	printf("{\"items\":[");
	for (int preset = 0; preset < PRESETS; preset++) {
		const struct policy *policy = preset_policy((enum preset)preset);
		printf("%s{\"preset\":\"%s\",\"policy\":{", preset ? "," : "", preset_name((enum preset)preset));
		for (int axis = 0; axis < AXES; axis++)
			printf("%s\"%s\":[\"%s\",\"%s\"]", axis ? "," : "", axis_name((enum axis)axis),
			       axis_value_name((enum axis)axis, policy->values[POLICY_DRAINING][axis]),
			       axis_value_name((enum axis)axis, policy->values[POLICY_SUSPENDED][axis]));
		printf("},\"running\":\"%s\",\"suspend\":\"%s\",\"restart\":\"%s\"}", running_name(policy->running),
		       suspend_name(policy->suspend), restart_name(policy->restart));
	}
	printf("]}\n");
}

bool cmd_maintenance_presets(struct errand *errand, struct error *error)
{
	(void)error;
	if (errand->is_json)
		show_json();
	else
		show_table();
	return true;
}
