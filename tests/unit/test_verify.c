#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tests/lib/trepo.h"

static void a_good_repository_is_trusted(void **state)
{
	struct trusted_set t;
	struct trepo r;
	struct err e;

	(void)state;
	trepo_init(&r, TREPO_IMAGE, TREPO_NOW);
	trepo_publish(&r);
	trusted_init(&t, TREPO_NOW);
	if (trepo_refresh(&r, &t, &e) < 0)
		fail_msg("%s", e.text);
	trusted_fini(&t);
	trepo_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_repository_is_trusted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
