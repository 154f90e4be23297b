/* Special functions against values that others have printed or that can be written down exactly. */
#include "tests/lib/expect.h"

#include <math.h>

#include "lib/stats.h"

static void expect_near(double is, double wants, double within, const char *what, size_t row)
{
	if (!(fabs(is - wants) <= within))
		fail_msg("%s, row %zu: %.15g, wanted %.15g", what, row, is, wants);
}

/* I_x(1, b) = 1 - (1 - x)^b and I_x(a, 1) = x^a; I_x(1/2, 1/2) = 2/pi asin sqrt x. */
static void incomplete_beta_agrees_with_closed_forms(void **state)
{
	static const double xs[] = {1e-9, 0.001, 0.1, 0.5, 0.9, 0.999};
	static const double ns[] = {0.5, 1, 3, 40, 900};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(xs); i++) {
		double x = xs[i], lower, upper;

		for (size_t k = 0; k < ARRAY_LEN(ns); k++) {
			stats_ibeta(1, ns[k], x, &lower, &upper);
			expect_near(
				upper, ns[k] * log1p(-x), 1e-10 * (1 + fabs(upper)), "upper", i);
			stats_ibeta(ns[k], 1, x, &lower, &upper);
			expect_near(lower, ns[k] * log(x), 1e-10 * (1 + fabs(lower)), "lower", i);
		}
		stats_ibeta(0.5, 0.5, x, &lower, &upper);
		expect_near(exp(lower), 2 / M_PI * asin(sqrt(x)), 1e-12, "arc sine", i);
		expect_near(exp(lower) + exp(upper), 1, 1e-12, "both", i);
	}
}

static void a_tail_may_be_smaller_than_any_double(void **state)
{
	double lower, upper;

	(void)state;
	stats_ibeta(2000, 1, 0.5, &lower, &upper);
	expect_near(lower, 2000 * log(0.5), 1e-6, "lower", 0);
	assert_true(upper == 0 || upper > -1e-300);
}

/* 2 df: exp(-x/2). The others: tables of the chi-squared distribution. */
static void chi_squared_agrees_with_tables(void **state)
{
	static const struct {
		double df, p, x;
	} t[] = {
		{1, 0.05, 3.841},
		{4, 0.01, 13.277},
		{9, 0.01, 21.666},
		{9, 0.001, 27.877},
		{9, 0.995, 1.735},
		{30, 0.05, 43.773},
		{100, 0.01, 135.807},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		expect_near(stats_chi2_quantile(t[i].df, t[i].p), t[i].x, 6e-4, "quantile", i);
		expect_near(
			exp(stats_chi2_tail(t[i].df, t[i].x)), t[i].p, 2e-3 * t[i].p, "tail", i);
	}
	for (double x = 0.25; x < 2000; x *= 2)
		expect_near(stats_chi2_tail(2, x), -x / 2, 1e-9 * x, "two degrees", (size_t)x);
	assert_true(stats_chi2_tail(3, 0) == 0);
}

static void binomial_tails_are_the_sums(void **state)
{
	(void)state;
	for (unsigned k = 0; k <= 7; k++) {
		double sum = 0;

		for (unsigned i = k; i <= 6; i++)
			sum += exp(lgamma(7) - lgamma(i + 1.0) - lgamma(7.0 - i)) * pow(0.3, i) *
			       pow(0.7, 6.0 - i);
		expect_near(stats_binomial_tail(6, k, 0.3), sum, 1e-12, "tail", k);
	}
	assert_true(stats_binomial_tail(5, 1, 0) == 0);
	assert_true(stats_binomial_tail(5, 5, 1) == 1);
}

/* By exact fractions. */
static void fishers_test_agrees_with_fractions(void **state)
{
	static const struct {
		uint64_t x, n, y, m;
		double p;
	} t[] = {
		{3, 3, 0, 2, 0.1},
		{20, 1000, 6, 1000, 0.004457232856379199},
		{12, 500, 5, 2000, 8.410988282027585e-06},
		{400, 5000, 300, 5000, 5.100205688737786e-05},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		expect_near(stats_fisher_tail(t[i].x, t[i].n, t[i].y, t[i].m), t[i].p,
			1e-9 * t[i].p, "fisher", i);
	assert_true(stats_fisher_tail(1, 10, 1, 10) == 1); /* nothing is more than expected */
	assert_true(stats_fisher_tail(0, 0, 0, 0) == 1);
	assert_true(stats_fisher_tail(10, 10, 0, 0) == 1);
	assert_true(stats_fisher_tail(1000000000, 1000000000, 0, 1000000000) < 1e-300);
	assert_true(stats_fisher_tail(5, 5, 2, 2) == 1);
}

static void sigmas_are_those_of_every_table(void **state)
{
	(void)state;
	expect_near(stats_normal_tail(0), 0.5, 1e-15, "sigma", 0);
	expect_near(stats_normal_tail(1), 0.15865525393145707, 1e-15, "sigma", 1);
	expect_near(stats_normal_tail(3), 0.0013498980316300957, 1e-17, "sigma", 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(incomplete_beta_agrees_with_closed_forms),
		cmocka_unit_test(a_tail_may_be_smaller_than_any_double),
		cmocka_unit_test(chi_squared_agrees_with_tables),
		cmocka_unit_test(binomial_tails_are_the_sums),
		cmocka_unit_test(fishers_test_agrees_with_fractions),
		cmocka_unit_test(sigmas_are_those_of_every_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
