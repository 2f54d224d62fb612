#include "ops/agents.h"

#include <stdlib.h>
#include <string.h>

#include "base/kill_point.h"
#include "base/limits.h"
#include "ops/dispatch.h"
#include "ops/reports.h"
#include "ops/session.h"
#include "store/ids.h"

instant agents_last_heard(struct tx *tx, const struct agent_row *agent)
{
	instant started = memory_of(tx)->started_ms;
	return agent->contact_ms > started ? agent->contact_ms : started;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *join_labels(const struct hello *hello, struct arena *arena)
{
	const char **sorted = ARENA_ARRAY(arena, const char *, hello->label_count);
	if (hello->label_count)
		memcpy(sorted, hello->labels, hello->label_count * sizeof(*sorted));
	qsort(sorted, hello->label_count, sizeof(*sorted), compare_texts);
	const char *joined = "";
	for (size_t i = 0; i < hello->label_count; i++)
		joined = arena_printf(arena, "%s%s%s", joined, i ? "," : "", sorted[i]);
	return joined;
}

/*
 * Is the name still that of an agent with another spool? While it was heard lately, and while it may hold work: its
 * silence says nothing of its commands. Only the same machine started anew leaves nothing behind.
 */
static bool is_name_taken(struct tx *tx, const struct hello *hello, const struct agent_row *agent, bool *is_taken,
			  struct error *error)
{
	struct attempt_row *open;
	size_t count;
	bool is_started_anew = strcmp(agent->host, hello->host) == 0 && strcmp(agent->boot, hello->boot) != 0;
	if (!attempts_open(tx, agent->id, 1, &open, &count, error))
		return false;
	/* By its contact and not by its session: a server that has just started knows of no session. */
	*is_taken = agent->contact_ms + LIMIT_LEASE_MS > tx->now ||
		    ((count > 0 || agent->gave_up_ms) && !is_started_anew);
	return true;
}

/* The row of this agent as it shall be; *is_new_boot: what ran there before cannot run any more. */
static bool prepare_agent(struct tx *tx, const struct hello *hello, struct agent_row *agent, bool *is_new_boot,
			  struct error *error)
{
	bool found, is_taken = false;
	if (!agents_find(tx, hello->agent, agent, &found, error) ||
	    (found && strcmp(agent->spool, hello->spool) != 0 && !is_name_taken(tx, hello, agent, &is_taken, error)))
		return false;
	if (is_taken)
		return error_set(error, ERR_CONFLICT,
				 "an agent named \"%s\" runs already, on host %s; give this one another name (--name)",
				 agent->name, agent->host);
	*is_new_boot = found && (strcmp(agent->boot, hello->boot) != 0 || strcmp(agent->spool, hello->spool) != 0);
	if (!found && !ids_take(tx, "agent", 1, &agent->id.value, error))
		return false;
	struct agent_id id = agent->id;
	*agent = (struct agent_row){
		.id = id,
		.name = hello->agent,
		.pool = hello->pool,
		.labels = join_labels(hello, tx->arena),
		.slots = hello->slots,
		.boot = hello->boot,
		.spool = hello->spool,
		.host = hello->host,
		.version = hello->version,
		.hello_ms = tx->now,
		.contact_ms = tx->now,
	};
	return ids_take(tx, "session", 1, &agent->session, error);
}

static const struct known_attempt *find_known(const struct hello *hello, struct attempt_id id)
{
	for (size_t i = 0; i < hello->attempt_count; i++)
		if (attempt_id_same(hello->attempts[i].attempt, id))
			return &hello->attempts[i];
	return NULL;
}

/* What the store says is open on this agent, against what the agent says it has. */
static bool reconcile(struct tx *tx, const struct agent_row *agent, bool is_new_boot, const struct hello *hello,
		      struct error *error)
{
	struct attempt_row *open;
	size_t count;
	if (!attempts_open(tx, agent->id, LIMIT_SLOTS, &open, &count, error))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (find_known(hello, open[i].id))
			continue;
		const char *detail = is_new_boot ? "the agent's machine was started anew while it ran"
						 : "the agent no longer knows of it";
		/* Handed on the same boot and not in the spool: it never began. Of another boot nobody can say. */
		if (!reports_give_up(tx, &open[i], is_new_boot, detail, error))
			return false;
	}
	return true;
}

/* Attempts that the agent has and nobody waits for. */
static bool list_forgotten(struct tx *tx, const struct agent_row *agent, const struct hello *hello, struct arena *arena,
			   struct hello_answer *answer, struct error *error)
{
	answer->forget = ARENA_ARRAY(arena, struct attempt_id, hello->attempt_count);
	for (size_t i = 0; i < hello->attempt_count; i++) {
		struct attempt_row row;
		bool found;
		if (!attempts_get(tx, hello->attempts[i].attempt, &row, &found, error))
			return false;
		if (!found || row.agent.value != agent->id.value || !attempt_is_open(row.state))
			answer->forget[answer->forget_count++] = hello->attempts[i].attempt;
	}
	return true;
}

bool agents_hello(struct tx *tx, const struct credential *credential, const struct hello *hello, struct arena *arena,
		  struct hello_answer *answer, struct error *error)
{
	struct identity identity;
	struct agent_row agent = { 0 };
	bool is_new_boot = false;
	*answer = (struct hello_answer){ .lease_ms = LIMIT_LEASE_MS };
	if (!identity_need(tx, credential, PERM_AGENT_EXCHANGE, &identity, error) ||
	    !prepare_agent(tx, hello, &agent, &is_new_boot, error) || !agents_save(tx, &agent, error) ||
	    !reconcile(tx, &agent, is_new_boot, hello, error) ||
	    !list_forgotten(tx, &agent, hello, arena, answer, error))
		return false;
	answer->session = session_begin(tx, &agent)->number;
	tx_effect(tx, EFFECT_HOLDS, 0);
	KILL_POINT("agents.greeted");
	return true;
}

static bool touch(struct tx *tx, struct session *session, struct error *error)
{
	if (tx->now - session->contact_ms < LIMIT_LEASE_MS / 4)
		return true;
	session->contact_ms = tx->now;
	return agents_touch(tx, session->agent, tx->now, error);
}

static bool exchange_one(struct tx *tx, struct agents_exchange *one, struct error *error)
{
	struct identity identity;
	if (!identity_need(tx, one->credential, PERM_AGENT_EXCHANGE, &identity, error))
		return false;
	struct session *session = session_find(tx, one->exchange->session);
	if (!session)
		return error_set(error, ERR_CONFLICT, "this session has ended; say hello again");
	one->answer = (struct exchange_answer){ 0 };
	session_confirm(session, one->exchange->got);
	if (!reports_take(tx, session->agent, one->exchange->reports, one->exchange->report_count, one->arena,
			  &one->answer.refused, &one->answer.refused_count, error) || !touch(tx, session, error))
		return false;
	struct exchange_call waiting = {
		.call = one->call, .client = one->client, .arena = one->arena, .exchange = one->exchange,
		.answer = &one->answer,
		.until = tx->now + (one->answer.refused_count ? 0 : one->exchange->wait_ms),
	};
	KILL_POINT("agents.heard");
	session_wait(tx, session, &waiting);
	one->waits = true;
	if (!dispatch_resend(tx, session, error))
		return false;
	int32_t free = one->exchange->free < session->slots ? one->exchange->free : session->slots;
	session->free = free - session_unconfirmed_starts(session);
	return true;
}

bool agents_exchange(struct tx *tx, struct agents_exchange **exchanges, size_t count, struct error *error)
{
	for (size_t i = 0; i < count; i++) {
		error_clear(&exchanges[i]->error);
		exchanges[i]->waits = false;
		if (exchange_one(tx, exchanges[i], &exchanges[i]->error))
			continue;
		if (store_is_failure(&exchanges[i]->error)) {
			*error = exchanges[i]->error;
			return false;
		}
	}
	return true;
}

void agents_hang_up(struct tx *tx, const void *client)
{
	for (struct session *session = memory_of(tx)->hungry; session; session = session->next_hungry) {
		if (session->waiting.client != client)
			continue;
		session_answer(tx, session);
		return;
	}
}

bool agents_expire(struct tx *tx, struct error *error)
{
	struct session *next;
	for (struct session *session = memory_of(tx)->hungry; session; session = next) {
		next = session->next_hungry;
		if (!dispatch_resend(tx, session, error))
			return false;
		if (session->waiting.until <= tx->now || session->waiting.answer->order_count)
			session_answer(tx, session);
	}
	return true;
}

static bool reap_agent(struct tx *tx, struct agent_row *agent, struct error *error)
{
	struct attempt_row *open;
	size_t count;
	if (!attempts_open(tx, agent->id, LIMIT_SLOTS, &open, &count, error))
		return false;
	for (size_t i = 0; i < count; i++) {
		/* What was handed to a silent agent may have begun: only the agent could say. */
		if (!reports_give_up(tx, &open[i], true, "its agent was not heard of any more", error))
			return false;
	}
	/* Should it speak again, it has to say what it still has: until then that is unknown. */
	session_end(tx, agent->id);
	if (!agent->gave_up_ms)
		agent->gave_up_ms = tx->now;
	tx_effect(tx, EFFECT_HOLDS, 0);
	return agents_save(tx, agent, error);
}

bool agents_reap(struct tx *tx, int64_t lost_after_ms, struct error *error)
{
	enum { AT_ONCE = 16 };
	struct agent_row *silent;
	size_t count;
	/* No agent could be heard before the server was there to hear it. */
	if (tx->now - memory_of(tx)->started_ms < lost_after_ms)
		return true;
	if (!agents_silent(tx, tx->now - lost_after_ms, AT_ONCE, &silent, &count, error))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!reap_agent(tx, &silent[i], error))
			return false;
	return true;
}
