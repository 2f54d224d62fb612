/*
 * Writing what the lane remembered of durations into the forecasts.
 */
#ifndef LULL_OPS_FORECASTS_H
#define LULL_OPS_FORECASTS_H

#include "store/tx.h"

/*
 * A tick: takes in the samples, one write for each flow and task among them. What a crash loses of them, later
 * runs tell anew.
 */
bool forecasts_learn(struct tx *tx, struct error *error) MUST_CHECK;

#endif
