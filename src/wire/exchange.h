/*
 * What an agent and the server say to each other. JSON over HTTP; both sides use this module, so that
 * there is one statement of the shapes.
 *
 * POST /v1/agent/hello: once at start, and again whenever the server answers 409 or was away.
 *
 *	{"agent":"local","pool":"default","labels":["linux"],"slots":8,"boot":"<kernel boot id>",
 *	 "spool":"<random id of the spool folder>","host":"db1","pid":4711,"version":"0.1.0",
 *	 "attempts":[{"attempt":"1099511627777.0.1","phase":"handed|begun|ended"}]}
 *	→ {"session":17,"lease_ms":60000,"forget":["1099511627777.0.1"]}
 *
 *	`attempts` is everything the agent knows of: received but not begun (handed), begun (in its spool, or a
 *	task that it runs itself), ended but perhaps not recorded. What the server had handed to this agent and
 *	is not listed goes to the queue again (same boot, never begun) or is lost (begun, or another boot).
 *	`forget`: attempts which the server does not wait for (recorded already, or never its own); the agent
 *	kills what still runs of them and deletes their spool files. A hello ends every older session of that
 *	agent; before it says hello, an agent drops every answer that it still waits for, since orders belong to
 *	a session. Another live agent of the same name: 409 (the same name with another spool identity).
 *
 * POST /v1/agent/exchange: reports out, orders in.
 *
 *	{"session":17,"got":4,"free":3,"wait_ms":30000,"reports":[
 *	   {"attempt":"…","is":"began","at_ms":1700000000000},
 *	   {"attempt":"…","is":"output","offset":0,"text":"…"}            (or "base64" where it is not UTF-8)
 *	   {"attempt":"…","is":"ended","at_ms":…,"began_ms":…,"result":"succeeded","exit":0,"signal":0,
 *	    "output_bytes":120,"cut":false,"detail":""},
 *	   {"attempt":"…","is":"taken_back"}]}
 *	→ {"seq":6,"orders":[
 *	   {"seq":5,"do":"start","attempt":"…","tenant":"main","flow":"ops.backup","execution":12,"task":"dump",
 *	    "type":"shell","commands":["…"],"env":{"A":"b"},"inputs":{"DAY":"monday"},"timeout_ms":60000},
 *	   {"seq":6,"do":"stop|kill|take_back","attempt":"…"}],
 *	   "refused":[{"attempt":"…","detail":"…"}]}
 *
 *	A status of 200 means that every report of the request is recorded for good, but those in `refused`
 *	(which the agent logs and drops). 409: say hello again. Any other failure: repeat, reports have natural
 *	keys and repeating one is harmless. Orders are numbered within the session; the agent takes them in order
 *	and drops those with seq <= the highest it took, since the server repeats what `got` does not cover.
 *	`free` counts slots that neither an attempt nor an order in hand occupies; the server never hands out
 *	more than that, less what `got` does not cover. With nothing to order the answer waits up to wait_ms. An
 *	agent has at most two exchanges open; a newer one ends the waiting one with no orders, so that no
 *	report waits behind the poll. Instants are the agent's own wall clock in ms; the server clamps them.
 *
 * Results: succeeded, failed (exit code or signal), timed_out, stopped (a stop order was carried out),
 * killed (a kill order), lost (the runner went away without an end, nothing of it lives).
 */
#ifndef LULL_WIRE_EXCHANGE_H
#define LULL_WIRE_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "core/order.h"

/* Append the JSON of each. */
void hello_write(struct buffer *body, const struct hello *hello);
void hello_answer_write(struct buffer *body, const struct hello_answer *answer);
void exchange_write(struct buffer *body, const struct exchange *exchange);
void exchange_answer_write(struct buffer *body, const struct exchange_answer *answer);

/* Read each; all within the bounds of limits.h; what they answer lives in the arena. False: ERR_INVALID. */
bool hello_read(const char *bytes, size_t length, struct arena *arena, struct hello *hello,
		struct error *error) MUST_CHECK;
bool hello_answer_read(const char *bytes, size_t length, struct arena *arena, struct hello_answer *answer,
		       struct error *error) MUST_CHECK;
bool exchange_read(const char *bytes, size_t length, struct arena *arena, struct exchange *exchange,
		   struct error *error) MUST_CHECK;
bool exchange_answer_read(const char *bytes, size_t length, struct arena *arena, struct exchange_answer *answer,
			  struct error *error) MUST_CHECK;

#endif
