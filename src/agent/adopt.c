#include "agent/adopt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/state.h"
#include "base/kill_point.h"
#include "base/log.h"
#include "base/text.h"
#include "spool/process_tree.h"
#include "spool/scratch.h"
#include "sys/clock.h"

enum {
	LOOK_MS = 200,                  /* at adopted works' output */
	SWEEP_MS = 20,
	REFUSED_MS = 2000,              /* until it is tried again to kill what may not be killed */
	CLEAN_LOOKS = 2,
	SYNC_MS = 1000,
};

static const char lost_detail[] = "its runner was gone without an end; nothing of it is alive";

void adopt_end(struct agent *agent, struct work *work, const struct attempt_end *end)
{
	static const enum result results[] = {
		[ENDED_BY_TIMEOUT] = RESULT_TIMED_OUT, [ENDED_BY_STOP] = RESULT_STOPPED,
		[ENDED_BY_KILL] = RESULT_KILLED,       [ENDED_BY_FAILURE] = RESULT_FAILED,
	};
	bool is_good = end->exit_code == 0 && end->signal == 0;
	enum result result = is_good ? RESULT_SUCCEEDED : RESULT_FAILED;
	if (end->ended_by > ENDED_BY_ITSELF && end->ended_by < (int32_t)COUNT_OF(results))
		result = results[end->ended_by];
	work->ended_ms = end->ended_ms;
	work->exit_code = end->exit_code;
	work->signal = end->signal;
	work->output_bytes = end->output_bytes;
	work->kept_bytes = end->kept_bytes;
	work->is_cut = end->is_cut;
	work_ended(agent, work, result, end->detail);
}

static void take_head(struct work *work, const struct attempt_record *record)
{
	work->turn = record->head.turn;
	work->began_ms = record->head.began_ms;
	work->kept_bytes = record->kept_bytes;
}

static void sweep(struct agent *agent, struct work *work)
{
	work_enter(agent, work, WORK_SWEEPING);
	agent_unwatch(agent, &work->adopted);
	ring_add_last(&agent->sweeping, &work->listed);
	work->clean_looks = 0;
	agent->look_ms = agent->now_ms;
}

static void lost(struct agent *agent, struct work *work, const char *detail)
{
	struct error error;
	if (!scratch_remove(agent->spool.work_folder, work->name, &error))
		log_line(LOG_WARNING, "%s", error.detail);
	work->ended_ms = clock_now();
	work->output_bytes = work->kept_bytes;
	log_line(LOG_WARNING, "%s is lost: %s", work->name, detail);
	work_ended(agent, work, RESULT_LOST, detail);
}

/* The work's runner has no lock any more: what does the file say? */
static void judge_unlocked(struct agent *agent, struct work *work, const struct attempt_record *record)
{
	take_head(work, record);
	if (record->has_ended)
		adopt_end(agent, work, &record->end);
	else if (work->folder != agent->spool.boot_folder)
		lost(agent, work, "the machine was restarted while it ran");
	else
		sweep(agent, work);
}

void adopt_orphan(struct agent *agent, struct work *work)
{
	struct attempt_record record;
	struct error error;
	if (attempt_file_read(work->folder, work->name, &record, &error) && record.has_begun) {
		judge_unlocked(agent, work, &record);
		return;
	}
	/* Its runner died before it wrote that it begins, so it has not. */
	lost(agent, work, "its runner was gone before it began");
}

static void runner_gone(struct agent *agent, struct source *source, uint32_t events)
{
	struct work *work = CONTAINER_OF(source, struct work, adopted);
	(void)events;
	agent_unwatch(agent, source);
	adopt_orphan(agent, work);
}

/* Holds on to the runner that has the file locked. False: it is gone meanwhile, look again. */
static bool adopt_living(struct agent *agent, struct work *work, const struct attempt_record *record)
{
	struct attempt_record again;
	struct error error;
	int pidfd = (int)syscall(SYS_pidfd_open, record->holder, 0);
	/* The lock is looked at once more: only now is it sure whose process the descriptor is. */
	bool is_same = pidfd >= 0 && attempt_file_read(work->folder, work->name, &again, &error) &&
		       again.holder == record->holder;
	if (!is_same) {
		if (pidfd >= 0)
			close(pidfd);
		return false;
	}
	take_head(work, record);
	work_enter(agent, work, WORK_RUNNING);
	work->adopted = (struct source){ .fd = pidfd, .ready = runner_gone };
	agent_watch(agent, &work->adopted, EPOLLIN);
	ring_add_last(&agent->adopted, &work->listed);
	work_tell(agent, work);
	slots_tell_wish(agent, work);
	return true;
}

/* Brings a work whose file is in the spool into the phase that the file says. False: the file says nothing. */
static bool judge(struct agent *agent, struct work *work)
{
	struct attempt_record record;
	struct error error;
	do {
		if (!attempt_file_read(work->folder, work->name, &record, &error)) {
			log_line(LOG_ERROR, "%s", error.detail);
			return false;
		}
		if (record.holder == 0 || record.has_ended) {
			if (record.has_begun)
				judge_unlocked(agent, work, &record);
			return record.has_begun;
		}
	} while (!adopt_living(agent, work, &record));
	return true;
}

void adopt_again(struct agent *agent, struct work *work)
{
	if (!judge(agent, work))
		lost(agent, work, "it was in the spool already, unreadable");
}

/* What is visited: one folder of the spool. */
struct visit {
	struct agent *agent;
	int folder;
};

static void adopt_file(void *context, const char *name)
{
	struct visit *visit = context;
	struct attempt_id attempt;
	if (!attempt_id_parse(name, &attempt) || work_find(visit->agent, attempt)) {
		log_line(LOG_WARNING, "the spool: %.60s is none of ours", name);
		return;
	}
	struct work *work = work_new(visit->agent, attempt);
	work->folder = visit->folder;
	KILL_POINT("agent.adopt.before");
	/* Created and never begun: the server learns from our silence that it never ran. */
	if (!judge(visit->agent, work))
		work_settled(visit->agent, work);
	KILL_POINT("agent.adopt.after");
}

static void adopt_boot(void *context, const char *name)
{
	struct agent *agent = context;
	struct error error;
	struct visit visit = { .agent = agent, .folder = agent->spool.boot_folder };
	if (strcmp(name, agent->spool.boot) != 0) {
		/* The folder of an earlier boot goes as soon as it is empty. */
		if (unlinkat(agent->spool.folder, name, AT_REMOVEDIR) == 0)
			return;
		visit.folder = openat(agent->spool.folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	}
	if (visit.folder >= 0 && !spool_each(visit.folder, adopt_file, &visit, &error))
		log_line(LOG_ERROR, "%s", error.detail);
}

static void remove_stray_scratch(void *context, const char *name)
{
	struct agent *agent = context;
	struct attempt_id attempt;
	struct work *work = attempt_id_parse(name, &attempt) ? work_find(agent, attempt) : NULL;
	struct error error;
	if (work && work_is_busy(work))
		return;
	if (!scratch_remove(agent->spool.work_folder, name, &error))
		log_line(LOG_WARNING, "%s", error.detail);
}

bool adopt_all(struct agent *agent, struct error *error)
{
	return spool_each(agent->spool.folder, adopt_boot, agent, error) &&
	       spool_each(agent->spool.work_folder, remove_stray_scratch, agent, error);
}

/* A child of the agent that is no runner was left by one that died. */
static bool is_stray(void *context, pid_t pid, pid_t parent)
{
	struct agent *agent = context;
	return parent == getpid() && !slots_has(agent, pid);
}

/* Answers when to look again. */
static int64_t look_at_swept(struct agent *agent, struct work *work)
{
	char mark[WORK_MARK_BYTES];
	enum process_tree_left left = process_tree_kill_marked(work_mark(agent, work, mark), is_stray, agent);
	if (left == PROCESS_TREE_REFUSED && work->clean_looks >= 0)
		log_line(LOG_ERROR, "%s: its runner is gone, and this agent may not kill what it left", work->name);
	work->clean_looks = left == PROCESS_TREE_NONE ? work->clean_looks + 1 : left == PROCESS_TREE_REFUSED ? -1 : 0;
	if (work->clean_looks < CLEAN_LOOKS)
		return left == PROCESS_TREE_REFUSED ? REFUSED_MS : SWEEP_MS;
	int64_t kept = attempt_file_kept(work->folder, work->name);
	work->kept_bytes = kept > 0 ? kept : 0;
	lost(agent, work, lost_detail);
	return LOOK_MS;
}

static void look_at_adopted(struct agent *agent, struct work *work)
{
	int64_t kept = attempt_file_kept(work->folder, work->name);
	if (kept <= work->kept_bytes)
		return;
	work->kept_bytes = kept;
	work_tell(agent, work);
}

void adopt_sync(struct agent *agent)
{
	struct error error;
	bool is_synced = false;
	while (!ring_is_empty(&agent->unsynced)) {
		struct work *work = CONTAINER_OF(agent->unsynced.next, struct work, listed);
		ring_remove(&work->listed);
		work->is_unsynced = false;
		if (!attempt_file_sync(work->folder, work->name, &error))
			log_line(LOG_ERROR, "%s", error.detail);
		is_synced = true;
	}
	if (is_synced && fsync(agent->spool.boot_folder) < 0)
		log_line(LOG_ERROR, "syncing the spool: %s", strerror(errno));
}

static void look(struct agent *agent)
{
	int64_t pause_ms = REFUSED_MS;
	if (!ring_is_empty(&agent->adopted))
		pause_ms = LOOK_MS;
	for (struct ring *at = agent->adopted.next; at != &agent->adopted; at = at->next)
		look_at_adopted(agent, CONTAINER_OF(at, struct work, listed));
	struct ring *next;
	for (struct ring *at = agent->sweeping.next; at != &agent->sweeping; at = next) {
		next = at->next;
		int64_t wanted_ms = look_at_swept(agent, CONTAINER_OF(at, struct work, listed));
		pause_ms = wanted_ms < pause_ms ? wanted_ms : pause_ms;
	}
	agent->look_ms = agent->now_ms + pause_ms;
}

/* While a server answers it records results faster than the disk would. */
static void sync_if_alone(struct agent *agent)
{
	if (!link_is_up(&agent->link) && !ring_is_empty(&agent->unsynced)) {
		if (agent->now_ms < agent->sync_ms) {
			agent_due(agent, agent->sync_ms);
			return;
		}
		adopt_sync(agent);
	}
	agent->sync_ms = agent->now_ms + SYNC_MS;
}

void adopt_tick(struct agent *agent)
{
	bool has_any = !ring_is_empty(&agent->sweeping) || !ring_is_empty(&agent->adopted);
	if (has_any && agent->now_ms >= agent->look_ms)
		look(agent);
	if (!ring_is_empty(&agent->sweeping) || !ring_is_empty(&agent->adopted))
		agent_due(agent, agent->look_ms);
	sync_if_alone(agent);
}
