/*
 * Every bound on what comes from outside, in one place. Each is told in the error that it gives.
 */
#ifndef LULL_BASE_LIMITS_H
#define LULL_BASE_LIMITS_H

enum {
	/* Requests. */
	LIMIT_BODY_BYTES = 4 << 20,
	LIMIT_HEADER_BYTES = 16 << 10,
	LIMIT_URL_BYTES = 8 << 10,
	LIMIT_QUERY_PARAMETERS = 32,
	LIMIT_JSON_DEPTH = 32,
	LIMIT_PAGE_ITEMS = 1000,
	LIMIT_PAGE_ITEMS_DEFAULT = 100,
	LIMIT_LIST_SCAN = 20000,            /* rows looked at for one page of a filtered list */
	LIMIT_WAIT_MS = 60 * 1000,          /* one long request */
	LIMIT_SUBMIT_BATCH = 1000,
	LIMIT_KEY_BYTES = 200,              /* idempotency key */
	LIMIT_REASON_BYTES = 1000,
	LIMIT_TICKET_BYTES = 200,
	LIMIT_PRIORITY = 100,               /* -100 to 100 */

	/* Flows. */
	LIMIT_FLOW_BYTES = 1 << 20,
	LIMIT_YAML_DEPTH = 64,
	LIMIT_YAML_NODES = 100000,
	LIMIT_YAML_KEYS = 256,              /* of one map */
	LIMIT_NAME_BYTES = 63,              /* tenant, flow, task, input, agent, pool */
	LIMIT_NAMESPACE_BYTES = 190,
	LIMIT_DESCRIPTION_BYTES = 10000,
	LIMIT_TASKS = 1000,
	LIMIT_NEEDS = 100,
	LIMIT_COMMANDS = 100,
	LIMIT_COMMAND_BYTES = 64 << 10,
	LIMIT_LABELS = 32,
	LIMIT_LABEL_BYTES = 190,
	LIMIT_ENV = 100,
	LIMIT_ENV_BYTES = 64 << 10,         /* all of one task */
	LIMIT_INPUTS = 100,
	LIMIT_INPUT_BYTES = 100 << 10,      /* above this an input reaches its command as a file */
	LIMIT_INPUTS_BYTES = 1 << 20,       /* all of one execution */
	LIMIT_TASK_TIMEOUT_DAYS = 366,

	/* Agents. */
	LIMIT_SLOTS = 4096,
	LIMIT_AGENTS = 20000,
	LIMIT_EXCHANGE_REPORTS = 2048,
	LIMIT_OUTPUT_BYTES = 1 << 20,       /* kept of one attempt */
	LIMIT_OUTPUT_PART_BYTES = 64 << 10, /* of one report */
	LIMIT_LEASE_MS = 60 * 1000,
	LIMIT_LOST_AFTER_MS = 10 * 60 * 1000,

	/* Calls that wait for a lane. */
	LIMIT_QUEUE_COMMAND = 1024,
	LIMIT_QUEUE_REPORT = 65536,
	LIMIT_QUEUE_CLAIM = 65536,
	LIMIT_QUEUE_SUBMIT = 8192,
	LIMIT_QUEUE_OTHER = 4096,
	LIMIT_QUEUE_READ = 4096,
	LIMIT_BATCH_ROWS = 512,
	LIMIT_BATCH_US = 2000,

	LIMIT_HOLDS = 1000,
};

#endif
