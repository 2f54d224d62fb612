#include "http/sentry.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/heap.h"
#include "http/listener.h"
#include "sys/clock.h"

enum { EVENTS = 64, LINGER_MS = 2000, LINGER_PART_BYTES = 64 << 10, LINGER_PARTS = 16 };

/*
 * A connection that has left is not freed at once: the thread may hold an event for it that it fetched before. It
 * goes to `retired`, already out of the epoll set, and the thread frees it before it fetches the next events.
 */
struct sentry {
	struct sentry_duty duty;
	int64_t tick_ms;
	int64_t next_look_ms;              /* at deadlines; the thread's own */
	int epoll_fd;
	int wake_fd;                       /* wakes the thread: the first connection came, or the end */
	bool is_closing;
	pthread_t thread;
	pthread_mutex_t lock;
	struct connection *connections;
	struct connection *retired;        /* linked by next */
};

static void wake(struct sentry *sentry)
{
	uint64_t one = 1;
	ssize_t written = write(sentry->wake_fd, &one, sizeof(one));
	ASSERT(written == sizeof(one));
}

static void set_events(struct sentry *sentry, struct connection *connection, uint32_t wanted)
{
	struct epoll_event event = { .events = wanted, .data.ptr = connection };
	int operation = connection->is_registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
	connection->is_registered = epoll_ctl(sentry->epoll_fd, operation, connection->fd, &event) == 0;
}

static void unlink_connection(struct sentry *sentry, struct connection *connection)
{
	if (connection->next)
		connection->next->previous = connection->previous;
	if (connection->previous)
		connection->previous->next = connection->next;
	else
		sentry->connections = connection->next;
}

static void retire(struct sentry *sentry, struct connection *connection)
{
	unlink_connection(sentry, connection);
	if (connection->is_registered)
		epoll_ctl(sentry->epoll_fd, EPOLL_CTL_DEL, connection->fd, NULL);
	connection->is_registered = false;
	connection->watched = NULL;
	connection->next = sentry->retired;
	sentry->retired = connection;
}

static void stop_lingering(struct sentry *sentry, struct connection *connection)
{
	retire(sentry, connection);
	close(connection->fd);
}

/* Reads and forgets what the refused client still sends: closing with bytes unread would take our answer from it. */
static void read_on(struct sentry *sentry, struct connection *connection)
{
	static char forgotten[LINGER_PART_BYTES];
	for (int part = 0; part < LINGER_PARTS; part++) {
		ssize_t length = recv(connection->fd, forgotten, sizeof(forgotten), MSG_DONTWAIT);
		if (length > 0)
			continue;
		if (length == 0 || errno != EAGAIN)
			stop_lingering(sentry, connection);
		return;
	}
}

/* Walks all connections, so not more often than once a tick however many events there are. */
static void close_late(struct sentry *sentry)
{
	int64_t now_ms = clock_monotonic_ms();
	if (now_ms < sentry->next_look_ms)
		return;
	sentry->next_look_ms = now_ms + sentry->tick_ms;
	struct connection *next;
	for (struct connection *connection = sentry->connections; connection; connection = next) {
		next = connection->next;
		if (atomic_load_explicit(&connection->deadline_ms, memory_order_relaxed) > now_ms)
			continue;
		sentry_set_deadline(connection, SENTRY_NO_DEADLINE);
		if (connection->is_lingering)
			stop_lingering(sentry, connection);
		else
			shutdown(connection->fd, SHUT_RDWR);
	}
}

/* Something happened to a connection: its client has vanished, or a lingering one sends on. */
static void look_at(struct sentry *sentry, struct connection *connection)
{
	pthread_mutex_lock(&sentry->lock);
	void *subject = connection->watched;
	connection->watched = NULL;
	if (subject)
		sentry->duty.hold(subject);
	else if (connection->is_lingering && connection->is_registered)
		read_on(sentry, connection);
	pthread_mutex_unlock(&sentry->lock);
	if (subject)
		sentry->duty.gone(subject);
}

static void free_retired(struct sentry *sentry)
{
	struct connection *next;
	for (struct connection *connection = sentry->retired; connection; connection = next) {
		next = connection->next;
		free(connection);
	}
	sentry->retired = NULL;
}

static void *run(void *argument)
{
	struct sentry *sentry = argument;
	struct epoll_event events[EVENTS];
	for (;;) {
		pthread_mutex_lock(&sentry->lock);
		free_retired(sentry);
		close_late(sentry);
		int timeout_ms = sentry->connections ? (int)sentry->tick_ms : -1;
		bool is_closing = sentry->is_closing;
		pthread_mutex_unlock(&sentry->lock);
		if (is_closing)
			return NULL;

		int count = epoll_wait(sentry->epoll_fd, events, EVENTS, timeout_ms);
		for (int i = 0; i < count; i++) {
			uint64_t wakings;
			if (events[i].data.ptr)
				look_at(sentry, events[i].data.ptr);
			else if (read(sentry->wake_fd, &wakings, sizeof(wakings)) < 0)
				ASSERT(errno == EAGAIN);
		}
	}
}

bool sentry_open(const struct sentry_duty *duty, int64_t tick_ms, struct sentry **opened, struct error *error)
{
	struct sentry *sentry = heap_new(1, sizeof(*sentry));
	sentry->duty = *duty;
	sentry->tick_ms = tick_ms;
	pthread_mutex_init(&sentry->lock, NULL);
	sentry->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	sentry->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct epoll_event waking = { .events = EPOLLIN };
	if (sentry->epoll_fd < 0 || sentry->wake_fd < 0
	    || epoll_ctl(sentry->epoll_fd, EPOLL_CTL_ADD, sentry->wake_fd, &waking) != 0) {
		error_set(error, ERR_SYSTEM, "cannot watch connections: %s", strerror(errno));
		goto out;
	}
	int cause = pthread_create(&sentry->thread, NULL, run, sentry);
	if (cause != 0) {
		error_set(error, ERR_SYSTEM, "cannot start a thread: %s", strerror(cause));
		goto out;
	}
	*opened = sentry;
	return true;
out:
	if (sentry->epoll_fd >= 0)
		close(sentry->epoll_fd);
	if (sentry->wake_fd >= 0)
		close(sentry->wake_fd);
	free(sentry);
	return false;
}

void sentry_close(struct sentry *sentry)
{
	if (!sentry)
		return;
	pthread_mutex_lock(&sentry->lock);
	sentry->is_closing = true;
	pthread_mutex_unlock(&sentry->lock);
	wake(sentry);
	pthread_join(sentry->thread, NULL);

	while (sentry->connections) {
		ASSERT(sentry->connections->is_lingering);
		stop_lingering(sentry, sentry->connections);
	}
	free_retired(sentry);
	close(sentry->epoll_fd);
	close(sentry->wake_fd);
	pthread_mutex_destroy(&sentry->lock);
	free(sentry);
}

struct connection *sentry_enter(struct sentry *sentry, int fd, int64_t deadline_ms)
{
	struct connection *connection = heap_new(1, sizeof(*connection));
	connection->fd = fd;
	listener_peer(fd, &connection->peer);
	atomic_init(&connection->deadline_ms, deadline_ms);

	pthread_mutex_lock(&sentry->lock);
	connection->next = sentry->connections;
	if (connection->next)
		connection->next->previous = connection;
	else
		wake(sentry);
	sentry->connections = connection;
	pthread_mutex_unlock(&sentry->lock);
	return connection;
}

/* Keeps the socket open under a number of our own. */
static void start_lingering(struct sentry *sentry, struct connection *connection, int own_fd)
{
	if (connection->is_registered)
		epoll_ctl(sentry->epoll_fd, EPOLL_CTL_DEL, connection->fd, NULL);
	connection->is_registered = false;
	connection->is_lingering = true;
	connection->fd = own_fd;
	sentry_set_deadline(connection, clock_monotonic_ms() + LINGER_MS);
	set_events(sentry, connection, EPOLLIN | EPOLLRDHUP);
}

void sentry_leave(struct sentry *sentry, struct connection *connection)
{
	int own_fd = connection->should_linger ? fcntl(connection->fd, F_DUPFD_CLOEXEC, 0) : -1;
	pthread_mutex_lock(&sentry->lock);
	if (own_fd >= 0)
		start_lingering(sentry, connection, own_fd);
	else
		retire(sentry, connection);
	pthread_mutex_unlock(&sentry->lock);
}

/* Once shot, an event is quiet until it is set again; setting it looks at the socket at once. */
void sentry_watch(struct sentry *sentry, struct connection *connection, void *subject)
{
	pthread_mutex_lock(&sentry->lock);
	connection->watched = subject;
	set_events(sentry, connection, EPOLLRDHUP | EPOLLONESHOT);
	pthread_mutex_unlock(&sentry->lock);
}

void sentry_unwatch(struct sentry *sentry, struct connection *connection, void *subject)
{
	pthread_mutex_lock(&sentry->lock);
	if (connection->watched == subject)
		connection->watched = NULL;
	pthread_mutex_unlock(&sentry->lock);
}
