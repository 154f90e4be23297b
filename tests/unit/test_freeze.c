/* The calendar: spans, weeks, midnight, other time zones, and which of two holds. */
#include "tests/lib/expect.h"

#include "proto/wire/time.h"
#include "server/core/freeze.h"

static ms_t at(const char *text)
{
	int64_t s;
	struct err e;

	expect_ok(time_parse(str_of(text), &s, &e), &e);
	return SEC(s);
}

/* 2026-11-23 is a Monday. */
static const struct policy_freeze nights = {.name = "nights",
	.weekly = true,
	.days = 0x01 | 0x10, /* Monday, Friday */
	.from_min = 22 * 60,
	.until_min = 6 * 60};

static void check(const struct policy *p, const char *now, const char *until, const char *ended)
{
	struct freeze_view v;

	freeze_look(p, at(now), &v);
	if (v.frozen != (until != NULL))
		fail_msg("%s: %s", now, v.frozen ? "frozen" : "not frozen");
	if (until && v.until != at(until))
		fail_msg("%s: until %lld, wanted %s", now, (long long)v.until, until);
	if (ended && v.ended != at(ended))
		fail_msg("%s: ended %lld, wanted %s", now, (long long)v.ended, ended);
}

static void nights_go_over_midnight(void **state)
{
	struct policy p = {.n_freezes = 1, .freezes = {nights}};

	(void)state;
	check(&p, "2026-11-23T21:59:59Z", NULL, "2026-11-21T06:00:00Z");
	check(&p, "2026-11-23T22:00:00Z", "2026-11-24T06:00:00Z", NULL);
	check(&p, "2026-11-24T05:59:59Z", "2026-11-24T06:00:00Z", NULL);
	check(&p, "2026-11-24T06:00:00Z", NULL, "2026-11-24T06:00:00Z");
	check(&p, "2026-11-24T23:00:00Z", NULL, NULL);
	check(&p, "2026-11-28T01:00:00Z", "2026-11-28T06:00:00Z", NULL);
}

static void the_day_is_the_one_over_there(void **state)
{
	struct policy p = {.n_freezes = 1, .freezes = {nights}};

	(void)state;
	p.freezes[0].offset_min = 9 * 60; /* Monday 22:00 there is Monday 13:00 here */
	check(&p, "2026-11-23T12:59:59Z", NULL, NULL);
	check(&p, "2026-11-23T13:00:00Z", "2026-11-23T21:00:00Z", NULL);
	p.freezes[0].offset_min = -9 * 60; /* and in the west, Tuesday 07:00 */
	check(&p, "2026-11-24T06:59:59Z", NULL, NULL);
	check(&p, "2026-11-24T07:00:00Z", "2026-11-24T15:00:00Z", NULL);
}

static void a_whole_day_is_from_0_to_24(void **state)
{
	struct policy p = {.n_freezes = 1,
		.freezes = {{.weekly = true, .days = 0x60, .from_min = 0, .until_min = 24 * 60}}};

	(void)state;
	check(&p, "2026-11-27T23:59:59Z", NULL, "2026-11-23T00:00:00Z");
	check(&p, "2026-11-28T00:00:00Z", "2026-11-29T00:00:00Z", NULL);
	check(&p, "2026-11-29T23:59:59Z", "2026-11-30T00:00:00Z", "2026-11-29T00:00:00Z");
	check(&p, "2026-11-30T00:00:00Z", NULL, "2026-11-30T00:00:00Z");
}

static void the_one_that_lasts_longest_is_named(void **state)
{
	struct policy p = {.n_freezes = 2, .freezes = {nights, {.name = "year-end"}}};
	struct freeze_view v;

	(void)state;
	p.freezes[1].from = at("2026-11-20T00:00:00Z");
	p.freezes[1].until = at("2026-12-01T00:00:00Z");
	freeze_look(&p, at("2026-11-23T23:00:00Z"), &v);
	assert_true(v.frozen);
	assert_int_equal(v.which, 1);
	check(&p, "2026-11-19T23:59:59Z", NULL, NULL);
	check(&p, "2026-12-01T00:00:00Z", "2026-12-01T06:00:00Z", "2026-12-01T00:00:00Z");
}

static void without_freezes_nothing_is_frozen(void **state)
{
	struct policy p = {0};
	struct freeze_view v = {.frozen = true};

	(void)state;
	freeze_look(&p, 0, &v);
	assert_false(v.frozen);
	assert_int_equal(v.ended, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nights_go_over_midnight),
		cmocka_unit_test(the_day_is_the_one_over_there),
		cmocka_unit_test(a_whole_day_is_from_0_to_24),
		cmocka_unit_test(the_one_that_lasts_longest_is_named),
		cmocka_unit_test(without_freezes_nothing_is_frozen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
