#include "lib/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "spool/attempt_file.h"
#include "spool/run_order.h"
#include "spool/scratch.h"
#include "spool/spool.h"

#define NAME "1099511627777.0.1"

static char folder[200];

static int make_folder(void **state)
{
	(void)state;
	const char *base = getenv("TMPDIR");
	snprintf(folder, sizeof(folder), "%s/spool-XXXXXX", base ? base : "/tmp");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	struct error error;
	return scratch_remove(AT_FDCWD, folder, &error) ? 0 : -1;
}

static struct spool open_spool(void)
{
	struct spool spool;
	struct error error;
	assert_works(spool_open(folder, &spool, &error));
	return spool;
}

static struct attempt_head head_of(const char *name)
{
	struct attempt_head head = { .pid = getpid(), .turn = 3, .began_ms = 1700000000000 };
	snprintf(head.attempt, sizeof(head.attempt), "%s", name);
	return head;
}

/* Runs `what` in another process, since a process does not see its own locks; answers what it answered. */
static int elsewhere(int (*what)(void))
{
	int status = 0;
	pid_t child = fork();
	if (child == 0)
		_exit(what());
	assert_true(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void each_opening_raises_the_generation_and_keeps_the_identity(void **state)
{
	(void)state;
	struct spool first = open_spool();
	struct spool second = open_spool();
	assert_int_equal(second.generation, first.generation + 1);
	assert_string_equal(second.identity, first.identity);
	assert_int_equal(strlen(first.identity), 32);
	assert_string_equal(second.boot, first.boot);
	spool_close(&first);
	spool_close(&second);
}

static void a_runner_of_an_older_generation_is_fenced(void **state)
{
	(void)state;
	struct spool agent = open_spool(), runner;
	struct error error;
	assert_works(spool_join(folder, agent.boot, agent.generation, &runner, &error));
	assert_works(spool_enter(&runner, &error));
	spool_leave(&runner);
	struct spool next = open_spool();
	assert_refuses(spool_enter(&runner, &error), ERR_GONE, "newer agent");
	spool_close(&agent);
	spool_close(&next);
	spool_close(&runner);
}

static void a_generation_that_cannot_be_read_is_no_reason_to_stop(void **state)
{
	(void)state;
	struct spool first = open_spool();
	assert_int_equal(ftruncate(first.generation_file, 5), 0);
	struct spool second = open_spool();
	assert_true(second.generation > 0);
	spool_close(&first);
	spool_close(&second);
}

static void an_attempt_has_one_file(void **state)
{
	(void)state;
	struct spool spool = open_spool();
	struct attempt_head head = head_of(NAME);
	struct error error;
	int file, again = -1;
	assert_works(attempt_file_create(spool.boot_folder, &head, &file, &error));
	assert_refuses(attempt_file_create(spool.boot_folder, &head, &again, &error), ERR_CONFLICT, "already");
	assert_int_equal(again, -1);
	close(file);
	spool_close(&spool);
}

static int boot_folder;

static int has_holder(void)
{
	struct attempt_record record;
	struct error error;
	return attempt_file_read(boot_folder, NAME, &record, &error) ? record.holder == getppid() : 2;
}

static void the_lock_names_whoever_has_the_file(void **state)
{
	(void)state;
	struct spool spool = open_spool();
	struct attempt_head head = head_of(NAME);
	struct error error;
	int file;
	boot_folder = spool.boot_folder;
	assert_works(attempt_file_create(spool.boot_folder, &head, &file, &error));
	assert_int_equal(elsewhere(has_holder), 1);
	close(file);
	assert_int_equal(elsewhere(has_holder), 0);
	spool_close(&spool);
}

static void a_file_tells_what_was_written(void **state)
{
	(void)state;
	struct spool spool = open_spool();
	struct attempt_head head = head_of(NAME);
	struct attempt_output output = { 0 };
	struct attempt_end end = { .ended_ms = 5, .exit_code = 7, .ended_by = ENDED_BY_ITSELF, .output_bytes = 6 };
	struct attempt_record record;
	struct error error;
	char bytes[10];
	size_t got;
	int file;
	assert_works(attempt_file_create(spool.boot_folder, &head, &file, &error));
	assert_works(attempt_file_read(spool.boot_folder, NAME, &record, &error));
	assert_true(record.has_begun && !record.has_ended && record.kept_bytes == 0);
	assert_int_equal(record.head.turn, 3);
	attempt_file_append(file, &output, "hello", 5);
	attempt_file_append(file, &output, "!", 1);
	assert_works(attempt_file_end(file, &end, &error));
	close(file);
	assert_works(attempt_file_read(spool.boot_folder, NAME, &record, &error));
	assert_true(record.has_begun && record.has_ended && record.kept_bytes == 6);
	assert_int_equal(record.end.exit_code, 7);
	assert_int_equal(attempt_file_kept(spool.boot_folder, NAME), 6);
	assert_works(attempt_file_read_output(spool.boot_folder, NAME, 1, bytes, sizeof(bytes), &got, &error));
	assert_int_equal(got, 5);
	assert_memory_equal(bytes, "ello!", 5);
	spool_close(&spool);
}

/* A torn or foreign record must never pass for a result. */
static void a_record_with_any_wrong_byte_counts_as_not_written(void **state)
{
	(void)state;
	struct spool spool = open_spool();
	struct attempt_head head = head_of(NAME);
	struct attempt_end end = { .ended_ms = 5, .exit_code = 7, .ended_by = ENDED_BY_ITSELF };
	struct attempt_record record;
	struct error error;
	int file;
	assert_works(attempt_file_create(spool.boot_folder, &head, &file, &error));
	assert_works(attempt_file_end(file, &end, &error));
	for (size_t at = 0; at < ATTEMPT_FILE_END_AT + sizeof(end); at++) {
		bool is_in_head = at < sizeof(head), is_in_end = at >= ATTEMPT_FILE_END_AT;
		char byte;
		if (!is_in_head && !is_in_end)
			continue;
		assert_int_equal(pread(file, &byte, 1, (off_t)at), 1);
		byte ^= 0x40;
		assert_int_equal(pwrite(file, &byte, 1, (off_t)at), 1);
		assert_works(attempt_file_read(spool.boot_folder, NAME, &record, &error));
		assert_int_equal(record.has_begun, !is_in_head);
		assert_false(record.has_ended);
		byte ^= 0x40;
		assert_int_equal(pwrite(file, &byte, 1, (off_t)at), 1);
	}
	assert_int_equal(renameat(spool.boot_folder, NAME, spool.boot_folder, "1099511627778.0.1"), 0);
	assert_works(attempt_file_read(spool.boot_folder, "1099511627778.0.1", &record, &error));
	assert_false(record.has_begun);
	close(file);
	spool_close(&spool);
}

static void output_is_kept_up_to_its_bound(void **state)
{
	(void)state;
	static char bytes[LIMIT_OUTPUT_BYTES];
	struct spool spool = open_spool();
	struct attempt_head head = head_of(NAME);
	struct attempt_output output = { 0 };
	struct error error;
	char tail[80] = { 0 };
	size_t got;
	int file;
	assert_works(attempt_file_create(spool.boot_folder, &head, &file, &error));
	attempt_file_append(file, &output, bytes, sizeof(bytes));
	assert_false(output.is_cut);
	for (int i = 0; i < 3; i++)
		attempt_file_append(file, &output, "more", 4);
	assert_true(output.is_cut);
	assert_int_equal(output.total_bytes, LIMIT_OUTPUT_BYTES + 12);
	assert_works(attempt_file_read_output(spool.boot_folder, NAME, LIMIT_OUTPUT_BYTES, tail, sizeof(tail) - 1, &got,
					      &error));
	assert_string_equal(tail, "\n[lull: output cut after 1048576 bytes]\n");
	assert_int_equal(output.kept_bytes, LIMIT_OUTPUT_BYTES + (int64_t)got);
	close(file);
	spool_close(&spool);
}

static void a_run_order_is_read_as_it_was_written(void **state)
{
	(void)state;
	const char *arguments[] = { "/bin/sh", "-c", "", NULL }, *environment[] = { "A=b", NULL };
	struct run_file files[] = { { "script", "a\0b", 3 } };
	struct run_order order = {
		.attempt = NAME, .flow = "main/a.b", .task = "t", .arguments = arguments, .argument_count = 3,
		.environment = environment, .environment_count = 1, .files = files, .file_count = 1, .timeout_ms = 9,
		.changes_user = true, .uid = 1000, .gid = 4294967294, .groups = { 5, 6 }, .group_count = 2,
	};
	struct buffer record = { 0 };
	struct arena arena = { 0 };
	struct run_order read;
	struct error error;
	uint32_t length;
	run_order_write(&record, &order);
	memcpy(&length, record.at, sizeof(length));
	assert_int_equal(length, record.length - sizeof(length));
	const char *bytes = record.at + sizeof(length);
	assert_works(run_order_read(bytes, length, &arena, &read, &error));
	assert_string_equal(read.attempt, NAME);
	assert_string_equal(read.flow, "main/a.b");
	assert_int_equal(read.argument_count, 3);
	assert_string_equal(read.arguments[2], "");
	assert_null(read.arguments[3]);
	assert_string_equal(read.environment[0], "A=b");
	assert_int_equal(read.files[0].length, 3);
	assert_memory_equal(read.files[0].bytes, "a\0b", 3);
	assert_true(read.changes_user && read.timeout_ms == 9 && read.uid == 1000 && read.gid == 4294967294);
	assert_int_equal(read.group_count, 2);
	assert_int_equal(read.groups[1], 6);
	/* A record that ends anywhere else is none; nothing behind its end is looked at. */
	for (uint32_t shorter = 0; shorter < length; shorter++) {
		char *cut = malloc(shorter ? shorter : 1);
		memcpy(cut, bytes, shorter);
		assert_false(run_order_read(cut, shorter, &arena, &read, &error));
		free(cut);
	}
	arena_fini(&arena);
	buffer_fini(&record);
}

static void a_scratch_folder_is_kept_only_as_it_was_made(void **state)
{
	(void)state;
	struct spool spool = open_spool();
	struct stat status;
	struct error error;
	int scratch;
	for (int is_used = 0; is_used <= 1; is_used++) {
		assert_works(scratch_make(spool.work_folder, "a", "spare", getuid(), getgid(), &scratch, &error));
		if (is_used)
			assert_works(scratch_put(scratch, "file", "x", 1, getuid(), getgid(), &error));
		assert_works(scratch_give_back(spool.work_folder, "a", "spare", getuid(), getgid(), scratch, &error));
		assert_int_equal(fstatat(spool.work_folder, "a", &status, 0), -1);
		assert_int_equal(fstatat(spool.work_folder, "spare", &status, 0), is_used ? -1 : 0);
	}
	spool_close(&spool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_opening_raises_the_generation_and_keeps_the_identity, make_folder,
						remove_folder),
		cmocka_unit_test_setup_teardown(a_runner_of_an_older_generation_is_fenced, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_generation_that_cannot_be_read_is_no_reason_to_stop, make_folder,
						remove_folder),
		cmocka_unit_test_setup_teardown(an_attempt_has_one_file, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(the_lock_names_whoever_has_the_file, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_file_tells_what_was_written, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_record_with_any_wrong_byte_counts_as_not_written, make_folder,
						remove_folder),
		cmocka_unit_test_setup_teardown(output_is_kept_up_to_its_bound, make_folder, remove_folder),
		cmocka_unit_test(a_run_order_is_read_as_it_was_written),
		cmocka_unit_test_setup_teardown(a_scratch_folder_is_kept_only_as_it_was_made, make_folder,
						remove_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
