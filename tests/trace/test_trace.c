/*
 * Stories about holds, told in the .trace files beside this one and held against what the core says.
 *
 * A line is "<minutes>:<seconds>  <commands, joined by ';'>  => <all that is told>". Time stands in the line;
 * whatever was due before it happens first, at its own time, and is told in the line. "#" begins a comment.
 *
 *	enter <hold> <preset> <scope> [deadline <m:s> <wait|stop|kill> [<grace, s>]] [at <m:s>] [expires <m:s>]
 *	suspend|drain|stop|kill|end <hold>, force <hold>     suspend in spite of blockers
 *	restart                                              a node starts, and no other is alive
 *	submit <job> <scope> [<tasks>]                       by somebody without permissions
 *	dispatch                                             hand out what the gate lets start or go on
 *	begin|finish <job>                                   what the agent reports
 *	ask <everything|agent>                               the verdict
 *	rule <act> <scope>                                   the value and the hold that gives it
 */
#include "lib/test.h"

#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/text.h"
#include "core/census.h"
#include "core/gate.h"

enum { MOST = 16, AGENT = 3 };

enum job_state { JOB_QUEUED, JOB_WAITING, JOB_HANDED, JOB_RUNNING, JOB_STOPPING, JOB_ENDED };

/* An execution whose tasks come one after the other, on the one agent. Waiting: for its next task. */
struct job {
	int number;
	struct scope scope;
	enum job_state state;
	int tasks;                       /* not ended yet */
};

struct world {
	const char *file;
	int line;
	instant now;
	struct hold holds[MOST];
	char names[MOST][8];
	size_t hold_count;
	struct job jobs[MOST];
	size_t job_count;
	struct buffer told;
};

PRINTF_LIKE(2, 3) static void tell(struct world *world, const char *format, ...)
{
	char text[200];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	buffer_printf(&world->told, "%s%s", world->told.length ? ", " : "", text);
}

NORETURN static void give_up(const struct world *world, const char *what, const char *word)
{
	print_error("%s:%d: %s \"%s\"\n", world->file, world->line, what, word);
	abort();
}

/* The next word of a command, "" at its end. */
static const char *next_word(char **rest)
{
	*rest += strspn(*rest, " \t");
	char *word = *rest;
	*rest += strcspn(*rest, " \t");
	if (**rest)
		*(*rest)++ = '\0';
	return word;
}

static int64_t number_of(const struct world *world, const char *word)
{
	int64_t number;
	if (!text_to_int64(word, 0, 1000000, &number))
		give_up(world, "no number", word);
	return number;
}

/* "12:30" in ms; the world begins at 00:00, which is not 0 since 0 means never. */
static instant time_of(const struct world *world, const char *word)
{
	int minutes, seconds;
	if (sscanf(word, "%d:%d", &minutes, &seconds) != 2)
		give_up(world, "no time", word);
	return 1000000 + INT64_C(1000) * (minutes * 60 + seconds);
}

static struct scope scope_of(const struct world *world, const char *word)
{
	struct scope scope;
	struct error error;
	if (!scope_parse(word, &scope, &error))
		give_up(world, "no scope", word);
	return scope;
}

/* What stands at the scope itself. */
static struct scope_path path_at(const struct scope *scope)
{
	return (struct scope_path){
		.tenant = scope->tenant,
		.name_space = scope->kind == SCOPE_NAMESPACE ? scope->name : NULL,
		.flow = { scope->kind == SCOPE_FLOW ? scope->id : 0 },
		.pool = scope->kind == SCOPE_POOL ? scope->name : NULL,
		.agent = { scope->kind == SCOPE_AGENT ? scope->id : 0 },
		.node = scope->kind == SCOPE_NODE ? scope->id : 0,
	};
}

static size_t place_of_hold(const struct world *world, const char *name)
{
	for (size_t i = 0; i < world->hold_count; i++)
		if (strcmp(world->names[i], name) == 0)
			return i;
	give_up(world, "no hold", name);
}

static struct job *find_job(struct world *world, const char *word)
{
	for (size_t i = 0; i < world->job_count; i++)
		if (world->jobs[i].number == number_of(world, word))
			return &world->jobs[i];
	give_up(world, "no job", word);
}

static struct ruling rule(const struct world *world, enum act act, const struct scope_path *path)
{
	static const struct caller nobody;
	struct hold_set holds = { .list = world->holds, .count = world->hold_count };
	return gate_rule(&holds, act, &nobody, path);
}

static const char *name_of(const struct world *world, const struct hold *hold)
{
	return world->names[hold - world->holds];
}

/* What `hold` (NULL: all) has in flight, by its own rule. */
static struct census census_under(const struct world *world, const struct hold *hold,
				  struct census_entry list[2 * MOST])
{
	struct census census = { .list = list, .counts_executions = true };
	if (hold)
		census.counts_executions =
			hold->policy.values[hold_policy_phase(hold)][AXIS_ADVANCE] == ADVANCE_EXECUTION;
	for (size_t i = 0; i < world->job_count; i++) {
		const struct job *job = &world->jobs[i];
		struct scope_path path = path_at(&job->scope);
		if (job->state == JOB_QUEUED || job->state == JOB_ENDED ||
		    (hold && !scope_covers(&hold->scope, &path)))
			continue;
		if (census.counts_executions)
			list[census.count++] = (struct census_entry){ .kind = CENSUS_EXECUTION };
		if (job->state != JOB_WAITING)
			list[census.count++] = (struct census_entry){
				.kind = CENSUS_ATTEMPT, .agent = { AGENT }, .is_handed = job->state == JOB_HANDED,
			};
	}
	return census;
}

static const struct subject everything = { .kind = SUBJECT_EVERYTHING };

static void carry_out(struct world *world, const struct hold *hold, enum hold_order order)
{
	if (order == HOLD_ORDERS_NOTHING)
		return;
	for (size_t i = 0; i < world->job_count; i++) {
		struct job *job = &world->jobs[i];
		struct scope_path path = path_at(&job->scope);
		if (!scope_covers(&hold->scope, &path) || job->state < JOB_HANDED || job->state == JOB_ENDED)
			continue;
		job->state = JOB_STOPPING;
		tell(world, "%s %d", order == HOLD_ORDERS_STOP ? "stop" : "kill", job->number);
	}
}

/* One event of a hold, and all that follows from it. */
static void step(struct world *world, size_t place, struct hold_event event)
{
	struct hold *hold = &world->holds[place];
	struct hold_update update;
	struct error error;
	event.now = world->now;
	if (!hold_step(hold, &event, &update, &error)) {
		tell(world, "refused (%s)", error_name(error.code));
		return;
	}
	if (hold->phase != update.before)
		tell(world, "%s %s%s", world->names[place], hold_phase_name(hold->phase),
		     hold->phase == HOLD_ENDED && strcmp(hold->ended_by, "us") != 0 ? " by itself" : "");
	if (update.is_news_drained)
		tell(world, "%s drained", world->names[place]);
	carry_out(world, hold, update.order);
}

/* Looks at the census of every hold in force, as is done after each commit. */
static void look_at_drain(struct world *world)
{
	for (size_t i = 0; i < world->hold_count; i++) {
		struct census_entry list[2 * MOST];
		if (!hold_is_in_force(&world->holds[i]))
			continue;
		struct census census = census_under(world, &world->holds[i], list);
		struct verdict verdict = verdict_of(&census, &everything, (struct openness){ false, false });
		step(world, i, (struct hold_event){ .kind = verdict.is_drained ? HOLD_DRAINED : HOLD_OCCUPIED });
	}
}

static void enter(struct world *world, char *rest)
{
	size_t place = world->hold_count++;
	struct hold *hold = &world->holds[place];
	enum preset preset;
	snprintf(world->names[place], sizeof(world->names[place]), "%s", next_word(&rest));
	const char *name = next_word(&rest);
	if (!preset_parse(name, &preset))
		give_up(world, "no preset", name);
	*hold = (struct hold){
		.id = { (int64_t)place + 1 }, .owner_name = "us", .reason = "", .created_ms = world->now
	};
	hold->scope = scope_of(world, next_word(&rest));
	hold->policy = policy_cut(preset_policy(preset), hold->scope.kind);
	for (const char *word = next_word(&rest); *word; word = next_word(&rest)) {
		if (strcmp(word, "at") == 0) {
			hold->planned_ms = time_of(world, next_word(&rest));
		} else if (strcmp(word, "expires") == 0) {
			hold->expires_ms = time_of(world, next_word(&rest));
		} else if (strcmp(word, "deadline") == 0) {
			hold->deadline_ms = time_of(world, next_word(&rest));
			if (!hold_then_parse(next_word(&rest), &hold->then))
				give_up(world, "no step of a ladder", rest);
		} else if (strcmp(word, "grace") == 0) {
			hold->grace_ms = 1000 * number_of(world, next_word(&rest));
		} else {
			give_up(world, "enter has no", word);
		}
	}
	if (hold->planned_ms)
		tell(world, "%s planned", world->names[place]);
	else
		step(world, place, (struct hold_event){ .kind = HOLD_BEGIN });
}

static void submit(struct world *world, char *rest)
{
	struct job job = { .number = (int)number_of(world, next_word(&rest)), .state = JOB_QUEUED, .tasks = 1 };
	job.scope = scope_of(world, next_word(&rest));
	const char *tasks = next_word(&rest);
	if (*tasks)
		job.tasks = (int)number_of(world, tasks);
	struct scope_path path = path_at(&job.scope);
	struct ruling ruling = rule(world, ACT_SUBMIT, &path);
	if (ruling.value == SUBMIT_REFUSE)
		tell(world, "%d refused by %s", job.number, name_of(world, ruling.hold));
	else
		world->jobs[world->job_count++] = job;
}

static void dispatch(struct world *world, char *rest)
{
	(void)rest;
	for (size_t i = 0; i < world->job_count; i++) {
		struct job *job = &world->jobs[i];
		if (job->state != JOB_QUEUED && job->state != JOB_WAITING)
			continue;
		struct scope_path path = path_at(&job->scope);
		path.pool = "default";
		path.agent.value = AGENT;
		struct ruling ruling = rule(world, job->state == JOB_QUEUED ? ACT_START : ACT_ADVANCE, &path);
		if (ruling.value) {
			tell(world, "%d held by %s", job->number, name_of(world, ruling.hold));
			continue;
		}
		tell(world, "%d %s", job->number, job->state == JOB_QUEUED ? "starts" : "goes on");
		job->state = JOB_HANDED;
	}
}

static void begin(struct world *world, char *rest)
{
	find_job(world, next_word(&rest))->state = JOB_RUNNING;
}

static void finish(struct world *world, char *rest)
{
	struct job *job = find_job(world, next_word(&rest));
	bool is_over = job->state == JOB_STOPPING || --job->tasks == 0;
	job->state = is_over ? JOB_ENDED : JOB_WAITING;
	if (is_over)
		tell(world, "%d ended", job->number);
}

static void ask(struct world *world, char *rest)
{
	struct subject subject = { .agent = { AGENT } };
	const char *word = next_word(&rest);
	if (!subject_kind_parse(word, &subject.kind))
		give_up(world, "no subject", word);
	struct scope_path path = { .pool = "default", .agent = { subject.kind == SUBJECT_AGENT ? AGENT : 0 } };
	struct openness openness = {
		.can_start = rule(world, ACT_START, &path).value == 0,
		.can_advance = rule(world, ACT_ADVANCE, &path).value == 0,
	};
	struct census_entry list[2 * MOST];
	struct census census = census_under(world, NULL, list);
	struct verdict verdict = verdict_of(&census, &subject, openness);
	tell(world, "%s%s%s", safe_name(verdict.safe), verdict.is_idle ? " but idle" : "",
	     verdict.is_settled ? "" : " and not settled");
	if (verdict.blocker_count)
		tell(world, "%zu in the way", verdict.blocker_count);
}

static void show_ruling(struct world *world, char *rest)
{
	const char *word = next_word(&rest);
	int act = 0;
	while (act < ACTS && strcmp(act_name((enum act)act), word) != 0)
		act++;
	if (act == ACTS)
		give_up(world, "no act", word);
	struct scope scope = scope_of(world, next_word(&rest));
	struct scope_path path = path_at(&scope);
	struct ruling ruling = rule(world, (enum act)act, &path);
	tell(world, "%s%s%s", axis_value_name(ruling.axis, ruling.value), ruling.hold ? " by " : "",
	     ruling.hold ? name_of(world, ruling.hold) : "");
}

static void restart(struct world *world, char *rest)
{
	(void)rest;
	for (size_t i = 0; i < world->hold_count; i++)
		if (world->holds[i].phase != HOLD_ENDED)
			step(world, i, (struct hold_event){ .kind = HOLD_RESTART });
}

/* Those that name a hold and are one event of it. */
static const struct { const char *name; struct hold_event event; } events[] = {
	{ "suspend", { .kind = HOLD_SUSPEND } },
	{ "force",   { .kind = HOLD_SUSPEND, .is_forced = true } },
	{ "drain",   { .kind = HOLD_DRAIN } },
	{ "stop",    { .kind = HOLD_STOP } },
	{ "kill",    { .kind = HOLD_KILL } },
	{ "end",     { .kind = HOLD_END, .by = "us" } },
};

static const struct { const char *name; void (*run)(struct world *world, char *rest); } commands[] = {
	{ "enter", enter }, { "submit", submit }, { "dispatch", dispatch }, { "begin", begin }, { "finish", finish },
	{ "ask", ask }, { "rule", show_ruling }, { "restart", restart },
};

static void run_command(struct world *world, char *command)
{
	const char *word = next_word(&command);
	for (size_t i = 0; i < COUNT_OF(commands); i++) {
		if (strcmp(commands[i].name, word) != 0)
			continue;
		commands[i].run(world, command);
		look_at_drain(world);
		return;
	}
	for (size_t i = 0; i < COUNT_OF(events); i++) {
		if (strcmp(events[i].name, word) != 0)
			continue;
		struct hold_event event = events[i].event;
		size_t place = place_of_hold(world, next_word(&command));
		event.has_blockers = hold_is_in_force(&world->holds[place]) && !world->holds[place].drained_ms;
		step(world, place, event);
		look_at_drain(world);
		return;
	}
	give_up(world, "no command", word);
}

/* All that time does up to `until`, in its order. */
static void pass_time(struct world *world, instant until)
{
	for (;;) {
		size_t first = world->hold_count;
		for (size_t i = 0; i < world->hold_count; i++) {
			instant next = hold_next_ms(&world->holds[i]);
			if (next != INSTANT_NONE && next <= until &&
			    (first == world->hold_count || next < hold_next_ms(&world->holds[first])))
				first = i;
		}
		if (first == world->hold_count)
			break;
		if (hold_next_ms(&world->holds[first]) > world->now)
			world->now = hold_next_ms(&world->holds[first]);
		step(world, first, (struct hold_event){ .kind = HOLD_TICK });
		look_at_drain(world);
	}
	world->now = until;
}

static void run_line(struct world *world, char *line)
{
	char *arrow = strstr(line, "=>");
	if (!arrow)
		give_up(world, "no => in", line);
	*arrow = '\0';
	const char *expected = arrow + 2 + strspn(arrow + 2, " \t");
	buffer_reset(&world->told);
	pass_time(world, time_of(world, next_word(&line)));
	while (*line) {
		size_t length = strcspn(line, ";");
		char *rest = line + length + (line[length] == ';');
		line[length] = '\0';
		if (line[strspn(line, " \t")])
			run_command(world, line);
		line = rest;
	}
	if (strcmp(buffer_cstr(&world->told), expected) != 0)
		fail_msg("%s:%d: told \"%s\", expected \"%s\"", world->file, world->line,
			 buffer_cstr(&world->told), expected);
}

static void run_file(const char *path)
{
	struct world world = { .file = path, .now = 1000000 };
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	char *line = NULL;
	size_t room = 0, lines = 0;
	while (getline(&line, &room, file) >= 0) {
		world.line++;
		line[strcspn(line, "#\n")] = '\0';
		if (!line[strspn(line, " \t")])
			continue;
		run_line(&world, line);
		lines++;
	}
	assert_true(lines > 0);
	free(line);
	fclose(file);
	buffer_fini(&world.told);
}

static void every_story_comes_true(void **state)
{
	(void)state;
	glob_t stories;
	assert_int_equal(glob("tests/trace/*.trace", 0, NULL, &stories), 0);
	for (size_t i = 0; i < stories.gl_pathc; i++)
		run_file(stories.gl_pathv[i]);
	globfree(&stories);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_story_comes_true) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
