#include "core/scope.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/text.h"
#include "core/flow.h"

/* What stands behind the kind in a scope's text. */
static const struct {
	const char *name;
	bool has_tenant;
	bool has_id;
	bool has_name;
} kinds[SCOPE_KINDS] = {
	[SCOPE_INSTANCE]  = { "instance",  false, false, false },
	[SCOPE_TENANT]    = { "tenant",    true,  false, false },
	[SCOPE_NAMESPACE] = { "namespace", true,  false, true },
	[SCOPE_FLOW]      = { "flow",      true,  true,  false },
	[SCOPE_POOL]      = { "pool",      false, false, true },
	[SCOPE_AGENT]     = { "agent",     false, true,  false },
	[SCOPE_NODE]      = { "node",      false, true,  false },
};

/* "ops" is at or above "ops.db". */
static bool namespace_covers(const char *outer, const char *inner)
{
	size_t length = strlen(outer);
	return strncmp(outer, inner, length) == 0 && (inner[length] == '\0' || inner[length] == '.');
}

bool scope_covers(const struct scope *scope, const struct scope_path *path)
{
	switch (scope->kind) {
	case SCOPE_INSTANCE:
		return true;
	case SCOPE_TENANT:
		return path->tenant.value == scope->tenant.value;
	case SCOPE_NAMESPACE:
		return path->tenant.value == scope->tenant.value && path->name_space &&
		       namespace_covers(scope->name, path->name_space);
	case SCOPE_FLOW:
		return path->flow.value == scope->id;
	case SCOPE_POOL:
		return path->pool && strcmp(path->pool, scope->name) == 0;
	case SCOPE_AGENT:
		return path->agent.value == scope->id;
	case SCOPE_NODE:
		return path->node == scope->id;
	default:
		ASSERT(!"a scope is of a known kind");
	}
}

bool scope_is_place(const struct scope *scope)
{
	return scope->kind >= SCOPE_POOL;
}

bool scope_same(const struct scope *a, const struct scope *b)
{
	return a->kind == b->kind && a->id == b->id && a->tenant.value == b->tenant.value &&
	       strcmp(a->name, b->name) == 0;
}

const char *scope_format(const struct scope *scope, char text[SCOPE_TEXT_BYTES])
{
	ASSERT(scope->kind < SCOPE_KINDS);
	size_t at = (size_t)snprintf(text, SCOPE_TEXT_BYTES, "%s", kinds[scope->kind].name);
	if (kinds[scope->kind].has_tenant)
		at += (size_t)snprintf(text + at, SCOPE_TEXT_BYTES - at, "/%" PRId64, scope->tenant.value);
	if (kinds[scope->kind].has_id)
		at += (size_t)snprintf(text + at, SCOPE_TEXT_BYTES - at, "/%" PRId64, scope->id);
	if (kinds[scope->kind].has_name)
		at += (size_t)snprintf(text + at, SCOPE_TEXT_BYTES - at, "/%s", scope->name);
	ASSERT(at < SCOPE_TEXT_BYTES);
	return text;
}

/* Copies the part of *rest up to the next '/' or the end into `part`, *rest behind it. False: none, or too long. */
static bool next_part(const char **rest, char *part, size_t room)
{
	if (**rest == '\0')
		return false;
	size_t length = strcspn(*rest, "/");
	if (length == 0 || length >= room)
		return false;
	memcpy(part, *rest, length);
	part[length] = '\0';
	*rest += length + ((*rest)[length] == '/' && (*rest)[length + 1] != '\0');
	return true;
}

static bool next_number(const char **rest, int64_t *number)
{
	char part[24];
	return next_part(rest, part, sizeof(part)) && text_to_int64(part, 1, INT64_MAX, number);
}

static bool read_scope(const char *text, struct scope *scope)
{
	char kind[16];
	if (!next_part(&text, kind, sizeof(kind)) || !scope_kind_parse(kind, &scope->kind))
		return false;
	if (kinds[scope->kind].has_tenant && !next_number(&text, &scope->tenant.value))
		return false;
	if (kinds[scope->kind].has_id && !next_number(&text, &scope->id))
		return false;
	if (kinds[scope->kind].has_name && !next_part(&text, scope->name, sizeof(scope->name)))
		return false;
	if (scope->kind == SCOPE_NAMESPACE && !namespace_is_valid(scope->name))
		return false;
	if (scope->kind == SCOPE_POOL && !text_is_name(scope->name, LIMIT_NAME_BYTES, false))
		return false;
	return *text == '\0';
}

bool scope_parse(const char *text, struct scope *scope, struct error *error)
{
	struct scope read = { .kind = SCOPE_INSTANCE };
	if (!read_scope(text, &read))
		return error_set(error, ERR_INVALID, "\"%.100s\" is no scope", text);
	*scope = read;
	return true;
}

const char *scope_kind_name(enum scope_kind kind)
{
	ASSERT(kind < SCOPE_KINDS);
	return kinds[kind].name;
}

bool scope_kind_parse(const char *name, enum scope_kind *kind)
{
	for (int i = 0; i < SCOPE_KINDS; i++) {
		if (strcmp(kinds[i].name, name) != 0)
			continue;
		*kind = (enum scope_kind)i;
		return true;
	}
	return false;
}
