#include "runner/run.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/kill_point.h"
#include "runner/launch.h"
#include "spool/process_tree.h"
#include "spool/scratch.h"

enum {
	OUTPUT_READ_BYTES = 64 << 10,
	KILL_AGAIN_MS = 20,
	NEVER = -1,
};

struct run {
	struct runner *runner;
	const struct run_order *order;
	int file;
	int folder;                     /* the scratch folder; -1: there is none */
	uid_t uid;
	gid_t gid;
	int output;                     /* our end of the pipe; -1 once nobody can write into it */
	pid_t command;                  /* 0 until it was started */
	bool is_over;                   /* the command ended, and `status` says how */
	bool has_children;              /* something of the attempt lives */
	int status;
	enum ended_by ended_by;
	int64_t began_ms;
	int64_t timeout_at_ms;          /* on the monotonic clock; NEVER if there is none */
	int64_t kill_at_ms;             /* SIGKILL after the timeout's SIGTERM */
	int64_t note_at_ms;             /* the agent is to hear of more output */
	struct attempt_output kept;
	char detail[ATTEMPT_FILE_DETAIL_BYTES];
};

static int64_t clock_ms(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void tell(struct runner *runner, const struct runner_note *note)
{
	if (runner->is_alone)
		return;
	ssize_t sent = send(runner->agent, note, sizeof(*note), MSG_NOSIGNAL);
	if (sent != sizeof(*note))
		runner->is_alone = true;
}

/* At most one note about output is under way, so that an agent that is frozen never blocks its runners. */
static void tell_output(struct run *run, int64_t now_ms)
{
	int unread = 0;
	if (!run->runner->is_alone && ioctl(run->runner->agent, SIOCOUTQ, &unread) == 0 && unread == 0) {
		struct runner_note note = { .kind = NOTE_OUTPUT, .kept_bytes = run->kept.kept_bytes };
		tell(run->runner, &note);
		run->note_at_ms = NEVER;
	} else {
		run->note_at_ms = run->runner->is_alone ? NEVER : now_ms + RUNNER_NOTE_OUTPUT_MS;
	}
}

/* Reads what is in the pipe, once. False: there is nothing now, or nobody left to write. */
static bool take_output(struct run *run)
{
	static char bytes[OUTPUT_READ_BYTES];
	if (run->output < 0)
		return false;
	ssize_t length = read(run->output, bytes, sizeof(bytes));
	if (length < 0)
		return errno == EINTR;
	if (length == 0) {
		close(run->output);
		run->output = -1;
		return false;
	}
	attempt_file_append(run->file, &run->kept, bytes, (size_t)length);
	if (run->note_at_ms == NEVER)
		run->note_at_ms = clock_ms(CLOCK_MONOTONIC) + RUNNER_NOTE_OUTPUT_MS;
	return true;
}

static void reap(struct run *run)
{
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != run->command)
			continue;
		run->is_over = true;
		run->status = status;
	}
	run->has_children = pid == 0;
}

static void kill_all(struct run *run)
{
	for (reap(run); run->has_children; reap(run)) {
		process_tree_signal(SIGKILL);
		/* SIGCHLD stays readable until somebody takes it: look for it, and again before long. */
		struct pollfd child = { .fd = run->runner->signals, .events = POLLIN };
		poll(&child, 1, KILL_AGAIN_MS);
		struct signalfd_siginfo taken;
		while (read(run->runner->signals, &taken, sizeof(taken)) == sizeof(taken))
			;
	}
}

static void stop(struct run *run, enum ended_by why)
{
	if (!run->ended_by)
		run->ended_by = why;
	process_tree_signal(SIGTERM);
}

static void destroy(struct run *run)
{
	if (!run->ended_by || run->ended_by == ENDED_BY_STOP)
		run->ended_by = ENDED_BY_KILL;
	kill_all(run);
}

static void take_signals(struct run *run)
{
	struct signalfd_siginfo taken;
	while (!run->is_over && read(run->runner->signals, &taken, sizeof(taken)) == sizeof(taken)) {
		bool is_meant = (int64_t)taken.ssi_ptr == run->runner->turn;
		if (taken.ssi_signo == SIGCHLD)
			reap(run);
		else if (is_meant && taken.ssi_signo == (uint32_t)RUNNER_SIGNAL_STOP)
			stop(run, ENDED_BY_STOP);
		else if (is_meant && taken.ssi_signo == (uint32_t)RUNNER_SIGNAL_KILL)
			destroy(run);
	}
}

static void keep_time(struct run *run, int64_t now_ms)
{
	if (run->timeout_at_ms != NEVER && now_ms >= run->timeout_at_ms) {
		run->timeout_at_ms = NEVER;
		run->kill_at_ms = now_ms + RUNNER_GRACE_MS;
		stop(run, ENDED_BY_TIMEOUT);
	}
	if (run->kill_at_ms != NEVER && now_ms >= run->kill_at_ms) {
		run->kill_at_ms = NEVER;
		destroy(run);
	}
	if (run->note_at_ms != NEVER && now_ms >= run->note_at_ms)
		tell_output(run, now_ms);
}

/* How long nothing is due, for poll. */
static int due_in_ms(const struct run *run)
{
	const int64_t dues[] = { run->timeout_at_ms, run->kill_at_ms, run->note_at_ms };
	int64_t nearest = NEVER;
	for (size_t i = 0; i < COUNT_OF(dues); i++)
		if (dues[i] != NEVER && (nearest == NEVER || dues[i] < nearest))
			nearest = dues[i];
	if (nearest == NEVER)
		return -1;
	int64_t left = nearest - clock_ms(CLOCK_MONOTONIC);
	return left < 0 ? 0 : left > 3600 * 1000 ? 3600 * 1000 : (int)left;
}

static void watch(struct run *run)
{
	while (!run->is_over) {
		struct pollfd events[] = {
			{ .fd = run->runner->signals, .events = POLLIN },
			{ .fd = run->output, .events = POLLIN },
			{ .fd = run->runner->is_alone ? -1 : run->runner->agent, .events = POLLRDHUP },
		};
		poll(events, COUNT_OF(events), due_in_ms(run));
		if (events[1].revents)
			take_output(run);
		if (events[2].revents)
			run->runner->is_alone = true;
		if (events[0].revents)
			take_signals(run);
		keep_time(run, clock_ms(CLOCK_MONOTONIC));
	}
}

/* False: the head could not be written, nothing has begun, and the agent was told. */
static bool begin(struct run *run)
{
	struct runner *runner = run->runner;
	struct attempt_head head = { .pid = getpid(), .turn = runner->turn, .began_ms = run->began_ms };
	snprintf(head.attempt, sizeof(head.attempt), "%s", run->order->attempt);
	snprintf(head.flow, sizeof(head.flow), "%s", run->order->flow);
	snprintf(head.task, sizeof(head.task), "%s", run->order->task);

	struct error error;
	KILL_POINT("runner.enter.before");
	bool ok = spool_enter(&runner->spool, &error);
	if (ok) {
		ok = attempt_file_create(runner->spool.boot_folder, &head, &run->file, &error);
		spool_leave(&runner->spool);
	}
	KILL_POINT("runner.begin.after");
	if (ok)
		return true;
	struct runner_note note = { .kind = error.code == ERR_CONFLICT ? NOTE_EXISTS :
					    error.code == ERR_GONE     ? NOTE_FENCED : NOTE_REFUSED };
	snprintf(note.end.detail, sizeof(note.end.detail), "%.*s", (int)sizeof(note.end.detail) - 1, error.detail);
	runner->is_fenced = error.code == ERR_GONE;
	tell(runner, &note);
	return false;
}

static bool make_scratch(struct run *run, struct error *error)
{
	const struct runner *runner = run->runner;
	const struct run_order *order = run->order;
	if (!scratch_make(runner->spool.work_folder, order->attempt, runner->spare, run->uid, run->gid, &run->folder,
			  error))
		return false;
	for (size_t i = 0; i < order->file_count; i++) {
		const struct run_file *file = &order->files[i];
		if (!scratch_put(run->folder, file->name, file->bytes, file->length, run->uid, run->gid, error))
			return false;
	}
	return true;
}

static bool start(struct run *run, struct arena *arena, struct error *error)
{
	int ends[2];
	if (!make_scratch(run, error))
		return false;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_set(error, ERR_SYSTEM, "making a pipe: %s", strerror(errno));
	/* Only our end: a command does not expect its output to say "try again". */
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	run->output = ends[0];
	KILL_POINT("runner.launch.before");
	bool ok = launch_command(run->order, run->runner->null, ends[1], run->folder, arena, &run->command, error);
	KILL_POINT("runner.launch.after");
	close(ends[1]);
	return ok;
}

/* Kills what the command left, takes its last output, and removes its folder. */
static void clean(struct run *run)
{
	struct error error;
	kill_all(run);
	while (take_output(run))
		;
	if (run->output >= 0)
		close(run->output);
	KILL_POINT("runner.clean.before");
	if (run->folder >= 0 && !scratch_give_back(run->runner->spool.work_folder, run->order->attempt,
						   run->runner->spare, run->uid, run->gid, run->folder, &error) &&
	    !run->detail[0])
		snprintf(run->detail, sizeof(run->detail), "%.*s", (int)sizeof(run->detail) - 1, error.detail);
}

static void end(struct run *run)
{
	struct runner_note note = { .kind = NOTE_ENDED };
	struct attempt_end *end = &note.end;
	end->ended_ms = clock_ms(CLOCK_REALTIME);
	end->output_bytes = run->kept.total_bytes;
	end->kept_bytes = run->kept.kept_bytes;
	end->is_cut = run->kept.is_cut;
	end->ended_by = run->ended_by ? run->ended_by : ENDED_BY_ITSELF;
	end->exit_code = WIFEXITED(run->status) ? WEXITSTATUS(run->status) : 0;
	end->signal = WIFSIGNALED(run->status) ? WTERMSIG(run->status) : 0;
	memcpy(end->detail, run->detail, sizeof(end->detail));

	struct error error;
	KILL_POINT("runner.end.before");
	/* A disk that refuses even this is told of by the note alone. */
	(void)!attempt_file_end(run->file, end, &error);
	tell(run->runner, &note);
	KILL_POINT("runner.end.after");
	if (run->runner->is_alone) {
		KILL_POINT("runner.sync.before");
		fdatasync(run->file);
		fsync(run->runner->spool.boot_folder);
		KILL_POINT("runner.sync.after");
	}
	close(run->file);
}

void run_attempt(struct runner *runner, const struct run_order *order, struct arena *arena)
{
	struct run run = { .runner = runner, .order = order, .folder = -1, .output = -1, .kill_at_ms = NEVER,
			   .note_at_ms = NEVER };
	run.uid = order->changes_user ? order->uid : geteuid();
	run.gid = order->changes_user ? order->gid : getegid();
	run.began_ms = clock_ms(CLOCK_REALTIME);
	run.timeout_at_ms = order->timeout_ms ? clock_ms(CLOCK_MONOTONIC) + order->timeout_ms : NEVER;
	runner->turn++;
	if (!begin(&run))
		return;

	struct runner_note note = { .kind = NOTE_BEGAN, .at_ms = run.began_ms, .turn = runner->turn };
	struct error error;
	if (start(&run, arena, &error)) {
		tell(runner, &note);
		KILL_POINT("runner.told.after");
		watch(&run);
	} else {
		run.ended_by = ENDED_BY_FAILURE;
		snprintf(run.detail, sizeof(run.detail), "%.*s", (int)sizeof(run.detail) - 1, error.detail);
		tell(runner, &note);
	}
	clean(&run);
	end(&run);
}
