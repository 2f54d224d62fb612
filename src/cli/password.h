/*
 * A password: from the terminal without echo, or the first line of standard input.
 */
#ifndef LULL_CLI_PASSWORD_H
#define LULL_CLI_PASSWORD_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"

enum { PASSWORD_BYTES = 1024 };

/* Asks on standard error where a terminal is read. False: ERR_INVALID, there is none or it is too long. */
bool password_read(const char *account, char password[PASSWORD_BYTES], struct error *error) MUST_CHECK;
/* Gives the terminal its echo back if password_read took it; may be called in a signal handler. */
void password_restore_terminal(void);

#endif
