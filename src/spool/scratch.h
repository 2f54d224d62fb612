/*
 * Scratch folders: work/<attempt>, the folder in which a command starts, owned by the user that it runs as.
 */
#ifndef LULL_SPOOL_SCRATCH_H
#define LULL_SPOOL_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/error.h"

/*
 * Makes the folder `name` (0700) below `work_folder` and opens it; one that is there is removed first.
 * False: ERR_SYSTEM, ERR_DISK_FULL.
 */
bool scratch_make(int work_folder, const char *name, uid_t uid, gid_t gid, int *folder, struct error *error) MUST_CHECK;
/* Puts a file (0600) into the open folder. False: ERR_SYSTEM, ERR_DISK_FULL. */
bool scratch_put(int folder, const char *name, const void *bytes, size_t length, uid_t uid, gid_t gid,
		 struct error *error) MUST_CHECK;
/*
 * Removes the folder and all in it, however deep, without following a link; one that is not there is removed
 * already. Nothing may be using it any more. False: ERR_SYSTEM, and what could not be removed is still there.
 */
bool scratch_remove(int work_folder, const char *name, struct error *error) MUST_CHECK;

#endif
