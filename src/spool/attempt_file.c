#include "spool/attempt_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/kill_point.h"
#include "base/limits.h"

static const char magic[8] = "LULLSP1\n";

_Static_assert(sizeof(struct attempt_head) <= ATTEMPT_FILE_END_AT, "the head has its place");
_Static_assert(sizeof(struct attempt_end) <= ATTEMPT_FILE_OUTPUT_AT - ATTEMPT_FILE_END_AT, "the end has its place");

static bool fail(struct error *error, const char *what, const char *name)
{
	enum error_code code = errno == ENOSPC || errno == EDQUOT ? ERR_DISK_FULL :
			       errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM;
	return error_set(error, code, "the spool: %s %s: %s", what, name, strerror(errno));
}

/* FNV-1a over the bytes before the checksum; never 0, so that blank bytes do not fit. */
static uint64_t checksum_of(const void *bytes, size_t length)
{
	uint64_t sum = UINT64_C(14695981039346656037);
	for (size_t i = 0; i < length; i++)
		sum = (sum ^ ((const unsigned char *)bytes)[i]) * UINT64_C(1099511628211);
	return sum | 1;
}

static bool write_all_at(int file, const void *bytes, size_t length, off_t at)
{
	for (size_t done = 0; done < length;) {
		ssize_t more = pwrite(file, (const char *)bytes + done, length - done, at + (off_t)done);
		if (more < 0 && errno != EINTR)
			return false;
		if (more > 0)
			done += (size_t)more;
	}
	return true;
}

bool attempt_file_create(int folder, struct attempt_head *head, int *file, struct error *error)
{
	memcpy(head->magic, magic, sizeof(magic));
	head->checksum = checksum_of(head, offsetof(struct attempt_head, checksum));

	int opened = openat(folder, head->attempt, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (opened < 0 && errno == EEXIST)
		return error_set(error, ERR_CONFLICT, "attempt %s is in the spool already", head->attempt);
	if (opened < 0)
		return fail(error, "creating", head->attempt);
	KILL_POINT("spool.create.after");

	char start[ATTEMPT_FILE_OUTPUT_AT] = { 0 };
	memcpy(start, head, sizeof(*head));
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	if (fcntl(opened, F_SETLK, &lock) < 0 || !write_all_at(opened, start, sizeof(start), 0)) {
		fail(error, "beginning", head->attempt);
		unlinkat(folder, head->attempt, 0);
		close(opened);
		return false;
	}
	KILL_POINT("spool.begin.after");
	*file = opened;
	return true;
}

/* Appends all of it, or nothing and answers false. */
static bool append(int file, struct attempt_output *output, const void *bytes, size_t length)
{
	off_t at = ATTEMPT_FILE_OUTPUT_AT + (off_t)output->kept_bytes;
	if (write_all_at(file, bytes, length, at)) {
		output->kept_bytes += (int64_t)length;
		return true;
	}
	/* What was written half-way is taken off again; where even that fails, it stays behind the last byte kept. */
	int failed = ftruncate(file, at);
	(void)failed;
	return false;
}

void attempt_file_append(int file, struct attempt_output *output, const void *bytes, size_t length)
{
	output->total_bytes += (int64_t)length;
	if (output->is_cut)
		return;
	size_t room = (size_t)(LIMIT_OUTPUT_BYTES - output->kept_bytes);
	bool is_written = append(file, output, bytes, length < room ? length : room);
	if (is_written && length <= room)
		return;

	output->is_cut = true;
	char mark[80];
	int mark_length = snprintf(mark, sizeof(mark), "\n[lull: output cut after %lld bytes%s]\n",
				   (long long)output->kept_bytes, is_written ? "" : ": the disk is full");
	(void)append(file, output, mark, (size_t)mark_length);
}

bool attempt_file_end(int file, struct attempt_end *end, struct error *error)
{
	end->checksum = checksum_of(end, offsetof(struct attempt_end, checksum));
	KILL_POINT("spool.end.before");
	if (!write_all_at(file, end, sizeof(*end), ATTEMPT_FILE_END_AT))
		return fail(error, "writing", "an end");
	KILL_POINT("spool.end.after");
	return true;
}

static int64_t kept_in(int file)
{
	struct stat status;
	if (fstat(file, &status) < 0)
		return -1;
	return status.st_size > ATTEMPT_FILE_OUTPUT_AT ? status.st_size - ATTEMPT_FILE_OUTPUT_AT : 0;
}

static int open_file(int folder, const char *name)
{
	return openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

static void read_parts(int file, const char *name, struct attempt_record *record)
{
	struct attempt_head *head = &record->head;
	struct attempt_end *end = &record->end;
	record->has_begun = pread(file, head, sizeof(*head), 0) == sizeof(*head) &&
			    memcmp(head->magic, magic, sizeof(magic)) == 0 &&
			    head->checksum == checksum_of(head, offsetof(struct attempt_head, checksum)) &&
			    strcmp(head->attempt, name) == 0;
	record->has_ended = record->has_begun &&
			    pread(file, end, sizeof(*end), ATTEMPT_FILE_END_AT) == sizeof(*end) &&
			    end->checksum == checksum_of(end, offsetof(struct attempt_end, checksum));
	record->kept_bytes = kept_in(file);
}

bool attempt_file_read(int folder, const char *name, struct attempt_record *record, struct error *error)
{
	int file = open_file(folder, name);
	if (file < 0)
		return fail(error, "opening", name);
	struct attempt_record read = { 0 };
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	bool ok = fcntl(file, F_GETLK, &lock) == 0;
	if (ok) {
		read.holder = lock.l_type != F_UNLCK ? lock.l_pid : 0;
		read_parts(file, name, &read);
		ok = read.kept_bytes >= 0;
	}
	if (ok)
		*record = read;
	else
		fail(error, "reading", name);
	close(file);
	return ok;
}

bool attempt_file_read_output(int folder, const char *name, int64_t offset, void *bytes, size_t length, size_t *got,
			      struct error *error)
{
	int file = open_file(folder, name);
	if (file < 0)
		return fail(error, "opening", name);
	size_t done = 0;
	ssize_t more = 1;
	while (done < length && more > 0) {
		more = pread(file, (char *)bytes + done, length - done,
			     ATTEMPT_FILE_OUTPUT_AT + (off_t)offset + (off_t)done);
		if (more < 0 && errno == EINTR)
			more = 1;
		else if (more > 0)
			done += (size_t)more;
	}
	bool ok = more >= 0 || fail(error, "reading", name);
	close(file);
	if (ok)
		*got = done;
	return ok;
}

int64_t attempt_file_kept(int folder, const char *name)
{
	int file = open_file(folder, name);
	if (file < 0)
		return -1;
	int64_t kept = kept_in(file);
	close(file);
	return kept;
}

bool attempt_file_sync(int folder, const char *name, struct error *error)
{
	int file = open_file(folder, name);
	if (file < 0)
		return fail(error, "opening", name);
	bool ok = fdatasync(file) == 0 || fail(error, "syncing", name);
	close(file);
	return ok;
}
