/*
 * What this Lull is called: told by `lull version`, the API and agents.
 */
#ifndef LULL_BASE_VERSION_H
#define LULL_BASE_VERSION_H

#define LULL_VERSION "0.1.0"

#endif
