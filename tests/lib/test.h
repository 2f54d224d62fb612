/*
 * What every C test includes: cmocka with what its header asks for, and a few words of ours.
 * A test program speaks TAP to tools/test; its seed for random numbers is LULL_SEED or the same every time.
 */
#ifndef LULL_TEST_H
#define LULL_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"

/* `call` is an expression that takes &error and answers true; otherwise the error's detail is shown. */
#define assert_works(call) \
	do { \
		if (!(call)) \
			fail_msg("%s: %s", #call, error.detail); \
	} while (0)

/* `call` answers false and sets `expected` with a detail in which `part` occurs. */
#define assert_refuses(call, expected, part) \
	do { \
		error_clear(&error); \
		assert_false(call); \
		test_error_is(&error, expected, part, #call); \
	} while (0)

/* Fails the test unless `error` has this code and its detail contains `part`. */
void test_error_is(const struct error *error, enum error_code code, const char *part, const char *call);
/* The next number of a sequence that depends on the seed only, below `limit` > 0. */
uint64_t test_random(uint64_t limit);

#endif
