/*
 * Carrying an execution forward after something happened to its attempts, or to itself.
 */
#ifndef LULL_OPS_PROGRESS_H
#define LULL_OPS_PROGRESS_H

#include "core/flow.h"
#include "store/executions.h"
#include "store/tx.h"

/*
 * `changed` are attempts of this execution that are saved already; `execution` is as it was before them, with the
 * state that an op may have set (stopping, killing). Does what execution_step answers: moves rows in and out of
 * the backlogs, saves the execution if it changed, tells effects. *execution is what is so afterwards.
 */
bool progress_execution(struct tx *tx, struct execution_row *execution, const struct attempt_row *changed,
			size_t changed_count, struct error *error) MUST_CHECK;

#endif
