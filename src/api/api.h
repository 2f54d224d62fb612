/*
 * Lull's own API, /v1: from a request to a call on a lane, and from the call's result to an answer.
 *
 * One table row a route. A query parameter that the row does not name is refused, as is one that comes twice. `read`
 * looks at the request on an HTTP thread and fills in what the op needs; `run` does the op in a transaction of the
 * lane; `write` turns its result into JSON, after COMMIT, while the transaction's arena still lives. Who may do what
 * is decided by the ops.
 */
#ifndef LULL_API_API_H
#define LULL_API_API_H

#include <stdatomic.h>

#include "http/request.h"
#include "http/router.h"
#include "json/reader.h"
#include "json/writer.h"
#include "lane/lane.h"
#include "ops/identity.h"

struct api_settings {
	struct lane *writes;
	struct lane *reads;
	struct lane *sign_ins;           /* reads that hash passwords */
	const char *version;
	const char *data;                /* the data folder, told by GET /v1/status */
	instant started_ms;
	atomic_bool *is_ready;           /* false while the server starts or stops */
};

struct api;
struct api_call;

enum api_lane { API_HERE, API_READ, API_COMMAND, API_OTHER, API_SUBMIT, API_EXCHANGE, API_SIGN_IN };

struct api_route {
	enum http_method method;
	const char *pattern;
	const char *query;               /* the query parameters that it takes, one space between them */
	enum api_lane lane;
	int status;                      /* of an answer without an error, unless `run` sets another */
	bool (*read)(struct api_call *call, struct error *error);              /* NULL: nothing to read */
	bool (*run)(struct tx *tx, struct api_call *call, struct error *error); /* NULL where lane is API_HERE */
	void (*write)(struct api_call *call, struct writer *out);              /* NULL: it fills response itself */
	const char *summary;
};

/* One request on its way. */
struct api_call {
	struct call call;                /* its arena holds what `read` makes */
	struct api *api;
	struct http_request *request;
	const struct api_route *route;
	struct route_match match;
	struct credential credential;
	int status;
	struct http_response response;
	void *in;                        /* the resource file's own: what was read */
	void *out;                       /* … and what the op answered */
};

/* Opens the table; the lanes stay the caller's and outlive it. */
struct api *api_open(const struct api_settings *settings);
void api_close(struct api *api);
const struct api_settings *api_settings_of(const struct api_call *call);
/* An http_handler; `context` is the struct api. */
void api_handle(void *context, struct http_request *request);

/* The tables of the resources, each ended by a row without a pattern. */
extern const struct api_route api_server_routes[];
extern const struct api_route api_account_routes[];
extern const struct api_route api_flow_routes[];
extern const struct api_route api_execution_routes[];
extern const struct api_route api_submit_routes[];
extern const struct api_route api_maintenance_routes[];
extern const struct api_route api_agent_routes[];

/* For `read`: the value of a path parameter. */
const char *api_parameter(const struct api_call *call, const char *name);
/* The path parameter as a positive number. False: ERR_NOT_FOUND. */
bool api_number(const struct api_call *call, const char *name, int64_t *number, struct error *error) MUST_CHECK;
/* A query parameter as a number; `fallback` if it is not there. False: ERR_INVALID. */
bool api_query_int(const struct api_call *call, const char *name, int64_t low, int64_t high, int64_t fallback,
		   int64_t *number, struct error *error) MUST_CHECK;
/*
 * `?until=WHAT&wait=30s`: has the read run again when an effect of this kind and subject comes, for at most a minute.
 * Without the two nothing is watched. False: ERR_INVALID.
 */
bool api_query_wait(struct api_call *call, const char *until, enum effect_kind kind, int64_t subject,
		    struct error *error) MUST_CHECK;
/* The body as a JSON object with these members only; an empty body reads as {}. Give back with json_decref. */
bool api_body(struct api_call *call, const char *const *known, json_t **root, struct error *error) MUST_CHECK;

/* For `run`, in a read that watches: nothing more to wait for. */
void api_wait_is_over(struct api_call *call);

#endif
