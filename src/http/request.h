/*
 * A request and its answer, as the handlers of api and doors see them. Which library speaks HTTP is not
 * visible here; whoever wants to try a handler without a server fills a struct http_request by hand.
 *
 * A request comes whole: headers and body have arrived and passed the guards (guard.h, target.h). It is
 * answered exactly once, at once or later and from any thread. Until then its connection is parked: it costs
 * memory but no thread. What it points to lives until the answer is given.
 */
#ifndef LULL_HTTP_REQUEST_H
#define LULL_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/buffer.h"
#include "base/error.h"

enum http_method { HTTP_GET, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_OPTIONS, HTTP_METHODS };

/* A header or a query parameter. */
struct http_field {
	const char *name;
	const char *value;
};

/* Who sent the request. */
struct http_peer {
	bool is_local;             /* came through a Unix socket */
	uid_t uid;                 /* the kernel's word for who that is; with is_local only */
	char address[46];          /* "192.0.2.1", "2001:db8::1"; "" with is_local */
};

struct http_request {
	enum http_method method;   /* HEAD shows as HTTP_GET; its answer's body is not sent */
	const char *path;          /* decoded, begins with '/', UTF-8 without control characters or dot segments */
	const struct http_field *query;    /* decoded, UTF-8 without NUL; a name without '=' has the value "" */
	size_t query_count;
	const struct http_field *headers;  /* as received, without control characters but TAB */
	size_t header_count;
	const char *body;          /* any bytes, with a NUL after them */
	size_t body_length;
	const struct http_peer *peer;
	void *user;                /* the handler's own; NULL at first */
};

/* The value of the first header of this name, whatever its case; NULL if there is none. */
const char *http_request_header(const struct http_request *request, const char *name) MUST_CHECK;
/* The value of the first query parameter of this name; NULL if there is none. */
const char *http_request_query(const struct http_request *request, const char *name) MUST_CHECK;
/* "GET"; HTTP_METHODS for a method that is not served. */
const char *http_method_name(enum http_method method) MUST_CHECK;
enum http_method http_method_from_name(const char *name) MUST_CHECK;

/* An answer in the making. Zeroed: no header, no body; a status has to be set. */
struct http_response {
	int status;
	const char *content_type;  /* lives as long as the program; NULL: none is sent */
	struct buffer headers;     /* filled by http_response_header */
	struct buffer body;
};

/* Adds a header; both texts are copied. A control character in the value becomes '?'. */
void http_response_header(struct http_response *response, const char *name, const char *value);
/* The headers one by one: start with *place = 0. False: no more. */
bool http_response_next_header(const struct http_response *response, size_t *place, struct http_field *header)
	MUST_CHECK;
void http_response_fini(struct http_response *response);

/*
 * Answers the request, from any thread, exactly once. Takes what the response owns, so nothing is copied and
 * the response is empty afterwards. The request is not to be touched any more. If the client is gone, the
 * answer is dropped.
 */
void http_answer(struct http_request *request, struct http_response *response);
/* Answers with the problem document of `error` (problem.h). */
void http_problem(struct http_request *request, const struct error *error);

/*
 * Has `gone` called, at most once, if the client hangs up before the answer; at once if it already has. A client
 * that has closed only its sending side counts as gone too. The owner then gives up what it does for the request
 * and answers it with whatever it likes: an answer is due in every case, only then is the request freed.
 *
 * `gone` runs on the server's watching thread, so it is short and does not wait. It may run while another thread
 * is giving the answer; after http_answer was called it does not begin any more. What may be relied on:
 *	- the request stays allocated until `gone` has returned, so no other request has the same address meanwhile;
 *	- who answers is for the owner to decide, under its own lock: whoever takes the request out of the owner's
 *	  list answers it. So the owner calls this function under that lock, once the request is in the list;
 *	- no lock of the server is held while `gone` runs, and none that `gone` could meet while this one runs.
 */
void http_request_on_gone(struct http_request *request, void (*gone)(struct http_request *request));

#endif
