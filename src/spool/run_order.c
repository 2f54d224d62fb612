#include "spool/run_order.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/assert.h"

static void put_number(struct buffer *buffer, int64_t number)
{
	buffer_append(buffer, &number, sizeof(number));
}

/* A length, the bytes, and a NUL so that the reader can use them in place. */
static void put_bytes(struct buffer *buffer, const char *bytes, size_t length)
{
	put_number(buffer, (int64_t)length);
	buffer_append(buffer, bytes, length);
	buffer_char(buffer, '\0');
}

static void put_text(struct buffer *buffer, const char *text)
{
	put_bytes(buffer, text, strlen(text));
}

static void put_texts(struct buffer *buffer, const char *const *texts, size_t count)
{
	put_number(buffer, (int64_t)count);
	for (size_t i = 0; i < count; i++)
		put_text(buffer, texts[i]);
}

void run_order_write(struct buffer *buffer, const struct run_order *order)
{
	ASSERT(order->group_count <= RUN_ORDER_GROUPS);
	uint32_t length = 0;
	size_t start = buffer->length;
	buffer_append(buffer, &length, sizeof(length));
	put_text(buffer, order->attempt);
	put_text(buffer, order->flow);
	put_text(buffer, order->task);
	put_texts(buffer, order->arguments, order->argument_count);
	put_texts(buffer, order->environment, order->environment_count);
	put_number(buffer, (int64_t)order->file_count);
	for (size_t i = 0; i < order->file_count; i++) {
		put_text(buffer, order->files[i].name);
		put_bytes(buffer, order->files[i].bytes, order->files[i].length);
	}
	put_number(buffer, order->timeout_ms);
	put_number(buffer, order->changes_user);
	put_number(buffer, order->uid);
	put_number(buffer, order->gid);
	put_number(buffer, (int64_t)order->group_count);
	for (size_t i = 0; i < order->group_count; i++)
		put_number(buffer, order->groups[i]);

	ASSERT(buffer->length - start - sizeof(length) <= RUN_ORDER_BYTES);
	length = (uint32_t)(buffer->length - start - sizeof(length));
	memcpy(buffer->at + start, &length, sizeof(length));
}

/* What is left of a record. Once something did not fit, `is_bad` stays and all that is got is empty. */
struct cursor {
	const char *at;
	size_t left;
	struct arena *arena;
	bool is_bad;
};

static int64_t get_number(struct cursor *from, int64_t most)
{
	int64_t number;
	if (from->is_bad || from->left < sizeof(number))
		goto bad;
	memcpy(&number, from->at, sizeof(number));
	if (number < 0 || number > most)
		goto bad;
	from->at += sizeof(number);
	from->left -= sizeof(number);
	return number;
bad:
	from->is_bad = true;
	return 0;
}

static const char *get_bytes(struct cursor *from, size_t *length)
{
	size_t wanted = (size_t)get_number(from, RUN_ORDER_BYTES);
	if (from->is_bad || from->left <= wanted || from->at[wanted] != '\0') {
		from->is_bad = true;
		*length = 0;
		return "";
	}
	const char *bytes = from->at;
	from->at += wanted + 1;
	from->left -= wanted + 1;
	*length = wanted;
	return bytes;
}

static const char *get_text(struct cursor *from)
{
	size_t length;
	const char *text = get_bytes(from, &length);
	if (strlen(text) != length)
		from->is_bad = true;
	return text;
}

static const char **get_texts(struct cursor *from, size_t *count)
{
	*count = (size_t)get_number(from, (int64_t)from->left);
	const char **texts = ARENA_ARRAY(from->arena, const char *, *count + 1);
	for (size_t i = 0; i < *count; i++)
		texts[i] = get_text(from);
	return texts;
}

bool run_order_read(const char *bytes, size_t length, struct arena *arena, struct run_order *order,
		    struct error *error)
{
	struct cursor from = { .at = bytes, .left = length, .arena = arena };
	struct run_order read = { 0 };
	read.attempt = get_text(&from);
	read.flow = get_text(&from);
	read.task = get_text(&from);
	read.arguments = get_texts(&from, &read.argument_count);
	read.environment = get_texts(&from, &read.environment_count);
	read.file_count = (size_t)get_number(&from, (int64_t)from.left);
	read.files = ARENA_ARRAY(arena, struct run_file, read.file_count + 1);
	for (size_t i = 0; i < read.file_count; i++) {
		read.files[i].name = get_text(&from);
		read.files[i].bytes = get_bytes(&from, &read.files[i].length);
	}
	read.timeout_ms = get_number(&from, INT64_MAX);
	read.changes_user = get_number(&from, 1);
	read.uid = (uint32_t)get_number(&from, UINT32_MAX);
	read.gid = (uint32_t)get_number(&from, UINT32_MAX);
	read.group_count = (size_t)get_number(&from, RUN_ORDER_GROUPS);
	for (size_t i = 0; i < read.group_count; i++)
		read.groups[i] = (uint32_t)get_number(&from, UINT32_MAX);
	if (from.is_bad || from.left > 0 || read.argument_count == 0 || strlen(read.attempt) >= SPOOL_NAME_BYTES)
		return error_set(error, ERR_INVALID, "a run order of %zu bytes is none", length);
	*order = read;
	return true;
}

bool runner_signal(int pidfd, int signal, int64_t turn, struct error *error)
{
	siginfo_t info = { .si_signo = signal, .si_code = SI_QUEUE };
	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_value.sival_ptr = (void *)(intptr_t)turn;
	if (syscall(SYS_pidfd_send_signal, pidfd, signal, &info, 0) == 0)
		return true;
	return error_set(error, errno == ESRCH ? ERR_NOT_FOUND : ERR_SYSTEM, "signalling a runner: %s",
			 strerror(errno));
}
