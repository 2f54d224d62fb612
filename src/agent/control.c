#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/agent.h"
#include "base/heap.h"
#include "sys/clock.h"
#include "sys/file.h"

enum {
	PATH_BYTES = 1024,
	ARGUMENTS = 20 + 2 * LIMIT_LABELS,
	SPAWN_WAIT_MS = 10 * 1000,
	SPAWN_LOOK_MS = 5,
};

static void lock_path(const char *data, char path[PATH_BYTES])
{
	snprintf(path, PATH_BYTES, "%s/agent/lock", data);
}

int64_t agent_pid(const char *data)
{
	char path[PATH_BYTES];
	lock_path(data, path);
	return file_lock_holder(path);
}

/* Waits until the process is gone, up to `wait_ms`. */
static bool wait_gone(int pidfd, int64_t wait_ms)
{
	struct pollfd process = { .fd = pidfd, .events = POLLIN };
	int64_t until_ms = clock_monotonic_ms() + wait_ms, left_ms = wait_ms;
	while (left_ms >= 0) {
		int ready = poll(&process, 1, left_ms > INT32_MAX ? INT32_MAX : (int)left_ms);
		if (ready > 0 || (ready < 0 && errno != EINTR))
			return ready > 0;
		left_ms = until_ms - clock_monotonic_ms();
	}
	return false;
}

bool agent_stop(const char *data, bool now, int64_t wait_ms, int64_t *pid, struct error *error)
{
	int64_t holder = agent_pid(data);
	int pidfd = holder ? (int)syscall(SYS_pidfd_open, (pid_t)holder, 0) : -1;
	/* Between the look and the descriptor the number may have become another process's. */
	bool is_there = pidfd >= 0 && agent_pid(data) == holder;
	bool is_told = is_there && syscall(SYS_pidfd_send_signal, pidfd, now ? SIGTERM : SIGQUIT, NULL, 0) == 0;
	bool ok = false;
	if (is_told && pid)
		*pid = holder;
	if (!is_there)
		error_set(error, ERR_NOT_FOUND, "no agent runs on %.300s", data);
	else if (!is_told)
		error_set(error, ERR_FORBIDDEN, "telling agent %" PRId64 ": %s", holder, strerror(errno));
	else if (!wait_gone(pidfd, wait_ms))
		error_set(error, ERR_NOT_YET, "agent %" PRId64 " still runs", holder);
	else
		ok = true;
	if (pidfd >= 0)
		close(pidfd);
	return ok;
}

/* The command line of an agent with these settings; `slots` has room for its number. */
static void lay_out_arguments(const struct agent_settings *settings, const char *program, char *slots,
			      const char *arguments[ARGUMENTS])
{
	const struct {
		const char *name;
		const char *value;
	} options[] = {
		{ "--data",   settings->data   }, { "--name",   settings->name   }, { "--pool",   settings->pool },
		{ "--server", settings->server }, { "--socket", settings->socket }, { "--run-as", settings->run_as },
		{ "--slots",  slots            },
	};
	size_t count = 0;
	arguments[count++] = program;
	arguments[count++] = "agent";
	for (size_t i = 0; i < COUNT_OF(options); i++) {
		if (!options[i].value)
			continue;
		arguments[count++] = options[i].name;
		arguments[count++] = options[i].value;
	}
	for (size_t i = 0; i < settings->label_count; i++) {
		arguments[count++] = "--label";
		arguments[count++] = settings->labels[i];
	}
	arguments[count] = NULL;
}

/*
 * Between _Fork and exec. The second child is nobody's: its parent ends at once, so that the caller has no child to
 * wait for later. Both only call what is safe here. Not vfork: with a sanitizer's vfork, which keeps one return address
 * a thread, the caller of the outer one would come back from the inner one.
 */
static NORETURN void become_agent(const char *program, const char *const *arguments, int null, int log)
{
	setsid();
	if (_Fork() != 0)
		_exit(0);
	if (dup2(null, STDIN_FILENO) >= 0 && dup2(log, STDOUT_FILENO) >= 0 && dup2(log, STDERR_FILENO) >= 0) {
		syscall(SYS_close_range, 3U, ~0U, 0U);
		execv(program, (char *const *)arguments);
	}
	_exit(127);
}

static bool start(const char *program, const char *const *arguments, const char *log_path, struct error *error)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	pid_t child = -1;
	if (null < 0 || log < 0) {
		error_set(error, ERR_SYSTEM, "opening %.300s: %s", log_path, strerror(errno));
	} else {
		child = _Fork();
		if (child == 0)
			become_agent(program, arguments, null, log);
		if (child < 0)
			error_set(error, ERR_SYSTEM, "starting the agent: %s", strerror(errno));
	}
	if (child > 0)
		while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
			;
	if (null >= 0)
		close(null);
	if (log >= 0)
		close(log);
	return child > 0;
}

bool agent_spawn(const struct agent_settings *settings, const char *program, struct error *error)
{
	char folder[PATH_BYTES], log[PATH_BYTES], slots[16];
	const char *arguments[ARGUMENTS];
	if (agent_pid(settings->data))
		return true;
	snprintf(folder, sizeof(folder), "%s/agent", settings->data);
	snprintf(log, sizeof(log), "%s/agent/log", settings->data);
	snprintf(slots, sizeof(slots), "%" PRId32, settings->slots);
	lay_out_arguments(settings, program, slots, arguments);
	if (!file_make_folder(folder, 0711, error) || !start(program, arguments, log, error))
		return false;
	/* Its lock is the sign that it lives; a file's lock gives no event to wait for. */
	int64_t until_ms = clock_monotonic_ms() + SPAWN_WAIT_MS;
	while (!agent_pid(settings->data)) {
		if (clock_monotonic_ms() > until_ms)
			return error_set(error, ERR_SYSTEM, "the agent did not start; %.300s says why", log);
		poll(NULL, 0, SPAWN_LOOK_MS);
	}
	return true;
}
