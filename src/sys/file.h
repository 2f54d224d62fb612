/*
 * Files and folders, with the errors that people can act on. Paths end in NUL.
 */
#ifndef LULL_SYS_FILE_H
#define LULL_SYS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/buffer.h"
#include "base/error.h"

/* Makes the folder and those above it; one that is there stays as it is. False: ERR_SYSTEM. */
bool file_make_folder(const char *path, mode_t mode, struct error *error) MUST_CHECK;
/* Replaces the file at once and for good: temporary file, fsync, rename, fsync of the folder. */
bool file_replace(const char *path, mode_t mode, const void *bytes, size_t length, struct error *error) MUST_CHECK;
/* Appends the content to `buffer`. False: ERR_NOT_FOUND, ERR_TOO_LARGE above `most` bytes, ERR_SYSTEM. */
bool file_read(const char *path, size_t most, struct buffer *buffer, struct error *error) MUST_CHECK;

/*
 * Locks the file for this process (fcntl; gone when the process is), making it if needed. *fd stays open as long
 * as the lock is wanted. False: ERR_CONFLICT, *holder (may be NULL) names the process that has it; ERR_SYSTEM.
 */
bool file_lock(const char *path, int *fd, pid_t *holder, struct error *error) MUST_CHECK;
/* The process that holds the lock of the file; 0 if none does or there is no such file. */
pid_t file_lock_holder(const char *path) MUST_CHECK;

#endif
