#include "runner/launch.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

const int launch_ignored_signals[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE, 0 };

/* The C library's own functions tell all threads; here there is one, and it shares its memory with its parent. */
static bool change_user(const struct run_order *order)
{
	return syscall(SYS_setgroups, order->group_count, order->groups) == 0 &&
	       syscall(SYS_setgid, order->gid) == 0 && syscall(SYS_setuid, order->uid) == 0;
}

static NORETURN void give_up(const char *what, const char *name)
{
	char line[512];
	int problem = errno;
	int length = snprintf(line, sizeof(line), "lull: %s %.400s: %s\n", what, name, strerror(problem));
	ssize_t written = write(STDERR_FILENO, line, (size_t)length);
	(void)written;
	_exit(problem == ENOENT ? 127 : 126);
}

/* Between vfork and exec: calls only what is safe there and changes no memory but its own stack. */
static NORETURN void become_command(const struct run_order *order, char *const *shell, int null, int output, int folder)
{
	for (const int *ignored = launch_ignored_signals; *ignored; ignored++)
		signal(*ignored, SIG_DFL);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	umask(022);
	if (dup2(null, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)
		_exit(126);
	if (fchdir(folder) < 0)
		give_up("entering the scratch folder of", order->attempt);
	if (order->changes_user && !change_user(order))
		give_up("changing the user for", order->attempt);

	char *const *arguments = (char *const *)order->arguments;
	char *const *environment = (char *const *)order->environment;
	execve(arguments[0], arguments, environment);
	/* A script without "#!" is the shell's, as in make. */
	if (errno == ENOEXEC)
		execve(shell[0], shell, environment);
	give_up("starting", arguments[0]);
}

static const char **shell_arguments(const struct run_order *order, struct arena *arena)
{
	const char **shell = ARENA_ARRAY(arena, const char *, order->argument_count + 2);
	shell[0] = "/bin/sh";
	memcpy(shell + 1, order->arguments, order->argument_count * sizeof(*shell));
	return shell;
}

bool launch_command(const struct run_order *order, int null, int output, int folder, struct arena *arena, pid_t *pid,
		    struct error *error)
{
	const char **shell = shell_arguments(order, arena);
	pid_t started = vfork();
	if (started == 0)
		become_command(order, (char *const *)shell, null, output, folder);
	if (started < 0)
		return error_set(error, ERR_SYSTEM, "starting a process: %s", strerror(errno));
	*pid = started;
	return true;
}
