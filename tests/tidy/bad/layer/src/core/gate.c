#include "core/gate.h"

#include "base/error.h"
#include "store/store.h" /* bad: core is below store */
#include "gate.h" /* bad: not written from src/ */
