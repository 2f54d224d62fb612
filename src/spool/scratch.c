#include "spool/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool fail(struct error *error, const char *doing, const char *name)
{
	return error_set(error, errno == ENOSPC || errno == EDQUOT ? ERR_DISK_FULL : ERR_SYSTEM,
			 "the scratch folder: %s %s: %s", doing, name, strerror(errno));
}

static int open_folder(int parent, const char *name)
{
	return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* A folder of this name, freshly made or the spare one. False: errno. */
static bool make_empty(int work_folder, const char *name, const char *spare)
{
	return renameat(work_folder, spare, work_folder, name) == 0 || mkdirat(work_folder, name, 0700) == 0;
}

static bool is_pristine(int folder, uid_t uid, gid_t gid)
{
	struct stat status;
	char entries[256];
	if (fstat(folder, &status) < 0 || (status.st_mode & 07777) != 0700 || status.st_uid != uid ||
	    status.st_gid != gid)
		return false;
	/* An empty folder has "." and ".." and nothing after them. */
	long first = syscall(SYS_getdents64, folder, entries, sizeof(entries));
	if (first <= 0 || syscall(SYS_getdents64, folder, entries + first, sizeof(entries) - (size_t)first) != 0)
		return false;
	int count = 0;
	for (long at = 0; at < first; count++) {
		unsigned short length;
		memcpy(&length, entries + at + offsetof(struct dirent64, d_reclen), sizeof(length));
		at += length;
	}
	return count == 2;
}

bool scratch_make(int work_folder, const char *name, const char *spare, uid_t uid, gid_t gid, int *folder,
		  struct error *error)
{
	if (!make_empty(work_folder, name, spare)) {
		if (errno != EEXIST && errno != ENOTEMPTY)
			return fail(error, "making", name);
		if (!scratch_remove(work_folder, name, error))
			return false;
		if (mkdirat(work_folder, name, 0700) < 0)
			return fail(error, "making", name);
	}
	struct stat status;
	int opened = open_folder(work_folder, name);
	if (opened < 0)
		return fail(error, "opening", name);
	if (fstat(opened, &status) < 0 ||
	    ((status.st_uid != uid || status.st_gid != gid) && fchown(opened, uid, gid) < 0)) {
		fail(error, "giving away", name);
		close(opened);
		return false;
	}
	*folder = opened;
	return true;
}

bool scratch_give_back(int work_folder, const char *name, const char *spare, uid_t uid, gid_t gid, int folder,
		       struct error *error)
{
	bool is_kept = is_pristine(folder, uid, gid) && renameat(work_folder, name, work_folder, spare) == 0;
	close(folder);
	return is_kept || scratch_remove(work_folder, name, error);
}

bool scratch_put(int folder, const char *name, const void *bytes, size_t length, uid_t uid, gid_t gid,
		 struct error *error)
{
	int file = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (file < 0)
		return fail(error, "making", name);
	bool ok = true;
	for (size_t done = 0; ok && done < length;) {
		ssize_t more = write(file, (const char *)bytes + done, length - done);
		ok = more > 0 || (more < 0 && errno == EINTR);
		done += more > 0 ? (size_t)more : 0;
	}
	if (ok && (uid != geteuid() || gid != getegid()))
		ok = fchown(file, uid, gid) == 0;
	if (!ok)
		fail(error, "writing", name);
	close(file);
	return ok;
}

/*
 * Makes a folder accessible to its owner. By its name, and so through a link if somebody puts one there meanwhile:
 * that is harmless to a user who may change only what is his own, and root never needs it. False: errno.
 */
static bool unlock_folder(int parent, const char *name)
{
	if (errno != EACCES || geteuid() == 0)
		return false;
	return fchmodat(parent, name, 0700, 0) == 0;
}

/* Opens a folder to be emptied, whatever its mode is. */
static int open_to_empty(int parent, const char *name)
{
	int fd = open_folder(parent, name);
	if (fd < 0 && unlock_folder(parent, name))
		fd = open_folder(parent, name);
	if (fd >= 0)
		(void)!fchmod(fd, 0700);
	return fd;
}

/* Is the file removed? False for a folder (errno EISDIR), or when it cannot be (another errno). */
static bool remove_file(int folder, const char *name)
{
	return unlinkat(folder, name, 0) == 0 || errno == ENOENT;
}

static bool is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* A folder can only be moved by one who may write into it. */
static bool move_folder(int folder, const char *name, int top, const char *moved)
{
	return renameat(folder, name, top, moved) == 0 ||
	       (unlock_folder(folder, name) && renameat(folder, name, top, moved) == 0);
}

/* Removes the files of `folder` and moves its folders up into `top`. Takes the descriptor. */
static bool flatten(int folder, int top, unsigned *serial)
{
	DIR *listing = fdopendir(folder);
	if (!listing) {
		close(folder);
		return false;
	}
	bool ok = true;
	struct dirent *entry;
	while (ok && (entry = readdir(listing)) != NULL) {
		if (is_dot(entry->d_name) || remove_file(folder, entry->d_name))
			continue;
		char moved[32];
		snprintf(moved, sizeof(moved), ".lull-removing-%u", (*serial)++);
		ok = errno == EISDIR && move_folder(folder, entry->d_name, top, moved);
	}
	int problem = errno;
	closedir(listing);
	errno = problem;
	return ok;
}

/*
 * One pass over `top`: every file in it and every folder as it stands now goes. What was deeper now lies in
 * `top` itself, so that the next pass finds it: depth costs passes, never stack or descriptors.
 */
static bool empty_once(int top, unsigned *serial, bool *is_empty)
{
	int copy = open_folder(top, ".");
	DIR *listing = copy >= 0 ? fdopendir(copy) : NULL;
	if (!listing) {
		if (copy >= 0)
			close(copy);
		return false;
	}
	bool ok = true;
	*is_empty = true;
	struct dirent *entry;
	while (ok && (entry = readdir(listing)) != NULL) {
		if (is_dot(entry->d_name))
			continue;
		*is_empty = false;
		if (remove_file(top, entry->d_name))
			continue;
		int folder = errno == EISDIR ? open_to_empty(top, entry->d_name) : -1;
		ok = folder >= 0 && flatten(folder, top, serial) && unlinkat(top, entry->d_name, AT_REMOVEDIR) == 0;
	}
	int problem = errno;
	closedir(listing);
	errno = problem;
	return ok;
}

bool scratch_remove(int work_folder, const char *name, struct error *error)
{
	/* Most are empty. */
	if (unlinkat(work_folder, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return true;
	int top = open_to_empty(work_folder, name);
	if (top < 0)
		return fail(error, "opening", name);
	unsigned serial = 0;
	bool is_empty = false, ok = true;
	while (ok && !is_empty)
		ok = empty_once(top, &serial, &is_empty);
	if (!ok || unlinkat(work_folder, name, AT_REMOVEDIR) < 0)
		ok = fail(error, "removing", name);
	close(top);
	return ok;
}
