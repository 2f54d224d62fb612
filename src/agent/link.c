#include "agent/link.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "agent/orders.h"
#include "agent/state.h"
#include "base/kill_point.h"
#include "base/log.h"
#include "client/multi.h"
#include "wire/exchange.h"

enum {
	PAUSE_MS = 20,
	PAUSE_MOST_MS = 1000,
	WAIT_MS = 30 * 1000,
	ANSWER_MS = 30 * 1000,          /* beyond the time that the server was asked to wait */
	STATUS_CONFLICT = 409,
};

bool link_is_up(const struct link *link)
{
	return link->state == LINK_UP && link->failure_count == 0;
}

bool link_is_in_vain(const struct link *link)
{
	return link->failure_count > 0;
}

static void pause_link(struct agent *agent)
{
	struct link *link = &agent->link;
	link->retry_at_ms = agent->now_ms + link->pause_ms;
	link->pause_ms = link->pause_ms * 2 < PAUSE_MOST_MS ? link->pause_ms * 2 : PAUSE_MOST_MS;
	link->failure_count++;
}

static void went_well(struct link *link)
{
	if (link->failure_count > 0)
		log_line(LOG_INFO, "the server answers again");
	link->failure_count = 0;
	link->pause_ms = PAUSE_MS;
	link->retry_at_ms = 0;
}

/* One line when trouble begins; while it lasts the log stays quiet. */
static void complain(const struct link *link, const char *doing, const struct multi_answer *answer)
{
	if (link->failure_count > 0)
		return;
	if (answer->status == 0)
		log_line(LOG_WARNING, "%s: %s; trying again", doing, answer->detail);
	else
		log_line(LOG_WARNING, "%s: the server answered %d: %.*s; trying again", doing, answer->status,
			 answer->length < 300 ? (int)answer->length : 300, answer->length ? answer->bytes : "");
}

static void drop(struct agent *agent, struct call *call)
{
	if (call->request)
		multi_cancel(agent->link.multi, call->request);
	call->request = NULL;
	reports_settle(agent, &call->tale, false);
}

/* Nothing of the session counts any more: its orders must not be taken once a new hello is on its way. */
static void go_down(struct agent *agent)
{
	struct link *link = &agent->link;
	link->state = LINK_DOWN;
	drop(agent, &link->hello);
	for (size_t i = 0; i < LINK_EXCHANGES; i++)
		drop(agent, &link->exchanges[i]);
	pause_link(agent);
}

static void hello_done(void *context, const struct multi_answer *answer)
{
	struct call *call = context;
	struct agent *agent = call->agent;
	struct link *link = &agent->link;
	struct hello_answer hello;
	struct error error;
	call->request = NULL;
	bool is_well = answer->status == 200;
	if (is_well && !hello_answer_read(answer->bytes, answer->length, &agent->arena, &hello, &error)) {
		log_line(LOG_ERROR, "hello: %s", error.detail);
		is_well = false;
	} else if (!is_well) {
		complain(link, "hello", answer);
	}
	if (!is_well) {
		go_down(agent);
		return;
	}
	KILL_POINT("agent.hello.after");
	went_well(link);
	link->state = LINK_UP;
	link->session = hello.session;
	link->got = link->told_got = 0;
	for (size_t i = 0; i < hello.forget_count; i++)
		orders_forget(agent, hello.forget[i]);
	log_line(LOG_INFO, "session %" PRId64, hello.session);
}

static enum known_phase known_phase_of(const struct work *work)
{
	switch (work->phase) {
	case WORK_RUNNING:
	case WORK_SWEEPING:
		return KNOWN_BEGUN;
	case WORK_ENDED:
		return KNOWN_ENDED;
	default:
		return KNOWN_HANDED;
	}
}

static void list_known(struct agent *agent, struct hello *hello)
{
	hello->attempts = ARENA_ARRAY(&agent->arena, struct known_attempt, (size_t)agent->work_count + 1);
	size_t place = 0;
	for (struct work *first; (first = map_next(&agent->works, &place)) != NULL;) {
		for (struct work *work = first; work; work = work->same_execution) {
			if (work->is_forgotten)
				continue;
			hello->attempts[hello->attempt_count++] =
				(struct known_attempt){ work->attempt, known_phase_of(work) };
			/* What an older session was told is told again; the server knows what it has. */
			work_tell(agent, work);
		}
	}
}

static struct multi_request *post(struct agent *agent, const char *path, const struct buffer *body, int64_t timeout_ms,
				  void (*done)(void *context, const struct multi_answer *answer), struct call *call)
{
	return multi_post(agent->link.multi, path, body->at, body->length, timeout_ms, done, call);
}

static void say_hello(struct agent *agent)
{
	const struct agent_settings *settings = agent->settings;
	struct hello hello = {
		.agent = settings->name, .pool = settings->pool, .slots = settings->slots,
		.labels = (const char **)settings->labels, .label_count = settings->label_count,
		.boot = agent->spool.boot, .spool = agent->spool.identity, .host = agent->host,
		.version = settings->version ? settings->version : "", .pid = getpid(),
	};
	struct buffer body = { 0 };
	list_known(agent, &hello);
	hello_write(&body, &hello);
	agent->link.state = LINK_GREETING;
	KILL_POINT("agent.hello.before");
	agent->link.hello.request = post(agent, "/v1/agent/hello", &body, ANSWER_MS, hello_done, &agent->link.hello);
	buffer_fini(&body);
}

static int32_t free_slots(const struct agent *agent)
{
	int32_t taken = agent->busy_count + agent->waiting_count;
	return agent->is_draining || taken >= agent->settings->slots ? 0 : agent->settings->slots - taken;
}

static void take_answer(struct agent *agent, const struct multi_answer *answer)
{
	struct exchange_answer orders;
	struct error error;
	if (!exchange_answer_read(answer->bytes, answer->length, &agent->arena, &orders, &error)) {
		/* The orders come again, as long as `got` does not cover them. */
		log_line(LOG_ERROR, "exchange: %s", error.detail);
		pause_link(agent);
		return;
	}
	went_well(&agent->link);
	char name[ATTEMPT_TEXT_BYTES];
	for (size_t i = 0; i < orders.refused_count; i++)
		log_line(LOG_WARNING, "the server refused a report of %s: %s",
			 attempt_id_format(orders.refused[i].attempt, name), orders.refused[i].detail);
	orders_take(agent, &orders, &agent->link.got);
}

static void exchange_done(void *context, const struct multi_answer *answer)
{
	struct call *call = context;
	struct agent *agent = call->agent;
	call->request = NULL;
	KILL_POINT("agent.recorded.before");
	reports_settle(agent, &call->tale, answer->status == 200);
	KILL_POINT("agent.recorded.after");
	if (answer->status == 200) {
		take_answer(agent, answer);
		return;
	}
	complain(&agent->link, "exchange", answer);
	if (answer->status >= 500 || answer->status == 429)
		pause_link(agent);
	else
		go_down(agent);
}

/* The first exchange that is free to be sent; NULL if both are under way. */
static struct call *free_call(struct link *link, int *under_way)
{
	struct call *free = NULL;
	*under_way = 0;
	for (size_t i = LINK_EXCHANGES; i-- > 0;) {
		if (link->exchanges[i].request)
			(*under_way)++;
		else
			free = &link->exchanges[i];
	}
	return free;
}

static void send_exchange(struct agent *agent)
{
	struct link *link = &agent->link;
	int under_way;
	struct call *call = free_call(link, &under_way);
	bool is_changed = link->got != link->told_got || free_slots(agent) > link->told_free ||
			  agent->is_draining != link->told_draining;
	bool has_news = is_changed || !ring_is_empty(&agent->to_tell);
	if (!call || (under_way > 0 && !has_news))
		return;
	struct exchange exchange = { .session = link->session, .got = link->got };
	reports_fill(agent, &call->tale, &agent->arena, &exchange);
	exchange.free = free_slots(agent);
	exchange.wait_ms = call->tale.wants_answer ? 0 : WAIT_MS;
	/* What was to be told may turn out to be nothing yet: half a character of output. */
	if (under_way > 0 && !is_changed && exchange.report_count == 0)
		return;
	struct buffer body = { 0 };
	exchange_write(&body, &exchange);
	link->told_got = link->got;
	link->told_free = exchange.free;
	link->told_draining = agent->is_draining;
	KILL_POINT("agent.exchange.before");
	call->request = post(agent, "/v1/agent/exchange", &body, WAIT_MS + ANSWER_MS, exchange_done, call);
	buffer_fini(&body);
}

void link_run(struct agent *agent)
{
	if (multi_wait_ms(agent->link.multi) == 0)
		multi_run(agent->link.multi);
}

void link_tick(struct agent *agent)
{
	struct link *link = &agent->link;
	if (link->state != LINK_GREETING) {
		if (agent->now_ms < link->retry_at_ms) {
			agent_due(agent, link->retry_at_ms);
		} else if (link->state == LINK_DOWN) {
			say_hello(agent);
		} else {
			send_exchange(agent);
		}
	}
	int64_t wanted_ms = multi_wait_ms(link->multi);
	if (wanted_ms >= 0)
		agent_due(agent, agent->now_ms + wanted_ms);
}

static void link_ready(struct agent *agent, struct source *source, uint32_t events)
{
	(void)source;
	(void)events;
	multi_run(agent->link.multi);
}

bool link_init(struct agent *agent, struct error *error)
{
	struct link *link = &agent->link;
	link->pause_ms = PAUSE_MS;
	link->hello.agent = agent;
	for (size_t i = 0; i < LINK_EXCHANGES; i++)
		link->exchanges[i].agent = agent;
	const char *socket = NULL;
	if (!agent->settings->server)
		socket = agent->settings->socket ? agent->settings->socket :
			 arena_printf(&agent->arena, "%s.sock", agent->folder);
	if (!multi_open(agent->settings->server, socket, agent->settings->token, &link->multi, error))
		return false;
	agent->link_source = (struct source){ .fd = multi_fd(link->multi), .ready = link_ready };
	agent_watch(agent, &agent->link_source, EPOLLIN);
	return true;
}

void link_fini(struct agent *agent)
{
	struct link *link = &agent->link;
	if (!link->multi)
		return;
	drop(agent, &link->hello);
	for (size_t i = 0; i < LINK_EXCHANGES; i++) {
		drop(agent, &link->exchanges[i]);
		free(link->exchanges[i].tale.told);
	}
	multi_close(link->multi);
	link->multi = NULL;
}
