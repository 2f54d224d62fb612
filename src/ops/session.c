#include "ops/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/heap.h"

static void leave_hungry(struct memory *memory, struct session *session)
{
	if (session->previous_hungry)
		session->previous_hungry->next_hungry = session->next_hungry;
	else
		memory->hungry = session->next_hungry;
	if (session->next_hungry)
		session->next_hungry->previous_hungry = session->previous_hungry;
	else
		memory->last_hungry = session->previous_hungry;
	session->next_hungry = session->previous_hungry = NULL;
}

static void join_hungry(struct memory *memory, struct session *session)
{
	session->previous_hungry = memory->last_hungry;
	session->next_hungry = NULL;
	if (memory->last_hungry)
		memory->last_hungry->next_hungry = session;
	else
		memory->hungry = session;
	memory->last_hungry = session;
}

void session_answer(struct tx *tx, struct session *session)
{
	if (!session->is_waiting)
		return;
	session->is_waiting = false;
	leave_hungry(memory_of(tx), session);
	session->waiting.answer->seq = session->seq;
	tx_finish(tx, session->waiting.call);
}

static void session_free(struct session *session)
{
	free((char *)session->name);
	free((char *)session->pool);
	free((char *)session->labels);
	free(session->sent);
	free(session->needs);
	free(session);
}

struct session *session_find(struct tx *tx, int64_t number)
{
	return map_get(&memory_of(tx)->sessions, number);
}

struct session *session_of_agent(struct tx *tx, struct agent_id agent)
{
	return map_get(&memory_of(tx)->sessions_of_agent, agent.value);
}

void session_end(struct tx *tx, struct agent_id agent)
{
	struct memory *memory = memory_of(tx);
	struct session *session = map_remove(&memory->sessions_of_agent, agent.value);
	if (!session)
		return;
	session_answer(tx, session);
	map_remove(&memory->sessions, session->number);
	session_free(session);
}

struct session *session_begin(struct tx *tx, const struct agent_row *agent)
{
	struct memory *memory = memory_of(tx);
	session_end(tx, agent->id);
	struct session *session = heap_new(1, sizeof(*session));
	session->number = agent->session;
	session->agent = agent->id;
	session->name = heap_text(agent->name);
	session->pool = heap_text(agent->pool);
	session->labels = heap_text(agent->labels);
	session->slots = agent->slots;
	session->contact_ms = agent->contact_ms;
	session->needs_look = true;
	map_put(&memory->sessions, session->number, session);
	map_put(&memory->sessions_of_agent, session->agent.value, session);
	return session;
}

void session_forget_all(struct memory *memory, struct tx *tx)
{
	size_t place = 0;
	struct session *session;
	while ((session = map_next(&memory->sessions, &place))) {
		if (session->is_waiting)
			tx_finish(tx, session->waiting.call);
		session_free(session);
	}
	map_fini(&memory->sessions);
	map_fini(&memory->sessions_of_agent);
	memory->hungry = memory->last_hungry = NULL;
}

static void put_into_answer(struct session *session, const struct order *order)
{
	struct exchange_answer *answer = session->waiting.answer;
	/* Orders come in bursts of at most the free slots: grow by doubling, in the answer's own arena. */
	size_t count = answer->order_count;
	if ((count & (count + 1)) == 0) {
		struct order *wider = ARENA_ARRAY(session->waiting.arena, struct order, 2 * count + 1);
		if (count)
			memcpy(wider, answer->orders, count * sizeof(*wider));
		answer->orders = wider;
	}
	answer->orders[answer->order_count++] = *order;
}

static void remember(struct tx *tx, struct session *session, const struct order *order)
{
	if (session->sent_count == session->sent_room) {
		session->sent_room = session->sent_room ? session->sent_room * 2 : 16;
		session->sent = heap_grow(session->sent, session->sent_room, sizeof(*session->sent));
	}
	session->sent[session->sent_count++] =
		(struct sent_order){ .seq = order->seq, .kind = order->kind, .attempt = order->attempt,
				     .sent_ms = tx->now };
}

/* What an order brings into the answer, before it is escaped. */
static size_t order_bytes(const struct order *order)
{
	size_t bytes = 256;
	for (size_t i = 0; i < order->command_count; i++)
		bytes += strlen(order->commands[i]);
	for (size_t i = 0; i < order->env_count; i++)
		bytes += strlen(order->env[i].name) + strlen(order->env[i].value);
	for (size_t i = 0; i < order->input_count; i++)
		bytes += strlen(order->inputs[i].name) + strlen(order->inputs[i].value);
	return bytes;
}

bool session_answer_is_full(const struct session *session)
{
	enum { MOST_BYTES = 2 << 20 };
	return session->order_bytes >= MOST_BYTES;
}

bool session_has_room(const struct session *session)
{
	return session->free > 0 && !session_answer_is_full(session);
}

bool session_is_in_doubt(const struct session *session, instant now)
{
	enum { MOMENT_MS = 500 };
	return session->sent_count && now - session->sent[session->sent_count - 1].sent_ms < MOMENT_MS;
}

void session_order(struct tx *tx, struct session *session, const struct order *order)
{
	struct order numbered = *order;
	/* An order that is sent again keeps its number. */
	if (!numbered.seq) {
		numbered.seq = ++session->seq;
		remember(tx, session, &numbered);
		if (numbered.kind == ORDER_START)
			session->free--;
	}
	session->order_bytes += order_bytes(&numbered);
	put_into_answer(session, &numbered);
}

void session_confirm(struct session *session, int64_t got)
{
	size_t confirmed = 0;
	while (confirmed < session->sent_count && session->sent[confirmed].seq <= got)
		confirmed++;
	if (!confirmed)
		return;
	session->sent_count -= confirmed;
	memmove(session->sent, session->sent + confirmed, session->sent_count * sizeof(*session->sent));
}

int32_t session_unconfirmed_starts(const struct session *session)
{
	int32_t count = 0;
	for (size_t i = 0; i < session->sent_count; i++)
		count += session->sent[i].kind == ORDER_START;
	return count;
}

void session_wait(struct tx *tx, struct session *session, const struct exchange_call *exchange)
{
	session_answer(tx, session);
	session->waiting = *exchange;
	session->is_waiting = true;
	session->order_bytes = 0;
	session->is_new = true;
	join_hungry(memory_of(tx), session);
}

/* Is every one of the wanted labels among the carried ones? Both are sorted and joined by commas. */
static bool carries(const char *carried, const char *wanted)
{
	while (*wanted) {
		size_t length = strcspn(wanted, ",");
		const char *at = carried;
		while (*at && !(strncmp(at, wanted, length) == 0 && (at[length] == ',' || at[length] == '\0'))) {
			at += strcspn(at, ",");
			at += *at == ',';
		}
		if (!*at)
			return false;
		wanted += length;
		wanted += *wanted == ',';
	}
	return true;
}

bool session_needs(struct tx *tx, struct session *session, struct error *error)
{
	const struct need_row *needs;
	size_t count;
	if (!memory_needs(tx, &needs, &count, error))
		return false;
	if (session->need_count_seen == count)
		return true;
	session->needs = heap_grow(session->needs, count, sizeof(*session->needs));
	session->need_count = 0;
	for (size_t i = 0; i < count; i++)
		if (strcmp(needs[i].pool, session->pool) == 0 && carries(session->labels, needs[i].labels))
			session->needs[session->need_count++] = needs[i].id;
	session->need_count_seen = count;
	return true;
}
