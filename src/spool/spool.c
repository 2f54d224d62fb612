#include "spool/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/kill_point.h"
#include "base/text.h"

enum {
	GENERATION_BYTES = 21,             /* twenty digits and a newline: always overwritten whole */
	RAISE_WAIT_MS = 10 * 1000,
	RAISE_PAUSE_MS = 2,
};

static bool fail(struct error *error, const char *what)
{
	return error_set(error, errno == ENOSPC ? ERR_DISK_FULL : ERR_SYSTEM, "the spool: %s: %s", what,
			 strerror(errno));
}

static const struct spool closed = { .folder = -1, .boot_folder = -1, .work_folder = -1, .generation_file = -1 };

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void spool_close(struct spool *spool)
{
	close_one(&spool->folder);
	close_one(&spool->boot_folder);
	close_one(&spool->work_folder);
	close_one(&spool->generation_file);
}

static int open_folder(int parent, const char *name)
{
	return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Opens the folder, making it if it is not there, and gives it `mode`. -1: errno. */
static int make_folder(int parent, const char *name, mode_t mode)
{
	if (mkdirat(parent, name, mode) < 0 && errno != EEXIST)
		return -1;
	int fd = open_folder(parent, name);
	if (fd >= 0 && fchmod(fd, mode) < 0)
		close_one(&fd);
	return fd;
}

static bool read_boot(char boot[SPOOL_NAME_BYTES], struct error *error)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t length = fd >= 0 ? read(fd, boot, SPOOL_NAME_BYTES - 1) : -1;
	close_one(&fd);
	if (length <= 0)
		return fail(error, "reading the boot id");
	boot[length] = '\0';
	boot[strcspn(boot, "\n")] = '\0';
	if (!text_is_name(boot, SPOOL_NAME_BYTES - 1, false))
		return error_set(error, ERR_SYSTEM, "the kernel's boot id is no name");
	return true;
}

/* Reads the spool's identity; false if it has none that is whole. */
static bool read_identity(int folder, char identity[SPOOL_NAME_BYTES])
{
	char text[33];
	int fd = openat(folder, "identity", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t length = fd >= 0 ? read(fd, text, sizeof(text)) : -1;
	close_one(&fd);
	if (length != 32)
		return false;
	text[32] = '\0';
	if (!text_is_name(text, 32, false))
		return false;
	memcpy(identity, text, sizeof(text));
	return true;
}

static bool make_identity(int folder, char identity[SPOOL_NAME_BYTES], struct error *error)
{
	unsigned char random[16];
	char text[33];
	int failed = getentropy(random, sizeof(random));
	ASSERT(failed == 0);
	text_hex(random, sizeof(random), text);

	int fd = openat(folder, "identity.new", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	bool ok = fd >= 0 && write(fd, text, 32) == 32 && fsync(fd) == 0;
	KILL_POINT("spool.identity.before");
	ok = ok && renameat(folder, "identity.new", folder, "identity") == 0 && fsync(folder) == 0;
	KILL_POINT("spool.identity.after");
	if (!ok)
		fail(error, "writing its identity");
	close_one(&fd);
	if (ok)
		memcpy(identity, text, sizeof(text));
	return ok;
}

/* The number in the file; 0 if there is none yet. */
static int64_t read_generation(int file)
{
	char text[GENERATION_BYTES + 1] = { 0 };
	ssize_t length = pread(file, text, GENERATION_BYTES, 0);
	return length == GENERATION_BYTES ? strtoll(text, NULL, 10) : 0;
}

/* Tries to lock the whole file; false: errno, and *holder is a process that is in the way, or 0. */
static bool try_exclusive(int file, pid_t *holder)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	if (fcntl(file, F_SETLK, &lock) == 0)
		return true;
	int problem = errno;
	*holder = fcntl(file, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? lock.l_pid : 0;
	errno = problem;
	return false;
}

static bool lock_exclusive(int file, struct error *error)
{
	pid_t holder = 0;
	const struct timespec pause = { .tv_nsec = RAISE_PAUSE_MS * 1000000L };
	for (int waited_ms = 0; !try_exclusive(file, &holder); waited_ms += RAISE_PAUSE_MS) {
		if (errno != EACCES && errno != EAGAIN && errno != EINTR)
			return fail(error, "locking its generation");
		if (waited_ms >= RAISE_WAIT_MS)
			return error_set(error, ERR_BUSY, "the spool: runner %d has been creating a file for ten "
					 "seconds; continue or end it", (int)holder);
		nanosleep(&pause, NULL);
	}
	return true;
}

void spool_leave(const struct spool *spool)
{
	struct flock lock = { .l_type = F_UNLCK, .l_whence = SEEK_SET };
	int failed = fcntl(spool->generation_file, F_SETLK, &lock);
	ASSERT(failed == 0);
}

static bool raise_generation(struct spool *spool, struct error *error)
{
	spool->generation_file = openat(spool->folder, "generation", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (spool->generation_file < 0)
		return fail(error, "opening its generation");
	if (!lock_exclusive(spool->generation_file, error))
		return false;
	spool->generation = read_generation(spool->generation_file) + 1;
	char text[GENERATION_BYTES + 1];
	snprintf(text, sizeof(text), "%020" PRId64 "\n", spool->generation);
	KILL_POINT("spool.raise.before");
	bool ok = pwrite(spool->generation_file, text, GENERATION_BYTES, 0) == GENERATION_BYTES ||
		  fail(error, "writing its generation");
	KILL_POINT("spool.raise.after");
	spool_leave(spool);
	return ok;
}

bool spool_open(const char *agent_folder, struct spool *spool, struct error *error)
{
	struct spool new = closed;
	int parent = open(agent_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return fail(error, "opening the agent's folder");
	if (!read_boot(new.boot, error))
		goto failed;
	new.folder = make_folder(parent, "spool", 0700);
	new.work_folder = make_folder(parent, "scratch", 0711);
	new.boot_folder = new.folder >= 0 ? make_folder(new.folder, new.boot, 0700) : -1;
	if (new.work_folder < 0 || new.boot_folder < 0) {
		fail(error, "making its folders");
		goto failed;
	}
	if (!read_identity(new.folder, new.identity) && !make_identity(new.folder, new.identity, error))
		goto failed;
	if (!raise_generation(&new, error))
		goto failed;
	close(parent);
	*spool = new;
	return true;

failed:
	close(parent);
	spool_close(&new);
	return false;
}

bool spool_join(const char *agent_folder, const char *boot, int64_t generation, struct spool *spool,
		struct error *error)
{
	struct spool new = closed;
	new.generation = generation;
	snprintf(new.boot, sizeof(new.boot), "%s", boot);
	int parent = open(agent_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	new.folder = parent >= 0 ? open_folder(parent, "spool") : -1;
	new.work_folder = parent >= 0 ? open_folder(parent, "scratch") : -1;
	if (new.folder >= 0) {
		new.boot_folder = open_folder(new.folder, boot);
		new.generation_file = openat(new.folder, "generation", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	}
	bool ok = new.work_folder >= 0 && new.boot_folder >= 0 && new.generation_file >= 0;
	if (ok)
		*spool = new;
	else
		fail(error, "joining it");
	close_one(&parent);
	if (!ok)
		spool_close(&new);
	return ok;
}

bool spool_enter(const struct spool *spool, struct error *error)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	while (fcntl(spool->generation_file, F_SETLKW, &lock) < 0)
		if (errno != EINTR)
			return fail(error, "locking its generation");
	if (read_generation(spool->generation_file) == spool->generation)
		return true;
	spool_leave(spool);
	return error_set(error, ERR_GONE, "a newer agent owns the spool");
}

bool spool_each(int folder, void (*visit)(void *context, const char *name), void *context, struct error *error)
{
	int copy = open_folder(folder, ".");
	DIR *listing = copy >= 0 ? fdopendir(copy) : NULL;
	if (!listing) {
		fail(error, "reading a folder");
		close_one(&copy);
		return false;
	}
	struct dirent *entry;
	while (errno = 0, (entry = readdir(listing)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			visit(context, entry->d_name);
	bool ok = errno == 0 || fail(error, "reading a folder");
	closedir(listing);
	return ok;
}
