/*
 * The slot runner: a small static program that carries out one attempt after another.
 *
 *	lull-runner <agent folder> <boot id> <generation>
 *
 * Standard input is the socket to its agent (spool/run_order.h). It ends when the socket closes and its attempt,
 * if it has one, is over; when it finds itself fenced; or, with 1, when an order is no order.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "runner/launch.h"
#include "runner/run.h"

enum {
	KEPT_BUFFER_BYTES = 1 << 20,
	COMMAND_FILES = 1024,           /* what a command gets as its soft limit; the agent's own is raised */
};

static void set_signals(int *signals)
{
	sigset_t taken;
	for (int number = 1; number < SIGRTMAX; number++)
		signal(number, SIG_DFL);
	for (const int *ignored = launch_ignored_signals; *ignored; ignored++)
		signal(*ignored, SIG_IGN);
	sigemptyset(&taken);
	sigaddset(&taken, SIGCHLD);
	sigaddset(&taken, RUNNER_SIGNAL_STOP);
	sigaddset(&taken, RUNNER_SIGNAL_KILL);
	sigprocmask(SIG_SETMASK, &taken, NULL);
	*signals = signalfd(-1, &taken, SFD_NONBLOCK | SFD_CLOEXEC);
}

static void lower_limits(void)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur > COMMAND_FILES) {
		files.rlim_cur = COMMAND_FILES;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

/* False: the agent went away, or it sent what is no order (*is_bad). */
static bool read_order(struct buffer *record, struct arena *arena, struct run_order *order, bool *is_bad)
{
	uint32_t length;
	struct error error;
	if (recv(STDIN_FILENO, &length, sizeof(length), MSG_WAITALL) != sizeof(length))
		return false;
	*is_bad = length > RUN_ORDER_BYTES;
	if (*is_bad)
		return false;
	if (record->room > KEPT_BUFFER_BYTES)
		buffer_fini(record);
	buffer_reset(record);
	char *at = buffer_reserve(record, length);
	for (size_t left = length; left > 0;) {
		ssize_t more = recv(STDIN_FILENO, at, left, MSG_WAITALL);
		if (more <= 0)
			return false;
		at += more;
		left -= (size_t)more;
	}
	buffer_grew(record, length);
	arena_reset(arena);
	*is_bad = !run_order_read(record->at, record->length, arena, order, &error);
	return !*is_bad;
}

int main(int count, char **arguments)
{
	struct runner runner = { .agent = STDIN_FILENO };
	struct error error;
	int64_t generation;
	if (count != 4 || !text_to_int64(arguments[3], 1, INT64_MAX, &generation)) {
		fprintf(stderr, "usage: lull-runner <agent folder> <boot id> <generation>; its agent starts it\n");
		return 2;
	}
	prctl(PR_SET_NAME, "lull-runner");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	umask(077);
	lower_limits();
	set_signals(&runner.signals);
	fcntl(STDIN_FILENO, F_SETFD, FD_CLOEXEC);
	runner.null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (runner.signals < 0 || runner.null < 0 ||
	    !spool_join(arguments[1], arguments[2], generation, &runner.spool, &error)) {
		fprintf(stderr, "lull-runner: %s\n", runner.null < 0 ? "no /dev/null" : error.detail);
		return 1;
	}

	snprintf(runner.spare, sizeof(runner.spare), "spare-%d", (int)getpid());
	/* No folder of anybody's stays busy because of a runner. */
	(void)!chdir("/");

	struct buffer record = { 0 };
	struct arena arena = { 0 };
	struct run_order order;
	bool is_bad = false;
	while (!runner.is_alone && !runner.is_fenced && read_order(&record, &arena, &order, &is_bad))
		run_attempt(&runner, &order, &arena);
	unlinkat(runner.spool.work_folder, runner.spare, AT_REMOVEDIR);
	return is_bad ? 1 : 0;
}
