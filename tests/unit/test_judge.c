/* The judge's verdicts: each test, what is carried over waves, and that a verdict stays. */
#include "tests/lib/expect.h"

#include <string.h>

#include "server/core/judge.h"

static const struct judge_rule usual = {
	.abort_alpha = 10000,
	.promote_alpha = 50000,
	.bad = 50000,
	.base = {5000, 5000, 5000, 5000},
	.guard_k = 2,
	.guard_n = 5,
	.metrics = 1,
	.strata = 1,
};

static void feed(const struct judge_rule *r, struct judge_state *s, struct judge_event ev)
{
	struct err e = {0};

	if (judge_step(r, s, &ev, s, &e) < 0)
		fail_msg("%s", e.text);
}

static void wave(const struct judge_rule *r, struct judge_state *s, uint32_t share)
{
	feed(r, s, (struct judge_event){.kind = JEV_WAVE, .share = share});
}

static void outcome(const struct judge_rule *r, struct judge_state *s, enum judge_arm arm,
	int32_t n, int32_t bad)
{
	feed(r, s, (struct judge_event){.kind = JEV_OUTCOME, .arm = arm, .n = n, .bad = bad});
}

static void the_guard_needs_no_statistics(void **state)
{
	struct judge_state s;

	(void)state;
	judge_init(&s);
	outcome(&usual, &s, JUDGE_CANARY, 1, 1);
	assert_int_equal(s.verdict, JUDGE_OPEN);
	outcome(&usual, &s, JUDGE_CANARY, 3, 0);
	outcome(&usual, &s, JUDGE_CANARY, 1, 1);
	assert_int_equal(s.verdict, JUDGE_ABORT);
	assert_int_equal(s.by, JUDGE_BY_GUARD);
}

/* Many begin together, and those that fail end first. */
static void the_guard_knows_how_many_have_begun(void **state)
{
	struct judge_rule r = usual;
	struct judge_state s;

	(void)state;
	r.abort_alpha = 0;
	judge_init(&s);
	feed(&r, &s, (struct judge_event){.kind = JEV_BEGUN, .n = 10});
	for (unsigned i = 0; i < 3; i++)
		outcome(&r, &s, JUDGE_CANARY, 1, 1);
	assert_int_equal(s.verdict, JUDGE_OPEN);
	outcome(&r, &s, JUDGE_CANARY, 1, 1);
	assert_int_equal(s.verdict, JUDGE_ABORT);
}

static void the_guard_guards_the_first_only(void **state)
{
	struct judge_rule r = usual;
	struct judge_state s;

	(void)state;
	r.abort_alpha = 0;
	judge_init(&s);
	outcome(&r, &s, JUDGE_CANARY, 5, 1);
	outcome(&r, &s, JUDGE_CANARY, 1, 1);
	assert_int_equal(s.verdict, JUDGE_OPEN);
}

static void begin(const struct judge_rule *r, struct judge_state *s, int32_t n)
{
	feed(r, s, (struct judge_event){.kind = JEV_BEGUN, .n = n});
}

/* Of a thousand that begin together, the usual five are heard of first. */
static void failures_come_before_successes(void **state)
{
	struct judge_rule r = usual;
	struct judge_state s;

	(void)state;
	r.guard_k = 0;
	judge_init(&s);
	begin(&r, &s, 1000);
	for (unsigned i = 0; i < 5; i++)
		outcome(&r, &s, JUDGE_CANARY, 1, 1);
	assert_int_equal(s.verdict, JUDGE_OPEN);
	outcome(&r, &s, JUDGE_CANARY, 995, 0);
	assert_int_equal(s.verdict, JUDGE_PROMOTE);
	for (unsigned i = 0; i < 15; i++)
		outcome(&r, &s, JUDGE_CANARY, 0, 1);
	assert_int_equal(s.verdict, JUDGE_ABORT);
}

/* One tenth of the exposure, all failures: each is worth nearly ten. The control group is asked
 * once more before that is believed. */
static void failures_that_fall_into_the_canary_abort(void **state)
{
	struct judge_rule r = usual;
	struct judge_state s;

	(void)state;
	r.guard_k = 0;
	judge_init(&s);
	wave(&r, &s, 100000);
	begin(&r, &s, 55);
	outcome(&r, &s, JUDGE_CONTROL, 500, 0);
	outcome(&r, &s, JUDGE_CANARY, 40, 2);
	assert_false(s.asked);
	outcome(&r, &s, JUDGE_CANARY, 15, 1);
	assert_true(s.asked);
	outcome(&r, &s, JUDGE_CONTROL, 494, 0);
	assert_int_equal(s.verdict, JUDGE_OPEN);
	outcome(&r, &s, JUDGE_CONTROL, 1, 0);
	assert_int_equal(s.verdict, JUDGE_ABORT);
	assert_int_equal(s.by, JUDGE_BY_POOLED);
}

/* What happens to both comes when the control group had been heard for this wave, and canaries say
 * so first. */
static void late_weather_is_no_reason(void **state)
{
	struct judge_rule r = usual;
	struct judge_state s;

	(void)state;
	r.guard_k = r.promote_alpha = 0;
	judge_init(&s);
	wave(&r, &s, 200000);
	begin(&r, &s, 50);
	outcome(&r, &s, JUDGE_CONTROL, 400, 2);
	outcome(&r, &s, JUDGE_CANARY, 30, 0);
	for (unsigned i = 0; i < 10; i++)
		outcome(&r, &s, JUDGE_CANARY, 1, 1);
	assert_int_equal(s.turns, 1);
	outcome(&r, &s, JUDGE_CONTROL, 200, 50);
	assert_false(s.asked);
	assert_int_equal(s.verdict, JUDGE_OPEN);
	outcome(&r, &s, JUDGE_CANARY, 10, 1);
	assert_int_equal(s.turns, 1); /* the group is known to do no better */
	assert_true(judge_pooled(&r, &s, 0) < judge_pooled_limit(&r));
}

/* What was not confirmed is nothing that a next wave could take over. */
static void doubt_is_not_carried(void **state)
{
	struct judge_rule r = usual;
	struct judge_state s;

	(void)state;
	r.guard_k = r.promote_alpha = 0;
	judge_init(&s);
	wave(&r, &s, 100000);
	begin(&r, &s, 10);
	outcome(&r, &s, JUDGE_CONTROL, 100, 0);
	for (unsigned i = 0; i < 8; i++)
		outcome(&r, &s, JUDGE_CANARY, 1, 1);
	assert_true(s.asked);
	wave(&r, &s, 100000);
	assert_false(s.asked);
	assert_true(judge_pooled(&r, &s, 0) < judge_pooled_limit(&r));
	begin(&r, &s, 10);
	outcome(&r, &s, JUDGE_CONTROL, 100, 0);
	outcome(&r, &s, JUDGE_CANARY, 10, 0);
	assert_int_equal(s.verdict, JUDGE_OPEN);
}

static void failures_of_both_arms_do_not(void **state)
{
	struct judge_rule r = usual;
	struct judge_state s;

	(void)state;
	r.guard_k = r.promote_alpha = 0;
	judge_init(&s);
	wave(&r, &s, 100000);
	for (unsigned i = 0; i < 50; i++) {
		outcome(&r, &s, JUDGE_CONTROL, 9, 9);
		outcome(&r, &s, JUDGE_CANARY, 1, 1);
	}
	assert_int_equal(s.verdict, JUDGE_OPEN);
	feed(&r, &s, (struct judge_event){.kind = JEV_END});
	assert_int_equal(s.verdict, JUDGE_INCONCLUSIVE);
}

static void no_wave_of_5_20_75_promotes_but_all_do(void **state)
{
	static const int32_t sizes[] = {5, 20, 75};
	struct judge_state all, one;

	(void)state;
	judge_init(&all);
	for (size_t i = 0; i + 1 < ARRAY_LEN(sizes); i++) {
		judge_init(&one);
		outcome(&usual, &one, JUDGE_CANARY, sizes[i], 0);
		assert_int_equal(one.verdict, JUDGE_OPEN);
		wave(&usual, &all, 100000);
		outcome(&usual, &all, JUDGE_CANARY, sizes[i], 0);
		feed(&usual, &all, (struct judge_event){.kind = JEV_END});
		assert_int_equal(all.verdict, JUDGE_INCONCLUSIVE);
	}
	wave(&usual, &all, 100000);
	assert_int_equal(all.verdict, JUDGE_OPEN);
	outcome(&usual, &all, JUDGE_CANARY, 46, 0);
	assert_int_equal(all.verdict, JUDGE_OPEN);
	outcome(&usual, &all, JUDGE_CANARY, 1, 0);
	assert_int_equal(all.verdict, JUDGE_PROMOTE);
	assert_int_equal(all.devices, 72);
}

static void abort_evidence_is_carried_too(void **state)
{
	struct judge_rule r = usual;
	struct judge_state s;
	int64_t first;

	(void)state;
	r.guard_k = r.promote_alpha = 0;
	judge_init(&s);
	wave(&r, &s, 100000);
	outcome(&r, &s, JUDGE_CANARY, 20, 2);
	first = judge_pooled(&r, &s, 0);
	wave(&r, &s, 500000);
	assert_int_equal(judge_pooled(&r, &s, 0), first);
	for (unsigned i = 0; i < 10 && s.verdict == JUDGE_OPEN; i++)
		outcome(&r, &s, JUDGE_CANARY, 5, 1);
	assert_int_equal(s.verdict, JUDGE_ABORT);
	assert_true(judge_pooled(&r, &s, 0) > first);
	assert_true(s.wave[0][0].canary_bad < 7); /* more than a wave alone would take */
}

static void one_model_is_not_hidden_by_the_others(void **state)
{
	struct judge_rule r = usual;
	struct judge_state s;

	(void)state;
	r.guard_k = r.promote_alpha = 0;
	r.strata = 4;
	judge_init(&s);
	wave(&r, &s, 100000);
	for (unsigned i = 0; i < 3; i++)
		feed(&r, &s,
			(struct judge_event){.kind = JEV_OUTCOME,
				.arm = JUDGE_CONTROL,
				.stratum = i,
				.n = 900,
				.bad = 90});
	for (unsigned i = 0; i < 8 && s.verdict == JUDGE_OPEN; i++)
		feed(&r, &s,
			(struct judge_event){.kind = JEV_OUTCOME, .stratum = 3, .n = 10, .bad = 1});
	assert_int_equal(s.verdict, JUDGE_ABORT);
	assert_int_equal(s.by, JUDGE_BY_STRATUM);
	assert_int_equal(s.by_stratum, 3);
	assert_true(judge_pooled(&r, &s, 0) < 0);
}

static void a_verdict_stays(void **state)
{
	struct judge_state s;

	(void)state;
	judge_init(&s);
	outcome(&usual, &s, JUDGE_CANARY, 2, 2);
	assert_int_equal(s.verdict, JUDGE_ABORT);
	outcome(&usual, &s, JUDGE_CANARY, 5000, 0);
	wave(&usual, &s, 100000);
	feed(&usual, &s, (struct judge_event){.kind = JEV_END});
	assert_int_equal(s.verdict, JUDGE_ABORT);
	assert_int_equal(s.by, JUDGE_BY_GUARD);
}

/* Of 110 devices 100 commit within the hour, ten are never heard of again: that is known later. */
static void who_is_silent_counts_after_a_promotion(void **state)
{
	struct judge_state s;

	(void)state;
	judge_init(&s);
	outcome(&usual, &s, JUDGE_CANARY, 100, 0);
	assert_int_equal(s.verdict, JUDGE_PROMOTE);
	outcome(&usual, &s, JUDGE_CANARY, 1, 1);
	assert_int_equal(s.verdict, JUDGE_PROMOTE);
	outcome(&usual, &s, JUDGE_CANARY, 9, 9);
	assert_int_equal(s.verdict, JUDGE_ABORT);
	assert_int_equal(s.by, JUDGE_BY_POOLED);
}

static void what_cannot_be_is_refused(void **state)
{
	static const struct judge_event bad[] = {
		{.kind = JEV_WAVE, .share = 0},
		{.kind = JEV_WAVE, .share = 1000001},
		{.kind = JEV_OUTCOME, .n = 1, .bad = 2},
		{.kind = JEV_OUTCOME, .n = 0, .bad = 2},
		{.kind = JEV_OUTCOME, .metric = 1, .n = 1},
		{.kind = JEV_OUTCOME, .stratum = 1, .n = 1},
		{.kind = JEV_OUTCOME, .n = INT32_MAX},
	};
	struct judge_rule rules[] = {usual, usual, usual, usual};
	struct judge_state s, was;
	struct err e = {0};

	(void)state;
	judge_init(&s);
	was = s;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(judge_step(&usual, &s, &bad[i], &s, &e), -ERR_BAD_INPUT);
	rules[0].metrics = JUDGE_METRICS + 1;
	rules[1].strata = 0;
	rules[2].base[0] = 0;
	rules[3].bad = 1000000;
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		assert_int_equal(
			judge_step(&rules[i], &s, &(struct judge_event){.kind = JEV_END}, &s, &e),
			-ERR_BAD_INPUT);
	assert_memory_equal(&s, &was, sizeof s);
}

static void what_was_counted_can_be_taken_back(void **state)
{
	struct judge_state s, t;

	(void)state;
	judge_init(&s);
	outcome(&usual, &s, JUDGE_CANARY, 7, 1);
	t = s;
	outcome(&usual, &s, JUDGE_CANARY, 1, 1); /* silent */
	outcome(&usual, &s, JUDGE_CANARY, -1, -1);
	assert_int_equal(s.devices, 7);
	assert_int_equal(s.failures, 1);
	assert_int_equal(judge_pooled(&usual, &s, 0), judge_pooled(&usual, &t, 0));
	outcome(&usual, &s, JUDGE_CANARY, 0, 1); /* went back after all */
	assert_int_equal(s.devices, 7);
	assert_int_equal(s.failures, 2);
	wave(&usual, &s, 1000000);
	outcome(&usual, &s, JUDGE_CANARY, 0, -1);
	assert_int_equal(s.failures, 1);
	assert_int_equal(s.wave[0][0].canary_bad, 0);
}

static void comes_back_from_a_line(void **state)
{
	struct judge_rule r = usual;
	struct judge_state s, t;
	struct err e = {0};
	BUF_AUTO line = {0};

	(void)state;
	r.strata = 3;
	judge_init(&s);
	wave(&r, &s, 250000);
	outcome(&r, &s, JUDGE_CONTROL, 45, 1);
	outcome(&r, &s, JUDGE_CANARY, 5, 2);
	wave(&r, &s, 300000);
	judge_encode(&r, &s, &line);
	memset(&t, 0x5a, sizeof t);
	assert_int_equal(judge_decode(&r, buf_str(&line), &t, &e), 0);
	assert_memory_equal(&s, &t, sizeof s);
}

static void lines_that_are_no_state_are_refused(void **state)
{
	static const char *const bad[] = {"", "0", "0 0 0 0 1 0 0 0 0 0 0 0 0 0 0",
		"0 0 0 0 1 0 0 0 0 0 0 0 0 0 0 0 0", "4 0 0 0 1 0 0 0 0 0 0 0 0 0 0 0",
		"0 5 0 0 1 0 0 0 0 0 0 0 0 0 0 0", "0 0 1 0 1 0 0 0 0 0 0 0 0 0 0 0",
		"0 0 0 1 1 0 0 0 0 0 0 0 0 0 0 0", "0 0 0 0 -1 0 0 0 0 0 0 0 0 0 0 0",
		"0 0 0 0 4294967296 0 0 0 0 0 0 0 0 0 0 0", "0 0 0 0 x 0 0 0 0 0 0 0 0 0 0 0",
		"0  0 0 0 1 0 0 0 0 0 0 0 0 0 0 0"};
	struct judge_state s = {.share = 77};
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (judge_decode(&usual, str_of(bad[i]), &s, &e) != -ERR_BAD_INPUT)
			fail_msg("row %zu was taken", i);
	assert_int_equal(s.share, 77);
	assert_int_equal(judge_decode(&usual, STR("0 0 0 0 1 0 0 0 -5 0 0 0 0 0 0 0"), &s, &e), 0);
	assert_int_equal(s.pooled[0].carried, -5);
}

static void says_what_it_saw(void **state)
{
	struct judge_state s;
	BUF_AUTO text = {0};

	(void)state;
	judge_init(&s);
	wave(&usual, &s, 100000);
	outcome(&usual, &s, JUDGE_CONTROL, 45, 1);
	outcome(&usual, &s, JUDGE_CANARY, 5, 2);
	judge_format(&usual, &s, &text);
	assert_non_null(
		strstr(buf_cstr(&text), "abort (guard): 2 of 5 canaries failed, 1 of 45 in the "
					"control group; evidence that it is worse: "));
	assert_non_null(
		strstr(buf_cstr(&text), ", 100 would end it; evidence that fewer than 5 % fail: "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_guard_needs_no_statistics),
		cmocka_unit_test(the_guard_knows_how_many_have_begun),
		cmocka_unit_test(the_guard_guards_the_first_only),
		cmocka_unit_test(failures_come_before_successes),
		cmocka_unit_test(failures_that_fall_into_the_canary_abort),
		cmocka_unit_test(late_weather_is_no_reason),
		cmocka_unit_test(doubt_is_not_carried),
		cmocka_unit_test(failures_of_both_arms_do_not),
		cmocka_unit_test(no_wave_of_5_20_75_promotes_but_all_do),
		cmocka_unit_test(abort_evidence_is_carried_too),
		cmocka_unit_test(one_model_is_not_hidden_by_the_others),
		cmocka_unit_test(a_verdict_stays),
		cmocka_unit_test(who_is_silent_counts_after_a_promotion),
		cmocka_unit_test(what_cannot_be_is_refused),
		cmocka_unit_test(what_was_counted_can_be_taken_back),
		cmocka_unit_test(comes_back_from_a_line),
		cmocka_unit_test(lines_that_are_no_state_are_refused),
		cmocka_unit_test(says_what_it_saw),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
