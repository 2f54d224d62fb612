/*
 * The files that a command line names: files, folders of YAML files (those that end in .yaml or .yml, by name, not
 * below), and "-" for standard input.
 */
#ifndef LULL_CLI_SOURCES_H
#define LULL_CLI_SOURCES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buffer.h"
#include "base/error.h"

/* The paths in the order given, folders replaced by their files. False: ERR_NOT_FOUND; ERR_INVALID, an empty folder. */
bool sources_list(const char *const *arguments, size_t count, struct arena *arena, const char ***paths,
		  size_t *path_count, struct error *error) MUST_CHECK;
/* Replaces the content of `text` by the file's. False: ERR_NOT_FOUND, ERR_TOO_LARGE, ERR_SYSTEM. */
bool sources_read(const char *path, struct buffer *text, struct error *error) MUST_CHECK;
/* What messages call it. */
const char *sources_name(const char *path) MUST_CHECK;

#endif
