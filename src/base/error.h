/*
 * What went wrong, for the caller of a function and for a person.
 *
 * A function that can fail in an expected way returns bool, must be checked, and ends with
 * `struct error *error`. True: its outputs are set and the error is not touched. False: the
 * error is set and the outputs are as they were. Codes come from error.def, which gives the
 * title, the HTTP status and the exit code. A detail says what is wrong and what to do.
 */
#ifndef LULL_BASE_ERROR_H
#define LULL_BASE_ERROR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

enum error_code {
	ERR_NONE = 0,
#define X(code, title, status, exit_code) code,
#include "base/error.def"
#undef X
	ERROR_CODES
};

struct error {
	enum error_code code;
	char detail[512];        /* UTF-8, cut at a whole character */
	/* Set with ERR_HELD only: the hold that refused, its reason, when it is planned to end (0: not known). */
	int64_t hold;
	char reason[256];
	int64_t until_ms;
};

/* Sets code and detail, clears the rest. Always answers false, so that a function can end with it. */
bool error_set(struct error *error, enum error_code code, const char *format, ...) PRINTF_LIKE(3, 4);
/* Puts the formatted text and ": " before the detail. Always answers false. */
bool error_prefix(struct error *error, const char *format, ...) PRINTF_LIKE(2, 3);
/* No error. */
void error_clear(struct error *error);

/* Fixed texts and numbers of a code, from error.def. */
const char *error_name(enum error_code code) MUST_CHECK;
const char *error_title(enum error_code code) MUST_CHECK;
int error_http_status(enum error_code code) MUST_CHECK;
int error_exit_code(enum error_code code) MUST_CHECK;
/* The code whose name this is ("ERR_HELD"), ERR_INTERNAL for a name that is not known. */
enum error_code error_from_name(const char *name) MUST_CHECK;

#endif
