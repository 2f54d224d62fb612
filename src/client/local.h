/*
 * How the clients of a user find that user's server on this machine, and with which token.
 *
 * A server that has begun to serve writes the file "lull/server", {"url":…,"data":…,"pid":…}, below
 *
 *	$LULL_RUNTIME_DIR, where that is set; otherwise
 *	/run for root; $XDG_RUNTIME_DIR for others; /tmp/lull-<uid> where that is not set.
 *
 * The folder is 0700 and the file 0600. A folder or file that belongs to another user is refused, since whoever
 * can write there could have our token sent to a place of theirs. The file stays when the server ends; then its
 * pid is dead. The token is what DATA/admin-token holds.
 */
#ifndef LULL_CLIENT_LOCAL_H
#define LULL_CLIENT_LOCAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"

struct local_server {
	const char *url;               /* "http://127.0.0.1:7460" */
	const char *data;              /* its data folder */
	int64_t pid;
	const char *token;             /* NULL: this user may not read it, or it is gone */
};

/* Says that this process serves `data` at `url`; the newest server to say so is the one found. False: ERR_SYSTEM. */
bool local_publish(const char *url, const char *data, struct error *error) MUST_CHECK;
/*
 * The server of this user; what it answers lives in the arena. False: ERR_UNREACHABLE, none was started, or it
 * is gone; ERR_FORBIDDEN, the file is another user's.
 */
bool local_find(struct arena *arena, struct local_server *server, struct error *error) MUST_CHECK;
/*
 * Where a server keeps its data unless told otherwise: $LULL_DATA, else /var/lib/lull for root, else
 * ${XDG_STATE_HOME:-~/.local/state}/lull. False: ERR_INVALID, neither says where.
 */
bool local_data_folder(struct arena *arena, const char **data, struct error *error) MUST_CHECK;

#endif
