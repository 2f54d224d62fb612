#include "client/local.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "sys/file.h"
#include "wire/answer.h"

enum { FILE_BYTES = 16 << 10, TOKEN_BYTES = 4096 };

/* A variable that is set and not empty, else NULL. */
static const char *variable(const char *name)
{
	const char *value = getenv(name);
	return value && *value ? value : NULL;
}

/* The folder of the file; *shared is the folder above it where anybody could have made it, else NULL. */
static const char *folder_of(struct arena *arena, const char **shared)
{
	const char *base = variable("LULL_RUNTIME_DIR");
	*shared = NULL;
	if (!base && geteuid() == 0)
		base = "/run";
	if (!base)
		base = variable("XDG_RUNTIME_DIR");
	if (!base)
		*shared = base = arena_printf(arena, "/tmp/lull-%u", (unsigned)geteuid());
	return arena_printf(arena, "%s/lull", base);
}

/* Is what lies there of this kind, no link, and ours alone to write? */
static bool is_ours(const char *path, mode_t kind, struct error *error)
{
	struct stat status;
	bool is_there = lstat(path, &status) == 0;
	if (!is_there && errno == ENOENT)
		return error_set(error, ERR_UNREACHABLE, "no server of this user runs here; start one with `lull "
				 "serve`, or say --url or LULL_URL");
	if (!is_there || (status.st_mode & S_IFMT) != kind || status.st_uid != geteuid() ||
	    (status.st_mode & (S_IWGRP | S_IWOTH)))
		return error_set(error, ERR_FORBIDDEN, "%.200s does not belong to this user alone, so what it says of "
				 "a server is not believed; remove it, or say --url", path);
	return true;
}

static bool is_folder_ours(const char *folder, const char *shared, struct error *error)
{
	return (!shared || is_ours(shared, S_IFDIR, error)) && is_ours(folder, S_IFDIR, error);
}

static void append_member(struct buffer *text, const char *name, const char *value)
{
	buffer_printf(text, "\"%s\":\"", name);
	text_append_json(text, value, strlen(value));
	buffer_text(text, "\",");
}

bool local_publish(const char *url, const char *data, struct error *error)
{
	struct arena arena = { 0 };
	struct buffer text = { 0 };
	const char *shared, *folder = folder_of(&arena, &shared);
	buffer_char(&text, '{');
	append_member(&text, "url", url);
	append_member(&text, "data", data);
	buffer_printf(&text, "\"pid\":%" PRId64 "}\n", (int64_t)getpid());
	bool ok = (!shared || file_make_folder(shared, 0700, error)) && file_make_folder(folder, 0700, error) &&
		  is_folder_ours(folder, shared, error) &&
		  file_replace(arena_printf(&arena, "%s/server", folder), 0600, text.at, text.length, error);
	buffer_fini(&text);
	arena_fini(&arena);
	return ok;
}

/* The token that the server wrote when it was set up; NULL where it cannot be read. */
static const char *token_of(struct arena *arena, const char *data)
{
	struct buffer text = { 0 };
	struct error error;
	const char *token = NULL;
	if (file_read(arena_printf(arena, "%s/admin-token", data), TOKEN_BYTES, &text, &error) && text.length)
		token = arena_copy(arena, text.at, strcspn(text.at, "\r\n"));
	buffer_fini(&text);
	return token;
}

bool local_find(struct arena *arena, struct local_server *server, struct error *error)
{
	const char *shared, *folder = folder_of(arena, &shared);
	const char *path = arena_printf(arena, "%s/server", folder);
	struct buffer text = { 0 };
	struct answer root = { 0 };
	struct local_server found = { 0 };
	bool ok = is_folder_ours(folder, shared, error) && is_ours(path, S_IFREG, error) &&
		  file_read(path, FILE_BYTES, &text, error) &&
		  answer_parse(buffer_cstr(&text), text.length, &root, error);
	if (ok) {
		found.url = arena_text(arena, answer_text(root, "url"));
		found.data = arena_text(arena, answer_text(root, "data"));
		found.pid = answer_int(root, "pid", 0);
		/* EPERM says that it lives, as another user. */
		if (found.pid <= 0 || (kill((pid_t)found.pid, 0) < 0 && errno == ESRCH))
			ok = error_set(error, ERR_UNREACHABLE, "the server of this user, process %" PRId64 " on "
				       "%.200s, is gone; start it again with `lull serve`, or say --url",
				       found.pid, found.data);
	}
	if (ok) {
		found.token = token_of(arena, found.data);
		*server = found;
	}
	answer_fini(&root);
	buffer_fini(&text);
	return ok;
}

bool local_data_folder(struct arena *arena, const char **data, struct error *error)
{
	const char *told = variable("LULL_DATA"), *state = variable("XDG_STATE_HOME"), *home = variable("HOME");
	if (told)
		*data = told;
	else if (geteuid() == 0)
		*data = "/var/lib/lull";
	else if (state)
		*data = arena_printf(arena, "%s/lull", state);
	else if (home)
		*data = arena_printf(arena, "%s/.local/state/lull", home);
	else
		return error_set(error, ERR_INVALID, "there is no HOME to keep data in; say --data or LULL_DATA");
	return true;
}
