/*
 * Identifiers. Each is a structure of its own, so that the compiler keeps them apart.
 *
 * An execution's id carries its tenant: tenant * 2^40 + number, the number counting from 1 within the
 * tenant. So the table's key keeps tenants apart, no second index is needed, and what people see is only
 * (tenant, number): a global number would tell one tenant another's volume.
 */
#ifndef LULL_CORE_ID_H
#define LULL_CORE_ID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct tenant_id { int64_t value; };       /* 1 is `main`; below 2^22 */
struct flow_id { int64_t value; };
struct execution_id { int64_t value; };
struct agent_id { int64_t value; };
struct hold_id { int64_t value; };
struct account_id { int64_t value; };
struct backlog_id { int64_t value; };
struct need_id { int64_t value; };

#define TENANT_MAIN INT64_C(1)
#define EXECUTION_NUMBER_LIMIT (INT64_C(1) << 40)

/* A try of a task of an execution. `task` is the place in the revision's list, `try` counts from 1. */
struct attempt_id {
	int64_t execution;
	int32_t task;
	int32_t try;
};

enum { ATTEMPT_TEXT_BYTES = 48 };

/* 1 <= number < EXECUTION_NUMBER_LIMIT. */
struct execution_id execution_id_make(struct tenant_id tenant, int64_t number) MUST_CHECK;
struct tenant_id execution_id_tenant(struct execution_id id) MUST_CHECK;
int64_t execution_id_number(struct execution_id id) MUST_CHECK;

/* "<execution>.<task>.<try>", the attempt's name towards agents and in spools; answers `text`. */
const char *attempt_id_format(struct attempt_id id, char text[ATTEMPT_TEXT_BYTES]);
/* False, *id untouched: `text` is no attempt's name. */
bool attempt_id_parse(const char *text, struct attempt_id *id) MUST_CHECK;
bool attempt_id_same(struct attempt_id a, struct attempt_id b) MUST_CHECK;

#endif
