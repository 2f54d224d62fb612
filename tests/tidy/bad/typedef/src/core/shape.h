#ifndef LULL_CORE_SHAPE_H
#define LULL_CORE_SHAPE_H

typedef struct shape { int sides; } shape; /* bad */
typedef int (*shape_visit)(const struct shape *shape);
typedef long instant;

#endif
