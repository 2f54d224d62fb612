#include "core/axis.h"

#include <string.h>

#include "base/assert.h"

#define WIDE (BIT(SCOPE_INSTANCE) | BIT(SCOPE_TENANT))
#define WORK (WIDE | BIT(SCOPE_NAMESPACE) | BIT(SCOPE_FLOW))
#define ALL (WORK | BIT(SCOPE_POOL) | BIT(SCOPE_AGENT) | BIT(SCOPE_NODE))

static const struct {
	const char *name;
	unsigned scopes;
	const char *values[AXIS_VALUES];
} axes[AXES] = {
#define X(axis, name, scopes, ...) [axis] = { name, scopes, { __VA_ARGS__ } },
#include "core/axes.def"
#undef X
};

const char *axis_name(enum axis axis)
{
	ASSERT(axis < AXES);
	return axes[axis].name;
}

bool axis_parse(const char *name, enum axis *axis)
{
	for (int i = 0; i < AXES; i++) {
		if (strcmp(axes[i].name, name) != 0)
			continue;
		*axis = (enum axis)i;
		return true;
	}
	return false;
}

uint8_t axis_value_count(enum axis axis)
{
	ASSERT(axis < AXES);
	uint8_t count = 0;
	while (count < AXIS_VALUES && axes[axis].values[count])
		count++;
	return count;
}

const char *axis_value_name(enum axis axis, uint8_t value)
{
	ASSERT(axis < AXES && value < axis_value_count(axis));
	return axes[axis].values[value];
}

bool axis_value_parse(enum axis axis, const char *name, uint8_t *value)
{
	for (uint8_t i = 0; i < axis_value_count(axis); i++) {
		if (strcmp(axes[axis].values[i], name) != 0)
			continue;
		*value = i;
		return true;
	}
	return false;
}

unsigned axis_scopes(enum axis axis)
{
	ASSERT(axis < AXES);
	return axes[axis].scopes;
}

bool axis_exists_on(enum axis axis, enum scope_kind kind)
{
	ASSERT(kind < SCOPE_KINDS);
	return (axis_scopes(axis) & BIT(kind)) != 0;
}
