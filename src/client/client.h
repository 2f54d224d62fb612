/*
 * A small client of a Lull server that waits for each answer: for the command line and for tools. Keeps its
 * connection between calls. A client belongs to one thread at a time.
 *
 *	struct client_settings settings = { .url = "http://127.0.0.1:7460", .token = token };
 *	struct client_request request = { .method = "GET", .path = "/v1/maintenance" };
 *	if (!client_open(&settings, &client, error) || !client_call(client, &request, &status, &answer, error))
 */
#ifndef LULL_CLIENT_CLIENT_H
#define LULL_CLIENT_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buffer.h"
#include "base/error.h"
#include "http/request.h"

struct client;

/* Borrowed for the call of client_open. 0 and NULL mean what is said behind. */
struct client_settings {
	const char *url;                   /* may be NULL with a socket */
	const char *socket_path;           /* a Unix socket to go through instead of TCP; none */
	const char *token;                 /* sent as a bearer token; none */
	size_t answer_bytes;               /* most that an answer's body may have; 16 MB */
	int64_t answer_ms;                 /* for a whole call; 60 s */
};

/* Borrowed for the call of client_call. */
struct client_request {
	const char *method;                /* "POST" */
	const char *path;                  /* with a query if there is one, percent-coded: see client_append_part */
	const char *body;                  /* NULL: none */
	size_t length;                     /* of the body */
	const char *content_type;          /* of the body; NULL: application/json */
	const struct http_field *headers;  /* more headers */
	size_t header_count;
};

/* Does not connect yet. False: ERR_INVALID. */
bool client_open(const struct client_settings *settings, struct client **client, struct error *error) MUST_CHECK;
void client_close(struct client *client);

/*
 * True: the server answered with a status below 400. False: what the server says in its problem document, with
 * its code and, for ERR_HELD, the hold; a status from 400 on without such a document; ERR_UNREACHABLE if there
 * is no answer; ERR_TOO_LARGE. What the server sent is appended to `answer` in either case, since a refusal may
 * carry more than an error holds; *status is set on true only.
 */
bool client_call(struct client *client, const struct client_request *request, int *status, struct buffer *answer,
		 struct error *error) MUST_CHECK;

/* Appends text as one segment of a path, or one name or value of a query. */
void client_append_part(struct buffer *target, const char *text);

#endif
