/*
 * Where a server is and how to speak to it: what client.h and multi.h have in common. The only place that sets
 * options of the library which are about safety.
 *
 * Only http and https, no redirects (a token goes where it was sent, nowhere else), no proxy for this machine's own
 * addresses and sockets, answers of a bounded size. The token is in no error and in no log.
 */
#ifndef LULL_CLIENT_ENDPOINT_H
#define LULL_CLIENT_ENDPOINT_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buffer.h"
#include "base/error.h"

enum { ENDPOINT_ANSWER_BYTES = 64 << 20, ENDPOINT_CONNECT_MS = 10 * 1000 };

/* All own. */
struct endpoint {
	char *base;                        /* "https://lull.example:7460", without a slash at its end */
	char *socket_path;                 /* NULL: TCP */
	char *authorization;               /* the header line; NULL: none */
	bool is_own_machine;
};

/* One request being made; `answer` collects its body. */
struct endpoint_call {
	CURL *handle;
	struct curl_slist *headers;
	struct buffer answer;
	size_t answer_bytes;               /* most of it */
	bool is_too_long;
	char complaint[CURL_ERROR_SIZE];   /* of the library */
};

/*
 * `url` may be NULL with a socket path. False: ERR_INVALID for an URL that is not http(s)://host[:port][/path], or
 * has a password in it, and for a token with control characters.
 */
bool endpoint_init(struct endpoint *endpoint, const char *url, const char *socket_path, const char *token,
		   struct error *error) MUST_CHECK;
void endpoint_fini(struct endpoint *endpoint);

/* A call with everything set that does not change between requests; kept and used again for the next one. */
void endpoint_call_init(const struct endpoint *endpoint, struct endpoint_call *call);
void endpoint_call_fini(struct endpoint_call *call);
/* Where the next request goes: `target` is a path with an optional query, percent-coded. Empties the answer. */
void endpoint_aim(const struct endpoint *endpoint, struct endpoint_call *call, const char *target, int64_t answer_ms);
/*
 * What a failed transfer means to a person. Always answers false: ERR_UNREACHABLE, ERR_TOO_LARGE. `changes`: the
 * request may have been carried out, which the text then says.
 */
bool endpoint_explain(const struct endpoint *endpoint, const struct endpoint_call *call, CURLcode code, bool changes,
		      struct error *error);

#endif
