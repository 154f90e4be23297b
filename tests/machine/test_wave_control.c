/* The control group of a campaign: who it is, when it counts, and that a release which does no
 * worse than what ran before is not aborted for the weather. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <string.h>

#include "lib/prng.h"
#include "tests/lib/waves.h"

#define PPM 1000000U

static const struct policy_wave waves[] = {
	{.name = "a", .count = 4, .soak = MINUTE(1)},
	{.name = "b", .count = 8, .soak = MINUTE(1)},
	{.name = "c"},
};

static struct policy compared_policy(void)
{
	struct policy p = waves_judged(3, waves);

	p.judge.guard_failures = 0;
	p.judge.promote_alpha = 0;
	p.control = (struct policy_control){.share = PPM / 2, .min = 2};
	return p;
}

static bool hear(struct waves *f, uint32_t position, bool bad)
{
	uint64_t rev = f->s.rev;

	assert_true(waves_step(
		f, (struct wave_event){.kind = WEV_CONTROL, .position = position, .bad = bad}));
	return f->s.rev != rev;
}

static void hear_all(struct waves *f, unsigned bad)
{
	for (uint32_t i = f->s.control_from; i < f->s.control_to; i++)
		assert_true(hear(f, i, i - f->s.control_from < bad));
}

static void it_is_the_end_of_the_order_and_no_more_than_the_last_wave(void **state)
{
	static const struct {
		uint32_t recipients, share, min, from;
	} cases[] = {
		{60, PPM / 2, 2, 30},
		{60, PPM / 10, 2, 54},
		{60, 1, 5, 55},
		{20, 900000, 2, 12},
		{14, PPM / 10, 2, 12},
	};
	struct waves f;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct policy p = compared_policy();

		p.control = (struct policy_control){cases[i].share, cases[i].min};
		waves_start(&f, &p, cases[i].recipients);
		assert_int_equal(f.s.control_from, cases[i].from);
		assert_int_equal(f.s.control_to, cases[i].recipients);
		assert_int_equal(wave_control_size(&p, cases[i].recipients),
			cases[i].recipients - cases[i].from);
	}
}

static void with_too_few_it_does_not_start(void **state)
{
	struct policy p = compared_policy();
	struct waves f = {.p = &p, .now = 1};

	(void)state;
	assert_false(waves_step(
		&f, (struct wave_event){.kind = WEV_START, .recipients = 13, .who = "ann"}));
	assert_int_equal(f.s.phase, WAVE_DRAFT);
}

static void it_is_let_in_when_everybody_else_has_ended(void **state)
{
	struct policy p = compared_policy();
	struct waves f;

	(void)state;
	waves_start(&f, &p, 60);
	assert_false(hear(&f, 29, true));
	assert_true(hear(&f, 30, false));
	assert_int_equal(f.s.control_heard, 1);
	for (unsigned i = 0; i < 12; i++) {
		assert_true(waves_ask(&f, i));
		waves_move(&f, i, RECIPIENT_COMMITTED);
		waves_pass(&f, i == 3 || i == 11 ? MINUTE(1) : 0);
	}
	assert_int_equal(f.s.wave, 2);
	assert_false(f.s.control_released);
	assert_int_equal(f.s.open_to, 30);
	assert_true(hear(&f, 30, true));
	assert_false(waves_ask(&f, 59));
	for (unsigned i = 12; i < 30; i++) {
		assert_true(waves_ask(&f, i));
		waves_move(&f, i, RECIPIENT_COMMITTED);
	}
	assert_true(f.s.control_released);
	assert_int_equal(f.s.wave, 2);
	assert_int_equal(f.s.open_to, 60);
	assert_false(hear(&f, 31, true));
	assert_true(waves_ask(&f, 59));
}

/* Nobody is left to compare with: what happens to them is no proof against the release. */
static void the_last_of_all_are_not_judged(void **state)
{
	struct policy p = compared_policy();
	struct waves f;

	(void)state;
	p.waves[2].approval = true;
	p.waves[2].floor.devices = 15;
	waves_start(&f, &p, 60);
	for (unsigned i = 0; i < 60; i++) {
		if (f.s.hold == WAVE_HOLD_APPROVAL)
			assert_true(waves_order(&f, WEV_APPROVE));
		assert_true(waves_ask(&f, i));
		waves_move(&f, i, i < 30 ? RECIPIENT_COMMITTED : RECIPIENT_REVERTED);
		waves_pass(&f, i == 3 || i == 11 ? MINUTE(1) : 0);
	}
	assert_int_equal(f.s.phase, WAVE_DONE);
}

/* A wave of four with three that fail, when the group has been heard. */
static void doubt(struct waves *f, struct policy *p)
{
	p->judge.abort_alpha = 100000;
	waves_start(f, p, 60);
	hear_all(f, 0);
	for (uint32_t i = 0; i < 4; i++)
		assert_true(waves_ask(f, i));
	waves_move(f, 0, RECIPIENT_COMMITTED);
	for (uint32_t i = 1; i < 4; i++)
		waves_move(f, i, RECIPIENT_REVERTED);
	assert_int_equal(f->s.turn, 2);
	assert_int_equal(f->s.control_heard, 30);
	waves_pass(f, MINUTE(2));
	assert_int_equal(f->s.wave, 0); /* it waits for the group */
	assert_int_equal(f->s.phase, WAVE_SOAK);
}

static void the_group_is_asked_once_more(void **state)
{
	struct policy p = compared_policy();
	struct waves f;

	(void)state;
	doubt(&f, &p);
	for (uint32_t i = 30; i < 42; i++)
		assert_true(hear(&f, i, false));
	assert_int_equal(f.s.judge.verdict, JUDGE_ABORT);
	assert_int_equal(f.s.phase, WAVE_ROLLING_BACK);
}

static void and_may_have_changed_its_mind(void **state)
{
	struct policy p = compared_policy();
	struct waves f;

	(void)state;
	doubt(&f, &p);
	for (uint32_t i = 30; i < 42; i++)
		assert_true(hear(&f, i, i < 39));
	assert_int_equal(f.s.judge.verdict, JUDGE_OPEN);
	assert_int_equal(f.s.wave, 1);
}

/* Who does not answer keeps nothing waiting for ever. */
static void it_waits_as_long_as_silence(void **state)
{
	struct policy p = compared_policy();
	struct waves f;

	(void)state;
	doubt(&f, &p);
	assert_int_equal(f.s.wake_at, f.s.asked + p.silence);
	waves_pass(&f, p.silence);
	assert_int_equal(f.s.wave, 1);
}

/* Four canaries and thirty to compare with, of which half are reckoned with: three for each. */
static void the_share_is_that_of_the_outcomes_to_come(void **state)
{
	struct policy p = compared_policy();
	struct waves f;

	(void)state;
	waves_start(&f, &p, 60);
	assert_int_equal(f.s.judge.share, PPM / 4);
	p.control.share = 1;
	waves_start(&f, &p, 60); /* two: four canaries for each */
	assert_int_equal(f.s.judge.share, PPM * 4 / 5);
}

/* Failures are fast: nothing is concluded before the others have been heard as often. */
static void the_arms_are_compared_in_step_only(void **state)
{
	struct policy p = compared_policy();
	struct waves f;

	(void)state;
	waves_start(&f, &p, 60);
	for (uint32_t i = 0; i < 4; i++)
		assert_true(waves_ask(&f, i));
	for (uint32_t i = 0; i < 3; i++)
		waves_move(&f, i, RECIPIENT_REVERTED);
	assert_int_equal(f.s.phase, WAVE_OPEN);
	assert_int_equal(f.s.judge.verdict, JUDGE_OPEN);
	assert_false(judge_in_step(
		&(struct judge_rule){.metrics = 1, .strata = 1}, &f.s.judge, JUDGE_STRATA));
}

static void a_bad_release_is_found_when_they_are(void **state)
{
	struct policy p = compared_policy();
	struct waves f;

	(void)state;
	waves_start(&f, &p, 60);
	assert_true(waves_ask(&f, 0));
	waves_move(&f, 0, RECIPIENT_COMMITTED);
	for (uint32_t i = 1; i < 4; i++) {
		assert_true(waves_ask(&f, i));
		waves_move(&f, i, RECIPIENT_REVERTED);
	}
	for (uint32_t i = 30; i < 41; i++)
		assert_true(hear(&f, i, false));
	assert_int_equal(f.s.judge.verdict, JUDGE_OPEN); /* eleven, and twelve are wanted */
	assert_true(hear(&f, 41, false));
	assert_true(judge_in_step(
		&(struct judge_rule){.metrics = 1, .strata = 1}, &f.s.judge, JUDGE_STRATA));
}

/* What fails everywhere is no fault of the release. */
static void a_cold_morning_aborts_nothing(void **state)
{
	struct policy p = compared_policy();
	struct waves f;

	(void)state;
	waves_start(&f, &p, 60);
	for (uint32_t i = 0; i < 4; i++)
		assert_true(waves_ask(&f, i));
	for (uint32_t i = 0; i < 4; i++)
		waves_move(&f, i, i < 3 ? RECIPIENT_REVERTED : RECIPIENT_COMMITTED);
	hear_all(&f, 22);
	assert_int_equal(f.s.judge.verdict, JUDGE_OPEN);
	assert_int_equal(f.s.phase, WAVE_SOAK);
}

/* Evidence of a wave that ended out of step is not carried into the next one. */
static void what_was_out_of_step_is_not_carried(void **state)
{
	struct policy p = compared_policy();
	struct waves f;

	(void)state;
	waves_start(&f, &p, 60);
	for (uint32_t i = 0; i < 4; i++) {
		assert_true(waves_ask(&f, i));
		waves_move(&f, i, i ? RECIPIENT_REVERTED : RECIPIENT_COMMITTED);
	}
	waves_pass(&f, MINUTE(1));
	assert_int_equal(f.s.wave, 1);
	assert_int_equal(f.s.judge.pooled[0].carried, 0);
	assert_int_equal(f.s.control_heard, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_the_end_of_the_order_and_no_more_than_the_last_wave),
		cmocka_unit_test(with_too_few_it_does_not_start),
		cmocka_unit_test(it_is_let_in_when_everybody_else_has_ended),
		cmocka_unit_test(the_last_of_all_are_not_judged),
		cmocka_unit_test(the_group_is_asked_once_more),
		cmocka_unit_test(and_may_have_changed_its_mind),
		cmocka_unit_test(it_waits_as_long_as_silence),
		cmocka_unit_test(the_share_is_that_of_the_outcomes_to_come),
		cmocka_unit_test(the_arms_are_compared_in_step_only),
		cmocka_unit_test(a_bad_release_is_found_when_they_are),
		cmocka_unit_test(a_cold_morning_aborts_nothing),
		cmocka_unit_test(what_was_out_of_step_is_not_carried),
	};

	return cmocka_run_group_tests_name("wave_control", tests, NULL, NULL);
}
