#include "agent/slots.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/adopt.h"
#include "agent/state.h"
#include "base/assert.h"
#include "base/heap.h"
#include "base/kill_point.h"
#include "base/log.h"
#include "sys/clock.h"

/* The runner's program, put into ours by the build. */
extern const unsigned char runner_image[], runner_image_end[];

enum {
	IDLE_KEPT = 8,
	IDLE_MS = 10 * 1000,
	NOTES_AT_ONCE = 16,
};

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

bool slots_init(struct agent *agent, struct error *error)
{
	ring_init(&agent->slots.all);
	ring_init(&agent->slots.idle);
	size_t length = (size_t)(runner_image_end - runner_image);
	/* Newer kernels want it said that this is a program; older ones do not know the word. */
	int image = memfd_create("lull-runner", MFD_CLOEXEC | MFD_EXEC);
	if (image < 0)
		image = memfd_create("lull-runner", MFD_CLOEXEC);
	if (image < 0 || write(image, runner_image, length) != (ssize_t)length)
		return error_set(error, ERR_SYSTEM, "unpacking the runner: %s", strerror(errno));
	agent->slots.image = image;
	return true;
}

static pid_t spawn_runner(struct agent *agent, int socket)
{
	char path[32], generation[24];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", agent->slots.image);
	snprintf(generation, sizeof(generation), "%" PRId64, agent->spool.generation);
	char *arguments[] = { (char *)"lull-runner", agent->folder, agent->spool.boot, generation, NULL };
	/* No secret of the agent's: a command that runs as the same user can read its runner's environment. */
	char *environment[] = { NULL, NULL, NULL };
	size_t count = 0;
	for (char **entry = environ; *entry && count < 2; entry++)
		if (strncmp(*entry, "LULL_KILL=", 10) == 0 || strncmp(*entry, "LULL_KILL_LIST=", 15) == 0)
			environment[count++] = *entry;

	posix_spawnattr_t attributes;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, socket, STDIN_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	pid_t pid = -1;
	errno = posix_spawn(&pid, path, &actions, &attributes, arguments, environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return errno == 0 ? pid : -1;
}

static void slot_ready(struct agent *agent, struct source *source, uint32_t events);

static struct slot *slot_start(struct agent *agent)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return NULL;
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	pid_t pid = spawn_runner(agent, ends[1]);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return NULL;
	}
	struct slot *slot = heap_new(1, sizeof(*slot));
	slot->source = (struct source){ .fd = ends[0], .ready = slot_ready };
	slot->pid = pid;
	slot->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	ring_init(&slot->idle);
	ring_add_last(&agent->slots.all, &slot->all);
	agent->slots.count++;
	agent_watch(agent, &slot->source, EPOLLIN);
	return slot;
}

static void slot_free(struct agent *agent, struct slot *slot)
{
	agent_unwatch(agent, &slot->source);
	if (slot->pidfd >= 0)
		close(slot->pidfd);
	ring_remove(&slot->idle);
	ring_remove(&slot->all);
	agent->slots.count--;
	buffer_fini(&slot->outgoing);
	free(slot);
}

void slots_fini(struct agent *agent)
{
	while (!ring_is_empty(&agent->slots.all)) {
		struct slot *slot = CONTAINER_OF(agent->slots.all.next, struct slot, all);
		if (slot->work)
			slot->work->slot = NULL;
		slot_free(agent, slot);
	}
	close(agent->slots.image);
}

static void slot_idle(struct agent *agent, struct slot *slot)
{
	slot->work->slot = NULL;
	slot->work = NULL;
	slot->idle_since_ms = agent->now_ms;
	ring_add_first(&agent->slots.idle, &slot->idle);
}

/* Sends what the socket takes of the order. What is left goes when it can be written again. */
static void slot_send(struct agent *agent, struct slot *slot)
{
	bool is_new = slot->sent_bytes == 0;
	while (slot->sent_bytes < slot->outgoing.length) {
		ssize_t sent = send(slot->source.fd, slot->outgoing.at + slot->sent_bytes,
				    slot->outgoing.length - slot->sent_bytes, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			break;
		slot->sent_bytes += (size_t)sent;
	}
	bool is_sent = slot->sent_bytes == slot->outgoing.length;
	if (is_sent)
		buffer_fini(&slot->outgoing);
	struct epoll_event event = { .events = EPOLLIN | (is_sent ? 0 : EPOLLOUT), .data.ptr = &slot->source };
	if (!(is_sent && is_new))
		epoll_ctl(agent->epoll, EPOLL_CTL_MOD, slot->source.fd, &event);
}

static void slot_give(struct agent *agent, struct slot *slot, struct work *work)
{
	ring_remove(&slot->idle);
	work_enter(agent, work, WORK_GIVEN);
	work->slot = slot;
	slot->work = work;
	slot->has_settled = false;
	slot->sent_bytes = 0;
	buffer_append(&slot->outgoing, work->order, work->order_bytes);
	free(work->order);
	work->order = NULL;
	KILL_POINT("agent.give.before");
	slot_send(agent, slot);
	KILL_POINT("agent.give.after");
}

void slots_tell_wish(struct agent *agent, struct work *work)
{
	int pidfd = work->slot ? work->slot->pidfd : work->adopted.fd;
	if (work->wish == WISH_NONE || work->phase != WORK_RUNNING || pidfd < 0)
		return;
	struct error error;
	int signal = work->wish == WISH_KILL ? RUNNER_SIGNAL_KILL : RUNNER_SIGNAL_STOP;
	work->wish = WISH_NONE;
	KILL_POINT("agent.wish.before");
	if (!runner_signal(pidfd, signal, work->turn, &error) && error.code != ERR_NOT_FOUND)
		log_line(LOG_ERROR, "%s: %s", work->name, error.detail);
	KILL_POINT("agent.wish.after");
	(void)agent;
}

/* The runner never began the work. */
static void refuse(struct agent *agent, struct work *work, const char *detail)
{
	work->folder = -1;
	work->ended_ms = clock_now();
	log_line(LOG_WARNING, "%s was not begun: %s", work->name, detail);
	work_ended(agent, work, RESULT_FAILED, detail);
}

static void take_note(struct agent *agent, struct slot *slot, const struct runner_note *note)
{
	struct work *work = slot->work;
	ASSERT(work);
	KILL_POINT("agent.note.before");
	work->folder = agent->spool.boot_folder;
	switch ((enum runner_note_kind)note->kind) {
	case NOTE_BEGAN:
		slot->has_settled = true;
		work->turn = note->turn;
		work_began(agent, work, note->at_ms);
		slots_tell_wish(agent, work);
		return;
	case NOTE_OUTPUT:
		work->kept_bytes = note->kept_bytes;
		work_tell(agent, work);
		return;
	case NOTE_ENDED:
		slot_idle(agent, slot);
		adopt_end(agent, work, &note->end);
		return;
	case NOTE_EXISTS:
		slot_idle(agent, slot);
		adopt_again(agent, work);
		return;
	case NOTE_FENCED:
		/* A newer agent owns the spool, so this one has lost its lock: what it knows is worth nothing. */
		log_line(LOG_ERROR, "another agent has taken the spool");
		agent->is_leaving = true;
		return;
	case NOTE_REFUSED:
		slot_idle(agent, slot);
		refuse(agent, work, note->end.detail);
		return;
	}
	ASSERT(false);
}

/* Reads notes until there are none. */
static void take_notes(struct agent *agent, struct slot *slot)
{
	for (;;) {
		struct runner_note notes[NOTES_AT_ONCE];
		ssize_t got = recv(slot->source.fd, notes, sizeof(notes), MSG_DONTWAIT);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return;
		/* The socket is a stream: a note may come in two parts. */
		const char *at = (const char *)notes;
		for (size_t left = (size_t)got; left > 0;) {
			size_t wanted = sizeof(slot->note) - slot->note_bytes;
			size_t taken = left < wanted ? left : wanted;
			memcpy((char *)&slot->note + slot->note_bytes, at, taken);
			at += taken;
			left -= taken;
			slot->note_bytes += taken;
			if (slot->note_bytes < sizeof(slot->note))
				break;
			slot->note_bytes = 0;
			take_note(agent, slot, &slot->note);
		}
		if ((size_t)got < sizeof(notes))
			return;
	}
}

static void slot_ready(struct agent *agent, struct source *source, uint32_t events)
{
	struct slot *slot = CONTAINER_OF(source, struct slot, source);
	if (events & EPOLLOUT)
		slot_send(agent, slot);
	if (events & EPOLLIN)
		take_notes(agent, slot);
	/* Its end comes as the end of a child; until then there is nothing more to hear. */
	if (events & (EPOLLHUP | EPOLLERR))
		epoll_ctl(agent->epoll, EPOLL_CTL_DEL, source->fd, NULL);
}

static struct slot *find_slot(const struct agent *agent, pid_t pid)
{
	for (struct ring *at = agent->slots.all.next; at != &agent->slots.all; at = at->next) {
		struct slot *slot = CONTAINER_OF(at, struct slot, all);
		if (slot->pid == pid)
			return slot;
	}
	return NULL;
}

bool slots_has(const struct agent *agent, pid_t pid)
{
	return find_slot(agent, pid) != NULL;
}

void slots_child_gone(struct agent *agent, pid_t pid)
{
	struct slot *slot = find_slot(agent, pid);
	if (!slot)
		return;
	take_notes(agent, slot);
	struct work *work = slot->work;
	if (work)
		work->slot = NULL;
	slot_free(agent, slot);
	if (!work)
		return;
	log_line(LOG_WARNING, "%s: runner %d is gone", work->name, (int)pid);
	work->folder = agent->spool.boot_folder;
	adopt_orphan(agent, work);
}

/* Ends the runners that have been idle for long; the coldest stand last. */
static void trim(struct agent *agent)
{
	struct slots *slots = &agent->slots;
	int32_t idle_count = 0;
	for (struct ring *at = slots->idle.next; at != &slots->idle; at = at->next)
		idle_count++;
	for (; idle_count > IDLE_KEPT; idle_count--) {
		struct slot *slot = CONTAINER_OF(slots->idle.previous, struct slot, idle);
		if (agent->now_ms - slot->idle_since_ms < IDLE_MS)
			return;
		slot_free(agent, slot);
	}
}

void slots_tick(struct agent *agent)
{
	while (!ring_is_empty(&agent->waiting) && agent->busy_count < agent->settings->slots) {
		struct work *work = CONTAINER_OF(agent->waiting.next, struct work, listed);
		struct slot *slot = ring_is_empty(&agent->slots.idle) ? slot_start(agent) :
				    CONTAINER_OF(agent->slots.idle.next, struct slot, idle);
		if (slot) {
			slot_give(agent, slot, work);
			continue;
		}
		char detail[160];
		snprintf(detail, sizeof(detail), "no runner could be started: %s", strerror(errno));
		refuse(agent, work, detail);
	}
	if (agent->now_ms >= agent->slots.trim_ms) {
		trim(agent);
		agent->slots.trim_ms = agent->now_ms + IDLE_MS / 2;
	}
	if (agent->slots.count > IDLE_KEPT)
		agent_due(agent, agent->slots.trim_ms);
}
