/*
 * An HTTP/1.1 server on one address. Several can be open in a process.
 *
 * A pool of threads reads and writes; the handler is called on one of them once a request is whole, must not
 * wait there, and answers by http_answer (request.h). What the server refuses by itself, with a problem document,
 * and never shows to the handler:
 *
 *	400  a broken path or query (target.h); two Host, none, two Content-Length, Content-Length beside
 *	     Transfer-Encoding, an unknown Transfer-Encoding, a folded header, a control character in one (guard.h)
 *	400  a Host that is not one of ours; 403 an unsafe method from a foreign page (guard.h)
 *	405  a method that nothing here serves
 *	413  a body above the limit: before it is read if its length is announced, else as soon as it has passed it
 *	431  headers or URL above LIMIT_HEADER_BYTES and LIMIT_URL_BYTES
 *	503  a request that begins after http_server_close was called
 *
 * What is not even a request line, and headers far above the limit, are refused by the library with a short page
 * of its own. Header names with a space before the colon and lines that end in a bare LF are accepted.
 *
 * Deadlines are absolute: a client that sends one byte a second is closed all the same. Between two requests
 * of a connection, the next one's headers have to be whole within `idle_ms`. While an answer is sent, a client
 * that takes no byte of it for `idle_ms` is closed.
 */
#ifndef LULL_HTTP_SERVER_H
#define LULL_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "http/request.h"

struct http_server;

/* Everything is borrowed for the call of http_server_open. 0 and NULL mean what is said behind. */
struct http_settings {
	const char *address;             /* a numeric address; "127.0.0.1" */
	int port;                        /* the kernel picks one */
	const char *socket_path;         /* a Unix socket instead, mode 0600; a stale one is replaced */
	unsigned thread_count;           /* 2 */
	size_t body_bytes;               /* LIMIT_BODY_BYTES */
	int64_t header_ms;               /* from the connection's begin until the first headers are whole; 10 s */
	int64_t body_ms;                 /* from the headers until the body is whole; 60 s */
	int64_t idle_ms;                 /* 75 s */
	unsigned connection_count;       /* most at a time; 16384 */
	unsigned connections_per_address; /* most at a time from one address, the rest are closed; no bound */
	/*
	 * NULL-ended: names, without port, that a Host header may have besides "localhost" and any numeric address
	 * (no page of another name can make a browser send these). Not looked at on a Unix socket. NULL: no more.
	 */
	const char *const *hosts;
	bool takes_any_host;             /* for agents only: they come by any name, and with a token */
};

/* Called on an HTTP thread; `context` is what http_server_open was given. */
typedef void http_handler(void *context, struct http_request *request);

/*
 * Opens a server that is served at once. False: ERR_CONFLICT if the address is in use, ERR_INVALID for
 * an address or path that cannot be one, ERR_SYSTEM.
 */
bool http_server_open(const struct http_settings *settings, http_handler *handler, void *context,
		      struct http_server **server, struct error *error) MUST_CHECK;
/* The TCP port that is bound; 0 for a Unix socket. */
int http_server_port(const struct http_server *server) MUST_CHECK;
/* No new connection from now on. Requests on those that are open are served, each answer saying "close". */
void http_server_quiesce(struct http_server *server);
/*
 * Quiesces, waits until every request that the handler has got is answered and the answer sent, and ends. The
 * handler is not called any more: whoever parks requests answers them first, or from another thread. NULL accepted.
 */
void http_server_close(struct http_server *server);

#endif
