#include "client/multi.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/heap.h"
#include "client/endpoint.h"
#include "sys/clock.h"

enum { EVENTS = 16, NOT_DUE = -1 };

/* Under way, or spare: then only `call` means anything, set up for the next request. */
struct multi_request {
	struct endpoint_call call;
	struct buffer body;
	void (*done)(void *context, const struct multi_answer *answer);
	void *context;
	struct multi_request *previous, *next;
};

struct multi {
	struct endpoint endpoint;
	CURLM *library;
	int epoll_fd;                      /* holds the library's sockets; readable when one of them is ready */
	int64_t due_ms;                    /* when the library wants to be called; NOT_DUE */
	struct multi_request *under_way;
	struct multi_request *spare;       /* linked by next */
};

/* The library says which sockets it waits for. */
static int on_socket(CURL *handle, curl_socket_t fd, int what, void *context, void *unused)
{
	(void)handle, (void)unused;
	struct multi *multi = context;
	if (what == CURL_POLL_REMOVE) {
		epoll_ctl(multi->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	struct epoll_event event = { .data.fd = fd };
	if (what != CURL_POLL_OUT)
		event.events |= EPOLLIN;
	if (what != CURL_POLL_IN)
		event.events |= EPOLLOUT;
	if (epoll_ctl(multi->epoll_fd, EPOLL_CTL_MOD, fd, &event) == 0)
		return 0;
	return epoll_ctl(multi->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -1;
}

static int on_timer(CURLM *library, long after_ms, void *context)
{
	(void)library;
	struct multi *multi = context;
	multi->due_ms = after_ms < 0 ? NOT_DUE : clock_monotonic_ms() + after_ms;
	return 0;
}

bool multi_open(const char *url, const char *socket_path, const char *token, struct multi **opened,
		struct error *error)
{
	struct endpoint endpoint;
	if (!endpoint_init(&endpoint, url, socket_path, token, error))
		return false;
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd < 0) {
		endpoint_fini(&endpoint);
		return error_set(error, ERR_SYSTEM, "cannot watch connections: %s", strerror(errno));
	}
	struct multi *multi = heap_new(1, sizeof(*multi));
	*multi = (struct multi){ .endpoint = endpoint, .library = curl_multi_init(), .epoll_fd = epoll_fd,
				 .due_ms = NOT_DUE };
	ASSERT(multi->library != NULL);
	curl_multi_setopt(multi->library, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(multi->library, CURLMOPT_SOCKETDATA, multi);
	curl_multi_setopt(multi->library, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(multi->library, CURLMOPT_TIMERDATA, multi);
	*opened = multi;
	return true;
}

void multi_close(struct multi *multi)
{
	if (!multi)
		return;
	while (multi->under_way)
		multi_cancel(multi, multi->under_way);
	while (multi->spare) {
		struct multi_request *request = multi->spare;
		multi->spare = request->next;
		endpoint_call_fini(&request->call);
		buffer_fini(&request->body);
		free(request);
	}
	curl_multi_cleanup(multi->library);
	close(multi->epoll_fd);
	endpoint_fini(&multi->endpoint);
	free(multi);
}

int multi_fd(const struct multi *multi)
{
	return multi->epoll_fd;
}

int64_t multi_wait_ms(const struct multi *multi)
{
	if (multi->due_ms == NOT_DUE)
		return -1;
	int64_t left_ms = multi->due_ms - clock_monotonic_ms();
	return left_ms > 0 ? left_ms : 0;
}

static struct multi_request *new_request(struct multi *multi)
{
	struct multi_request *request = heap_new(1, sizeof(*request));
	struct endpoint_call *call = &request->call;
	endpoint_call_init(&multi->endpoint, call);
	call->headers = curl_slist_append(call->headers, "Content-Type: application/json");
	call->headers = curl_slist_append(call->headers, "Expect:");
	if (multi->endpoint.authorization)
		call->headers = curl_slist_append(call->headers, multi->endpoint.authorization);
	curl_easy_setopt(call->handle, CURLOPT_HTTPHEADER, call->headers);
	curl_easy_setopt(call->handle, CURLOPT_POST, 1L);
	curl_easy_setopt(call->handle, CURLOPT_PRIVATE, request);
	return request;
}

struct multi_request *multi_post(struct multi *multi, const char *target, const char *body, size_t length,
				 int64_t timeout_ms, void (*done)(void *context, const struct multi_answer *answer),
				 void *context)
{
	struct multi_request *request = multi->spare;
	if (request)
		multi->spare = request->next;
	else
		request = new_request(multi);
	request->done = done;
	request->context = context;
	request->previous = NULL;
	request->next = multi->under_way;
	if (request->next)
		request->next->previous = request;
	multi->under_way = request;

	buffer_reset(&request->body);
	buffer_append(&request->body, body, length);
	endpoint_aim(&multi->endpoint, &request->call, target, timeout_ms);
	curl_easy_setopt(request->call.handle, CURLOPT_POSTFIELDS, request->body.at);
	curl_easy_setopt(request->call.handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
	ASSERT(curl_multi_add_handle(multi->library, request->call.handle) == CURLM_OK);
	return request;
}

/* The request is over: nothing more of it comes from the library. */
static void take_out(struct multi *multi, struct multi_request *request)
{
	curl_multi_remove_handle(multi->library, request->call.handle);
	if (request->next)
		request->next->previous = request->previous;
	if (request->previous)
		request->previous->next = request->next;
	else
		multi->under_way = request->next;
}

static void set_aside(struct multi *multi, struct multi_request *request)
{
	request->next = multi->spare;
	multi->spare = request;
}

void multi_cancel(struct multi *multi, struct multi_request *request)
{
	take_out(multi, request);
	set_aside(multi, request);
}

static void tell(struct multi *multi, struct multi_request *request, CURLcode code)
{
	struct error error = { 0 };
	long status = 0;
	if (code == CURLE_OK)
		curl_easy_getinfo(request->call.handle, CURLINFO_RESPONSE_CODE, &status);
	else
		endpoint_explain(&multi->endpoint, &request->call, code, true, &error);
	take_out(multi, request);
	struct multi_answer answer = {
		.status = (int)status, .bytes = buffer_cstr(&request->call.answer),
		.length = code == CURLE_OK ? request->call.answer.length : 0, .detail = error.detail,
	};
	request->done(request->context, &answer);
	set_aside(multi, request);
}

void multi_run(struct multi *multi)
{
	struct epoll_event events[EVENTS];
	int unused;
	int count = epoll_wait(multi->epoll_fd, events, EVENTS, 0);
	for (int i = 0; i < count; i++) {
		int ready = (events[i].events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0)
			  | (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0)
			  | (events[i].events & EPOLLERR ? CURL_CSELECT_ERR : 0);
		curl_multi_socket_action(multi->library, events[i].data.fd, ready, &unused);
	}
	if (multi_wait_ms(multi) == 0) {
		multi->due_ms = NOT_DUE;
		curl_multi_socket_action(multi->library, CURL_SOCKET_TIMEOUT, 0, &unused);
	}
	/* What `done` starts or cancels changes the library's list, so one is taken at a time. */
	for (CURLMsg *message; (message = curl_multi_info_read(multi->library, &unused)) != NULL;) {
		struct multi_request *request;
		CURLcode code = message->data.result;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&request);
		tell(multi, request, code);
	}
}
