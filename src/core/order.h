/*
 * What passes between server and agent about attempts: what an agent knows, what it reports, what it is told.
 * wire/exchange.h says how these look in JSON and in which order they come.
 */
#ifndef LULL_CORE_ORDER_H
#define LULL_CORE_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/instant.h"
#include "core/flow.h"
#include "core/id.h"
#include "core/life.h"

enum known_phase { KNOWN_HANDED, KNOWN_BEGUN, KNOWN_ENDED };

struct known_attempt {
	struct attempt_id attempt;
	enum known_phase phase;
};

enum report_kind { REPORT_BEGAN, REPORT_OUTPUT, REPORT_ENDED, REPORT_TAKEN_BACK };

struct report {
	struct attempt_id attempt;
	enum report_kind kind;
	instant at_ms;                          /* began, ended */
	instant began_ms;                       /* ended: 0 if it never began */
	int64_t offset;                         /* output */
	const char *bytes;
	size_t length;
	enum result result;                     /* ended, from here on */
	int32_t exit_code;
	int32_t signal;
	int64_t output_bytes;                   /* all that the attempt wrote, cut or not */
	bool cut;
	const char *detail;                     /* "" or a sentence for people */
};

enum order_kind { ORDER_START, ORDER_STOP, ORDER_KILL, ORDER_TAKE_BACK };

struct text_pair {
	const char *name;
	const char *value;
};

struct order {
	int64_t seq;
	enum order_kind kind;
	struct attempt_id attempt;
	/* ORDER_START only, from here on. */
	const char *tenant;
	const char *flow;                       /* namespace.id */
	const char *task;                       /* its id */
	enum task_type type;
	const char **commands;
	size_t command_count;
	struct text_pair *env;
	size_t env_count;
	struct text_pair *inputs;
	size_t input_count;
	const char *message;                    /* log */
	int64_t duration_ms;                    /* sleep */
	int64_t timeout_ms;                     /* 0: none */
};

struct refused_report {
	struct attempt_id attempt;
	const char *detail;
};

struct hello {
	const char *agent;
	const char *pool;
	const char **labels;
	size_t label_count;
	int32_t slots;
	const char *boot;
	const char *spool;                      /* random identity of the agent's spool folder */
	const char *host;
	const char *version;
	int64_t pid;
	struct known_attempt *attempts;
	size_t attempt_count;
};

struct hello_answer {
	int64_t session;
	int64_t lease_ms;
	struct attempt_id *forget;
	size_t forget_count;
};

struct exchange {
	int64_t session;
	int64_t got;
	int32_t free;
	int64_t wait_ms;
	struct report *reports;
	size_t report_count;
};

struct exchange_answer {
	int64_t seq;
	struct order *orders;
	size_t order_count;
	struct refused_report *refused;
	size_t refused_count;
};

#endif
