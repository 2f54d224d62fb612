#include "spool/process_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/heap.h"

enum { ENVIRONMENT_BYTES = 4 << 20 };

struct process {
	pid_t pid;
	pid_t parent;
	bool is_wanted;
};

/* All live processes, sorted by pid. */
struct process_list {
	struct process *at;
	size_t count;
	size_t room;
};

/* Reads "pid (name) state ppid …"; the name may contain anything. False: gone or a zombie. */
static bool read_process(int proc, const char *name, struct process *process)
{
	char path[32], stat[512];
	snprintf(path, sizeof(path), "%.20s/stat", name);
	int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd >= 0 ? read(fd, stat, sizeof(stat) - 1) : -1;
	if (fd >= 0)
		close(fd);
	if (length <= 0)
		return false;
	stat[length] = '\0';
	char state;
	int parent;
	const char *after_name = strrchr(stat, ')');
	if (!after_name || sscanf(after_name + 1, " %c %d", &state, &parent) != 2 || strchr("ZXx", state))
		return false;
	*process = (struct process){ .pid = (pid_t)strtol(name, NULL, 10), .parent = (pid_t)parent };
	return true;
}

static int by_pid(const void *a, const void *b)
{
	pid_t first = ((const struct process *)a)->pid, second = ((const struct process *)b)->pid;
	return (first > second) - (first < second);
}

static void list_processes(struct process_list *list)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	while (proc && (entry = readdir(proc)) != NULL) {
		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		if (list->count == list->room) {
			list->room = list->room ? list->room * 2 : 256;
			list->at = heap_grow(list->at, list->room, sizeof(*list->at));
		}
		list->count += read_process(dirfd(proc), entry->d_name, &list->at[list->count]);
	}
	if (proc)
		closedir(proc);
	if (list->count)
		qsort(list->at, list->count, sizeof(*list->at), by_pid);
}

static struct process *find(const struct process_list *list, pid_t pid)
{
	struct process key = { .pid = pid };
	return list->count ? bsearch(&key, list->at, list->count, sizeof(key), by_pid) : NULL;
}

/* Is an ancestor of `process` wanted, or the process `root`? The bound guards against a ring in a torn picture. */
static bool descends(const struct process_list *list, const struct process *process, pid_t root)
{
	for (size_t steps = 0; process && steps < list->count; steps++) {
		if (process->parent == root)
			return true;
		process = find(list, process->parent);
		if (process && process->is_wanted)
			return true;
	}
	return false;
}

size_t process_tree_signal(int signal)
{
	struct process_list list = { 0 };
	list_processes(&list);
	size_t count = 0;
	pid_t self = getpid();
	for (size_t i = 0; i < list.count; i++) {
		if (!descends(&list, &list.at[i], self))
			continue;
		count++;
		kill(list.at[i].pid, signal);
		/* One that was stopped hears of it only when it goes on. */
		if (signal == SIGTERM)
			kill(list.at[i].pid, SIGCONT);
	}
	free(list.at);
	return count;
}

static bool carries(pid_t pid, const char *mark, struct buffer *scratch)
{
	char path[32];
	snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	buffer_reset(scratch);
	ssize_t more = 1;
	while (more > 0 && scratch->length < ENVIRONMENT_BYTES) {
		more = read(fd, buffer_reserve(scratch, 65536), 65536);
		if (more > 0)
			buffer_grew(scratch, (size_t)more);
	}
	close(fd);

	size_t length = strlen(mark);
	const char *at = scratch->at;
	for (size_t left = scratch->length; left > length;) {
		if (memcmp(at, mark, length) == 0 && at[length] == '\0')
			return true;
		const char *end = memchr(at, '\0', left);
		if (!end)
			break;
		left -= (size_t)(end + 1 - at);
		at = end + 1;
	}
	return false;
}

enum process_tree_left process_tree_kill_marked(const char *mark, bool (*also)(void *context, pid_t pid, pid_t parent),
						void *context)
{
	struct process_list list = { 0 };
	struct buffer scratch = { 0 };
	list_processes(&list);
	for (size_t i = 0; i < list.count; i++) {
		struct process *process = &list.at[i];
		process->is_wanted = process->pid != getpid() &&
				     ((also && also(context, process->pid, process->parent)) ||
				      carries(process->pid, mark, &scratch));
	}
	enum process_tree_left left = PROCESS_TREE_NONE;
	for (size_t i = 0; i < list.count; i++) {
		struct process *process = &list.at[i];
		if (!process->is_wanted && !descends(&list, process, -1))
			continue;
		if (kill(process->pid, SIGKILL) < 0 && errno == EPERM)
			left = PROCESS_TREE_REFUSED;
		else if (left == PROCESS_TREE_NONE)
			left = PROCESS_TREE_SOME;
	}
	buffer_fini(&scratch);
	free(list.at);
	return left;
}
