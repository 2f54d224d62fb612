#include "http/router.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "base/heap.h"
#include "http/problem.h"
#include "sys/clock.h"

enum kind { LITERAL, PARAMETER, REST };

/* A segment of some patterns; its children are what may follow, in the order in which they are tried. */
struct node {
	enum kind kind;
	char *before, *name, *after;       /* "Jobs(", "key", ")"; a LITERAL has only `before` */
	struct node *first_child, *next;
	bool has_row[HTTP_METHODS];
	size_t rows[HTTP_METHODS];
};

struct router {
	bool ignores_case;
	struct node root;
};

/* ---- filling */

static size_t weight(const struct node *node)
{
	return strlen(node->before) + strlen(node->after);
}

/* True if `a` is tried before `b`. */
static bool goes_before(const struct node *a, const struct node *b)
{
	return a->kind != b->kind ? a->kind < b->kind : weight(a) > weight(b);
}

static void free_node(struct node *node)
{
	free(node->before);
	free(node->name);
	free(node->after);
	free(node);
}

/* The node for the segment of `length` characters. */
static struct node *parse_segment(const char *segment, size_t length)
{
	struct node *node = heap_new(1, sizeof(*node));
	const char *open = memchr(segment, '{', length), *end = segment + length;
	if (!open) {
		ASSERT(length > 0 && !memchr(segment, '}', length));
		node->before = heap_copy(segment, length);
		node->name = heap_text("");
		node->after = heap_text("");
		return node;
	}
	const char *close = memchr(open, '}', (size_t)(end - open));
	ASSERT(close && close > open + 1 && !memchr(close, '{', (size_t)(end - close)));
	bool is_rest = close[-1] == '*';
	node->kind = is_rest ? REST : PARAMETER;
	node->before = heap_copy(segment, (size_t)(open - segment));
	node->name = heap_copy(open + 1, (size_t)(close - open - 1 - is_rest));
	node->after = heap_copy(close + 1, (size_t)(end - close - 1));
	ASSERT(!is_rest || (weight(node) == 0 && *end == '\0'));
	return node;
}

/* The child of `parent` that says the same as `made`, or `made` itself, put where it is to be tried. */
static struct node *adopt(struct node *parent, struct node *made)
{
	struct node **place = &parent->first_child;
	for (; *place && !goes_before(made, *place); place = &(*place)->next) {
		const struct node *node = *place;
		if (node->kind == made->kind && strcmp(node->before, made->before) == 0
		    && strcmp(node->name, made->name) == 0 && strcmp(node->after, made->after) == 0) {
			free_node(made);
			return *place;
		}
	}
	made->next = *place;
	*place = made;
	return made;
}

struct router *router_open(bool ignores_case)
{
	struct router *router = heap_new(1, sizeof(*router));
	router->ignores_case = ignores_case;
	return router;
}

void router_add(struct router *router, enum http_method method, const char *pattern, size_t row)
{
	ASSERT(pattern[0] == '/' && method < HTTP_METHODS);
	struct node *node = &router->root;
	size_t parameter_count = 0;
	for (const char *segment = pattern + 1; *segment;) {
		size_t length = strcspn(segment, "/");
		node = adopt(node, parse_segment(segment, length));
		parameter_count += node->kind != LITERAL;
		segment += length;
		ASSERT(*segment == '\0' || segment[1] != '\0');
		segment += *segment == '/';
	}
	ASSERT(parameter_count <= ROUTER_PARAMETERS && !node->has_row[method]);
	node->has_row[method] = true;
	node->rows[method] = row;
}

static void free_children(struct node *node)
{
	for (struct node *child = node->first_child, *next; child; child = next) {
		next = child->next;
		free_children(child);
		free_node(child);
	}
}

void router_close(struct router *router)
{
	if (!router)
		return;
	free_children(&router->root);
	free(router);
}

/* ---- finding */

/* A search under way. */
struct search {
	const struct router *router;
	enum http_method method;
	struct { const char *name, *value; size_t length; } parameters[ROUTER_PARAMETERS];
	size_t parameter_count;
	bool allowed[HTTP_METHODS];        /* methods of the patterns that match but for the method */
};

static bool is_same(const struct search *search, const char *a, const char *b, size_t length)
{
	return (search->router->ignores_case ? strncasecmp : strncmp)(a, b, length) == 0;
}

/* True if the segment matches; a parameter is kept. */
static bool matches(struct search *search, const struct node *node, const char *segment, size_t length)
{
	size_t before = strlen(node->before), after = strlen(node->after);
	if (node->kind == LITERAL)
		return length == before && is_same(search, segment, node->before, length);
	if (length < before + after + 1 || !is_same(search, segment, node->before, before)
	    || !is_same(search, segment + length - after, node->after, after))
		return false;
	size_t place = search->parameter_count++;
	search->parameters[place].name = node->name;
	search->parameters[place].value = segment + before;
	search->parameters[place].length = length - before - after;
	return true;
}

static const struct node *descend(struct search *search, const struct node *node, const char *rest);

/* Tries the children in their order, taking back what a wrong turn has kept. */
static const struct node *try_children(struct search *search, const struct node *node, const char *segment)
{
	size_t kept = search->parameter_count;
	for (const struct node *child = node->first_child; child; child = child->next) {
		size_t length = child->kind == REST ? strlen(segment) : strcspn(segment, "/");
		const struct node *found = matches(search, child, segment, length)
			? descend(search, child, segment + length) : NULL;
		if (found)
			return found;
		search->parameter_count = kept;
	}
	return NULL;
}

/* The node with a row for the method that is reached by `rest`, "" or "/…". */
static const struct node *descend(struct search *search, const struct node *node, const char *rest)
{
	if (*rest)
		return try_children(search, node, rest + 1);
	for (size_t i = 0; i < HTTP_METHODS; i++)
		search->allowed[i] |= node->has_row[i];
	return node->has_row[search->method] ? node : NULL;
}

static const struct node *run(struct search *search, const char *path)
{
	return descend(search, &search->router->root, strcmp(path, "/") == 0 ? "" : path);
}

/* "GET, HEAD, POST"; HEAD is served wherever GET is. */
static void list_allowed(const struct search *search, struct buffer *list)
{
	for (size_t i = 0; i < HTTP_METHODS; i++) {
		if (!search->allowed[i])
			continue;
		buffer_printf(list, "%s%s", list->length ? ", " : "", http_method_name((enum http_method)i));
		if (i == HTTP_GET)
			buffer_text(list, ", HEAD");
	}
}

bool router_find(const struct router *router, enum http_method method, const char *path, struct arena *arena,
		 struct route_match *match, struct error *error)
{
	struct search search = { .router = router, .method = method };
	const struct node *found = run(&search, path);
	if (!found) {
		struct buffer list = { 0 };
		list_allowed(&search, &list);
		if (list.length)
			error_set(error, ERR_METHOD, "%s takes %s", path, list.at);
		else
			error_set(error, ERR_NOT_FOUND, "there is nothing at %s", path);
		buffer_fini(&list);
		return false;
	}
	match->row = found->rows[method];
	match->parameter_count = search.parameter_count;
	for (size_t i = 0; i < search.parameter_count; i++) {
		match->parameters[i].name = search.parameters[i].name;
		match->parameters[i].value = arena_copy(arena, search.parameters[i].value, search.parameters[i].length);
	}
	return true;
}

const char *route_parameter(const struct route_match *match, const char *name)
{
	for (size_t i = 0; i < match->parameter_count; i++)
		if (strcmp(match->parameters[i].name, name) == 0)
			return match->parameters[i].value;
	ASSERT(!"a parameter of the pattern");
	return NULL;
}

void router_refuse(const struct router *router, struct http_request *request, const struct error *error)
{
	struct http_response response = { 0 };
	struct search search = { .router = router, .method = request->method };
	struct buffer list = { 0 };
	if (error->code == ERR_METHOD && !run(&search, request->path)) {
		list_allowed(&search, &list);
		http_response_header(&response, "Allow", buffer_cstr(&list));
	}
	problem_fill(&response, error, clock_now());
	http_answer(request, &response);
	buffer_fini(&list);
}
