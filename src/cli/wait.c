#include "cli/wait.h"

#include <unistd.h>

#include "base/limits.h"
#include "sys/clock.h"

enum { RETRY_MS = 500 };

int64_t wait_deadline(int64_t timeout_ms)
{
	return timeout_ms == WAIT_FOR_EVER ? INT64_MAX : clock_monotonic_ms() + timeout_ms;
}

static int64_t left_ms(const struct wait *wait)
{
	int64_t left = wait->deadline_ms - clock_monotonic_ms();
	return left > 0 ? left : 0;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* The first question is answered at once, so that there is a picture; later ones when there is something new. */
static const char *question(struct arena *arena, const struct wait *wait, int64_t pace_ms, bool is_first)
{
	char duration[DURATION_TEXT_BYTES];
	if (is_first)
		return wait->path;
	duration_format(least(least(pace_ms, LIMIT_WAIT_MS), left_ms(wait)), duration);
	return arena_printf(arena, "%s?until=%s&wait=%s", wait->path, wait->until, duration);
}

static bool ask_until(struct errand *errand, const struct wait *wait, struct progress *progress,
		      struct arena *arena, struct reply *reply, struct error *error)
{
	bool is_away = false, is_first = true, was_heard = errand->now != INSTANT_NONE;
	for (;;) {
		bool is_late = left_ms(wait) == 0;
		/* A wait may take days: what a look needs goes before the next one. */
		arena_reset(arena);
		if (errand_get(errand, question(arena, wait, progress_pace_ms(progress), is_first), reply, error)) {
			if (is_away)
				progress_remark(progress, "lull: the server answers again");
			is_away = is_first = false;
			was_heard = true;
			if (wait->look(errand, arena, reply->root, progress, wait->context))
				return true;
			progress_show(progress);
			if (is_late)
				return error_set(error, ERR_NOT_YET, "the time is over");
			continue;
		}
		/* A server that restarts may come back at another address, so it is looked for anew. */
		bool may_pass = error->code == ERR_UNREACHABLE || error->code == ERR_BUSY;
		if (!was_heard || !may_pass || is_late)
			return false;
		if (!is_away)
			progress_remark(progress, "lull: %s\nlull: trying again until it answers", error->detail);
		is_away = true;
		errand_hang_up(errand);
		usleep((useconds_t)least(RETRY_MS, left_ms(wait)) * 1000);
	}
}

bool wait_for(struct errand *errand, const struct wait *wait, struct progress *progress, struct reply *reply,
	      struct error *error)
{
	struct arena arena = { 0 };
	bool ok = ask_until(errand, wait, progress, &arena, reply, error);
	arena_fini(&arena);
	return ok;
}
