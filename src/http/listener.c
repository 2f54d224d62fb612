#include "http/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

union any_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un local;
	struct sockaddr_storage room;
};

/* A numeric address as the system wants it; its length, 0 if it is none. */
static socklen_t fill_address(const char *text, int port, union any_address *address)
{
	*address = (union any_address){ 0 };
	if (inet_pton(AF_INET, text, &address->v4.sin_addr) == 1) {
		address->v4.sin_family = AF_INET;
		address->v4.sin_port = htons((uint16_t)port);
		return sizeof(address->v4);
	}
	if (inet_pton(AF_INET6, text, &address->v6.sin6_addr) == 1) {
		address->v6.sin6_family = AF_INET6;
		address->v6.sin6_port = htons((uint16_t)port);
		return sizeof(address->v6);
	}
	return 0;
}

static bool refuse_tcp(int fd, const char *address, int port, struct error *error)
{
	int cause = errno;
	close(fd);
	return error_set(error, cause == EADDRINUSE ? ERR_CONFLICT : ERR_SYSTEM, "cannot listen on %s port %d: %s",
			 address, port, strerror(cause));
}

bool listener_open_tcp(const char *address, int port, int *fd, int *bound_port, struct error *error)
{
	union any_address bound;
	socklen_t length = port >= 0 && port <= UINT16_MAX ? fill_address(address, port, &bound) : 0;
	if (length == 0)
		return error_set(error, ERR_INVALID, "%s port %d is not a numeric address with a port", address, port);
	int made = socket(bound.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (made < 0)
		return error_set(error, ERR_SYSTEM, "cannot make a socket: %s", strerror(errno));

	/* Connections inherit NODELAY: answers are small and whole, there is nothing to wait for. */
	int on = 1;
	setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (bind(made, &bound.any, length) != 0 || listen(made, BACKLOG) != 0
	    || getsockname(made, &bound.any, &length) != 0)
		return refuse_tcp(made, address, port, error);
	*fd = made;
	*bound_port = ntohs(bound.any.sa_family == AF_INET ? bound.v4.sin_port : bound.v6.sin6_port);
	return true;
}

/* Removes a socket that nobody listens on. */
static bool clear_stale(const union any_address *address, struct error *error)
{
	const char *path = address->local.sun_path;
	struct stat found;
	if (lstat(path, &found) != 0)
		return true;
	if (!S_ISSOCK(found.st_mode))
		return error_set(error, ERR_CONFLICT, "%s is there and is not a socket; it is left alone", path);
	int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (probe < 0)
		return error_set(error, ERR_SYSTEM, "cannot make a socket: %s", strerror(errno));
	/* EAGAIN: somebody listens whose queue is full. */
	bool is_alive = connect(probe, &address->any, sizeof(address->local)) == 0 || errno == EAGAIN;
	close(probe);
	if (is_alive)
		return error_set(error, ERR_CONFLICT, "another process listens on %s", path);
	if (unlink(path) != 0 && errno != ENOENT)
		return error_set(error, ERR_SYSTEM, "cannot replace the socket %s: %s", path, strerror(errno));
	return true;
}

bool listener_open_unix(const char *path, int *fd, struct error *error)
{
	union any_address address = { .local = { .sun_family = AF_UNIX } };
	if (path[0] == '\0' || strlen(path) >= sizeof(address.local.sun_path))
		return error_set(error, ERR_INVALID, "a socket's path has 1 to %zu bytes: %s",
				 sizeof(address.local.sun_path) - 1, path);
	snprintf(address.local.sun_path, sizeof(address.local.sun_path), "%s", path);
	if (!clear_stale(&address, error))
		return false;
	int made = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (made < 0)
		return error_set(error, ERR_SYSTEM, "cannot make a socket: %s", strerror(errno));
	if (bind(made, &address.any, sizeof(address.local)) != 0 || chmod(path, 0600) != 0
	    || listen(made, BACKLOG) != 0) {
		int cause = errno;
		close(made);
		return error_set(error, ERR_SYSTEM, "cannot listen on %s: %s", path, strerror(cause));
	}
	*fd = made;
	return true;
}

void listener_peer(int fd, struct http_peer *peer)
{
	*peer = (struct http_peer){ 0 };
	union any_address address = { 0 };
	socklen_t length = sizeof(address);
	if (getpeername(fd, &address.any, &length) != 0)
		return;
	if (address.any.sa_family == AF_UNIX) {
		struct ucred who = { .uid = (uid_t)-1 };
		length = sizeof(who);
		peer->is_local = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &length) == 0;
		peer->uid = who.uid;
	} else if (address.any.sa_family == AF_INET) {
		inet_ntop(AF_INET, &address.v4.sin_addr, peer->address, sizeof(peer->address));
	} else {
		inet_ntop(AF_INET6, &address.v6.sin6_addr, peer->address, sizeof(peer->address));
	}
}
