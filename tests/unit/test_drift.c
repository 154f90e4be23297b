/* Distances of histograms: known values, the scale of things, and how often chance alone raises an
 * alarm. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>
#include <cmocka.h>

#include "lib/drift.h"
#include "lib/prng.h"

static void expect_near(double is, double wants, double within, const char *what, size_t row)
{
	if (!(fabs(is - wants) <= within))
		fail_msg("%s, row %zu: %.12g, wanted %.12g", what, row, is, wants);
}

static void values_agree_with_another_program(void **state)
{
	static const struct {
		unsigned n;
		uint32_t p[4], q[4];
		double psi, js;
	} t[] = {
		{4, {100, 200, 300, 400}, {400, 300, 200, 100}, 0.9086430387737503,
			0.3910298466709665},
		{2, {1000, 0}, {0, 1000}, 15.18761705211535, 0.9968958913140056},
		{3, {5000, 3000, 2000}, {4900, 3100, 2000}, 0.0005297716749257742,
			0.009774154926318387},
		{3, {7, 7, 7}, {7, 7, 7}, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		expect_near(drift_psi(t[i].p, t[i].q, t[i].n), t[i].psi, 1e-12, "psi", i);
		expect_near(drift_js(t[i].p, t[i].q, t[i].n), t[i].js, 1e-7, "js", i);
		expect_near(drift_js(t[i].q, t[i].p, t[i].n), t[i].js, 1e-7, "js turned", i);
	}
}

/* Two uniform numbers into a normal one (Box and Muller 1958). */
static double normal(struct prng *r)
{
	double u = (double)(prng_next(r) >> 11) * 0x1p-53,
	       v = (double)(prng_next(r) >> 11) * 0x1p-53;

	return sqrt(-2 * log1p(-u)) * cos(6.283185307179586 * v);
}

#define BINS 10

/* Deciles of a normal distribution, moved by `shift` standard deviations. */
static void draw(struct prng *r, unsigned n, double shift, uint32_t out[BINS])
{
	static const double edge[BINS - 1] = {
		-1.2816, -0.8416, -0.5244, -0.2533, 0, 0.2533, 0.5244, 0.8416, 1.2816};

	memset(out, 0, BINS * sizeof out[0]);
	for (unsigned i = 0; i < n; i++) {
		double x = normal(r) + shift;
		unsigned b = 0;

		while (b < BINS - 1 && x > edge[b])
			b++;
		out[b]++;
	}
}

static void half_a_deviation_is_a_quarter(void **state)
{
	static const struct {
		double shift, psi, js;
	} t[] = {{0.25, 0.06, 0.10}, {0.5, 0.24, 0.20}, {1, 0.93, 0.39}};
	struct prng r = {.s = 7};
	uint32_t p[BINS], q[BINS];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		draw(&r, 100000, 0, p);
		draw(&r, 100000, t[i].shift, q);
		expect_near(drift_psi(p, q, BINS), t[i].psi, 0.02, "psi", i);
		expect_near(drift_js(p, q, BINS), t[i].js, 0.01, "js", i);
	}
}

/* The critical value is exceeded as often as it says. 2000 draws at 1 %: 20, give or take 9 by two
 * standard deviations; the seed is fixed. */
static void chance_is_calibrated(void **state)
{
	static const unsigned sizes[] = {200, 1000};
	struct prng r = {.s = 11};
	uint32_t p[BINS], q[BINS];

	(void)state;
	for (size_t s = 0; s < ARRAY_LEN(sizes); s++) {
		double psi = drift_psi_critical(BINS, sizes[s], 2 * sizes[s], 0.01);
		double js = drift_js_critical(BINS, sizes[s], 2 * sizes[s], 0.01);
		unsigned over_psi = 0, over_js = 0;

		for (unsigned i = 0; i < 2000; i++) {
			draw(&r, sizes[s], 0, p);
			draw(&r, 2 * sizes[s], 0, q);
			over_psi += drift_psi(p, q, BINS) > psi;
			over_js += drift_js(p, q, BINS) > js;
		}
		assert_in_range(over_psi, 8, 34);
		assert_in_range(over_js, 8, 34);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_agree_with_another_program),
		cmocka_unit_test(half_a_deviation_is_a_quarter),
		cmocka_unit_test(chance_is_calibrated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
