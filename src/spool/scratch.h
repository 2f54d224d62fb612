/*
 * Scratch folders: scratch/<attempt>, the folder in which a command starts, owned by the user that it runs as.
 *
 * Most commands leave theirs as they found it. Such a folder is kept under a spare name and becomes the next
 * attempt's by being renamed, since making and removing one costs more than all else that a runner does (ext4:
 * 135 of 470 µs).
 */
#ifndef LULL_SPOOL_SCRATCH_H
#define LULL_SPOOL_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/error.h"

/*
 * Makes the folder `name` (0700) below `work_folder`, of the folder `spare` if there is one, and opens it. What is
 * there under that name is removed first. False: ERR_SYSTEM, ERR_DISK_FULL.
 */
bool scratch_make(int work_folder, const char *name, const char *spare, uid_t uid, gid_t gid, int *folder,
		  struct error *error) MUST_CHECK;
/*
 * Ends the use of the folder, and closes it: one that is empty, and has owner and mode as it was made, becomes
 * `spare`; another is removed, as by scratch_remove.
 */
bool scratch_give_back(int work_folder, const char *name, const char *spare, uid_t uid, gid_t gid, int folder,
		       struct error *error) MUST_CHECK;
/* Puts a file (0600) into the open folder. False: ERR_SYSTEM, ERR_DISK_FULL. */
bool scratch_put(int folder, const char *name, const void *bytes, size_t length, uid_t uid, gid_t gid,
		 struct error *error) MUST_CHECK;
/*
 * Removes the folder and all in it, however deep, without following a link; one that is not there is removed
 * already. Nothing may be using it any more. False: ERR_SYSTEM, and what could not be removed is still there.
 */
bool scratch_remove(int work_folder, const char *name, struct error *error) MUST_CHECK;

#endif
