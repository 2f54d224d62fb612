/*
 * Sockets that wait for connections, and who is at the other end of one.
 */
#ifndef LULL_HTTP_LISTENER_H
#define LULL_HTTP_LISTENER_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "http/request.h"

/*
 * Listens on a numeric address; port 0: the kernel picks. *bound_port: the one it is.
 * False: ERR_CONFLICT if it is in use, ERR_INVALID for no address, ERR_SYSTEM.
 */
bool listener_open_tcp(const char *address, int port, int *fd, int *bound_port, struct error *error) MUST_CHECK;
/*
 * Listens on a Unix socket that only this user may reach (mode 0600 before anybody can connect). A socket at
 * `path` that nobody listens on any more is replaced. False: ERR_CONFLICT if somebody does, or if there is a file
 * of another kind; ERR_INVALID if the path is too long for a socket; ERR_SYSTEM.
 */
bool listener_open_unix(const char *path, int *fd, struct error *error) MUST_CHECK;
/* Who is at the other end of a connected socket. */
void listener_peer(int fd, struct http_peer *peer);

#endif
