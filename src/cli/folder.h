/*
 * The data folder of a server or agent, as the line, the environment or the user's home says.
 */
#ifndef LULL_CLI_FOLDER_H
#define LULL_CLI_FOLDER_H

#include "base/attr.h"
#include "base/error.h"
#include "cli/errand.h"

/* The absolute path of --data, else of `fallback`, else of local_data_folder; it lives in the errand's arena. */
bool folder_of_data(struct errand *errand, const char *fallback, const char **data, struct error *error) MUST_CHECK;

#endif
