#include "base/kill_point.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/attr.h"

enum { MOST_POINTS = 64, OTHERS_MS = 3 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	const char *name;
	long passed;
} points[MOST_POINTS];

/* Adds a line to the list: the name, and `mark` behind it. */
static void note(const char *name, const char *mark)
{
	const char *path = getenv("LULL_KILL_LIST");
	int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666) : -1;
	if (fd < 0)
		return;
	char line[80];
	int length = snprintf(line, sizeof(line), "%s%s\n", name, mark);
	ssize_t written = write(fd, line, (size_t)length);
	(void)written;
	close(fd);
}

static long count(const char *name)
{
	for (size_t i = 0; i < MOST_POINTS; i++) {
		if (!points[i].name) {
			points[i].name = name;
			note(name, "");
		}
		if (strcmp(points[i].name, name) == 0)
			return ++points[i].passed;
	}
	return 0;
}

void kill_point(const char *name)
{
	pthread_mutex_lock(&lock);
	long passed = count(name);
	pthread_mutex_unlock(&lock);

	size_t length = strlen(name);
	const char *wanted = getenv("LULL_KILL");
	while (wanted && *wanted) {
		if (strncmp(wanted, name, length) == 0 && wanted[length] == ':' &&
		    strtol(wanted + length + 1, NULL, 10) == passed) {
			note(name, "!");
			if (passed % 2 == 0)
				nanosleep(&(struct timespec){ .tv_nsec = OTHERS_MS * 1000000L }, NULL);
			kill(getpid(), SIGKILL);
		}
		wanted = strchr(wanted, ',');
		wanted = wanted ? wanted + 1 : NULL;
	}
}
