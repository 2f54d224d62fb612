#include "client/endpoint.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "base/heap.h"
#include "base/text.h"

static void start_library(void)
{
	ASSERT(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

static bool is_own_address(const char *host)
{
	return strcasecmp(host, "localhost") == 0 || text_starts_with(host, "127.") || strcmp(host, "[::1]") == 0;
}

static bool has_part(CURLU *parsed, CURLUPart part)
{
	char *text = NULL;
	bool is_there = curl_url_get(parsed, part, &text, 0) == CURLUE_OK;
	curl_free(text);
	return is_there;
}

static bool check_url(const char *url, bool *is_own_machine, struct error *error)
{
	CURLU *parsed = curl_url();
	ASSERT(parsed != NULL);
	char *scheme = NULL, *host = NULL;
	bool is_good = curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK
		&& curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK
		&& curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK
		&& (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0)
		&& !has_part(parsed, CURLUPART_QUERY) && !has_part(parsed, CURLUPART_FRAGMENT);
	bool has_password = has_part(parsed, CURLUPART_USER) || has_part(parsed, CURLUPART_PASSWORD);
	if (is_good)
		*is_own_machine = is_own_address(host);
	curl_free(scheme);
	curl_free(host);
	curl_url_cleanup(parsed);
	if (has_password)
		return error_set(error, ERR_INVALID, "the server's URL has a password in it; use a token instead");
	return is_good || error_set(error, ERR_INVALID, "%s is not a server's URL (https://host:port)", url);
}

static bool is_plain_text(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text <= 0x20 || *text == 0x7F)
			return false;
	return true;
}

bool endpoint_init(struct endpoint *endpoint, const char *url, const char *socket_path, const char *token,
		   struct error *error)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, start_library);
	bool is_own_machine = true;
	if (!url && !socket_path)
		return error_set(error, ERR_INVALID, "no server is given: neither a URL nor a socket");
	if (url && !check_url(url, &is_own_machine, error))
		return false;
	if (token && !is_plain_text(token))
		return error_set(error, ERR_INVALID, "the token holds a space or control character");

	struct buffer line = { 0 };
	if (token) {
		buffer_text(&line, "Authorization: Bearer ");
		buffer_text(&line, token);
	}
	*endpoint = (struct endpoint){
		.base = heap_text(url ? url : "http://localhost"), .socket_path = heap_text(socket_path),
		.authorization = token ? buffer_take(&line) : NULL,
		.is_own_machine = is_own_machine || socket_path,
	};
	for (size_t end = strlen(endpoint->base); end > 0 && endpoint->base[end - 1] == '/'; end--)
		endpoint->base[end - 1] = '\0';
	return true;
}

void endpoint_fini(struct endpoint *endpoint)
{
	free(endpoint->base);
	free(endpoint->socket_path);
	if (endpoint->authorization)
		explicit_bzero(endpoint->authorization, strlen(endpoint->authorization));
	free(endpoint->authorization);
	*endpoint = (struct endpoint){ 0 };
}

/* Takes a part of the answer; less than all of it stops the transfer. */
static size_t take_part(char *bytes, size_t size, size_t count, void *context)
{
	struct endpoint_call *call = context;
	size_t length = size * count;
	call->is_too_long = length > call->answer_bytes - call->answer.length;
	if (call->is_too_long)
		return CURL_WRITEFUNC_ERROR;
	buffer_append(&call->answer, bytes, length);
	return length;
}

void endpoint_call_init(const struct endpoint *endpoint, struct endpoint_call *call)
{
	*call = (struct endpoint_call){ .handle = curl_easy_init(), .answer_bytes = ENDPOINT_ANSWER_BYTES };
	ASSERT(call->handle != NULL);
	CURL *handle = call->handle;
	curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, (long)ENDPOINT_CONNECT_MS);
	curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, call->complaint);
	curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_part);
	curl_easy_setopt(handle, CURLOPT_WRITEDATA, call);
	if (endpoint->socket_path)
		curl_easy_setopt(handle, CURLOPT_UNIX_SOCKET_PATH, endpoint->socket_path);
	if (endpoint->is_own_machine)
		curl_easy_setopt(handle, CURLOPT_PROXY, "");
}

void endpoint_call_fini(struct endpoint_call *call)
{
	curl_easy_cleanup(call->handle);
	curl_slist_free_all(call->headers);
	buffer_fini(&call->answer);
	*call = (struct endpoint_call){ 0 };
}

void endpoint_aim(const struct endpoint *endpoint, struct endpoint_call *call, const char *target, int64_t answer_ms)
{
	struct buffer url = { 0 };
	buffer_text(&url, endpoint->base);
	buffer_text(&url, target);
	curl_easy_setopt(call->handle, CURLOPT_URL, url.at);
	curl_easy_setopt(call->handle, CURLOPT_TIMEOUT_MS, (long)answer_ms);
	buffer_fini(&url);
	buffer_reset(&call->answer);
	call->is_too_long = false;
	call->complaint[0] = '\0';
}

bool endpoint_explain(const struct endpoint *endpoint, const struct endpoint_call *call, CURLcode code, bool changes,
		      struct error *error)
{
	const char *place = endpoint->socket_path ? endpoint->socket_path : endpoint->base;
	const char *cause = call->complaint[0] ? call->complaint : curl_easy_strerror(code);
	if (call->is_too_long)
		return error_set(error, ERR_TOO_LARGE, "the answer of %s is longer than %zu bytes; ask for less",
				 place, call->answer_bytes);
	switch (code) {
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return error_set(error, ERR_UNREACHABLE, "no server at %s (%s); is it running there?", place, cause);
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
		return error_set(error, ERR_UNREACHABLE, "cannot trust the server at %s: %s", place, cause);
	default:
		return error_set(error, ERR_UNREACHABLE, "no answer from %s: %s%s", place, cause,
				 changes ? "; it may have been done all the same, look before repeating it" : "");
	}
}
