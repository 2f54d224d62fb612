#include "server/listen.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static bool is_loopback(const char *host)
{
	struct in_addr four;
	struct in6_addr six;
	if (inet_pton(AF_INET, host, &four) == 1)
		return (ntohl(four.s_addr) >> 24) == 127;
	return inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

static bool is_address(const char *host)
{
	unsigned char bytes[sizeof(struct in6_addr)];
	return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

bool listen_parse(const char *text, bool is_insecure, char *host, size_t room, int *port, struct error *error)
{
	char address[64];
	int64_t number;
	const char *colon = strrchr(text, ':');
	bool is_bracketed = text[0] == '[' && colon && colon > text + 1 && colon[-1] == ']';
	size_t length = colon ? (size_t)(colon - text) - (is_bracketed ? 2 : 0) : 0;
	if (!colon || length == 0 || length >= sizeof(address) || !text_to_int64(colon + 1, 0, 65535, &number))
		return error_set(error, ERR_INVALID, "\"%.80s\" is no address to listen on; write 127.0.0.1:7460",
				 text);
	snprintf(address, sizeof(address), "%.*s", (int)length, text + (is_bracketed ? 1 : 0));
	if (strcmp(address, "localhost") == 0)
		snprintf(address, sizeof(address), "127.0.0.1");
	if (!is_address(address))
		return error_set(error, ERR_INVALID, "\"%.60s\" is no numeric address; write 127.0.0.1:7460", address);
	if (!is_loopback(address) && !is_insecure)
		return error_set(error, ERR_INVALID,
				 "%.60s can be reached from other machines and there is no TLS: tokens "
				 "would cross the network readable; listen on 127.0.0.1, or say --insecure", address);
	snprintf(host, room, "%s", address);
	*port = (int)number;
	return true;
}

void listen_url(const char *host, int port, char *url, size_t room)
{
	bool is_six = strchr(host, ':') != NULL;
	if (strcmp(host, "0.0.0.0") == 0)
		host = "127.0.0.1";
	else if (strcmp(host, "::") == 0)
		host = "::1";
	snprintf(url, room, is_six ? "http://[%s]:%d" : "http://%s:%d", host, port);
}
