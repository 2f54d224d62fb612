/*
 * Who may do what: permissions, and the roles that bundle them. One table, permission.def.
 */
#ifndef LULL_CORE_PERMISSION_H
#define LULL_CORE_PERMISSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

enum permission {
#define ROLE(role, name)
#define X(permission, name, roles) permission,
#include "core/permission.def"
#undef X
#undef ROLE
	PERMISSIONS
};

enum role {
#define ROLE(role, name) role,
#define X(permission, name, roles)
#include "core/permission.def"
#undef X
#undef ROLE
	ROLES
};

/* Stands in a table's row for "no permission asked" and in a policy for "nobody". */
#define PERM_NONE PERMISSIONS

/* Names as the API writes them; parsing answers false for a name that is none. */
const char *permission_name(enum permission permission) MUST_CHECK;
bool permission_parse(const char *name, enum permission *permission) MUST_CHECK;
const char *role_name(enum role role) MUST_CHECK;
bool role_parse(const char *name, enum role *role) MUST_CHECK;
/* What the role may do, BIT(permission) each. */
uint32_t role_permissions(enum role role) MUST_CHECK;

#endif
