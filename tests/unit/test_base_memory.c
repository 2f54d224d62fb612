#include "lib/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/heap.h"

static void what_an_arena_gives_is_zeroed_aligned_and_apart(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	unsigned char *pieces[500];
	size_t sizes[500];
	for (size_t i = 0; i < COUNT_OF(pieces); i++) {
		sizes[i] = i % 50 == 0 ? 40000 : test_random(300);
		pieces[i] = arena_new(&arena, 1, sizes[i]);
		assert_int_equal((uintptr_t)pieces[i] % 16, 0);
		for (size_t k = 0; k < sizes[i]; k++)
			assert_int_equal(pieces[i][k], 0);
		memset(pieces[i], (int)(i % 255) + 1, sizes[i]);
	}
	for (size_t i = 0; i < COUNT_OF(pieces); i++)
		for (size_t k = 0; k < sizes[i]; k++)
			assert_int_equal(pieces[i][k], i % 255 + 1);
	arena_fini(&arena);
}

static void an_arena_that_was_reset_gives_zeroed_memory_again(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena);
	arena_reset(&arena);
	for (int round = 0; round < 4; round++) {
		/* The last round leaves a large block on top, which a reset does not keep. */
		size_t size = round == 3 ? 100000 : 5000;
		for (int i = 0; i < 8; i++) {
			unsigned char *piece = ARENA_ARRAY(&arena, unsigned char, size);
			assert_int_equal(piece[0] | piece[size - 1], 0);
			memset(piece, 0xFF, size);
		}
		arena_reset(&arena);
	}
	assert_null(arena.newest);
	arena_fini(&arena);
}

static void an_arena_copies_text_with_its_end_mark(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	assert_string_equal(arena_copy(&arena, "hold", 2), "ho");
	assert_string_equal(arena_copy(&arena, NULL, 0), "");
	assert_string_equal(arena_text(&arena, "gate"), "gate");
	assert_null(arena_text(&arena, NULL));
	assert_string_equal(arena_printf(&arena, "%s-%d", "agent", 7), "agent-7");
	char *wide = arena_printf(&arena, "%*d", 50000, 1);
	assert_int_equal(strlen(wide), 50000);
	arena_fini(&arena);
}

static void a_buffer_is_what_was_appended_and_ends_in_nul(void **state)
{
	(void)state;
	struct buffer buffer = { 0 };
	char model[20000];
	size_t length = 0;
	assert_string_equal(buffer_cstr(&buffer), "");
	while (length < sizeof(model) - 200) {
		char piece[101];
		size_t size = test_random(sizeof(piece));
		for (size_t i = 0; i < size; i++)
			model[length + i] = piece[i] = (char)('a' + test_random(26));
		piece[size] = '\0';
		switch (test_random(4)) {
		case 0: buffer_append(&buffer, piece, size); break;
		case 1: buffer_text(&buffer, piece); break;
		case 2: buffer_printf(&buffer, "%s", piece); break;
		default:
			memcpy(buffer_reserve(&buffer, size + 50), piece, size);
			buffer_grew(&buffer, size);
		}
		length += size;
		assert_int_equal(buffer.length, length);
		assert_int_equal(buffer.at[length], '\0');
	}
	assert_memory_equal(buffer.at, model, length);
	buffer_fini(&buffer);
	assert_null(buffer.at);
}

static void a_buffer_holds_any_byte(void **state)
{
	(void)state;
	struct buffer buffer = { 0 };
	for (int c = 0; c < 256; c++)
		buffer_char(&buffer, (char)c);
	assert_int_equal(buffer.length, 256);
	for (int c = 0; c < 256; c++)
		assert_int_equal((unsigned char)buffer.at[c], c);
	buffer_fini(&buffer);
}

static void resetting_a_buffer_keeps_its_memory_and_taking_gives_it_away(void **state)
{
	(void)state;
	struct buffer buffer = { 0 };
	buffer_reset(&buffer);
	buffer_text(&buffer, "first");
	char *at = buffer.at;
	buffer_reset(&buffer);
	assert_string_equal(buffer_cstr(&buffer), "");
	buffer_text(&buffer, "next");
	assert_ptr_equal(buffer.at, at);

	char *taken = buffer_take(&buffer);
	assert_string_equal(taken, "next");
	assert_null(buffer.at);
	free(taken);
	taken = buffer_take(&buffer);
	assert_string_equal(taken, "");
	free(taken);
}

static void the_heap_never_answers_null(void **state)
{
	(void)state;
	void *nothing = heap_new(0, 0);
	assert_non_null(nothing);
	nothing = heap_grow(nothing, 0, 8);
	assert_non_null(nothing);
	free(nothing);
	assert_null(heap_text(NULL));
	char *copy = heap_copy("maintenance", 4);
	assert_string_equal(copy, "main");
	free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_an_arena_gives_is_zeroed_aligned_and_apart),
		cmocka_unit_test(an_arena_that_was_reset_gives_zeroed_memory_again),
		cmocka_unit_test(an_arena_copies_text_with_its_end_mark),
		cmocka_unit_test(a_buffer_is_what_was_appended_and_ends_in_nul),
		cmocka_unit_test(a_buffer_holds_any_byte),
		cmocka_unit_test(resetting_a_buffer_keeps_its_memory_and_taking_gives_it_away),
		cmocka_unit_test(the_heap_never_answers_null),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
