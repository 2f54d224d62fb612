#include "http/request.h"

#include <string.h>
#include <strings.h>

static const char *const method_names[HTTP_METHODS] = {
	[HTTP_GET] = "GET", [HTTP_POST] = "POST", [HTTP_PUT] = "PUT",
	[HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE", [HTTP_OPTIONS] = "OPTIONS",
};

const char *http_request_header(const struct http_request *request, const char *name)
{
	for (size_t i = 0; i < request->header_count; i++)
		if (strcasecmp(request->headers[i].name, name) == 0)
			return request->headers[i].value;
	return NULL;
}

const char *http_request_query(const struct http_request *request, const char *name)
{
	for (size_t i = 0; i < request->query_count; i++)
		if (strcmp(request->query[i].name, name) == 0)
			return request->query[i].value;
	return NULL;
}

const char *http_method_name(enum http_method method)
{
	return method_names[method];
}

enum http_method http_method_from_name(const char *name)
{
	for (size_t i = 0; i < HTTP_METHODS; i++)
		if (strcmp(method_names[i], name) == 0)
			return (enum http_method)i;
	return HTTP_METHODS;
}

/* The buffer holds name, NUL, value, NUL, and so on. */
void http_response_header(struct http_response *response, const char *name, const char *value)
{
	buffer_append(&response->headers, name, strlen(name) + 1);
	size_t start = response->headers.length;
	buffer_append(&response->headers, value, strlen(value) + 1);
	for (char *c = response->headers.at + start; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7F)
			*c = '?';
}

bool http_response_next_header(const struct http_response *response, size_t *place, struct http_field *header)
{
	if (*place >= response->headers.length)
		return false;
	header->name = response->headers.at + *place;
	header->value = header->name + strlen(header->name) + 1;
	*place = (size_t)(header->value - response->headers.at) + strlen(header->value) + 1;
	return true;
}

void http_response_fini(struct http_response *response)
{
	buffer_fini(&response->headers);
	buffer_fini(&response->body);
}
