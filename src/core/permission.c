#include "core/permission.h"

#include <string.h>

#include "base/assert.h"

#define HOST BIT(ROLE_HOST_ADMINISTRATOR)
#define TENANT BIT(ROLE_TENANT_ADMINISTRATOR)
#define OPERATOR BIT(ROLE_OPERATOR)
#define EDITOR BIT(ROLE_EDITOR)
#define VIEWER BIT(ROLE_VIEWER)
#define AGENT BIT(ROLE_AGENT)

static const struct {
	const char *name;
	unsigned roles;
} permissions[PERMISSIONS] = {
#define ROLE(role, name)
#define X(permission, name, roles) [permission] = { name, roles },
#include "core/permission.def"
#undef X
#undef ROLE
};

static const char *const roles[ROLES] = {
#define ROLE(role, name) [role] = name,
#define X(permission, name, roles)
#include "core/permission.def"
#undef X
#undef ROLE
};

_Static_assert(PERMISSIONS <= 32, "permissions fit the bits of a uint32_t");

const char *permission_name(enum permission permission)
{
	ASSERT(permission < PERMISSIONS);
	return permissions[permission].name;
}

bool permission_parse(const char *name, enum permission *permission)
{
	for (int i = 0; i < PERMISSIONS; i++) {
		if (strcmp(permissions[i].name, name) != 0)
			continue;
		*permission = (enum permission)i;
		return true;
	}
	return false;
}

const char *role_name(enum role role)
{
	ASSERT(role < ROLES);
	return roles[role];
}

bool role_parse(const char *name, enum role *role)
{
	for (int i = 0; i < ROLES; i++) {
		if (strcmp(roles[i], name) != 0)
			continue;
		*role = (enum role)i;
		return true;
	}
	return false;
}

uint32_t role_permissions(enum role role)
{
	ASSERT(role < ROLES);
	uint32_t bits = 0;
	for (int i = 0; i < PERMISSIONS; i++)
		if (permissions[i].roles & BIT(role))
			bits |= BIT(i);
	return bits;
}
