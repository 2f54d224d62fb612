/*
 * Places where a test lets the process die.
 *
 * A build with -DLULL_KILL_POINTS (`make test` makes one) reads LULL_KILL="<name>:<n>" from its environment and ends
 * itself by SIGKILL when the place <name> is passed for the n-th time; several are separated by commas. Where n is
 * even the other threads go on for a few milliseconds before: what was handed to them by then leaves the process, an
 * answer that came too early for one. LULL_KILL_LIST=<file> appends the name of each place at its first passing, and
 * once more with "!" behind it when the process dies there, so that a test can see that every place is reached and
 * deadly. Other builds call nothing of this, and so the linker leaves it out.
 */
#ifndef LULL_BASE_KILL_POINT_H
#define LULL_BASE_KILL_POINT_H

/* Counts a passing of `name`; may not return. Thread-safe. Called by KILL_POINT only. */
void kill_point(const char *name);

#ifdef LULL_KILL_POINTS
#define KILL_POINT(name) kill_point(name)
#else
#define KILL_POINT(name) ((void)0)
#endif

#endif
