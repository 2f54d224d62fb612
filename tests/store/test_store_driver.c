/*
 * What every engine has to do (store/store.h). It says nothing of SQLite but its address: a second engine passes it
 * with an address of its own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/heap.h"
#include "lib/test.h"
#include "store/store.h"

static char folder[64], where[96];
static struct store *writer, *reader;

static const struct statement create = {
	"CREATE TABLE probe (id BIGINT PRIMARY KEY, number BIGINT, words TEXT, bytes BLOB)", "",
};
static const struct statement insert = {
	"INSERT INTO probe (id, number, words, bytes) VALUES (?1, ?2, ?3, ?4)", "iitb",
};
static const struct statement update = { "UPDATE probe SET number = ?2 WHERE id >= ?1", "ii" };
static const struct statement upsert = {
	"INSERT INTO probe (id, number) VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET number = excluded.number "
	"WHERE excluded.number > probe.number", "ii",
};
static const struct statement erase = { "DELETE FROM probe WHERE id = ?1", "i" };
static const struct statement one = { "SELECT number, words, bytes FROM probe WHERE id = ?1", "i" };
static const struct statement all = { "SELECT id FROM probe ORDER BY id", "" };
static const struct statement other = { "SELECT id FROM probe WHERE id > ?1 ORDER BY id DESC", "i" };
static const struct statement total = { "SELECT count(*) FROM probe", "" };
static const struct statement broken = { "SELECT nonsense FROM nowhere WHERE id = ?1", "i" };

static int set_up(void **state)
{
	struct error error;
	const char *base = getenv("TMPDIR");
	(void)state;
	snprintf(folder, sizeof(folder), "%.40s/store-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(folder))
		return -1;
	snprintf(where, sizeof(where), "sqlite:%s/s", folder);
	return store_open(where, STORE_WRITER, &writer, &error) && store_script(writer, create.sql, &error) &&
	       store_open(where, STORE_READER, &reader, &error) ? 0 : -1;
}

static int tear_down(void **state)
{
	static const char *const names[] = { "s", "s-wal", "s-shm" };
	(void)state;
	store_close(reader);
	store_close(writer);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		char path[96];
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

static void begin(struct store *store)
{
	struct error error;
	assert_works(store_begin(store, &error));
}

static void commit(void)
{
	struct error error;
	assert_works(store_commit(writer, &error));
}

static int64_t count(struct store *store)
{
	struct error error;
	int64_t number;
	bool found;
	assert_works(store_number(store, &total, NULL, &number, &found, &error));
	assert_true(found);
	return number;
}

static void add(int64_t id)
{
	struct error error;
	const struct value values[] = { STORE_INT(id), STORE_INT(id * 10), store_text("w"), STORE_BYTES("b", 1) };
	assert_works(store_each(writer, &insert, values, 1, &error));
}

static void what_is_rolled_back_is_gone(void **state)
{
	(void)state;
	begin(writer);
	add(1);
	assert_int_equal(count(writer), 1);
	store_rollback(writer);
	assert_int_equal(count(writer), 0);
	begin(writer);
	add(1);
	commit();
	assert_int_equal(count(writer), 1);
}

static void a_reader_sees_what_is_committed_and_one_state_of_it(void **state)
{
	(void)state;
	begin(writer);
	add(1);
	begin(reader);
	assert_int_equal(count(reader), 0);
	commit();
	assert_int_equal(count(reader), 0);
	store_rollback(reader);
	begin(reader);
	assert_int_equal(count(reader), 1);
	store_rollback(reader);
}

static void a_reader_writes_nothing(void **state)
{
	struct error error;
	const struct value values[] = { STORE_INT(1), STORE_INT(2), store_text(NULL), STORE_BYTES("", 0) };
	(void)state;
	begin(reader);
	assert_refuses(store_each(reader, &insert, values, 1, &error), ERR_STORE, "INSERT");
	store_rollback(reader);
	assert_int_equal(count(reader), 0);
}

/* Reads row 1 into these. */
static void read_one(struct arena *arena, struct value *number, const char **words, struct value *bytes)
{
	struct error error;
	struct rows rows;
	bool more;
	const struct value key[] = { STORE_INT(1) };
	assert_works(store_select(writer, &one, key, &rows, &error));
	assert_works(rows_next(&rows, &more, &error));
	assert_true(more);
	*number = rows_value(&rows, 0);
	*words = rows_text(&rows, 1, arena);
	*bytes = rows_value(&rows, 2);
	if (bytes->length)
		bytes->bytes = arena_copy(arena, bytes->bytes, bytes->length);
	assert_works(rows_next(&rows, &more, &error));
	assert_false(more);
	rows_end(&rows);
}

static void nulls_are_not_zeros(void **state)
{
	struct error error;
	struct arena arena = { 0 };
	struct value number, bytes;
	const char *words;
	const struct value null = { .type = VALUE_NULL };
	const struct value values[] = { STORE_INT(1), null, store_text(NULL), null };
	(void)state;
	assert_works(store_each(writer, &insert, values, 1, &error));
	read_one(&arena, &number, &words, &bytes);
	assert_int_equal(number.type, VALUE_NULL);
	assert_int_equal(number.number, 0);
	assert_null(words);
	assert_int_equal(bytes.type, VALUE_NULL);
	arena_fini(&arena);
}

static void empty_is_not_null(void **state)
{
	struct error error;
	struct arena arena = { 0 };
	struct value number, bytes;
	const char *words;
	const struct value values[] = { STORE_INT(1), STORE_INT(0), store_text(""), STORE_BYTES(NULL, 0) };
	(void)state;
	assert_works(store_each(writer, &insert, values, 1, &error));
	read_one(&arena, &number, &words, &bytes);
	assert_int_equal(number.type, VALUE_INT);
	assert_string_equal(words, "");
	assert_int_equal(bytes.type, VALUE_BYTES);
	assert_int_equal(bytes.length, 0);
	arena_fini(&arena);
}

static void values_come_back_as_they_went(void **state)
{
	static const int64_t numbers[] = { INT64_MIN, -1, 0, 1, INT64_MAX };
	static const char bytes_in[] = "a\0b\xff\xfe\0";
	enum { BIG = 3 << 20 };
	struct error error;
	struct arena arena = { 0 };
	struct value number, bytes;
	const char *words;
	(void)state;
	char *big = heap_new(BIG + 1, 1);
	memset(big, 'x', BIG);
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		const struct value key[] = { STORE_INT(1) };
		const struct value values[] = { STORE_INT(1), STORE_INT(numbers[i]),
						store_text(i % 2 ? "\xc3\xa4 \xf0\x9f\x98\x80 'quoted' ?1" : big),
						STORE_BYTES(bytes_in, sizeof(bytes_in)) };
		assert_works(store_each(writer, &insert, values, 1, &error));
		read_one(&arena, &number, &words, &bytes);
		assert_int_equal(number.number, numbers[i]);
		assert_string_equal(words, values[2].bytes);
		assert_int_equal(bytes.length, sizeof(bytes_in));
		assert_memory_equal(bytes.bytes, bytes_in, sizeof(bytes_in));
		assert_works(store_run(writer, &erase, key, NULL, &error));
		arena_reset(&arena);
	}
	free(big);
	arena_fini(&arena);
}

static void each_runs_once_per_row_and_counts(void **state)
{
	enum { ROWS = 1000 };
	struct error error;
	struct value values[ROWS * 4];
	int64_t changed, before = writer->rows_written;
	(void)state;
	for (int i = 0; i < ROWS; i++) {
		values[4 * i] = STORE_INT(i);
		values[4 * i + 1] = STORE_INT(i);
		values[4 * i + 2] = store_text("w");
		values[4 * i + 3] = STORE_BYTES("b", 1);
	}
	begin(writer);
	assert_works(store_each(writer, &insert, values, 0, &error));
	assert_works(store_each(writer, &insert, values, ROWS, &error));
	const struct value from[] = { STORE_INT(ROWS - 3), STORE_INT(7) };
	assert_works(store_run(writer, &update, from, &changed, &error));
	assert_int_equal(changed, 3);
	const struct value none[] = { STORE_INT(ROWS), STORE_INT(7) };
	assert_works(store_run(writer, &update, none, &changed, &error));
	assert_int_equal(changed, 0);
	commit();
	assert_int_equal(count(writer), ROWS);
	assert_int_equal(writer->rows_written - before, ROWS + 3);
}

static void an_upsert_counts_what_it_changed(void **state)
{
	static const struct { int64_t number, changed; } steps[] = { { 5, 1 }, { 4, 0 }, { 5, 0 }, { 6, 1 } };
	struct error error;
	int64_t changed;
	(void)state;
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		const struct value values[] = { STORE_INT(1), STORE_INT(steps[i].number) };
		assert_works(store_run(writer, &upsert, values, &changed, &error));
		assert_int_equal(changed, steps[i].changed);
	}
}

static void an_error_names_the_statement_and_rolls_back_whole(void **state)
{
	struct error error;
	const struct value values[] = { STORE_INT(1), STORE_INT(1), store_text("a"), STORE_BYTES("b", 1),
					STORE_INT(2), STORE_INT(1), store_text("a"), STORE_BYTES("b", 1),
					STORE_INT(1), STORE_INT(1), store_text("a"), STORE_BYTES("b", 1) };
	const struct value key[] = { STORE_INT(1) };
	struct rows rows;
	(void)state;
	begin(writer);
	assert_refuses(store_each(writer, &insert, values, 3, &error), ERR_STORE, "INSERT INTO probe");
	store_rollback(writer);
	assert_int_equal(count(writer), 0);
	assert_refuses(store_select(writer, &broken, key, &rows, &error), ERR_STORE, "nowhere");
	assert_refuses(store_script(writer, "NONSENSE", &error), ERR_STORE, "NONSENSE");
	/* The connection goes on. */
	begin(writer);
	add(1);
	commit();
	assert_int_equal(count(writer), 1);
}

static void selects_may_stand_side_by_side(void **state)
{
	struct error error;
	struct rows outer, inner;
	bool more;
	int64_t seen = 0;
	(void)state;
	for (int64_t id = 1; id <= 4; id++)
		add(id);
	assert_works(store_select(writer, &all, NULL, &outer, &error));
	for (;;) {
		assert_works(rows_next(&outer, &more, &error));
		if (!more)
			break;
		int64_t id = rows_int(&outer, 0);
		const struct value key[] = { STORE_INT(id) };
		assert_works(store_select(writer, &other, key, &inner, &error));
		assert_works(rows_next(&inner, &more, &error));
		assert_int_equal(more, id < 4);
		/* It is ended before all its rows were read. */
		if (more)
			assert_int_equal(rows_int(&inner, 0), 4);
		rows_end(&inner);
		seen++;
	}
	rows_end(&outer);
	assert_int_equal(seen, 4);
}

static void a_number_that_is_not_there_is_not_found(void **state)
{
	struct error error;
	int64_t number = 7;
	bool found = true;
	const struct value key[] = { STORE_INT(99) };
	(void)state;
	assert_works(store_number(writer, &one, key, &number, &found, &error));
	assert_false(found);
}

/* A reader that holds an old state may keep upkeep from its work, but never makes it fail or lose anything. */
static void upkeep_loses_nothing(void **state)
{
	struct error error;
	(void)state;
	begin(reader);
	assert_int_equal(count(reader), 0);
	for (int64_t id = 1; id <= 200; id++) {
		begin(writer);
		add(id);
		commit();
		assert_works(store_upkeep(writer, true, &error));
	}
	assert_int_equal(count(reader), 0);
	store_rollback(reader);
	assert_works(store_upkeep(writer, false, &error));
	assert_int_equal(count(reader), 200);
	store_close(writer);
	assert_works(store_open(where, STORE_WRITER, &writer, &error));
	assert_int_equal(count(writer), 200);
}

static void an_unknown_kind_of_store_is_refused(void **state)
{
	struct error error;
	struct store *none;
	(void)state;
	assert_refuses(store_open("paper:/x", STORE_WRITER, &none, &error), ERR_STORE, "no store of the kind");
	assert_refuses(store_open("sqlite", STORE_WRITER, &none, &error), ERR_STORE, "no store of the kind");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_is_rolled_back_is_gone),
		TEST(a_reader_sees_what_is_committed_and_one_state_of_it),
		TEST(a_reader_writes_nothing),
		TEST(nulls_are_not_zeros),
		TEST(empty_is_not_null),
		TEST(values_come_back_as_they_went),
		TEST(each_runs_once_per_row_and_counts),
		TEST(an_upsert_counts_what_it_changed),
		TEST(an_error_names_the_statement_and_rolls_back_whole),
		TEST(selects_may_stand_side_by_side),
		TEST(a_number_that_is_not_there_is_not_found),
		TEST(upkeep_loses_nothing),
		TEST(an_unknown_kind_of_store_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
