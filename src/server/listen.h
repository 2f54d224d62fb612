/*
 * The address to listen on, as it is written in --listen.
 */
#ifndef LULL_SERVER_LISTEN_H
#define LULL_SERVER_LISTEN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"

/*
 * Splits "127.0.0.1:7460" or "[::1]:7460". False: ERR_INVALID if it is none, or if it is not a loopback address and
 * `is_insecure` was not spelt out: tokens would cross the network unencrypted.
 */
bool listen_parse(const char *text, bool is_insecure, char *host, size_t room, int *port,
		  struct error *error) MUST_CHECK;
/* "http://127.0.0.1:7460"; a listener on every address is told by its loopback one. */
void listen_url(const char *host, int port, char *url, size_t room);

#endif
