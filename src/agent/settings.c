#include <string.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/agent.h"
#include "base/text.h"

enum { SLOTS_A_PROCESSOR = 4 };

static bool take_label(struct agent_settings *settings, const char *label, struct error *error)
{
	if (settings->label_count == LIMIT_LABELS)
		return error_set(error, ERR_INVALID, "an agent has at most %d labels", LIMIT_LABELS);
	if (!*label || strlen(label) > LIMIT_LABEL_BYTES)
		return error_set(error, ERR_INVALID, "a label has 1 to %d bytes", LIMIT_LABEL_BYTES);
	settings->labels[settings->label_count++] = label;
	return true;
}

static bool take_slots(struct agent_settings *settings, const char *text, struct error *error)
{
	int64_t slots;
	if (!text_to_int64(text, 1, LIMIT_SLOTS, &slots))
		return error_set(error, ERR_INVALID, "--slots is a number from 1 to %d", LIMIT_SLOTS);
	settings->slots = (int32_t)slots;
	return true;
}

static bool take_option(struct agent_settings *settings, const char *option, const char *value, struct error *error)
{
	const struct {
		const char *name;
		const char **place;
	} texts[] = {
		{ "--data",   &settings->data   }, { "--name",   &settings->name   }, { "--pool",   &settings->pool },
		{ "--server", &settings->server }, { "--socket", &settings->socket }, { "--run-as", &settings->run_as },
	};
	static const char *const known[] = { "--data", "--name", "--pool", "--label", "--slots", "--server", "--socket",
					     "--run-as", NULL };
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		if (strcmp(texts[i].name, option) != 0)
			continue;
		*texts[i].place = value;
		return true;
	}
	if (strcmp(option, "--label") == 0)
		return take_label(settings, value, error);
	if (strcmp(option, "--slots") == 0)
		return take_slots(settings, value, error);
	const char *nearest = text_nearest(option, known);
	return error_set(error, ERR_INVALID, "`lull agent` has no option %.40s%s%s", option,
			 nearest ? "; is meant: " : "", nearest ? nearest : "");
}

static bool check(const struct agent_settings *settings, struct error *error)
{
	if (!settings->data || settings->data[0] != '/')
		return error_set(error, ERR_INVALID, "--data is the absolute path of the data folder");
	if (!text_is_name(settings->name, LIMIT_NAME_BYTES, true))
		return error_set(error, ERR_INVALID, "the agent's name \"%.60s\" is none: letters, digits, '_', '-', "
				 "'.'; say --name", settings->name);
	if (!text_is_name(settings->pool, LIMIT_NAME_BYTES, true))
		return error_set(error, ERR_INVALID, "the pool \"%.60s\" is no name", settings->pool);
	if (settings->server && settings->socket)
		return error_set(error, ERR_INVALID, "--server or --socket, not both");
	return true;
}

bool agent_settings_parse(int count, char **arguments, struct agent_settings *settings, struct error *error)
{
	static char host[LIMIT_NAME_BYTES + 1];
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	struct agent_settings read = { .name = host, .pool = "default", .token = getenv("LULL_TOKEN") };
	read.slots = processors > 0 && processors <= LIMIT_SLOTS / SLOTS_A_PROCESSOR ?
		     (int32_t)processors * SLOTS_A_PROCESSOR : SLOTS_A_PROCESSOR;
	if (gethostname(host, sizeof(host) - 1) < 0)
		host[0] = '\0';
	host[strcspn(host, ".")] = '\0';
	for (int i = 0; i < count; i += 2) {
		if (i + 1 == count)
			return error_set(error, ERR_INVALID, "%.40s needs a value", arguments[i]);
		if (!take_option(&read, arguments[i], arguments[i + 1], error))
			return false;
	}
	if (!check(&read, error))
		return false;
	*settings = read;
	return true;
}
