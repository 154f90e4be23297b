/* Rollback triggers: limits that move, chance, and windows that do not count. */
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
	if (rule.window == 0)
		rule.window = SEC(60);
	rule.hold_k = rule.hold_m = 1;
	now = 1000000;
	trig_init(&state, &window);
}

static enum trig_verdict feed(struct sample x)
{
	x.at = now;
	trig_feed(&rule, &state, &window, &x);
	return trig_eval(&rule, &state);
}

static enum trig_verdict one_window(struct sample x)
{
	if (!window.open)
		feed((struct sample){.blind = true});
	now += rule.window;
	return feed(x);
}

static enum trig_verdict share(uint64_t bad, uint64_t n)
{
	return one_window((struct sample){.n = n, .bad = bad});
}

/* The old version did this in a minute. */
static void before(struct sample x)
{
	struct trig_window g = {0};

	trig_gather(&rule, &g, &(struct sample){.at = 5});
	x.at = 5 + SEC(60);
	trig_gather(&rule, &g, &x);
	assert_true(trig_baseline(&rule, &g, &state));
	assert_int_equal(state.baseline_span, SEC(60));
}

static struct sample slow(uint64_t fast, uint64_t slower)
{
	return (struct sample){.n = fast + slower,
		.hist = {.n = 4,
			.le = {0.1, 0.2, 0.4, (double)INFINITY},
			.count = {fast, 0, slower}}};
}

static void says(const char *want)
{
	char text[300];

	trig_explain(&rule, &state, text, sizeof text);
	assert_string_equal(text, want);
}

/* ---- chance ---- */

static void a_share_over_its_limit_may_be_chance(void **unused)
{
	(void)unused;
	given((struct trig_rule){
		.type = TRIG_ERROR_RATE, .threshold = 0.01, .min_samples = 500, .sigma = 3});
	assert_int_equal(share(9, 500), TRIG_QUIET); /* 1.8 % of 500: chance 6.8 % */
	says("error_rate: share of failed requests 1.80 % over 1.00 %, which may be chance, in 0 of "
	     "1 windows, 500 samples in the last");
	assert_int_equal(share(12, 500), TRIG_QUIET); /* 0.5 % */
	assert_int_equal(share(14, 500), TRIG_FIRE);  /* 0.07 % */
	assert_int_equal(state.judged, 3);
	given((struct trig_rule){
		.type = TRIG_ERROR_RATE, .threshold = 0.01, .min_samples = 500, .sigma = 0});
	assert_int_equal(share(9, 500), TRIG_FIRE); /* not asked for */
}

static void two_shares_are_compared_as_samples(void **unused)
{
	(void)unused;
	given((struct trig_rule){.type = TRIG_ERROR_RATE,
		.comparator = TRIG_CMP_BASELINE,
		.threshold = 2,
		.min_samples = 100,
		.sigma = 3});
	before((struct sample){.n = 1000, .bad = 5});
	assert_int_equal(share(11, 1000), TRIG_QUIET); /* 1.1 % over 1 %: chance 10 % */
	assert_int_equal(share(22, 1000), TRIG_FIRE);  /* 0.1 % */
}

static void a_few_slow_ones_are_no_slow_version(void **unused)
{
	(void)unused;
	given((struct trig_rule){.type = TRIG_LATENCY,
		.quantile = 990,
		.threshold = 0.15,
		.min_samples = 100,
		.sigma = 3});
	assert_int_equal(one_window(slow(196, 4)), TRIG_QUIET); /* 2 %, where 1 % may be */
	assert_int_equal(one_window(slow(190, 10)), TRIG_FIRE);
	given((struct trig_rule){.type = TRIG_LATENCY,
		.quantile = 990,
		.comparator = TRIG_CMP_BASELINE,
		.threshold = 1.2,
		.min_samples = 100,
		.sigma = 3});
	before(slow(1000, 2));
	assert_int_equal(state.baseline_bad, 2);
	assert_int_equal(
		one_window(slow(195, 5)), TRIG_QUIET); /* 5 of 200 beside 2 of 1002: 0.15 % */
	assert_int_equal(one_window(slow(190, 10)), TRIG_FIRE);
}

/* ---- quality ---- */

static void a_shift_is_bad_to_either_side(void **unused)
{
	static const struct trig_rule rejects = {.type = TRIG_QUALITY,
		.comparator = TRIG_CMP_BASELINE,
		.threshold = 0.02,
		.min_samples = 200,
		.sigma = 3};

	(void)unused;
	given(rejects);
	before((struct sample){.n = 5000, .bad = 500});
	assert_int_equal(share(500, 5000), TRIG_QUIET);
	assert_int_equal(share(595, 5000), TRIG_QUIET); /* 3 sigma, but no 2 points */
	assert_int_equal(share(405, 5000), TRIG_QUIET);
	assert_int_equal(share(605, 5000), TRIG_FIRE);
	says("quality: share of one decision, such as reject 12.10 % over 12.00 % (own baseline 10.00 %) "
	     "in 1 of 1 windows, 5000 samples in the last");
	given(rejects);
	before((struct sample){.n = 5000, .bad = 500});
	assert_int_equal(share(395, 5000), TRIG_FIRE);
	says("quality: share of one decision, such as reject 7.90 % under 8.00 % (own baseline 10.00 %) "
	     "in 1 of 1 windows, 5000 samples in the last");
	given(rejects);
	before((struct sample){.n = 1000, .bad = 100});
	assert_int_equal(share(30, 200), TRIG_QUIET); /* 15 %: 5 points, but 2.1 sigma of 200 */
	assert_int_equal(share(36, 200), TRIG_FIRE);  /* 18 %: 3.2 */
}

static void the_champion_is_judged_in_the_same_window(void **unused)
{
	(void)unused;
	given((struct trig_rule){.type = TRIG_QUALITY,
		.comparator = TRIG_CMP_CHAMPION,
		.threshold = 0.02,
		.min_samples = 200,
		.sigma = 3});
	assert_int_equal(share(300, 1000), TRIG_BLIND); /* nobody runs beside it */
	for (unsigned i = 0; i < 2; i++) {
		struct sample champion = {.at = now + SEC(60), .n = 1000, .bad = i ? 100 : 290};

		trig_feed_champion(&rule, &state, &window, &champion);
		assert_int_equal(share(300, 1000), i ? TRIG_FIRE : TRIG_QUIET);
	}
	says("quality: share of one decision, such as reject 30.00 % over 15.37 % (the champion's 10.00 "
	     "%) in 1 of 1 windows, 1000 samples in the last");
	assert_int_equal(share(300, 1000), TRIG_FIRE); /* its hold; but the window was blind */
	assert_true(isnan(state.last));
}

/* ---- drift ---- */

static struct sample scores(uint64_t a, uint64_t b, uint64_t c)
{
	return (struct sample){.n = a + b + c,
		.hist = {.n = 3, .le = {0.5, 0.9, (double)INFINITY}, .count = {a, b, c}}};
}

static const struct trig_rule drift = {.type = TRIG_DRIFT,
	.comparator = TRIG_CMP_BASELINE,
	.threshold = 0.25,
	.min_samples = 100,
	.sigma = 3,
	.n_edges = 2,
	.edge = {0.5, 0.9}};

static void a_distribution_moves_away(void **unused)
{
	(void)unused;
	given(drift);
	assert_int_equal(one_window(scores(900, 50, 50)), TRIG_BLIND); /* no baseline */
	before(scores(100, 300, 600));
	assert_true(fabs(trig_limit(&rule, &state) - 0.25) < 1e-9);
	assert_int_equal(one_window(scores(110, 290, 600)), TRIG_QUIET);
	assert_true(state.last < 0.01);
	assert_int_equal(one_window(scores(300, 400, 300)), TRIG_FIRE);
	assert_true(state.last > 0.4 && state.last < 0.6);
	given(drift);
	rule.min_samples = 1;
	before(scores(10, 30, 60));
	assert_int_equal(one_window(scores(6, 8, 6)), TRIG_QUIET); /* 20 samples prove little */
	assert_true(state.last > 0.25 && trig_limit(&rule, &state) > state.last);
	assert_int_equal(
		one_window((struct sample){.hist = {.n = 2, .count = {1, 1}}}), TRIG_BLIND);
}

static void training_only_raises_an_alarm(void **unused)
{
	char text[300];

	(void)unused;
	given(drift);
	rule.comparator = TRIG_CMP_TRAINING;
	rule.distance = TRIG_DISTANCE_JS;
	rule.threshold = 0.2;
	memcpy(rule.count, (uint32_t[]){100, 300, 600}, 12);
	assert_int_equal(one_window(scores(100, 300, 600)), TRIG_QUIET);
	assert_int_equal(one_window(scores(400, 400, 200)), TRIG_ALARM);
	trig_explain(&rule, &state, text, sizeof text);
	assert_non_null(strstr(text, "js of the scores 0.3"));
	assert_non_null(strstr(text, "over 0.200 from training"));
}

/* ---- gauges ---- */

static void gauges_are_means_and_may_be_too_low(void **unused)
{
	(void)unused;
	given((struct trig_rule){
		.type = TRIG_RESOURCE, .of = 2, .threshold = 64, .min_samples = 1});
	assert_string_equal(trig_measure_of(&rule)->of, "disk");
	assert_int_equal(one_window((struct sample){.n = 2, .sum = 128}), TRIG_QUIET);
	assert_int_equal(one_window((struct sample){.n = 2, .sum = 127}), TRIG_FIRE);
	says("resource: room that the agent's file system has left 63.5 MiB under 64.0 MiB in 1 of 1 "
	     "windows, 2 samples in the last");
	given((struct trig_rule){.type = TRIG_RESOURCE,
		.comparator = TRIG_CMP_BASELINE,
		.threshold = 1.5,
		.min_samples = 1});
	before((struct sample){.n = 1, .sum = 200});
	assert_int_equal(one_window((struct sample){.n = 1, .sum = 299}), TRIG_QUIET);
	assert_int_equal(one_window((struct sample){.n = 1, .sum = 301}), TRIG_FIRE);
	given((struct trig_rule){.type = TRIG_THERMAL, .threshold = 30, .min_samples = 1});
	feed((struct sample){0});
	for (unsigned i = 0; i < 59; i++, now += SEC(1))
		feed((struct sample){.n = 1, .sum = i < 31 ? 1 : 0});
	assert_int_equal(one_window((struct sample){.n = 1}), TRIG_FIRE);
	says("thermal: time in which processors were throttled 31.000 s over 30.000 s in 1 of 1 windows, "
	     "60 samples in the last");
}

/* ---- windows that do not count ---- */

static void a_rush_is_not_compared(void **unused)
{
	(void)unused;
	given((struct trig_rule){.type = TRIG_ERROR_RATE,
		.comparator = TRIG_CMP_BASELINE,
		.threshold = 2,
		.min_samples = 100,
		.sigma = 3,
		.busy = 1.5,
		.on_blind = TRIG_BLIND_TRIP});
	before((struct sample){.n = 1000, .bad = 5});
	assert_int_equal(share(800, 1600), TRIG_BLIND);
	assert_int_equal(state.busy, 1);
	assert_int_equal(state.history, 0);
	assert_int_equal(share(700, 1400), TRIG_FIRE);
}

static void a_machine_that_starts_is_given_time(void **unused)
{
	(void)unused;
	given((struct trig_rule){.type = TRIG_HEALTH_FAILED,
		.threshold = 0.5,
		.window = SEC(10),
		.grace = SEC(60),
		.min_samples = 1});
	for (unsigned i = 0; i < 59; i++, now += SEC(1))
		assert_int_equal(feed((struct sample){.n = 1, .bad = 1}), TRIG_QUIET);
	for (unsigned i = 0; i < 10; i++, now += SEC(1))
		feed((struct sample){.n = 1, .bad = 1});
	assert_int_equal(feed((struct sample){.n = 1, .bad = 1}), TRIG_FIRE);
	given(rule);
	rule.window = SEC(10);
	feed((struct sample){.n = 1, .bad = 0}); /* it was well, so it has had its time */
	for (unsigned i = 0; i < 10; i++, now += SEC(1))
		feed((struct sample){.n = 1, .bad = 1});
	assert_int_equal(feed((struct sample){.n = 1, .bad = 1}), TRIG_FIRE);
}

static void who_was_reached_once_is_not_cut_off_by_the_version(void **unused)
{
	(void)unused;
	given((struct trig_rule){.type = TRIG_CONNECTIVITY, .threshold = 0.5, .min_samples = 1});
	assert_int_equal(share(6, 6), TRIG_FIRE);
	given(rule);
	assert_int_equal(share(1, 6), TRIG_QUIET);
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(share(6, 6), TRIG_QUIET);
	says("connectivity: share of questions that the server did not answer 100.00 % over 50.00 %, "
	     "which is the network's doing, in 0 of 1 windows, 6 samples in the last");
	given(rule);
	trig_excuse(&state);
	assert_int_equal(share(6, 6), TRIG_QUIET);
}

static void some_wait_to_be_judged(void **unused)
{
	(void)unused;
	given((struct trig_rule){.type = TRIG_ERROR_RATE,
		.threshold = 0.01,
		.min_samples = 100,
		.on_blind = TRIG_BLIND_WAIT});
	assert_false(trig_may_accept(&rule, &state));
	assert_int_equal(share(0, 99), TRIG_BLIND);
	assert_false(trig_may_accept(&rule, &state));
	assert_int_equal(share(0, 100), TRIG_QUIET);
	assert_true(trig_may_accept(&rule, &state));
	assert_int_equal(share(0, 0), TRIG_BLIND);
	assert_false(trig_may_accept(&rule, &state));
	rule.on_blind = TRIG_BLIND_IGNORE;
	assert_true(trig_may_accept(&rule, &state));
	rule.on_blind = TRIG_BLIND_WAIT;
	rule.comparator = TRIG_CMP_BASELINE; /* that was never measured: nothing to wait for */
	assert_true(trig_may_accept(&rule, &state));
	given((struct trig_rule){.type = TRIG_OPERATOR, .on_blind = TRIG_BLIND_WAIT});
	assert_true(trig_may_accept(&rule, &state));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_share_over_its_limit_may_be_chance),
		cmocka_unit_test(two_shares_are_compared_as_samples),
		cmocka_unit_test(a_few_slow_ones_are_no_slow_version),
		cmocka_unit_test(a_shift_is_bad_to_either_side),
		cmocka_unit_test(the_champion_is_judged_in_the_same_window),
		cmocka_unit_test(a_distribution_moves_away),
		cmocka_unit_test(training_only_raises_an_alarm),
		cmocka_unit_test(gauges_are_means_and_may_be_too_low),
		cmocka_unit_test(a_rush_is_not_compared),
		cmocka_unit_test(a_machine_that_starts_is_given_time),
		cmocka_unit_test(who_was_reached_once_is_not_cut_off_by_the_version),
		cmocka_unit_test(some_wait_to_be_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
