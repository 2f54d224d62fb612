#include "core/id.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/text.h"

struct execution_id execution_id_make(struct tenant_id tenant, int64_t number)
{
	ASSERT(tenant.value > 0 && number > 0 && number < EXECUTION_NUMBER_LIMIT);
	return (struct execution_id){ tenant.value * EXECUTION_NUMBER_LIMIT + number };
}

struct tenant_id execution_id_tenant(struct execution_id id)
{
	return (struct tenant_id){ id.value / EXECUTION_NUMBER_LIMIT };
}

int64_t execution_id_number(struct execution_id id)
{
	return id.value % EXECUTION_NUMBER_LIMIT;
}

const char *attempt_id_format(struct attempt_id id, char text[ATTEMPT_TEXT_BYTES])
{
	snprintf(text, ATTEMPT_TEXT_BYTES, "%" PRId64 ".%" PRId32 ".%" PRId32, id.execution, id.task, id.try);
	return text;
}

/* The number up to `end` ('.' or NUL), *at behind it. */
static bool read_part(const char **at, char end, int64_t low, int64_t high, int64_t *number)
{
	char digits[24];
	size_t length = strcspn(*at, ".");
	if (length >= sizeof(digits) || (*at)[length] != end)
		return false;
	memcpy(digits, *at, length);
	digits[length] = '\0';
	*at += length + (end == '.');
	return text_to_int64(digits, low, high, number);
}

bool attempt_id_parse(const char *text, struct attempt_id *id)
{
	int64_t execution, task, try;
	if (!read_part(&text, '.', EXECUTION_NUMBER_LIMIT, INT64_MAX, &execution) ||
	    !read_part(&text, '.', 0, INT32_MAX, &task) || !read_part(&text, '\0', 1, INT32_MAX, &try))
		return false;
	*id = (struct attempt_id){ execution, (int32_t)task, (int32_t)try };
	return true;
}

bool attempt_id_same(struct attempt_id a, struct attempt_id b)
{
	return a.execution == b.execution && a.task == b.task && a.try == b.try;
}
