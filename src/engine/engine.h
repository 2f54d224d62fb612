/*
 * The engine: what time brings. Each tick is one small op that does what is due, found by an index, and is put on
 * the write lane like any other call. Nothing is loaded at start, and a tick that comes late loses nothing.
 */
#ifndef LULL_ENGINE_ENGINE_H
#define LULL_ENGINE_ENGINE_H

#include "lane/lane.h"

struct engine;

struct engine_settings {
	struct lane *writes;
	struct lane *reads;
	int64_t lost_after_ms;
};

/* Starts the thread that puts ticks on the lanes; these outlive it. */
struct engine *engine_open(const struct engine_settings *settings);
/* Ends the thread and waits for ticks under way. NULL accepted. */
void engine_close(struct engine *engine);

#endif
