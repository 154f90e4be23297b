/* The tests of the judge at their boundaries, which have been printed elsewhere, and exactly: the
 * mean of an e-value under its hypothesis is at most one. */
#include "tests/lib/expect.h"

#include <math.h>

#include "server/core/evalue.h"

/* The most devices among which x failures still reach the limit. */
static uint64_t last_abort(uint64_t x, double p, double limit)
{
	uint64_t n = 1000;

	while (n > 0 && (n < x || evalue_one_arm(x, n, p) < limit))
		n--;
	return n;
}

static void one_arm_aborts_where_it_is_printed(void **state)
{
	static const unsigned at_01[] = {0, 0, 7, 41, 87}, at_05[] = {0, 0, 27, 74, 133};

	(void)state;
	for (uint64_t x = 1; x < ARRAY_LEN(at_01); x++) {
		assert_int_equal(last_abort(x, 0.005, log(100)), at_01[x]);
		assert_int_equal(last_abort(x, 0.005, log(20)), at_05[x]);
	}
}

static void promotes_where_it_is_printed(void **state)
{
	static const unsigned at_05[] = {72, 130, 174, 213}, at_01[] = {107, 168, 215, 257};

	(void)state;
	for (uint64_t x = 0; x < ARRAY_LEN(at_05); x++) {
		assert_true(evalue_promote(x, at_05[x], 0.05) >= log(20));
		assert_true(evalue_promote(x, at_05[x] - 1, 0.05) < log(20));
		assert_true(evalue_promote(x, at_01[x], 0.05) >= log(100));
		assert_true(evalue_promote(x, at_01[x] - 1, 0.05) < log(100));
	}
}

static void sprt_aborts_where_it_is_printed(void **state)
{
	static const unsigned at[] = {4, 55, 105, 156, 207};
	double limit = evalue_sprt_abort(0.01, 0.1);

	(void)state;
	for (uint64_t x = 2; x < 2 + ARRAY_LEN(at); x++) {
		assert_true(evalue_sprt(x, at[x - 2], 0.005, 0.05) >= limit);
		assert_true(evalue_sprt(x, at[x - 2] + 1, 0.005, 0.05) < limit);
	}
	assert_true(evalue_sprt(0, 50, 0.005, 0.05) <= evalue_sprt_accept(0.01, 0.1));
	assert_true(evalue_sprt(0, 49, 0.005, 0.05) > evalue_sprt_accept(0.01, 0.1));
}

static double log_binomial(uint64_t n, uint64_t x, double p)
{
	return lgamma((double)n + 1) - lgamma((double)x + 1) - lgamma((double)(n - x) + 1) +
	       (double)x * log(p) + (double)(n - x) * log1p(-p);
}

typedef double test_f(uint64_t x, uint64_t n, double p);

static double mean_under(test_f *test, uint64_t n, double hypothesis, double truth)
{
	double sum = 0;

	for (uint64_t x = 0; x <= n; x++)
		sum += exp(log_binomial(n, x, truth) + test(x, n, hypothesis));
	return sum;
}

static void no_evidence_grows_of_a_true_hypothesis(void **state)
{
	static const uint64_t ns[] = {1, 2, 7, 30, 200};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ns); i++) {
		for (double p = 0.02; p < 1; p += 0.12) {
			assert_true(fabs(mean_under(evalue_two_arm, ns[i], p, p) - 1) < 1e-7);
			assert_true(fabs(mean_under(evalue_one_arm, ns[i], p, p) - 1) < 1e-7);
			assert_true(fabs(mean_under(evalue_promote, ns[i], p, p) - 1) < 1e-7);
			assert_true(fabs(mean_under(evalue_ratio, ns[i], p, p) - 1) < 1e-7);
			assert_true(mean_under(evalue_two_arm, ns[i], p, p / 2) <= 1 + 1e-9);
			assert_true(mean_under(evalue_promote, ns[i], p, (1 + p) / 2) <= 1 + 1e-9);
		}
	}
}

static void nothing_seen_is_no_evidence(void **state)
{
	(void)state;
	assert_true(evalue_two_arm(0, 0, 0.1) == 0);
	assert_true(evalue_promote(0, 0, 0.05) == 0);
	assert_true(fabs(evalue_ratio(0, 0, 0.1)) < 1e-15);
}

static void arms_that_report_as_assigned_are_no_evidence(void **state)
{
	(void)state;
	assert_true(evalue_ratio(100, 1000, 0.1) < 0);
	assert_true(evalue_ratio(150, 1000, 0.1) > log(100));
	assert_true(evalue_ratio(60, 1000, 0.1) > log(100));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_arm_aborts_where_it_is_printed),
		cmocka_unit_test(promotes_where_it_is_printed),
		cmocka_unit_test(sprt_aborts_where_it_is_printed),
		cmocka_unit_test(no_evidence_grows_of_a_true_hypothesis),
		cmocka_unit_test(nothing_seen_is_no_evidence),
		cmocka_unit_test(arms_that_report_as_assigned_are_no_evidence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
