#include "cli/folder.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "client/local.h"

bool folder_of_data(struct errand *errand, const char *fallback, const char **data, struct error *error)
{
	char here[PATH_MAX];
	const char *told = line_value(errand->line, "data");
	if (!told)
		told = fallback;
	if (!told && !local_data_folder(&errand->arena, &told, error))
		return false;
	if (!*told)
		return error_set(error, ERR_INVALID, "the data folder's path is empty");
	if (*told != '/' && !getcwd(here, sizeof(here)))
		return error_set(error, ERR_SYSTEM, "where are we: %s", strerror(errno));
	*data = *told == '/' ? told : arena_printf(&errand->arena, "%s/%s", here, told);
	return true;
}
