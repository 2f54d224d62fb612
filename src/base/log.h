/*
 * One line a fact, on standard error. Only server, agent and cli log; what lies below answers with an error.
 * No secret ever comes here: log names, numbers and details of errors, never headers, bodies or environments.
 */
#ifndef LULL_BASE_LOG_H
#define LULL_BASE_LOG_H

#include "base/attr.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* Lines weaker than `level` are dropped (LOG_INFO at first); `who` starts each line ("server", "agent"). */
void log_setup(enum log_level level, const char *who);
/* Writes "2026-11-21T04:30:00.123Z server warning text" in one write; control characters become '?'. Thread-safe. */
void log_line(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
