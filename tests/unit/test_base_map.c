#include "lib/test.h"

#include "base/map.h"

enum { MODEL_KEYS = 300, STEPS = 200000 };

/* Two thousand sets of keys that crowd each other, against an array that cannot be wrong. */
static void map_agrees_with_a_model_under_random_operations(void **state)
{
	(void)state;
	static int values[MODEL_KEYS];
	void *model[MODEL_KEYS] = { 0 };
	size_t present = 0;
	struct map map = { 0 };
	for (int step = 0; step < STEPS; step++) {
		size_t place = test_random(MODEL_KEYS);
		/* Negative keys, neighbours, and keys that differ in high bits only. */
		int64_t key = (int64_t)(place % 3 == 0 ? place << 40 : place) - 100;
		switch (test_random(3)) {
		case 0:
			present += model[place] == NULL;
			model[place] = &values[test_random(MODEL_KEYS)];
			map_put(&map, key, model[place]);
			break;
		case 1:
			present -= model[place] != NULL;
			assert_ptr_equal(map_remove(&map, key), model[place]);
			model[place] = NULL;
			break;
		default:
			assert_ptr_equal(map_get(&map, key), model[place]);
		}
		assert_int_equal(map.count, present);
	}
	map_fini(&map);
}

static void a_zeroed_map_is_empty(void **state)
{
	(void)state;
	struct map map = { 0 };
	size_t place = 0;
	assert_null(map_get(&map, 1));
	assert_null(map_remove(&map, 1));
	assert_null(map_next(&map, &place));
	map_fini(&map);
}

static void a_walk_meets_every_value_once(void **state)
{
	(void)state;
	int met[100] = { 0 };
	struct map map = { 0 };
	for (int64_t i = 0; i < 100; i++)
		map_put(&map, i * 7919, &met[i]);
	size_t place = 0;
	for (int *value; (value = map_next(&map, &place));)
		++*value;
	for (size_t i = 0; i < COUNT_OF(met); i++)
		assert_int_equal(met[i], 1);
	map_fini(&map);
}

static void putting_a_key_again_replaces_its_value(void **state)
{
	(void)state;
	int first, second;
	struct map map = { 0 };
	map_put(&map, INT64_MIN, &first);
	map_put(&map, INT64_MIN, &second);
	assert_int_equal(map.count, 1);
	assert_ptr_equal(map_get(&map, INT64_MIN), &second);
	map_fini(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(map_agrees_with_a_model_under_random_operations),
		cmocka_unit_test(a_zeroed_map_is_empty),
		cmocka_unit_test(a_walk_meets_every_value_once),
		cmocka_unit_test(putting_a_key_again_replaces_its_value),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
