#include "base/error.h" /* bad: no layer of this name */
