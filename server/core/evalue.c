#include "server/core/evalue.h"

#include <assert.h>
#include <math.h>

#include "lib/stats.h"

enum side { BELOW, ABOVE };

static double tail(double a, double b, double p, enum side side)
{
	double lower, upper;

	stats_ibeta(a, b, p, &lower, &upper);
	return side == ABOVE ? upper : lower;
}

static double mixture(uint64_t x, uint64_t n, double p, struct evalue_prior prior, enum side side)
{
	double good = (double)(n - x), bad = (double)x;
	double a = prior.a, b = prior.b;

	assert(x <= n && p > 0 && p < 1);
	if (n == 0)
		return 0;
	return stats_lbeta(a + bad, b + good) - stats_lbeta(a, b) +
	       tail(a + bad, b + good, p, side) - tail(a, b, p, side) - bad * log(p) -
	       good * log1p(-p);
}

double evalue_above(uint64_t x, uint64_t n, double p, struct evalue_prior prior)
{
	return mixture(x, n, p, prior, ABOVE);
}

double evalue_below(uint64_t x, uint64_t n, double p, struct evalue_prior prior)
{
	return mixture(x, n, p, prior, BELOW);
}

double evalue_two_arm(uint64_t x, uint64_t n, double rho)
{
	return evalue_above(x, n, rho, (struct evalue_prior){0.5, 0.5});
}

double evalue_one_arm(uint64_t x, uint64_t n, double p)
{
	return evalue_above(x, n, p, (struct evalue_prior){1, 19});
}

double evalue_promote(uint64_t x, uint64_t n, double p)
{
	return evalue_below(x, n, p, (struct evalue_prior){0.5, 10});
}

double evalue_ratio(uint64_t x, uint64_t n, double rho)
{
	double above = evalue_two_arm(x, n, rho);
	double below = evalue_below(x, n, rho, (struct evalue_prior){0.5, 0.5});
	double most = above > below ? above : below;

	return most + log(exp(above - most) + exp(below - most)) - log(2);
}

double evalue_sprt(uint64_t x, uint64_t n, double p0, double p1)
{
	assert(x <= n);
	return (double)x * log(p1 / p0) + (double)(n - x) * (log1p(-p1) - log1p(-p0));
}

double evalue_sprt_abort(double alpha, double beta)
{
	return log((1 - beta) / alpha);
}

double evalue_sprt_accept(double alpha, double beta)
{
	return log(beta / (1 - alpha));
}
