/* Token buckets: how many pass, when the next may, and that memory is bounded. */
#include "tests/lib/expect.h"

#include <stdio.h>

#include "server/core/buckets.h"

static struct buckets *make(unsigned burst, ms_t interval, unsigned slots)
{
	struct buckets_conf c = {burst, interval, slots, 7};

	return buckets_new(&c);
}

static void a_burst_passes_and_then_one_each_interval(void **state)
{
	static const struct {
		ms_t at;
		bool passes;
		ms_t wait;
	} t[] = {
		{1000, true, 0},
		{1000, true, 0},
		{1000, true, 0},
		{1000, false, 100},
		{1099, false, 1},
		{1100, true, 0},
		{1100, false, 100},
		{1250, true, 0},
		{1299, false, 1},
		{1300, true, 0},
		{9000, true, 0},
		{9000, true, 0},
		{9000, true, 0},
		{9000, false, 100},
	};
	CLEANUP(buckets_free) struct buckets *b = make(3, 100, 16);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		ms_t looked, wait;

		assert_int_equal(buckets_has(b, STR("a"), t[i].at, &looked), t[i].passes);
		if (buckets_take(b, STR("a"), t[i].at, &wait) != t[i].passes || wait != t[i].wait ||
			wait != looked)
			fail_msg("row %zu: waits %lld", i, (long long)wait);
	}
}

static void one_asker_does_not_take_from_another(void **state)
{
	CLEANUP(buckets_free) struct buckets *b = make(1, 1000, 16);
	ms_t wait;

	(void)state;
	assert_true(buckets_take(b, STR("a"), 5, &wait));
	assert_false(buckets_take(b, STR("a"), 5, &wait));
	assert_true(buckets_take(b, STR("b"), 5, &wait));
	assert_false(buckets_take(b, STR("b"), 5, &wait));
}

static void without_an_interval_everybody_passes(void **state)
{
	CLEANUP(buckets_free) struct buckets *b = make(1, 0, 16);
	ms_t wait = 9;

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_true(buckets_take(b, STR("a"), 0, &wait));
	assert_int_equal(wait, 0);
}

/* Many more askers than places: who just asked is still held back, as nobody nearer to full is left
 * in its place. */
static void a_flood_of_names_is_no_way_around(void **state)
{
	CLEANUP(buckets_free) struct buckets *b = make(1, 1000, 64);
	unsigned again = 0;
	ms_t wait;

	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		char name[16];
		int n = snprintf(name, sizeof name, "n%u", i);
		struct str asker = {name, (size_t)n};

		if (!buckets_take(b, asker, i, &wait))
			fail_msg("a newcomer was held back");
		again += buckets_take(b, asker, i, &wait);
	}
	assert_int_equal(again, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_passes_and_then_one_each_interval),
		cmocka_unit_test(one_asker_does_not_take_from_another),
		cmocka_unit_test(without_an_interval_everybody_passes),
		cmocka_unit_test(a_flood_of_names_is_no_way_around),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
