/* How a campaign goes: stories of good and bad releases, and the shares of waves. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/prng.h"
#include "server/core/cohort.h"
#include "tests/lib/waves.h"

static void a_good_release_reaches_everybody(void **state)
{
	struct policy p = waves_policy(3, waves_three, 0);
	struct waves f;

	(void)state;
	waves_start(&f, &p, 10);
	assert_int_equal(f.s.phase, WAVE_FIRST);
	assert_false(waves_ask(&f, 1));
	assert_true(waves_ask(&f, 0));
	assert_false(waves_ask(&f, 1));
	waves_move(&f, 0, RECIPIENT_COMMITTED);
	assert_int_equal(f.s.phase, WAVE_SOAK);
	assert_int_equal(f.s.wake_at, f.now + MINUTE(1));
	assert_false(waves_ask(&f, 1));
	waves_pass(&f, MINUTE(1) - 1);
	assert_int_equal(f.s.phase, WAVE_SOAK);
	waves_pass(&f, 1);
	assert_int_equal(f.s.phase, WAVE_OPEN);
	assert_int_equal(f.s.open_to, 4);
	assert_false(waves_ask(&f, 4));
	assert_true(waves_ask(&f, 3));
	assert_true(waves_ask(&f, 1));
	assert_false(waves_ask(&f, 2)); /* two at once */
	waves_move(&f, 3, RECIPIENT_COMMITTED);
	assert_true(waves_ask(&f, 2));
	waves_move(&f, 1, RECIPIENT_COMMITTED);
	waves_move(&f, 2, RECIPIENT_COMMITTED);
	assert_int_equal(f.s.phase, WAVE_SOAK);
	waves_pass(&f, MINUTE(2));
	for (uint32_t i = 4; i < 10; i++)
		assert_true(waves_ask(&f, i));
	for (uint32_t i = 4; i < 10; i++)
		waves_move(&f, i, RECIPIENT_COMMITTED);
	assert_int_equal(f.s.phase, WAVE_DONE);
	assert_string_equal(f.s.why, "10 of 10 recipients run the release");
}

static void a_bad_release_is_taken_back(void **state)
{
	struct policy p = waves_policy(3, waves_three, 0);
	struct waves f;

	(void)state;
	waves_start(&f, &p, 10);
	assert_true(waves_ask(&f, 0));
	waves_move(&f, 0, RECIPIENT_COMMITTED);
	waves_pass(&f, MINUTE(1));
	assert_true(waves_ask(&f, 1));
	assert_true(waves_ask(&f, 2));
	waves_move(&f, 1, RECIPIENT_REVERTED);
	assert_int_equal(f.s.phase, WAVE_ROLLING_BACK);
	assert_int_equal(f.device[0], RECIPIENT_ORDERED_BACK);
	assert_int_equal(f.device[2], RECIPIENT_ORDERED_BACK);
	assert_false(waves_ask(&f, 3));
	waves_move(&f, 2, RECIPIENT_BACK);
	assert_int_equal(f.s.phase, WAVE_ROLLING_BACK);
	waves_move(&f, 0, RECIPIENT_SILENT);
	assert_int_equal(f.s.phase, WAVE_HALTED);
	assert_false(waves_order(&f, WEV_RESUME));
	assert_false(waves_order(&f, WEV_START));
	waves_move(&f, 0, RECIPIENT_BACK); /* it comes home late */
	assert_int_equal(f.s.all.n[RECIPIENT_BACK], 2);
	assert_int_equal(f.s.phase, WAVE_HALTED);
}

static void the_first_one_refused_ends_it_before_anybody_has_it(void **state)
{
	struct policy p = waves_policy(3, waves_three, 3);
	struct waves f;

	(void)state;
	waves_start(&f, &p, 10);
	assert_true(waves_ask(&f, 0));
	waves_move(&f, 0, RECIPIENT_FAILED);
	assert_int_equal(f.s.phase, WAVE_HALTED); /* three may fail, but none has committed */
	assert_int_equal(waves_acts(&f, WACT_ROLL_BACK), 0);
}

static void a_first_wave_of_several_tries_them_one_by_one(void **state)
{
	const struct policy_wave waves[] = {{.name = "a", .count = 3}, {.name = "b"}};
	struct policy p = waves_policy(2, waves, 1);
	struct waves f;

	(void)state;
	waves_start(&f, &p, 5);
	assert_true(waves_ask(&f, 2)); /* whoever of the wave asks first */
	assert_false(waves_ask(&f, 0));
	waves_move(&f, 2, RECIPIENT_REVERTED);
	assert_int_equal(f.s.phase, WAVE_FIRST);
	assert_true(waves_ask(&f, 0));
	assert_false(waves_ask(&f, 1));
	waves_move(&f, 0, RECIPIENT_COMMITTED);
	assert_int_equal(f.s.phase, WAVE_OPEN);
	assert_true(waves_ask(&f, 1));
	waves_move(&f, 1, RECIPIENT_COMMITTED);
	assert_int_equal(f.s.open_to, 5); /* no soak: the next wave is open at once */
}

static void silence_counts_against(void **state)
{
	struct policy p = waves_policy(3, waves_three, 0);
	struct waves f;

	(void)state;
	waves_start(&f, &p, 10);
	assert_true(waves_ask(&f, 0));
	waves_move(&f, 0, RECIPIENT_SILENT);
	assert_int_equal(f.s.phase, WAVE_ROLLING_BACK);
	waves_start(&f, &p, 10);
	waves_pass(&f, MINUTE(1000)); /* nobody has asked: nothing is concluded from that */
	assert_int_equal(f.s.phase, WAVE_FIRST);
	assert_int_equal(f.s.open_to, 1);
}

static void the_absent_are_passed_over_and_let_in_later(void **state)
{
	struct policy p = waves_policy(3, waves_three, 0);
	struct waves f;

	(void)state;
	waves_start(&f, &p, 10);
	assert_true(waves_ask(&f, 0));
	waves_move(&f, 0, RECIPIENT_COMMITTED);
	waves_pass(&f, MINUTE(1));
	waves_pass(&f, MINUTE(60)); /* nobody of this wave has committed yet */
	assert_int_equal(f.s.phase, WAVE_OPEN);
	assert_true(waves_ask(&f, 1));
	waves_move(&f, 1, RECIPIENT_COMMITTED);
	assert_int_equal(f.s.wake_at, f.now + MINUTE(10));
	assert_true(waves_order(&f, WEV_PAUSE));
	waves_pass(&f, MINUTE(60)); /* who was not let in has not been absent */
	assert_int_equal(f.s.phase, WAVE_OPEN);
	assert_true(waves_order(&f, WEV_RESUME));
	assert_int_equal(f.s.phase, WAVE_OPEN);
	waves_pass(&f, MINUTE(10));
	assert_int_equal(f.s.phase, WAVE_SOAK);
	waves_pass(&f, MINUTE(2));
	for (uint32_t i = 4; i < 10; i++) {
		assert_true(waves_ask(&f, i));
		waves_move(&f, i, RECIPIENT_COMMITTED);
	}
	waves_pass(&f, MINUTE(600)); /* the last wave waits for everybody */
	assert_int_equal(f.s.phase, WAVE_OPEN);
	assert_true(waves_ask(&f, 2));
	assert_true(waves_ask(&f, 3));
	waves_move(&f, 2, RECIPIENT_COMMITTED);
	waves_move(&f, 3, RECIPIENT_COMMITTED);
	assert_int_equal(f.s.phase, WAVE_DONE);
}

static void pause_stops_admissions_and_waves_but_no_abort(void **state)
{
	struct policy p = waves_policy(3, waves_three, 0);
	struct waves f;

	(void)state;
	waves_start(&f, &p, 10);
	assert_true(waves_ask(&f, 0));
	assert_true(waves_order(&f, WEV_PAUSE));
	assert_true(waves_order(&f, WEV_PAUSE));
	assert_int_equal(f.acts.n, 0); /* obeyed already */
	waves_move(&f, 0, RECIPIENT_COMMITTED);
	waves_pass(&f, MINUTE(5));
	assert_int_equal(f.s.phase, WAVE_SOAK);
	assert_int_equal(f.s.wake_at, 0);
	assert_true(waves_order(&f, WEV_RESUME));
	assert_int_equal(f.s.phase, WAVE_OPEN); /* the soak was long over */
	assert_true(waves_ask(&f, 1));
	assert_true(waves_order(&f, WEV_PAUSE));
	assert_false(waves_ask(&f, 2));
	waves_move(&f, 1, RECIPIENT_REVERTED);
	assert_int_equal(f.s.phase, WAVE_ROLLING_BACK);
}

static void a_person_halts_and_rolls_back(void **state)
{
	struct policy p = waves_policy(3, waves_three, 0);
	struct waves f;

	(void)state;
	waves_start(&f, &p, 1);
	assert_true(waves_ask(&f, 0));
	waves_move(&f, 0, RECIPIENT_COMMITTED);
	assert_int_equal(f.s.phase, WAVE_SOAK);
	assert_true(waves_order(&f, WEV_HALT));
	assert_int_equal(f.s.phase, WAVE_HALTED);
	assert_int_equal(f.device[0], RECIPIENT_COMMITTED);
	assert_string_equal(f.s.why, "ann halted it: because");
	assert_true(waves_order(&f, WEV_ROLL_BACK));
	assert_int_equal(f.s.phase, WAVE_ROLLING_BACK);
	waves_move(&f, 0, RECIPIENT_BACK);
	assert_int_equal(f.s.phase, WAVE_HALTED);
}

/* The sentence of the order, with its reason when one was given. */
static void a_reason_is_told_when_there_is_one(void **state)
{
	static const struct {
		enum wave_ev_kind kind;
		const char *reason, *text;
	} cases[] = {
		{WEV_START, "", "ann started it for 10 recipients in 3 waves"},
		{WEV_PAUSE, "", "ann paused it"},
		{WEV_RESUME, "", "ann resumed it"},
		{WEV_PAUSE, "night shift", "ann paused it: night shift"},
	};
	struct policy p = waves_policy(3, waves_three, 0);
	struct waves f = {.p = &p, .now = 1000000};

	(void)state;
	wave_init(&f.s);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct wave_event ev = {.kind = cases[i].kind, .recipients = 10, .who = "ann"};

		snprintf(ev.text, sizeof ev.text, "%s", cases[i].reason);
		assert_true(waves_step(&f, ev));
		assert_string_equal(f.acts.v[0].text, cases[i].text);
	}
}

static void without_roll_back_devices_keep_what_they_have(void **state)
{
	struct policy p = waves_policy(3, waves_three, 0);
	struct waves f;

	(void)state;
	p.roll_back_on_abort = false;
	waves_start(&f, &p, 10);
	assert_true(waves_ask(&f, 0));
	waves_move(&f, 0, RECIPIENT_COMMITTED);
	waves_move(&f, 0, RECIPIENT_REVERTED);
	assert_int_equal(f.s.phase, WAVE_HALTED);
	assert_int_equal(f.s.all.n[RECIPIENT_REVERTED], 1);
}

/* ---- shares ---- */

static void shares_are_cumulative_and_rounded_up(void **state)
{
	static const struct {
		uint32_t recipients, end[3];
	} cases[] = {
		{1, {1, 1, 1}},
		{2, {1, 2, 2}},
		{10, {1, 4, 10}},
		{11, {1, 5, 11}},
		{1000, {1, 301, 1000}},
		{UINT32_MAX, {1, 1288490190, UINT32_MAX}},
	};
	struct policy p = waves_policy(3, waves_three, 0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (unsigned w = 0; w < 3; w++) {
			struct wave_state s = {.rev = 0};
			uint32_t end = wave_end(&p, cases[i].recipients, w);

			assert_int_equal(end, cases[i].end[w]);
			s.end[w] = end;
			assert_true(wave_of(&p, &s, end - 1) <= w);
		}
}

static void positions_do_not_change(void **state)
{
	struct camp_id a = {"spring"}, b = {"summer"};
	struct dev_id one = {"lane-1"}, two = {"lane-2"};

	(void)state;
	/* Written down once: another value would move every running campaign's devices. */
	assert_int_equal(cohort_key(&a, &one), 0x7d4995a6f6e3cc33ULL);
	assert_true(cohort_key(&a, &one) != cohort_key(&b, &one));
	assert_true(cohort_key(&a, &one) != cohort_key(&a, &two));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_release_reaches_everybody),
		cmocka_unit_test(a_bad_release_is_taken_back),
		cmocka_unit_test(the_first_one_refused_ends_it_before_anybody_has_it),
		cmocka_unit_test(a_first_wave_of_several_tries_them_one_by_one),
		cmocka_unit_test(silence_counts_against),
		cmocka_unit_test(the_absent_are_passed_over_and_let_in_later),
		cmocka_unit_test(pause_stops_admissions_and_waves_but_no_abort),
		cmocka_unit_test(a_person_halts_and_rolls_back),
		cmocka_unit_test(a_reason_is_told_when_there_is_one),
		cmocka_unit_test(without_roll_back_devices_keep_what_they_have),
		cmocka_unit_test(shares_are_cumulative_and_rounded_up),
		cmocka_unit_test(positions_do_not_change),
	};

	return cmocka_run_group_tests_name("wave", tests, NULL, NULL);
}
