/*
 * Which files a program opens as its store, and which it leaves alone.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/heap.h"
#include "lib/test.h"
#include "store/schema.h"
#include "store/store.h"

static char folder[64], path[80], where[96];

static int set_up(void **state)
{
	const char *base = getenv("TMPDIR");
	(void)state;
	snprintf(folder, sizeof(folder), "%.40s/migrate-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/s", folder);
	snprintf(where, sizeof(where), "sqlite:%s", path);
	return 0;
}

static int tear_down(void **state)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	(void)state;
	for (size_t i = 0; i < COUNT_OF(ends); i++) {
		char name[96];
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		unlink(name);
	}
	return rmdir(folder);
}

/* Does something to the file that Lull itself would not. */
static void meddle(const char *sql)
{
	sqlite3 *db;
	char *problem = NULL;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &problem) != SQLITE_OK)
		fail_msg("%s: %s", sql, problem);
	sqlite3_close(db);
}

static void make_store(void)
{
	struct error error;
	struct store *store;
	assert_works(store_open(where, STORE_WRITER, &store, &error));
	store_close(store);
}

/* All bytes of the file. */
static char *read_file(size_t *length)
{
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	fseek(file, 0, SEEK_END);
	*length = (size_t)ftell(file);
	rewind(file);
	char *bytes = heap_new(*length + 1, 1);
	assert_int_equal(fread(bytes, 1, *length, file), *length);
	fclose(file);
	return bytes;
}

/* Neither opens it, both say why, and the file stays as it was. */
static void assert_left_alone(const char *why)
{
	struct error error;
	struct store *store;
	size_t before_length, after_length;
	char *before = read_file(&before_length);
	assert_refuses(store_open(where, STORE_WRITER, &store, &error), ERR_STORE, why);
	assert_refuses(store_open(where, STORE_READER, &store, &error), ERR_STORE, why);
	char *after = read_file(&after_length);
	assert_int_equal(before_length, after_length);
	assert_memory_equal(before, after, before_length);
	free(before);
	free(after);
}

static void migrations_are_numbered_without_gaps(void **state)
{
	(void)state;
	assert_in_range(migration_count, 1, 9999);
	for (size_t i = 0; i < migration_count; i++)
		assert_int_equal(migrations[i].number, i + 1);
}

static void a_store_opens_again_unchanged(void **state)
{
	static const struct statement applied = { "SELECT count(*) FROM migration", "" };
	struct error error;
	struct store *store;
	int64_t number;
	bool found;
	(void)state;
	make_store();
	assert_works(store_open(where, STORE_WRITER, &store, &error));
	assert_works(store_number(store, &applied, NULL, &number, &found, &error));
	assert_int_equal(number, migration_count);
	assert_int_equal(store->rows_written, 0);
	store_close(store);
}

static void a_newer_store_is_refused(void **state)
{
	(void)state;
	make_store();
	meddle("INSERT INTO migration (number, name, checksum) VALUES (9999, 'later', 1)");
	assert_left_alone("made by a newer lull (its schema is 9999");
}

static void a_changed_migration_is_refused(void **state)
{
	(void)state;
	make_store();
	meddle("UPDATE migration SET checksum = checksum + 1 WHERE number = 1");
	assert_left_alone("migration 1 of the store differs");
}

static void a_gap_is_refused(void **state)
{
	(void)state;
	make_store();
	meddle("UPDATE migration SET number = -7 WHERE number = 1");
	assert_left_alone("migration -7 of the store differs");
}

static void another_programs_database_is_refused(void **state)
{
	(void)state;
	meddle("CREATE TABLE customers (id INTEGER)");
	assert_left_alone("is a database of another program");
}

static void another_programs_mark_is_refused(void **state)
{
	(void)state;
	meddle("PRAGMA application_id=12345");
	meddle("CREATE TABLE t (a); DROP TABLE t");
	assert_left_alone("is a database of another program");
}

static void what_is_no_database_is_refused(void **state)
{
	(void)state;
	FILE *file = fopen(path, "w");
	for (int i = 0; i < 500; i++)
		fputs("this is a letter to a friend\n", file);
	fclose(file);
	assert_left_alone("is no store of lull");
}

/* A reader changes nothing, so it cannot bring an old schema up to date. */
static void a_reader_of_an_old_schema_is_refused(void **state)
{
	struct error error;
	struct store *store;
	(void)state;
	make_store();
	meddle("DELETE FROM migration WHERE number = (SELECT max(number) FROM migration)");
	assert_refuses(store_open(where, STORE_READER, &store, &error), ERR_STORE, "start the server once");
}

/* The same for a file in which the first server never came that far. */
static void a_reader_of_an_empty_file_is_refused(void **state)
{
	struct error error;
	struct store *store;
	(void)state;
	fclose(fopen(path, "w"));
	assert_refuses(store_open(where, STORE_READER, &store, &error), ERR_STORE, "start the server once");
	unlink(path);
	assert_refuses(store_open(where, STORE_READER, &store, &error), ERR_STORE, "");
	assert_int_equal(access(path, F_OK), -1);
	fclose(fopen(path, "w"));
	make_store();
}

static void a_failed_migration_leaves_nothing(void **state)
{
	struct error error;
	struct store *store;
	(void)state;
	/* A table of the first migration is there already, in a file that carries our mark. */
	meddle("PRAGMA application_id=1282763884; CREATE TABLE audit (id INTEGER)");
	assert_refuses(store_open(where, STORE_WRITER, &store, &error), ERR_STORE, "migration 0001_");
	meddle("DROP TABLE audit");
	make_store();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(migrations_are_numbered_without_gaps),
		TEST(a_store_opens_again_unchanged),
		TEST(a_newer_store_is_refused),
		TEST(a_changed_migration_is_refused),
		TEST(a_gap_is_refused),
		TEST(another_programs_database_is_refused),
		TEST(another_programs_mark_is_refused),
		TEST(what_is_no_database_is_refused),
		TEST(a_reader_of_an_old_schema_is_refused),
		TEST(a_reader_of_an_empty_file_is_refused),
		TEST(a_failed_migration_leaves_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
