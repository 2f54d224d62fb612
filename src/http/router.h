/*
 * Finds the row of a table of routes that a request means, and the parameters in its path.
 *
 * A pattern is a path of segments: "/v1/executions/{number}/logs". A segment is a literal, or has one parameter
 * with literals around it ("Jobs({key})"), which matches one character or more. "{rest*}" as the last segment
 * matches all that is left of the path, slashes included, and is never empty. Where several patterns match, the
 * one with a literal wins at the first segment that differs, then the one with more literal characters there,
 * "{rest*}" last; so the order of rows does not matter. A row of another method does not hide a later match.
 *
 * A router is filled once and then only read, by any thread. A bad pattern, or the same pattern and method
 * twice, is a programmer's mistake.
 */
#ifndef LULL_HTTP_ROUTER_H
#define LULL_HTTP_ROUTER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "http/request.h"

enum { ROUTER_PARAMETERS = 8 };

struct router;

/* What was found. */
struct route_match {
	size_t row;
	size_t parameter_count;
	struct http_field parameters[ROUTER_PARAMETERS];   /* in the order of the path */
};

/* `ignores_case`: literals match in any case (ASCII). */
struct router *router_open(bool ignores_case) MUST_CHECK;
void router_close(struct router *router);
/* Adds a row: `row` is what router_find answers for this method and pattern. */
void router_add(struct router *router, enum http_method method, const char *pattern, size_t row);

/*
 * The row for this method and path. Parameter values live in the arena. False: ERR_NOT_FOUND if no pattern matches
 * the path, ERR_METHOD if some do with other methods, which the detail lists.
 */
bool router_find(const struct router *router, enum http_method method, const char *path, struct arena *arena,
		 struct route_match *match, struct error *error) MUST_CHECK;
/* The value of a parameter of the found pattern; a name that is not in it is a programmer's mistake. */
const char *route_parameter(const struct route_match *match, const char *name) MUST_CHECK;
/* Answers a request that router_find refused, with Allow where the method was wrong (RFC 9110, 15.5.6). */
void router_refuse(const struct router *router, struct http_request *request, const struct error *error);

#endif
