#include "agent/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char default_name[] = "lull-run";

static bool no_such_user(const char *run_as, struct error *error)
{
	if (run_as)
		return error_set(error, ERR_NOT_FOUND, "there is no user \"%.60s\" to run attempts as", run_as);
	return error_set(error, ERR_NOT_FOUND, "attempts do not run as root: make a user for them with `useradd "
			 "--system %s`, or name one with --run-as (`--run-as root` if you mean it)", default_name);
}

bool agent_user_find(const char *run_as, struct agent_user *user, struct error *error)
{
	bool is_root = geteuid() == 0;
	errno = 0;
	const struct passwd *entry = run_as  ? getpwnam(run_as) :
				     is_root ? getpwnam(default_name) : getpwuid(geteuid());
	if (!entry && (run_as || is_root))
		return no_such_user(run_as, error);
	struct agent_user found = { .uid = geteuid(), .gid = getegid(), .home = "/" };
	snprintf(found.name, sizeof(found.name), "%u", (unsigned)found.uid);
	if (entry) {
		found.uid = entry->pw_uid;
		found.gid = entry->pw_gid;
		snprintf(found.name, sizeof(found.name), "%s", entry->pw_name);
		snprintf(found.home, sizeof(found.home), "%s", entry->pw_dir);
	}
	found.is_other = found.uid != geteuid();
	if (found.is_other && !is_root)
		return error_set(error, ERR_FORBIDDEN, "only an agent of root can run attempts as %s", found.name);
	if (found.is_other) {
		int count = RUN_ORDER_GROUPS;
		if (getgrouplist(found.name, found.gid, found.groups, &count) < 0)
			return error_set(error, ERR_SYSTEM, "user %s is in more than %d groups", found.name,
					 RUN_ORDER_GROUPS);
		found.group_count = (size_t)count;
	}
	*user = found;
	return true;
}

/* May the user pass through the folder? */
static bool may_pass(const struct agent_user *user, const struct stat *folder)
{
	if (folder->st_uid == user->uid)
		return folder->st_mode & S_IXUSR;
	for (size_t i = 0; i < user->group_count; i++)
		if (folder->st_gid == user->groups[i])
			return folder->st_mode & S_IXGRP;
	return folder->st_mode & S_IXOTH;
}

bool agent_user_reaches(const struct agent_user *user, const char *folder, struct error *error)
{
	char part[1024];
	struct stat status;
	size_t length = strlen(folder);
	for (size_t i = 1; user->is_other && user->uid != 0 && i <= length && i < sizeof(part); i++) {
		if (folder[i] != '/' && folder[i] != '\0')
			continue;
		memcpy(part, folder, i);
		part[i] = '\0';
		if (stat(part, &status) == 0 && !may_pass(user, &status))
			return error_set(error, ERR_FORBIDDEN, "user %s cannot pass %s to reach its scratch folders: "
					 "`chmod o+x %s`", user->name, part, part);
	}
	return true;
}
