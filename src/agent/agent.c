#include "agent/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/adopt.h"
#include "agent/local.h"
#include "agent/state.h"
#include "base/assert.h"
#include "base/kill_point.h"
#include "base/log.h"
#include "sys/clock.h"
#include "sys/file.h"

enum {
	EVENTS_AT_ONCE = 64,
	FILES_A_SLOT = 3,
	FILES_BESIDE = 256,
	LONGEST_TURN_MS = 60 * 1000,
};

void agent_watch(struct agent *agent, struct source *source, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = source };
	int failed = epoll_ctl(agent->epoll, EPOLL_CTL_ADD, source->fd, &event);
	ASSERT(failed == 0);
}

void agent_unwatch(struct agent *agent, struct source *source)
{
	if (source->fd < 0)
		return;
	/*
	 * Closing alone leaves it in the loop as long as a copy is open, and a runner that is being spawned has one
	 * for a moment: vfork lets the agent go on before exec has closed what is to be closed.
	 */
	epoll_ctl(agent->epoll, EPOLL_CTL_DEL, source->fd, NULL);
	close(source->fd);
	source->fd = -1;
}

void agent_due(struct agent *agent, int64_t at_ms)
{
	if (agent->due_ms == AGENT_NEVER_MS || at_ms < agent->due_ms)
		agent->due_ms = at_ms;
}

/* Leaves what has not begun to others; what runs goes on. */
static void drain(struct agent *agent)
{
	if (agent->is_draining)
		return;
	agent->is_draining = true;
	log_line(LOG_INFO, "draining: %d attempts are under way", (int)agent->busy_count);
	while (!ring_is_empty(&agent->waiting)) {
		struct work *work = CONTAINER_OF(agent->waiting.next, struct work, listed);
		work_enter(agent, work, WORK_TAKEN_BACK);
		work_tell(agent, work);
	}
}

static void reap(struct agent *agent)
{
	pid_t pid;
	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		slots_child_gone(agent, pid);
}

static void signals_ready(struct agent *agent, struct source *source, uint32_t events)
{
	(void)source;
	(void)events;
	agent->has_signals = true;
}

/* After the other events of the turn: the end of a child frees what they may speak of. */
static void heed_signals(struct agent *agent)
{
	struct signalfd_siginfo taken;
	agent->has_signals = false;
	while (read(agent->signals.fd, &taken, sizeof(taken)) == sizeof(taken)) {
		if (taken.ssi_signo == SIGCHLD) {
			reap(agent);
		} else if (taken.ssi_signo == SIGQUIT) {
			drain(agent);
		} else {
			log_line(LOG_INFO, "leaving; %d attempts go on without an agent", (int)agent->busy_count);
			agent->is_leaving = true;
		}
	}
}

static bool take_signals(struct agent *agent, struct error *error)
{
	static const int taken[] = { SIGTERM, SIGINT, SIGQUIT, SIGCHLD };
	const struct sigaction ignore = { .sa_handler = SIG_IGN }, normal = { .sa_handler = SIG_DFL };
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < COUNT_OF(taken); i++) {
		sigaction(taken[i], &normal, NULL);
		sigaddset(&set, taken[i]);
	}
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGHUP, &ignore, NULL);
	sigprocmask(SIG_SETMASK, &set, NULL);
	agent->signals.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	agent->signals.ready = signals_ready;
	if (agent->signals.fd < 0)
		return error_set(error, ERR_SYSTEM, "taking signals: %s", strerror(errno));
	agent_watch(agent, &agent->signals, EPOLLIN);
	return true;
}

static void raise_limits(const struct agent *agent)
{
	struct rlimit files;
	rlim_t wanted = (rlim_t)agent->settings->slots * FILES_A_SLOT + FILES_BESIDE;
	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur >= wanted)
		return;
	files.rlim_cur = wanted < files.rlim_max ? wanted : files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur < wanted)
		log_line(LOG_WARNING, "%d slots want %d open files, the limit is %d", (int)agent->settings->slots,
			 (int)wanted, (int)files.rlim_cur);
}

/* Makes DIR/agent and takes its lock. */
static bool take_folder(struct agent *agent, struct error *error)
{
	char path[sizeof(agent->folder) + 8];
	int length = snprintf(agent->folder, sizeof(agent->folder), "%s/agent", agent->settings->data);
	if (length >= (int)sizeof(agent->folder))
		return error_set(error, ERR_INVALID, "the data folder's path is too long");
	if (!file_make_folder(agent->folder, 0711, error))
		return false;
	if (chmod(agent->folder, 0711) < 0)
		return error_set(error, ERR_SYSTEM, "opening %.300s to its attempts: %s", agent->folder,
				 strerror(errno));
	snprintf(path, sizeof(path), "%s/lock", agent->folder);
	pid_t holder = 0;
	if (file_lock(path, &agent->lock, &holder, error))
		return true;
	if (error->code == ERR_CONFLICT)
		return error_set(error, ERR_CONFLICT, "agent %d already runs on %.300s", (int)holder,
				 agent->settings->data);
	return false;
}

static void say_who(const struct agent *agent)
{
	const struct agent_settings *settings = agent->settings;
	log_line(LOG_INFO, "agent %s, pool %s, %d slots, on %s, %d attempts found in the spool", settings->name,
		 settings->pool, (int)settings->slots, settings->data, (int)agent->work_count);
	if (agent->user.is_other)
		log_line(LOG_INFO, "attempts run as user %s", agent->user.name);
	else
		log_line(LOG_WARNING, "attempts run as %s, the agent's own user: authors of flows act as it",
			 agent->user.name);
}

static bool start(struct agent *agent, struct error *error)
{
	char work[sizeof(agent->folder) + 8];
	if (!take_folder(agent, error) || !agent_user_find(agent->settings->run_as, &agent->user, error))
		return false;
	if (gethostname(agent->host, sizeof(agent->host) - 1) < 0)
		agent->host[0] = '\0';
	agent->now_ms = clock_monotonic_ms();
	agent->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (agent->epoll < 0)
		return error_set(error, ERR_SYSTEM, "making an epoll: %s", strerror(errno));
	raise_limits(agent);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	snprintf(work, sizeof(work), "%s/scratch", agent->folder);
	KILL_POINT("agent.start.before");
	if (!take_signals(agent, error) || !spool_open(agent->folder, &agent->spool, error) ||
	    !agent_user_reaches(&agent->user, work, error) || !slots_init(agent, error) || !adopt_all(agent, error))
		return false;
	KILL_POINT("agent.start.after");
	say_who(agent);
	return link_init(agent, error);
}

/* One that drains is done when the server has recorded all, or, where none answers, when all has ended. */
static bool is_done(const struct agent *agent)
{
	if (agent->is_leaving)
		return true;
	if (!agent->is_draining)
		return false;
	return agent->work_count == 0 || (agent->busy_count == 0 && link_is_in_vain(&agent->link));
}

static void wait_for_events(struct agent *agent)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int64_t wait_ms = LONGEST_TURN_MS;
	if (agent->due_ms != AGENT_NEVER_MS) {
		int64_t left_ms = agent->due_ms - clock_monotonic_ms();
		wait_ms = left_ms < 0 ? 0 : left_ms < wait_ms ? left_ms : wait_ms;
	}
	int count = epoll_wait(agent->epoll, events, EVENTS_AT_ONCE, (int)wait_ms);
	agent->now_ms = clock_monotonic_ms();
	for (int i = 0; i < count; i++) {
		struct source *source = events[i].data.ptr;
		source->ready(agent, source, events[i].events);
	}
	if (agent->has_signals)
		heed_signals(agent);
}

static void turn(struct agent *agent)
{
	arena_reset(&agent->arena);
	agent->due_ms = AGENT_NEVER_MS;
	/* In this order: what one leaves to be done is done by those that follow, before the loop waits. */
	link_run(agent);
	local_tick(agent);
	adopt_tick(agent);
	slots_tick(agent);
	link_tick(agent);
	if (!is_done(agent))
		wait_for_events(agent);
}

static void end(struct agent *agent)
{
	link_fini(agent);
	if (agent->is_draining)
		adopt_sync(agent);
	size_t place = 0;
	slots_fini(agent);
	/* A work frees others of its execution only by name: the map is walked anew each time. */
	for (struct work *work; (work = map_next(&agent->works, &place)) != NULL; place = 0)
		work_free(agent, work);
	map_fini(&agent->works);
	arena_fini(&agent->arena);
	spool_close(&agent->spool);
	agent_unwatch(agent, &agent->signals);
	if (agent->epoll >= 0)
		close(agent->epoll);
	if (agent->lock >= 0)
		close(agent->lock);
}

bool agent_run(const struct agent_settings *settings, struct error *error)
{
	struct agent agent = { .settings = settings, .lock = -1, .epoll = -1, .wake_ms = AGENT_NEVER_MS };
	struct ring *rings[] = { &agent.to_tell, &agent.waiting, &agent.sleeping, &agent.adopted, &agent.sweeping,
				 &agent.unsynced, &agent.slots.all, &agent.slots.idle };
	for (size_t i = 0; i < COUNT_OF(rings); i++)
		ring_init(rings[i]);
	agent.signals.fd = agent.slots.image = -1;
	agent.spool = (struct spool){ .folder = -1, .boot_folder = -1, .work_folder = -1, .generation_file = -1 };

	log_setup(LOG_INFO, "agent");
	bool ok = start(&agent, error);
	while (ok && !is_done(&agent))
		turn(&agent);
	if (ok)
		log_line(LOG_INFO, agent.is_draining && !agent.is_leaving ? "drained" : "left");
	end(&agent);
	return ok;
}
