/* Campaigns that a judge, people, a calendar or a rate hold up. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/prng.h"
#include "tests/lib/waves.h"

static void one_failure_is_not_yet_an_abort_two_of_five_are(void **state)
{
	const struct policy_wave waves[] = {{.name = "a", .count = 8}, {.name = "b"}};
	struct policy p = waves_judged(2, waves);
	struct waves f;

	(void)state;
	waves_start(&f, &p, 60);
	for (uint32_t i = 0; i < 5; i++)
		assert_true(waves_ask(&f, i));
	waves_move(&f, 0, RECIPIENT_REVERTED);
	waves_move(&f, 1, RECIPIENT_COMMITTED);
	waves_move(&f, 2, RECIPIENT_COMMITTED);
	assert_int_equal(f.s.phase, WAVE_OPEN);
	waves_move(&f, 3, RECIPIENT_SILENT);
	assert_int_equal(f.s.phase, WAVE_ROLLING_BACK);
	assert_int_equal(f.s.judge.by, JUDGE_BY_GUARD);
	assert_non_null(strstr(f.s.why, "abort (guard): 2 of 4 canaries failed"));
}

/* Five of a hundred, where one in two hundred is usual. */
static void what_no_guard_sees_the_statistics_see(void **state)
{
	const struct policy_wave waves[] = {{.name = "all"}};
	struct policy p = waves_judged(1, waves);
	struct waves f;
	uint32_t i = 0;

	(void)state;
	p.judge.promote_alpha = 0;
	waves_start(&f, &p, WAVES_DEVICES);
	for (; i < WAVES_DEVICES && f.s.phase == WAVE_OPEN; i++) {
		assert_true(waves_ask(&f, i));
		waves_move(&f, i, i % 10 == 9 ? RECIPIENT_REVERTED : RECIPIENT_COMMITTED);
	}
	assert_int_equal(f.s.phase, WAVE_ROLLING_BACK);
	assert_int_equal(f.s.judge.by, JUDGE_BY_POOLED);
	assert_int_equal(i, 30);
}

static void a_silent_device_that_comes_back_is_no_failure(void **state)
{
	const struct policy_wave waves[] = {{.name = "all"}};
	struct policy p = waves_judged(1, waves);
	struct waves f;

	(void)state;
	waves_start(&f, &p, 10);
	for (unsigned k = 0; k < 4; k++) {
		assert_true(waves_ask(&f, k));
		waves_move(&f, k, RECIPIENT_SILENT);
		assert_int_equal(f.s.judge.failures, 1);
		waves_move(&f, k, k & 1 ? RECIPIENT_ADMITTED : RECIPIENT_COMMITTED);
		assert_int_equal(f.s.judge.failures, 0);
	}
	assert_int_equal(f.s.judge.devices, 2);
	assert_int_equal(f.s.phase, WAVE_OPEN);
}

static void wave_a_is_good(struct waves *f, const struct policy *p)
{
	waves_start(f, p, 60);
	for (uint32_t i = 0; i < 2; i++) {
		assert_true(waves_ask(f, i));
		waves_move(f, i, RECIPIENT_COMMITTED);
	}
	waves_pass(f, MINUTE(1));
}

static const struct policy_wave two_waves[] = {
	{.name = "a", .count = 2, .soak = MINUTE(1)}, {.name = "b", .count = 20}};

static void who_cannot_tell_does_what_the_policy_says(void **state)
{
	static const enum wave_phase then[POLICY_UNSURE_MAX] = {
		[POLICY_WIDEN] = WAVE_OPEN,
		[POLICY_EXTEND] = WAVE_SOAK,
		[POLICY_HOLD] = WAVE_HOLD,
		[POLICY_ROLL_BACK] = WAVE_ROLLING_BACK,
	};
	struct policy p = waves_judged(2, two_waves);
	struct waves f;

	(void)state;
	for (enum policy_unsure u = 0; u < POLICY_UNSURE_MAX; u++) {
		p.judge.unsure = u;
		wave_a_is_good(&f, &p);
		assert_int_equal(f.s.phase, then[u]);
	}
	p.judge.unsure = POLICY_EXTEND;
	wave_a_is_good(&f, &p);
	waves_pass(&f, MINUTE(1));
	assert_int_equal(f.s.phase, WAVE_HOLD);
	assert_int_equal(f.s.extended, 1);
}

static void going_on_in_doubt_takes_two_people_and_a_reason(void **state)
{
	struct policy p = waves_judged(2, two_waves);
	struct waves f;

	(void)state;
	p.judge.unsure = POLICY_HOLD;
	wave_a_is_good(&f, &p);
	assert_false(waves_ask(&f, 2));
	assert_false(waves_say(&f, WEV_APPROVE, "ann", ""));
	assert_true(waves_say(&f, WEV_APPROVE, "ann", "the lab is sure"));
	assert_int_equal(f.s.phase, WAVE_HOLD);
	assert_false(waves_say(&f, WEV_APPROVE, "ann", "really"));
	assert_int_equal(f.s.phase, WAVE_HOLD);
	assert_true(waves_say(&f, WEV_APPROVE, "bob", "so am I"));
	assert_int_equal(f.s.phase, WAVE_OPEN);
	assert_true(waves_ask(&f, 2));
}

static void a_wave_waits_for_approval(void **state)
{
	struct policy p = waves_policy(3, waves_three, 0);
	struct waves f;

	(void)state;
	p.waves[0].approval = p.waves[1].approval = true;
	waves_start(&f, &p, 10);
	assert_int_equal(f.s.phase, WAVE_HOLD);
	assert_string_equal(f.s.why, "wave canary waits for approval");
	assert_false(waves_ask(&f, 0));
	assert_true(waves_say(&f, WEV_APPROVE, "ann", ""));
	assert_int_equal(f.s.phase, WAVE_FIRST);
	assert_true(waves_ask(&f, 0));
	waves_move(&f, 0, RECIPIENT_COMMITTED);
	waves_pass(&f, MINUTE(1));
	assert_int_equal(f.s.phase, WAVE_HOLD);
	assert_false(waves_ask(&f, 1));
	assert_true(waves_say(&f, WEV_APPROVE, "ann", ""));
	assert_int_equal(f.s.phase, WAVE_OPEN);
	assert_false(waves_say(&f, WEV_APPROVE, "ann", ""));
	assert_true(waves_ask(&f, 1));
}

static void a_failure_while_on_hold_still_aborts(void **state)
{
	struct policy p = waves_policy(3, waves_three, 0);
	struct waves f;

	(void)state;
	p.waves[1].approval = true;
	waves_start(&f, &p, 10);
	assert_true(waves_ask(&f, 0));
	waves_move(&f, 0, RECIPIENT_COMMITTED);
	waves_pass(&f, MINUTE(1));
	waves_move(&f, 0, RECIPIENT_REVERTED);
	assert_int_equal(f.s.phase, WAVE_HALTED);
}

static void a_freeze_keeps_everybody_out_until_the_glass_is_broken(void **state)
{
	struct policy p = waves_policy(3, waves_three, 0);
	struct waves f;

	(void)state;
	waves_freeze(&p, 1000000, 1000000 + MINUTE(60));
	waves_start(&f, &p, 10);
	assert_false(waves_ask(&f, 0));
	f.now += MINUTE(59);
	assert_false(waves_ask(&f, 0));
	assert_true(waves_say(&f, WEV_BREAK_GLASS, "ann", "a hole is open"));
	assert_true(waves_ask(&f, 0));
	f.now += MINUTE(1);
	assert_false(waves_say(&f, WEV_BREAK_GLASS, "ann", "again"));
	waves_start(&f, &p, 10);
	f.now += MINUTE(60);
	assert_true(waves_ask(&f, 0));
}

/* Nobody could have been let in meanwhile. */
static void a_freeze_is_no_silence(void **state)
{
	struct policy p = waves_policy(3, waves_three, 0);
	struct waves f;

	(void)state;
	waves_start(&f, &p, 10);
	assert_true(waves_ask(&f, 0));
	waves_move(&f, 0, RECIPIENT_COMMITTED);
	waves_pass(&f, MINUTE(1));
	assert_true(waves_ask(&f, 1));
	waves_freeze(&p, f.now, f.now + MINUTE(600));
	waves_move(&f, 1, RECIPIENT_COMMITTED);
	waves_pass(&f, MINUTE(599));
	assert_int_equal(f.s.phase, WAVE_OPEN);
	waves_pass(&f, MINUTE(10));
	assert_int_equal(f.s.phase, WAVE_OPEN);
	waves_pass(&f, MINUTE(1));
	assert_int_equal(f.s.phase, WAVE_SOAK);
}

static void a_wave_goes_no_faster_than_its_rate(void **state)
{
	const struct policy_wave waves[] = {
		{.name = "all", .rate_count = 10, .rate_per = MINUTE(1)}};
	struct policy p = waves_policy(1, waves, 0);
	struct waves f;

	(void)state;
	p.first_alone = false;
	waves_start(&f, &p, 10);
	assert_true(waves_ask(&f, 0));
	assert_false(waves_ask(&f, 1));
	f.now += 5999;
	assert_false(waves_ask(&f, 1));
	f.now += 1;
	assert_true(waves_ask(&f, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_failure_is_not_yet_an_abort_two_of_five_are),
		cmocka_unit_test(what_no_guard_sees_the_statistics_see),
		cmocka_unit_test(a_silent_device_that_comes_back_is_no_failure),
		cmocka_unit_test(who_cannot_tell_does_what_the_policy_says),
		cmocka_unit_test(going_on_in_doubt_takes_two_people_and_a_reason),
		cmocka_unit_test(a_wave_waits_for_approval),
		cmocka_unit_test(a_failure_while_on_hold_still_aborts),
		cmocka_unit_test(a_freeze_keeps_everybody_out_until_the_glass_is_broken),
		cmocka_unit_test(a_freeze_is_no_silence),
		cmocka_unit_test(a_wave_goes_no_faster_than_its_rate),
	};

	return cmocka_run_group_tests_name("wave_judged", tests, NULL, NULL);
}
