#include "lib/stats.h"

#include <assert.h>
#include <math.h>

#define FRACTION_STEPS 100000
#define FRACTION_EPS   1e-15
#define TINY           1e-300

static double lgam(double x)
{
	int sign;

	return lgamma_r(x, &sign);
}

double stats_lbeta(double a, double b)
{
	return lgam(a) + lgam(b) - lgam(a + b);
}

/* ln(1 - e^l), l <= 0: the better of two forms on either side of ln 2 (Maechler, 2012). */
static double log_complement(double l)
{
	if (l >= 0)
		return -(double)INFINITY;
	return l > -0.6931471805599453 ? log(-expm1(l)) : log1p(-exp(l));
}

static double not_zero(double v)
{
	return fabs(v) < TINY ? TINY : v;
}

/* One factor of Lentz's way to sum a continued fraction (as modified by Thompson and Barnett,
 * 1986). */
static double lentz(double *c, double *d, double num, double den)
{
	*d = 1 / not_zero(den + num * *d);
	*c = not_zero(den + num / *c);
	return *c * *d;
}

/* The fraction itself; quick for x < (a + 1) / (a + b + 2). */
static double ibeta_fraction(double a, double b, double x)
{
	double c = 1, d = 1 / not_zero(1 - (a + b) * x / (a + 1)), h = d;

	for (int m = 1; m < FRACTION_STEPS; m++) {
		double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
		double step;

		h *= lentz(&c, &d, even, 1);
		step = lentz(&c, &d, odd, 1);
		h *= step;
		if (fabs(step - 1) < FRACTION_EPS)
			break;
	}
	return h;
}

static double ibeta_small(double a, double b, double x, double log_x, double log_y)
{
	return a * log_x + b * log_y - stats_lbeta(a, b) - log(a) + log(ibeta_fraction(a, b, x));
}

void stats_ibeta(double a, double b, double x, double *out_lower, double *out_upper)
{
	double log_x = log(x), log_y = log1p(-x);

	assert(a > 0 && b > 0 && x > 0 && x < 1);
	if (x < (a + 1) / (a + b + 2)) {
		*out_lower = ibeta_small(a, b, x, log_x, log_y);
		*out_upper = log_complement(*out_lower);
	} else {
		*out_upper = ibeta_small(b, a, 1 - x, log_y, log_x);
		*out_lower = log_complement(*out_upper);
	}
}

/* ln P(a, x) by its series; for x < a + 1. */
static double gamma_lower(double a, double x)
{
	double term = 1 / a, sum = term;

	for (int n = 1; n < FRACTION_STEPS && term > sum * FRACTION_EPS; n++) {
		term *= x / (a + n);
		sum += term;
	}
	return a * log(x) - x - lgam(a) + log(sum);
}

/* ln Q(a, x) by its continued fraction; for x >= a + 1. */
static double gamma_upper(double a, double x)
{
	double b = x + 1 - a, c = 1 / TINY, d = 1 / not_zero(b), h = d;

	for (int n = 1; n < FRACTION_STEPS; n++) {
		double step;

		b += 2;
		step = lentz(&c, &d, -n * (n - a), b);
		h *= step;
		if (fabs(step - 1) < FRACTION_EPS)
			break;
	}
	return a * log(x) - x - lgam(a) + log(h);
}

double stats_chi2_tail(double df, double x)
{
	double a = df / 2, half = x / 2;

	assert(df > 0 && x >= 0);
	if (half <= 0)
		return 0;
	return half < a + 1 ? log_complement(gamma_lower(a, half)) : gamma_upper(a, half);
}

double stats_chi2_quantile(double df, double p)
{
	double low = 0, high = df + 1;

	assert(p > 0 && p < 1);
	while (stats_chi2_tail(df, high) > log(p))
		high *= 2;
	for (int i = 0; i < 200 && high - low > 1e-12 * high; i++) {
		double mid = (low + high) / 2;

		if (stats_chi2_tail(df, mid) > log(p))
			low = mid;
		else
			high = mid;
	}
	return (low + high) / 2;
}

double stats_binomial_tail(uint64_t n, uint64_t k, double p)
{
	double lower, upper;

	if (k == 0)
		return 1;
	if (k > n || p <= 0)
		return 0;
	if (p >= 1)
		return 1;
	stats_ibeta((double)k, (double)(n - k) + 1, p, &lower, &upper);
	return exp(lower);
}

static double log_choose(double n, double k)
{
	return lgam(n + 1) - lgam(k + 1) - lgam(n - k + 1);
}

/* Above what is expected each term is smaller than the one before, so that the sum soon ends. */
double stats_fisher_tail(uint64_t x, uint64_t n, uint64_t y, uint64_t m)
{
	double a = (double)n, b = (double)m, k = (double)(x + y);
	double term, sum, i = (double)x;

	assert(x <= n && y <= m);
	if (n == 0 || i * (a + b) <= a * k)
		return 1;
	term = exp(log_choose(a, i) + log_choose(b, k - i) - log_choose(a + b, k));
	sum = term;
	for (; i < a && i < k && term > sum * FRACTION_EPS; i++) {
		term *= (a - i) / (i + 1) * (k - i) / (b - k + i + 1);
		sum += term;
	}
	return sum;
}

double stats_normal_tail(double sigma)
{
	return erfc(sigma / 1.4142135623730951) / 2;
}
