#include "core/yaml.h"

#include <string.h>
#include <yaml.h>

#include "base/assert.h"
#include "base/limits.h"
#include "base/text.h"

/* A list or map that is not at its end yet. */
struct frame {
	struct yaml *around;
	struct yaml *newest;             /* its last child so far */
	struct yaml *key;                /* in a map: the key that waits for its value */
};

struct reading {
	yaml_parser_t parser;
	struct arena *arena;
	struct flow_problems *problems;
	struct frame frames[LIMIT_YAML_DEPTH];
	size_t depth;
	size_t values;
	struct yaml *root;
};

static bool is_one_of(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(text, *words) == 0)
			return true;
	return false;
}

static bool is_integer(const char *text)
{
	if (text_starts_with(text, "0o"))
		return text[2] && text[2 + strspn(text + 2, "01234567")] == '\0';
	if (text_starts_with(text, "0x"))
		return text[2] && text[2 + strspn(text + 2, "0123456789abcdefABCDEF")] == '\0';
	text += *text == '-' || *text == '+';
	return *text && text[strspn(text, "0123456789")] == '\0';
}

static bool is_number(const char *text)
{
	static const char digits[] = "0123456789";
	text += *text == '-' || *text == '+';
	size_t whole = strspn(text, digits);
	text += whole;
	size_t fraction = 0;
	if (*text == '.')
		text += 1 + (fraction = strspn(text + 1, digits));
	if (whole + fraction == 0)
		return false;
	if (*text != 'e' && *text != 'E')
		return *text == '\0';
	text++;
	text += *text == '-' || *text == '+';
	return *text && text[strspn(text, digits)] == '\0';
}

/* YAML 1.2.2, section 10.3.2. */
static enum yaml_kind plain_kind(const char *text)
{
	static const char *const nulls[] = { "", "~", "null", "Null", "NULL", NULL };
	static const char *const booleans[] = { "true", "True", "TRUE", "false", "False", "FALSE", NULL };
	static const char *const specials[] = { ".inf",  ".Inf",  ".INF", "+.inf", "+.Inf", "+.INF", "-.inf",
						"-.Inf", "-.INF", ".nan", ".NaN",  ".NAN",  NULL };
	if (is_one_of(text, nulls))
		return YAML_NULL;
	if (is_one_of(text, booleans))
		return YAML_BOOLEAN;
	if (is_integer(text))
		return YAML_INTEGER;
	return is_number(text) || is_one_of(text, specials) ? YAML_NUMBER : YAML_TEXT;
}

/* Tells a problem at the beginning of an event. Always false. */
static bool refuse(struct reading *in, const yaml_mark_t *mark, const char *text)
{
	flow_problem_add(in->problems, (int32_t)mark->line + 1, (int32_t)mark->column + 1, "%s", text);
	return false;
}

static bool check_key(struct reading *in, const struct frame *frame, const yaml_event_t *event,
		      const struct yaml *key)
{
	if (!yaml_is_scalar(key))
		return refuse(in, &event->start_mark, "a key must be a text, not a list or a map");
	if (frame->around->count == LIMIT_YAML_KEYS) {
		flow_problem_add(in->problems, key->line, key->column, "more than %d keys in one map",
				 LIMIT_YAML_KEYS);
		return false;
	}
	const struct yaml *twin = yaml_member(frame->around, key->text);
	if (!twin)
		return true;
	flow_problem_add(in->problems, key->line, key->column,
			 "the key \"%s\" was there on line %d already; remove one of them",
			 flow_problem_quote(in->problems, key->text), twin->key->line);
	return false;
}

/* Puts a value at its place in the tree. */
static bool attach(struct reading *in, const yaml_event_t *event, struct yaml *value)
{
	if (in->depth == 0) {
		in->root = value;
		return true;
	}
	struct frame *frame = &in->frames[in->depth - 1];
	if (frame->around->kind == YAML_MAP && !frame->key) {
		frame->key = value;
		return check_key(in, frame, event, value);
	}
	value->key = frame->key;
	frame->key = NULL;
	if (frame->newest)
		frame->newest->next = value;
	else
		frame->around->first = value;
	frame->newest = value;
	frame->around->count++;
	return true;
}

static bool make_value(struct reading *in, const yaml_event_t *event, enum yaml_kind kind, struct yaml **value)
{
	if (in->values == LIMIT_YAML_NODES) {
		flow_problem_add(in->problems, (int32_t)event->start_mark.line + 1,
				 (int32_t)event->start_mark.column + 1,
				 "more than %d values in one file; split the flow", LIMIT_YAML_NODES);
		return false;
	}
	in->values++;
	*value = ARENA_NEW(in->arena, struct yaml);
	(*value)->kind = kind;
	(*value)->line = (int32_t)event->start_mark.line + 1;
	(*value)->column = (int32_t)event->start_mark.column + 1;
	return true;
}

static bool check_decoration(struct reading *in, const yaml_event_t *event, const void *anchor, const void *tag)
{
	if (anchor)
		return refuse(in, &event->start_mark,
			      "anchors (&name) are not taken; write the value out where it is needed");
	if (tag)
		return refuse(in, &event->start_mark, "tags (!name) are not taken; for a text, write quotes");
	return true;
}

static bool take_scalar(struct reading *in, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t length = event->data.scalar.length;
	if (!check_decoration(in, event, event->data.scalar.anchor, event->data.scalar.tag))
		return false;
	if (memchr(text, '\0', length))
		return refuse(in, &event->start_mark, "the character NUL (\\0) cannot be part of a text");
	bool is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	struct yaml *value;
	if (!make_value(in, event, is_plain ? plain_kind(text) : YAML_TEXT, &value))
		return false;
	value->text = arena_copy(in->arena, text, length);
	return attach(in, event, value);
}

static bool take_start(struct reading *in, const yaml_event_t *event, enum yaml_kind kind)
{
	bool is_list = kind == YAML_LIST;
	if (!check_decoration(in, event,
			      is_list ? event->data.sequence_start.anchor : event->data.mapping_start.anchor,
			      is_list ? event->data.sequence_start.tag : event->data.mapping_start.tag))
		return false;
	if (in->depth == LIMIT_YAML_DEPTH) {
		flow_problem_add(in->problems, (int32_t)event->start_mark.line + 1,
				 (int32_t)event->start_mark.column + 1, "nested deeper than %d levels",
				 LIMIT_YAML_DEPTH);
		return false;
	}
	struct yaml *value;
	if (!make_value(in, event, kind, &value) || !attach(in, event, value))
		return false;
	in->frames[in->depth++] = (struct frame){ .around = value };
	return true;
}

static bool take_event(struct reading *in, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return take_scalar(in, event);
	case YAML_SEQUENCE_START_EVENT:
		return take_start(in, event, YAML_LIST);
	case YAML_MAPPING_START_EVENT:
		return take_start(in, event, YAML_MAP);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		in->depth--;
		return true;
	case YAML_ALIAS_EVENT:
		return refuse(in, &event->start_mark, "aliases (*name) are not taken; write the value out");
	case YAML_DOCUMENT_START_EVENT:
		return !in->root ||
		       refuse(in, &event->start_mark, "a second document begins here; a file holds one flow");
	default:
		return true;
	}
}

/* Where byte number `offset` is, for problems that libyaml tells without a mark. */
static yaml_mark_t mark_of(const char *bytes, size_t offset)
{
	yaml_mark_t mark = { 0 };
	for (size_t i = 0; i < offset; i++) {
		if (bytes[i] == '\n') {
			mark.line++;
			mark.column = 0;
		} else if (((unsigned char)bytes[i] & 0xC0) != 0x80) {
			mark.column++;
		}
	}
	return mark;
}

/* The byte that begins character number `index`, NUL behind the last; libyaml counts characters. */
static char character_at(const char *bytes, size_t length, size_t index)
{
	for (size_t i = 0; i < length; i++)
		if (((unsigned char)bytes[i] & 0xC0) != 0x80 && index-- == 0)
			return bytes[i];
	return '\0';
}

/* Tells what libyaml found, in our words where its own would puzzle. Always false. */
static bool refuse_syntax(struct reading *in, const char *bytes, size_t length)
{
	const yaml_parser_t *parser = &in->parser;
	ASSERT(parser->error != YAML_MEMORY_ERROR);
	if (parser->error == YAML_READER_ERROR) {
		yaml_mark_t mark = mark_of(bytes, parser->problem_offset < length ? parser->problem_offset : length);
		bool is_control = strcmp(parser->problem, "control characters are not allowed") == 0;
		return refuse(
			in, &mark,
			is_control ? "a control character cannot stand in YAML; write it as \\x.. in quotes"
				   : "not UTF-8; save the file in that encoding");
	}
	const yaml_mark_t *mark = &parser->problem_mark;
	if (character_at(bytes, length, mark->index) == '\t')
		return refuse(in, mark, "a tab cannot indent YAML; write spaces");
	const char *context = "";
	if (parser->context)
		context = arena_printf(in->arena, " %s from line %zu on", parser->context,
				       parser->context_mark.line + 1);
	return refuse(in, mark, arena_printf(in->arena, "not YAML: %s%s", parser->problem, context));
}

static bool read_events(struct reading *in, const char *bytes, size_t length)
{
	for (bool at_end = false; !at_end;) {
		yaml_event_t event;
		if (!yaml_parser_parse(&in->parser, &event))
			return refuse_syntax(in, bytes, length);
		at_end = event.type == YAML_STREAM_END_EVENT;
		bool taken = take_event(in, &event);
		yaml_event_delete(&event);
		if (!taken)
			return false;
	}
	if (!in->root) {
		flow_problem_add(in->problems, 1, 1, "the file is empty; a flow has at least an id and tasks");
		return false;
	}
	return true;
}

bool yaml_read(const char *bytes, size_t length, struct arena *arena, struct flow_problems *problems,
	       const struct yaml **root)
{
	struct reading in = { .arena = arena, .problems = problems };
	ASSERT(yaml_parser_initialize(&in.parser));
	yaml_parser_set_encoding(&in.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&in.parser, (const unsigned char *)bytes, length);
	bool read = read_events(&in, bytes, length);
	yaml_parser_delete(&in.parser);
	if (read)
		*root = in.root;
	return read;
}

const struct yaml *yaml_member(const struct yaml *map, const char *key)
{
	if (map->kind != YAML_MAP)
		return NULL;
	const struct yaml *member = map->first;
	while (member && strcmp(member->key->text, key) != 0)
		member = member->next;
	return member;
}

bool yaml_is_scalar(const struct yaml *value)
{
	return value->kind <= YAML_TEXT;
}
