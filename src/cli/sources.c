#include "cli/sources.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/limits.h"
#include "sys/file.h"

enum { READ_BYTES = 64 << 10 };

struct list {
	const char **paths;
	size_t count, room;
};

static void append(struct list *list, const char *path)
{
	if (list->count == list->room) {
		list->room = list->room ? 2 * list->room : 16;
		list->paths = heap_grow(list->paths, list->room, sizeof(*list->paths));
	}
	list->paths[list->count++] = path;
}

static int is_yaml(const struct dirent *entry)
{
	const char *end = strrchr(entry->d_name, '.');
	return end && entry->d_name[0] != '.' && (strcmp(end, ".yaml") == 0 || strcmp(end, ".yml") == 0);
}

static bool append_folder(struct list *list, const char *folder, struct arena *arena, struct error *error)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_yaml, alphasort);
	if (count < 0)
		return error_set(error, ERR_SYSTEM, "reading the folder %.300s: %s", folder, strerror(errno));
	for (int i = 0; i < count; i++) {
		append(list, arena_printf(arena, "%s/%s", folder, entries[i]->d_name));
		free(entries[i]);
	}
	free(entries);
	return count > 0 || error_set(error, ERR_INVALID, "there is no .yaml file in %.300s", folder);
}

static bool append_argument(struct list *list, const char *argument, struct arena *arena, struct error *error)
{
	struct stat status;
	bool is_folder = strcmp(argument, "-") != 0 && stat(argument, &status) == 0 && S_ISDIR(status.st_mode);
	if (is_folder)
		return append_folder(list, argument, arena, error);
	append(list, argument);
	return true;
}

bool sources_list(const char *const *arguments, size_t count, struct arena *arena, const char ***paths,
		  size_t *path_count, struct error *error)
{
	struct list list = { 0 };
	bool ok = true;
	for (size_t i = 0; ok && i < count; i++)
		ok = append_argument(&list, arguments[i], arena, error);
	if (ok) {
		*paths = ARENA_ARRAY(arena, const char *, list.count);
		*path_count = list.count;
		memcpy(*paths, list.paths, list.count * sizeof(*list.paths));
	}
	free(list.paths);
	return ok;
}

static bool read_standard_input(struct buffer *text, struct error *error)
{
	for (;;) {
		ssize_t got = read(STDIN_FILENO, buffer_reserve(text, READ_BYTES), READ_BYTES);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_set(error, ERR_SYSTEM, "reading standard input: %s", strerror(errno));
		if (got == 0)
			return true;
		buffer_grew(text, (size_t)got);
		if (text->length > LIMIT_FLOW_BYTES)
			return error_set(error, ERR_TOO_LARGE, "standard input is larger than a flow may be, %d bytes",
					 LIMIT_FLOW_BYTES);
	}
}

bool sources_read(const char *path, struct buffer *text, struct error *error)
{
	buffer_reset(text);
	return strcmp(path, "-") == 0 ? read_standard_input(text, error) :
					file_read(path, LIMIT_FLOW_BYTES, text, error);
}

const char *sources_name(const char *path)
{
	return strcmp(path, "-") == 0 ? "standard input" : path;
}
