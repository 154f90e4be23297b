/* What a campaign does when it goes wrong, rung by rung; what a wave must have seen; and what
 * people may overrule, and with whom. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/waves.h"

static const struct policy_wave waves[] = {
	{.name = "a", .count = 6, .soak = MINUTE(1)},
	{.name = "b"},
};

static struct policy patient(void)
{
	struct policy p = waves_policy(2, waves, LIMIT_DEVICES);

	p.first_alone = false;
	return p;
}

static void ends(struct waves *f, uint32_t position, enum recipient_state is)
{
	assert_true(waves_ask(f, position));
	waves_move(f, position, is);
}

static void each_rung_does_what_it_says(void **state)
{
	static const struct {
		enum policy_rung rung;
		enum wave_phase phase;
		bool back, revoke, everywhere, freeze;
	} cases[] = {
		{POLICY_RUNG_HOLD, WAVE_OPEN, false, false, false, false},
		{POLICY_RUNG_STOP, WAVE_HOLD, false, false, false, false},
		{POLICY_RUNG_REVOKE, WAVE_HALTED, false, true, false, false},
		{POLICY_RUNG_COHORT, WAVE_ROLLING_BACK, true, false, false, false},
		{POLICY_RUNG_RELEASE, WAVE_ROLLING_BACK, true, false, true, false},
		{POLICY_RUNG_CHANNEL, WAVE_ROLLING_BACK, true, false, true, true},
	};
	struct waves f;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct policy p = patient();

		p.ladder.at[cases[i].rung] = 2;
		waves_start(&f, &p, 20);
		ends(&f, 0, RECIPIENT_COMMITTED);
		ends(&f, 1, RECIPIENT_REVERTED);
		assert_int_equal(f.s.rung, POLICY_RUNG_NONE);
		ends(&f, 2, RECIPIENT_FAILED);
		assert_int_equal(f.s.rung, cases[i].rung);
		assert_int_equal(f.s.phase, cases[i].phase);
		assert_int_equal(waves_acts(&f, WACT_ROLL_BACK), cases[i].back);
		assert_int_equal(waves_acts(&f, WACT_REVOKE), cases[i].revoke);
		assert_int_equal(waves_acts(&f, WACT_ROLL_BACK_ALL), cases[i].everywhere);
		assert_int_equal(waves_acts(&f, WACT_FREEZE), cases[i].freeze);
	}
}

static void an_abort_goes_as_far_as_the_policy_says(void **state)
{
	struct policy p = patient();
	struct waves f;

	(void)state;
	p.max_failures = 0;
	p.ladder.abort = POLICY_RUNG_CHANNEL;
	waves_start(&f, &p, 20);
	ends(&f, 0, RECIPIENT_COMMITTED);
	ends(&f, 1, RECIPIENT_REVERTED);
	assert_int_equal(f.s.phase, WAVE_ROLLING_BACK);
	assert_int_equal(waves_acts(&f, WACT_FREEZE), 1);
}

/* Two people go on in the same wave, and the failures they have seen count no more. */
static void stopped_it_goes_on_by_two_people(void **state)
{
	struct policy p = patient();
	struct waves f;

	(void)state;
	p.ladder.at[POLICY_RUNG_STOP] = 1;
	waves_start(&f, &p, 20);
	ends(&f, 0, RECIPIENT_COMMITTED);
	ends(&f, 1, RECIPIENT_REVERTED);
	assert_false(waves_ask(&f, 2));
	assert_false(waves_say(&f, WEV_APPROVE, "ann", ""));
	assert_true(waves_say(&f, WEV_APPROVE, "ann", "a loose cable"));
	assert_false(waves_say(&f, WEV_APPROVE, "ann", "really"));
	assert_true(waves_say(&f, WEV_APPROVE, "bob", "seen it"));
	assert_int_equal(f.s.phase, WAVE_OPEN);
	assert_int_equal(f.s.wave, 0);
	ends(&f, 2, RECIPIENT_COMMITTED);
	assert_int_equal(f.s.phase, WAVE_OPEN);
	ends(&f, 3, RECIPIENT_REVERTED);
	assert_int_equal(f.s.phase, WAVE_HOLD);
}

static void held_it_ends_its_wave_and_opens_no_other(void **state)
{
	struct policy p = patient();
	struct waves f;

	(void)state;
	p.ladder.at[POLICY_RUNG_HOLD] = 1;
	waves_start(&f, &p, 20);
	for (uint32_t i = 0; i < 6; i++)
		ends(&f, i, i == 2 ? RECIPIENT_REVERTED : RECIPIENT_COMMITTED);
	waves_pass(&f, MINUTE(1));
	assert_int_equal(f.s.phase, WAVE_HOLD);
	assert_int_equal(f.s.hold, WAVE_HOLD_LADDER);
	assert_true(waves_say(&f, WEV_APPROVE, "ann", "known"));
	assert_true(waves_say(&f, WEV_APPROVE, "bob", "known"));
	assert_int_equal(f.s.wave, 1);
}

static void promotion_takes_two_people(void **state)
{
	struct policy p = patient();
	struct waves f;

	(void)state;
	waves_start(&f, &p, 20);
	ends(&f, 0, RECIPIENT_COMMITTED);
	assert_true(waves_say(&f, WEV_PROMOTE, "ann", "urgent"));
	assert_int_equal(f.s.wave, 0);
	assert_false(waves_say(&f, WEV_PROMOTE, "ann", "urgent"));
	assert_true(waves_say(&f, WEV_PROMOTE, "bob", "urgent"));
	assert_int_equal(f.s.wave, 1);
	assert_false(waves_say(&f, WEV_PROMOTE, "ann", "more"));
}

/* Who wanted to promote it has said nothing of a hold that came later. */
static void a_wish_does_not_outlive_its_question(void **state)
{
	struct policy p = patient();
	struct waves f;

	(void)state;
	p.ladder.at[POLICY_RUNG_STOP] = 1;
	waves_start(&f, &p, 20);
	ends(&f, 0, RECIPIENT_COMMITTED);
	assert_true(waves_say(&f, WEV_PROMOTE, "ann", "urgent"));
	ends(&f, 1, RECIPIENT_REVERTED);
	assert_int_equal(f.s.phase, WAVE_HOLD);
	assert_true(waves_say(&f, WEV_APPROVE, "bob", "fine"));
	assert_int_equal(f.s.phase, WAVE_HOLD);
}

/* ---- floors ---- */

static void a_wave_does_not_end_below_its_floor(void **state)
{
	struct policy p = patient();
	struct waves f;

	(void)state;
	p.waves[0].floor = (struct policy_floor){.devices = 4, .span = MINUTE(30)};
	waves_start(&f, &p, 20);
	for (uint32_t i = 0; i < 3; i++)
		ends(&f, i, RECIPIENT_COMMITTED);
	waves_pass(&f, MINUTE(600)); /* the others are away, and not passed over */
	assert_int_equal(f.s.phase, WAVE_OPEN);
	ends(&f, 3, RECIPIENT_COMMITTED);
	waves_pass(&f, MINUTE(10));
	assert_int_equal(f.s.phase, WAVE_SOAK);
}

static void a_floor_of_time_is_waited_for(void **state)
{
	struct policy p = patient();
	struct waves f;

	(void)state;
	p.waves[0].floor.span = MINUTE(30);
	waves_start(&f, &p, 20);
	for (uint32_t i = 0; i < 6; i++)
		ends(&f, i, RECIPIENT_COMMITTED);
	assert_int_equal(f.s.phase, WAVE_OPEN);
	assert_int_equal(f.s.wake_at, f.now + MINUTE(30));
	waves_pass(&f, MINUTE(30));
	assert_int_equal(f.s.phase, WAVE_SOAK);
}

static void a_floor_that_cannot_be_met_asks_two_people(void **state)
{
	struct policy p = patient();
	struct waves f;

	(void)state;
	p.waves[0].floor.devices = 6;
	waves_start(&f, &p, 20);
	for (uint32_t i = 0; i < 6; i++)
		ends(&f, i, i ? RECIPIENT_COMMITTED : RECIPIENT_FAILED);
	assert_int_equal(f.s.phase, WAVE_HOLD);
	assert_int_equal(f.s.hold, WAVE_HOLD_FLOOR);
	assert_true(waves_say(&f, WEV_APPROVE, "ann", "enough"));
	assert_true(waves_say(&f, WEV_APPROVE, "bob", "enough"));
	assert_int_equal(f.s.phase, WAVE_SOAK);
}

/* ---- who waits again, who joins, and who is not heard ---- */

static void a_transient_failure_waits_again(void **state)
{
	struct policy p = patient();
	struct waves f;

	(void)state;
	waves_start(&f, &p, 20);
	assert_true(waves_ask(&f, 0));
	waves_move(&f, 0, RECIPIENT_WAITING);
	assert_int_equal(f.s.phase, WAVE_OPEN);
	assert_int_equal(waves_admitted(&f), 0);
	ends(&f, 0, RECIPIENT_COMMITTED);
}

static void a_late_joiner_is_the_last_of_the_last_wave(void **state)
{
	struct policy p = patient();
	struct waves f;

	(void)state;
	waves_start(&f, &p, 20);
	assert_true(waves_step(&f, (struct wave_event){.kind = WEV_JOIN, .position = 20}));
	assert_int_equal(f.s.recipients, 21);
	assert_int_equal(f.s.open_to, 6);
	assert_false(waves_ask(&f, 20));
	assert_int_equal(wave_of(&p, &f.s, 20), 1);
}

static void arms_that_are_heard_unlike_are_not_compared(void **state)
{
	const struct policy_wave unlike[] = {
		{.name = "a", .count = 20, .soak = MINUTE(1)}, {.name = "b"}};
	struct policy p = waves_judged(2, unlike);
	struct waves f;

	(void)state;
	p.control = (struct policy_control){.share = 300000, .min = 2};
	p.ratio_alpha = 1000;
	waves_start(&f, &p, 60);
	for (uint32_t i = 0; i < 20; i++)
		ends(&f, i, RECIPIENT_COMMITTED);
	waves_pass(&f, MINUTE(1));
	assert_int_equal(f.s.hold, WAVE_HOLD_RATIO);
	assert_non_null(strstr(f.s.why, "0 of 18 of the control group"));
	assert_true(waves_say(&f, WEV_APPROVE, "ann", "their broker is down"));
	assert_true(waves_say(&f, WEV_APPROVE, "bob", "I see"));
	waves_pass(&f, MINUTE(1));
	assert_int_equal(f.s.wave, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rung_does_what_it_says),
		cmocka_unit_test(an_abort_goes_as_far_as_the_policy_says),
		cmocka_unit_test(stopped_it_goes_on_by_two_people),
		cmocka_unit_test(held_it_ends_its_wave_and_opens_no_other),
		cmocka_unit_test(promotion_takes_two_people),
		cmocka_unit_test(a_wish_does_not_outlive_its_question),
		cmocka_unit_test(a_wave_does_not_end_below_its_floor),
		cmocka_unit_test(a_floor_of_time_is_waited_for),
		cmocka_unit_test(a_floor_that_cannot_be_met_asks_two_people),
		cmocka_unit_test(a_transient_failure_waits_again),
		cmocka_unit_test(a_late_joiner_is_the_last_of_the_last_wave),
		cmocka_unit_test(arms_that_are_heard_unlike_are_not_compared),
	};

	return cmocka_run_group_tests_name("wave_ladder", tests, NULL, NULL);
}
