#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "agent/core/backoff.h"

static const struct {
	enum err_retry class_;
	uint32_t tries;
	ms_t least, most;
} cases[] = {
	{ERR_RETRY_SOON, 0, SEC(1), SEC(2)},
	{ERR_RETRY_SOON, 1, SEC(1), SEC(2)},
	{ERR_RETRY_SOON, 2, SEC(2), SEC(4)},
	{ERR_RETRY_SOON, 5, SEC(16), SEC(32)},
	{ERR_RETRY_SOON, 9, MINUTE(5) / 2, MINUTE(5)},
	{ERR_RETRY_SOON, UINT32_MAX, MINUTE(5) / 2, MINUTE(5)},
	{ERR_RETRY_LATER, 1, SEC(30), MINUTE(1)},
	{ERR_RETRY_LATER, 3, MINUTE(2), MINUTE(4)},
	{ERR_RETRY_LATER, 100, MINUTE(30), MINUTE(60)},
	{ERR_RETRY_NEVER, 1, -1, -1},
	{ERR_RETRY_OPERATOR, 1, -1, -1},
};

static void steps_grow_to_their_bound(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ms_t lowest = INT64_MAX, highest = -1;

		for (uint64_t random = 0; random < 4000000; random += 997) {
			ms_t wait = backoff_wait(cases[i].class_, cases[i].tries, random, 0);

			lowest = MIN(lowest, wait);
			highest = MAX(highest, wait);
		}
		assert_true(lowest >= cases[i].least && highest <= cases[i].most);
		/* and the whole span is used */
		assert_true(highest - lowest >= (cases[i].most - cases[i].least) * 9 / 10);
	}
}

static void the_servers_wish_is_a_floor(void **state)
{
	(void)state;
	assert_int_equal(backoff_wait(ERR_RETRY_SOON, 1, 5, MINUTE(10)), MINUTE(10));
	assert_true(backoff_wait(ERR_RETRY_LATER, 1, 5, 1) >= SEC(30));
	assert_int_equal(backoff_wait(ERR_RETRY_NEVER, 1, 5, MINUTE(10)), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_grow_to_their_bound),
		cmocka_unit_test(the_servers_wish_is_a_floor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
