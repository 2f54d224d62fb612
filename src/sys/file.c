#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

static bool fail(struct error *error, const char *doing, const char *path)
{
	enum error_code code = errno == ENOSPC ? ERR_DISK_FULL : errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM;
	return error_set(error, code, "%s %.300s: %s", doing, path, strerror(errno));
}

bool file_make_folder(const char *path, mode_t mode, struct error *error)
{
	char part[PATH_BYTES];
	size_t length = strlen(path);
	if (length == 0 || length >= sizeof(part))
		return error_set(error, ERR_INVALID, "a folder's path has %zu bytes", length);
	for (size_t i = 1; i <= length; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, i == length ? mode : 0755) < 0 && errno != EEXIST)
			return fail(error, "making the folder", part);
	}
	struct stat status;
	if (stat(path, &status) < 0)
		return fail(error, "looking at", path);
	if (!S_ISDIR(status.st_mode))
		return error_set(error, ERR_SYSTEM, "%.300s is no folder", path);
	return true;
}

static bool write_all(int fd, const void *bytes, size_t length)
{
	for (size_t done = 0; done < length;) {
		ssize_t more = write(fd, (const char *)bytes + done, length - done);
		if (more < 0 && errno != EINTR)
			return false;
		if (more > 0)
			done += (size_t)more;
	}
	return true;
}

static bool sync_folder_of(const char *path)
{
	char folder[PATH_BYTES];
	const char *slash = strrchr(path, '/');
	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path + 1) : 1, slash ? path : ".");
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return ok;
}

bool file_replace(const char *path, mode_t mode, const void *bytes, size_t length, struct error *error)
{
	char temporary[PATH_BYTES];
	if ((size_t)snprintf(temporary, sizeof(temporary), "%s.new", path) >= sizeof(temporary))
		return error_set(error, ERR_INVALID, "the path %.100s… is too long", path);
	int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return fail(error, "making", temporary);
	bool ok = fchmod(fd, mode) == 0 && write_all(fd, bytes, length) && fsync(fd) == 0;
	int problem = errno;
	close(fd);
	errno = problem;
	if (ok && rename(temporary, path) == 0 && sync_folder_of(path))
		return true;
	fail(error, "writing", path);
	unlink(temporary);
	return false;
}

bool file_read(const char *path, size_t most, struct buffer *buffer, struct error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail(error, "reading", path);
	size_t before = buffer->length;
	ssize_t got;
	do {
		char *at = buffer_reserve(buffer, 65536);
		got = read(fd, at, 65536);
		if (got > 0)
			buffer_grew(buffer, (size_t)got);
	} while ((got > 0 && buffer->length - before <= most) || (got < 0 && errno == EINTR));
	bool ok = got >= 0 || fail(error, "reading", path);
	close(fd);
	if (ok && buffer->length - before > most)
		ok = error_set(error, ERR_TOO_LARGE, "%.300s has more than %zu bytes", path, most);
	if (!ok)
		buffer->length = before;
	return ok;
}

bool file_lock(const char *path, int *fd, pid_t *holder, struct error *error)
{
	int opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (opened < 0)
		return fail(error, "opening", path);
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	if (fcntl(opened, F_SETLK, &lock) == 0) {
		*fd = opened;
		return true;
	}
	bool is_taken = errno == EACCES || errno == EAGAIN;
	if (!is_taken)
		fail(error, "locking", path);
	else if (fcntl(opened, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK && holder)
		*holder = lock.l_pid;
	close(opened);
	return is_taken ? error_set(error, ERR_CONFLICT, "%.300s is locked by another process", path) : false;
}

pid_t file_lock_holder(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return 0;
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	pid_t holder = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? lock.l_pid : 0;
	close(fd);
	return holder;
}
