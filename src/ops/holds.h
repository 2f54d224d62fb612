/*
 * Commanding holds. Each change raises the version of the holds in its own transaction, on the lane that also
 * claims: so when "enter" is answered, the fence stands.
 */
#ifndef LULL_OPS_HOLDS_H
#define LULL_OPS_HOLDS_H

#include "core/hold.h"
#include "ops/identity.h"
#include "store/tx.h"

struct hold_request {
	const char *preset;              /* a name of presets.def */
	const char *scope;               /* "instance" */
	const char *reason;              /* needed */
	const char *ticket;              /* NULL: none */
};

/* *hold lives in the transaction's arena. False: ERR_INVALID, ERR_FORBIDDEN. */
bool holds_enter(struct tx *tx, const struct credential *credential, const struct hold_request *request,
		 struct hold *hold, struct error *error) MUST_CHECK;
/* False: ERR_NOT_FOUND, ERR_CONFLICT if it has ended, ERR_FORBIDDEN. */
bool holds_end(struct tx *tx, const struct credential *credential, int64_t id, struct hold *hold,
	       struct error *error) MUST_CHECK;
/* For whoever may read maintenance. False: ERR_NOT_FOUND too. */
bool holds_show(struct tx *tx, const struct credential *credential, int64_t id, struct hold *hold,
		struct error *error) MUST_CHECK;
/* A tick: notes for each hold in force since when it is drained. */
bool holds_note_drained(struct tx *tx, bool is_drained, struct error *error) MUST_CHECK;

#endif
