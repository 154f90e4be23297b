#include "lib/drift.h"

#include <math.h>

#include "lib/stats.h"

#define HALF 0.5
#define LN2  0.69314718055994531

static double total_of(const uint32_t *c, unsigned bins)
{
	double sum = 0;

	for (unsigned i = 0; i < bins; i++)
		sum += c[i] + HALF;
	return sum;
}

double drift_psi(const uint32_t *p, const uint32_t *q, unsigned bins)
{
	double np = total_of(p, bins), nq = total_of(q, bins), sum = 0;

	for (unsigned i = 0; i < bins; i++) {
		double a = (p[i] + HALF) / np, b = (q[i] + HALF) / nq;

		sum += (b - a) * log(b / a);
	}
	return sum;
}

double drift_js(const uint32_t *p, const uint32_t *q, unsigned bins)
{
	double np = total_of(p, bins), nq = total_of(q, bins), sum = 0;

	for (unsigned i = 0; i < bins; i++) {
		double a = (p[i] + HALF) / np, b = (q[i] + HALF) / nq, m = (a + b) / 2;

		sum += a * log2(a / m) + b * log2(b / m);
	}
	return sqrt(fmax(sum / 2, 0));
}

double drift_psi_critical(unsigned bins, uint64_t n, uint64_t m, double alpha)
{
	return stats_chi2_quantile(bins - 1, alpha) * (1 / (double)n + 1 / (double)m);
}

double drift_js_critical(unsigned bins, uint64_t n, uint64_t m, double alpha)
{
	return sqrt(drift_psi_critical(bins, n, m, alpha) / (8 * LN2));
}
