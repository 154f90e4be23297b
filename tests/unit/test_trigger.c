/* Rollback triggers: samples and time in, verdict out. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>
#include <cmocka.h>

#include "agent/core/trigger.h"

static struct trig_rule rule;
static struct trig_state state;
static struct trig_window window;
static ms_t now;

static void given(struct trig_rule r)
{
	rule = r;
	now = 1000000;
	trig_init(&state, &window);
}

static enum trig_verdict feed(struct sample x)
{
	x.at = now;
	trig_feed(&rule, &state, &window, &x);
	return trig_eval(&rule, &state);
}

static const struct trig_rule errors = {.type = TRIG_ERROR_RATE,
	.threshold = 0.01,
	.window = SEC(60),
	.hold_k = 3,
	.hold_m = 5,
	.min_samples = 100};
static const struct trig_rule latency = {.type = TRIG_LATENCY,
	.quantile = 990,
	.threshold = 0.2,
	.window = SEC(60),
	.hold_k = 1,
	.hold_m = 1,
	.min_samples = 10};
static const struct trig_rule crashes = {
	.type = TRIG_CRASH_LOOP, .threshold = 3, .window = MINUTE(10), .hold_k = 1, .hold_m = 1};

/* Counts for the buckets up to 0.1, 0.2, 0.4, 0.8 s and beyond. */
static struct sample requests(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t beyond)
{
	return (struct sample){
		.n = a + b + c + d + beyond,
		.hist = {.n = 5,
			.le = {0.1, 0.2, 0.4, 0.8, (double)INFINITY},
			.count = {a, b, c, d, beyond}},
	};
}

/* One window: a look at its beginning, one at its end. */
static enum trig_verdict one_window(struct sample x)
{
	if (!window.open)
		feed((struct sample){0});
	now += rule.window;
	return feed(x);
}

static enum trig_verdict share(uint64_t bad, uint64_t n)
{
	return one_window((struct sample){.n = n, .bad = bad});
}

/* ---- windows ---- */

static void a_window_ends_with_the_sample_that_fills_it(void **unused)
{
	(void)unused;
	given(errors);
	feed((struct sample){.n = 50, .bad = 50});
	now += SEC(60) - 1;
	feed((struct sample){.n = 50});
	assert_int_equal(state.windows, 0);
	assert_true(trig_value(&rule, &state, &window) > 0.49);
	now += 1;
	feed((struct sample){.n = 100});
	assert_int_equal(state.windows, 1);
	assert_int_equal(state.last_n, 200);
	assert_true(fabs(state.last - 0.25) < 1e-9);
	assert_true(isnan(trig_value(&rule, &state, &window))); /* the next one is empty */
	now += SEC(300);
	feed((struct sample){.n = 100}); /* a look that comes late ends one window, not five */
	assert_int_equal(state.windows, 2);
}

static void a_clock_that_went_back_begins_a_new_window(void **unused)
{
	(void)unused;
	given(errors);
	feed((struct sample){.n = 1000, .bad = 1000});
	now = 5;
	feed((struct sample){.n = 1});
	now += SEC(60);
	feed((struct sample){.n = 99});
	assert_int_equal(state.last_n, 100);
	assert_true(state.last <= 0);
}

static void k_of_m_windows_fire(void **unused)
{
	(void)unused;
	given(errors);
	assert_int_equal(share(5, 100), TRIG_QUIET);
	assert_int_equal(share(5, 100), TRIG_QUIET);
	assert_int_equal(share(0, 100), TRIG_QUIET);
	assert_int_equal(share(0, 100), TRIG_QUIET);
	assert_int_equal(share(5, 100), TRIG_FIRE); /* 3 of 5 */
	given(errors);
	assert_int_equal(share(5, 100), TRIG_QUIET);
	assert_int_equal(share(0, 100), TRIG_QUIET);
	assert_int_equal(share(0, 100), TRIG_QUIET);
	assert_int_equal(share(5, 100), TRIG_QUIET);
	assert_int_equal(share(0, 100), TRIG_QUIET);
	assert_int_equal(share(5, 100), TRIG_QUIET); /* the first has left the last five */
	assert_int_equal(share(5, 100), TRIG_FIRE);
	given(errors);
	rule.hold_k = rule.hold_m = 32;
	for (unsigned i = 0; i < 31; i++)
		assert_int_equal(share(5, 100), TRIG_QUIET);
	assert_int_equal(share(5, 100), TRIG_FIRE);
}

static void the_limit_itself_is_still_good(void **unused)
{
	(void)unused;
	given(errors);
	rule.hold_k = rule.hold_m = 1;
	assert_int_equal(share(1, 100), TRIG_QUIET);
	assert_int_equal(share(11, 1000), TRIG_FIRE);
}

static void health_counts_failed_checks(void **unused)
{
	(void)unused;
	given((struct trig_rule){.type = TRIG_HEALTH_FAILED,
		.threshold = 0.5,
		.window = SEC(10),
		.hold_k = 3,
		.hold_m = 3,
		.min_samples = 1});
	assert_int_equal(share(5, 5), TRIG_QUIET);
	assert_int_equal(share(5, 5), TRIG_QUIET);
	assert_int_equal(share(2, 5), TRIG_QUIET); /* it recovered */
	assert_int_equal(share(3, 5), TRIG_QUIET);
	assert_int_equal(share(4, 5), TRIG_QUIET);
	assert_int_equal(share(5, 5), TRIG_FIRE);
}

/* ---- too few samples ---- */

static void a_blind_window_does_not_count(void **unused)
{
	(void)unused;
	given(errors);
	rule.hold_k = rule.hold_m = 2;
	assert_int_equal(share(50, 100), TRIG_QUIET);
	assert_int_equal(share(99, 99), TRIG_BLIND); /* one too few */
	assert_true(isnan(state.last));
	assert_int_equal(one_window((struct sample){.blind = true}), TRIG_BLIND);
	assert_int_equal(share(0, 0), TRIG_BLIND);
	assert_int_equal(share(50, 100), TRIG_FIRE); /* the two that counted */
}

static void a_blind_window_may_count_as_bad(void **unused)
{
	(void)unused;
	given(errors);
	rule.on_blind = TRIG_BLIND_TRIP;
	rule.hold_k = rule.hold_m = 2;
	assert_int_equal(share(0, 100), TRIG_QUIET);
	assert_int_equal(share(0, 99), TRIG_BLIND);
	assert_int_equal(share(0, 0), TRIG_FIRE);
	given(latency);
	rule.on_blind = TRIG_BLIND_TRIP;
	assert_int_equal(one_window((struct sample){0}), TRIG_FIRE);
}

static void blind_looks_bring_no_samples(void **unused)
{
	(void)unused;
	given(errors);
	feed((struct sample){.n = 60, .bad = 60, .blind = true});
	feed((struct sample){.n = 60});
	assert_int_equal(window.own.n, 60);
	assert_int_equal(window.blind_looks, 1);
}

/* ---- latency ---- */

static void latency_is_a_quantile_of_the_window(void **unused)
{
	(void)unused;
	given(latency);
	assert_int_equal(one_window(requests(1000, 0, 0, 0, 0)), TRIG_QUIET);
	assert_true(state.last <= 0.1);
	assert_int_equal(one_window(requests(990, 0, 10, 0, 0)), TRIG_QUIET);
	assert_int_equal(one_window(requests(980, 0, 20, 0, 0)), TRIG_FIRE);
	assert_true(state.last > 0.2 && state.last <= 0.4);
	assert_int_equal(state.last_n, 1000);
	given(latency);
	rule.min_samples = 1000;
	feed(requests(500, 0, 0, 0, 0)); /* samples of one window are summed */
	now += SEC(30);
	feed(requests(0, 0, 400, 0, 0));
	now += SEC(30);
	assert_int_equal(feed(requests(0, 0, 100, 0, 0)), TRIG_FIRE);
}

static void beyond_the_last_bucket_is_over_every_limit(void **unused)
{
	char text[200];

	(void)unused;
	given(latency);
	rule.threshold = 5;
	assert_int_equal(one_window(requests(990, 0, 0, 0, 10)), TRIG_QUIET);
	assert_int_equal(one_window(requests(980, 0, 0, 0, 20)), TRIG_FIRE);
	trig_explain(&rule, &state, text, sizeof text);
	assert_string_equal(text, "latency: p99 beyond the last bucket, over 5.000 s in 1 of 1 "
				  "windows, 1000 samples in the last");
}

/* ---- the device's own baseline ---- */

static struct trig_window gathered(struct sample x)
{
	return (struct trig_window){.own = {.n = x.n, .bad = x.bad, .hist = x.hist}};
}

static void latency_is_compared_with_the_old_version(void **unused)
{
	struct trig_window few = gathered(requests(9, 0, 0, 0, 0));
	struct trig_window some = gathered(requests(50, 50, 0, 0, 0));
	struct trig_window slow = gathered(requests(50, 0, 0, 0, 50));
	struct trig_window none = {0};

	(void)unused;
	given(latency);
	rule.comparator = TRIG_CMP_BASELINE;
	rule.threshold = 2;
	assert_true(isnan(trig_limit(&rule, &state)));
	assert_false(trig_baseline(&rule, &none, &state));
	assert_false(trig_baseline(&rule, &few, &state));
	assert_false(trig_baseline(&rule, &slow, &state)); /* it cannot be told */
	assert_int_equal(state.baseline_n, 0);
	assert_true(trig_baseline(&rule, &some, &state));
	assert_int_equal(state.baseline_n, 100);
	assert_true(fabs(state.baseline - 0.198) < 1e-9);
	assert_true(fabs(trig_limit(&rule, &state) - 0.396) < 1e-9);
	assert_int_equal(one_window(requests(0, 0, 98, 2, 0)), TRIG_FIRE);
	trig_init(&state, &window);
	assert_true(trig_baseline(&rule, &some, &state));
	assert_int_equal(one_window(requests(0, 100, 0, 0, 0)), TRIG_QUIET);
}

/* Without anything to compare with, nobody can call the new version bad: not even by silence. */
static void without_a_baseline_nothing_fires(void **unused)
{
	char text[200];

	(void)unused;
	given(latency);
	rule.comparator = TRIG_CMP_BASELINE;
	rule.threshold = 2;
	rule.on_blind = TRIG_BLIND_TRIP;
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(one_window(requests(0, 0, 0, 100, 0)), TRIG_BLIND);
	trig_explain(&rule, &state, text, sizeof text);
	assert_string_equal(text,
		"latency: p99 not measured, limit 2 x own baseline, which was not measured, bad in "
		"0 of 1 windows, 100 samples in the last");
}

/* An old version without a single error in 1000 requests may still have one in 333. */
static void a_spotless_baseline_is_not_taken_for_zero(void **unused)
{
	struct trig_window spotless = {.own = {.n = 1000}};
	struct trig_window spotted = {.own = {.n = 1000, .bad = 100}};

	(void)unused;
	given(errors);
	rule.comparator = TRIG_CMP_BASELINE;
	rule.threshold = 2;
	rule.hold_k = rule.hold_m = 1;
	assert_true(trig_baseline(&rule, &spotless, &state));
	assert_true(state.baseline <= 0);
	assert_true(fabs(trig_limit(&rule, &state) - 0.006) < 1e-9);
	assert_int_equal(share(1, 1000), TRIG_QUIET);
	assert_int_equal(share(7, 1000), TRIG_FIRE);
	assert_true(trig_baseline(&rule, &spotted, &state));
	assert_true(fabs(trig_limit(&rule, &state) - 0.2) < 1e-9);
}

/* ---- crash loops ---- */

static enum trig_verdict crash(ms_t later, uint64_t times)
{
	now += later;
	return feed((struct sample){.n = times, .bad = times});
}

static void a_crash_loop_fires_at_once(void **unused)
{
	(void)unused;
	given(crashes);
	assert_int_equal(crash(0, 0), TRIG_QUIET);
	assert_int_equal(crash(SEC(1), 1), TRIG_QUIET);
	assert_int_equal(crash(SEC(1), 1), TRIG_QUIET);
	assert_true(trig_value(&rule, &state, &window) >= 2);
	assert_int_equal(crash(SEC(1), 1), TRIG_FIRE);
	given(crashes);
	assert_int_equal(crash(0, 3), TRIG_FIRE);
}

static void rare_crashes_slide_out(void **unused)
{
	(void)unused;
	given(crashes);
	for (unsigned i = 0; i < 50; i++) /* two in any ten minutes */
		assert_int_equal(crash(MINUTE(5) + SEC(1), 1), TRIG_QUIET);
	given(crashes);
	crash(0, 0);
	assert_int_equal(crash(SEC(1), 2), TRIG_QUIET);
	for (unsigned i = 0; i < 9 * 60; i++)
		assert_int_equal(crash(SEC(1), 0), TRIG_QUIET);
	assert_int_equal(crash(0, 1), TRIG_FIRE); /* nine minutes later it still counts */
	given(crashes);
	crash(0, 2);
	assert_int_equal(crash(MINUTE(11), 1), TRIG_QUIET);
	assert_int_equal(crash(MINUTE(600), 2), TRIG_QUIET); /* nor after a long sleep */
	assert_int_equal(crash(SEC(1), 1), TRIG_FIRE);
}

static void the_count_outlives_the_agent(void **unused)
{
	(void)unused;
	given(crashes);
	crash(0, 0);
	assert_int_equal(crash(SEC(1), 2), TRIG_QUIET);
	window =
		(struct trig_window){0}; /* the agent is started again with the state it had kept */
	assert_int_equal(crash(SEC(5), 0), TRIG_QUIET);
	window = (struct trig_window){0};
	assert_int_equal(crash(SEC(5), 1), TRIG_FIRE);
	given(crashes);
	crash(0, 2);
	window = (struct trig_window){0};
	crash(SEC(1), 0);
	assert_int_equal(crash(MINUTE(11), 1), TRIG_QUIET); /* it slides out like any other */
}

static void a_supervisor_nobody_sees(void **unused)
{
	char text[200];

	(void)unused;
	given(crashes);
	crash(0, 2);
	now += SEC(1);
	assert_int_equal(feed((struct sample){.blind = true}), TRIG_BLIND);
	trig_explain(&rule, &state, text, sizeof text);
	assert_string_equal(
		text, "crash_loop: how often the workload ended cannot be seen, limit 3");
	now += MINUTE(20);
	assert_int_equal(feed((struct sample){.blind = true}), TRIG_BLIND);
	given(crashes);
	rule.on_blind = TRIG_BLIND_TRIP;
	crash(0, 0);
	now += MINUTE(10) - 1;
	assert_int_equal(feed((struct sample){.blind = true}), TRIG_BLIND);
	now += 1;
	assert_int_equal(feed((struct sample){.blind = true}), TRIG_FIRE);
}

/* ---- the rest ---- */

static void some_types_do_not_come_from_samples(void **unused)
{
	static const enum trig_type types[] = {TRIG_START_FAILED, TRIG_SMOKE_FAILED, TRIG_OPERATOR,
		TRIG_UNDECIDED, TRIG_BOOT_FAILED};
	char text[200];

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		given((struct trig_rule){.type = types[i], .hold_k = 1, .hold_m = 1});
		assert_int_equal(share(100, 100), TRIG_QUIET);
		assert_int_equal(state.windows, 0);
		assert_true(isnan(trig_value(&rule, &state, &window)));
		trig_explain(&rule, &state, text, sizeof text);
		assert_non_null(strstr(text, trig_type_text(types[i])));
	}
}

/* What a power cut takes is the open window; the hold goes on. */
static void the_hold_survives_a_power_cut(void **unused)
{
	struct trig_state kept;

	(void)unused;
	given(errors);
	share(5, 100);
	share(5, 100);
	kept = state;
	trig_init(&state, &window);
	state = kept;
	now = 3;
	assert_int_equal(share(5, 100), TRIG_FIRE);
}

static void explains_itself(void **unused)
{
	struct trig_window base = {.own = {.n = 1000, .bad = 20}};
	char text[200], tiny[12];

	(void)unused;
	given(latency);
	trig_explain(&rule, &state, text, sizeof text);
	assert_string_equal(text,
		"latency: p99 not measured, limit 0.200 s, bad in 0 of 0 windows, "
		"0 samples in the last where 10 are needed");
	rule.hold_k = 3;
	rule.hold_m = 5;
	for (unsigned i = 0; i < 3; i++)
		one_window(requests(0, 0, 57, 0, 0));
	one_window(requests(57, 0, 0, 0, 0));
	trig_explain(&rule, &state, text, sizeof text);
	assert_string_equal(text, "latency: p99 0.099 s within 0.200 s, bad in 3 of 4 windows, 57 "
				  "samples in the last");
	given(errors);
	rule.comparator = TRIG_CMP_BASELINE;
	rule.threshold = 1.5;
	assert_true(trig_baseline(&rule, &base, &state));
	share(40, 1000);
	trig_explain(&rule, &state, text, sizeof text);
	assert_string_equal(text,
		"error_rate: share of failed requests 4.00 % over 3.00 % (1.5 x "
		"own baseline 2.00 %) in 1 of 1 windows, 1000 samples in the last");
	given((struct trig_rule){.type = TRIG_HEALTH_FAILED,
		.threshold = 0.5,
		.window = SEC(10),
		.hold_k = 3,
		.hold_m = 3,
		.min_samples = 1});
	assert_true(isnan(trig_value(&crashes, &state, &window))); /* not open yet */
	share(4, 5);
	trig_explain(&rule, &state, text, sizeof text);
	assert_string_equal(text,
		"health_failed: share of failed checks 80.00 % over 50.00 % in 1 of 1 "
		"windows, 5 samples in the last");
	given(crashes);
	crash(0, 4);
	trig_explain(&rule, &state, text, sizeof text);
	assert_string_equal(text, "crash_loop: the workload ended 4 times within 600 s, limit 3");
	trig_explain(&rule, &state, tiny, sizeof tiny);
	assert_string_equal(tiny, "crash_loop:");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_window_ends_with_the_sample_that_fills_it),
		cmocka_unit_test(a_clock_that_went_back_begins_a_new_window),
		cmocka_unit_test(k_of_m_windows_fire),
		cmocka_unit_test(the_limit_itself_is_still_good),
		cmocka_unit_test(health_counts_failed_checks),
		cmocka_unit_test(a_blind_window_does_not_count),
		cmocka_unit_test(a_blind_window_may_count_as_bad),
		cmocka_unit_test(blind_looks_bring_no_samples),
		cmocka_unit_test(latency_is_a_quantile_of_the_window),
		cmocka_unit_test(beyond_the_last_bucket_is_over_every_limit),
		cmocka_unit_test(latency_is_compared_with_the_old_version),
		cmocka_unit_test(without_a_baseline_nothing_fires),
		cmocka_unit_test(a_spotless_baseline_is_not_taken_for_zero),
		cmocka_unit_test(a_crash_loop_fires_at_once),
		cmocka_unit_test(rare_crashes_slide_out),
		cmocka_unit_test(the_count_outlives_the_agent),
		cmocka_unit_test(a_supervisor_nobody_sees),
		cmocka_unit_test(some_types_do_not_come_from_samples),
		cmocka_unit_test(the_hold_survives_a_power_cut),
		cmocka_unit_test(explains_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
