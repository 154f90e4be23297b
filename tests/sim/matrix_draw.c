#include <math.h>

#include "tests/sim/matrix.h"

static double unit(struct prng *r)
{
	return (double)(prng_next(r) >> 11) * 0x1p-53;
}

double draw_uniform(struct prng *r, double low, double high)
{
	return low + (high - low) * unit(r);
}

/* Box and Muller, 1958. */
double draw_normal(struct prng *r)
{
	double u = unit(r), v = unit(r);

	return sqrt(-2 * log1p(-u)) * cos(6.283185307179586 * v);
}

/* Knuth's product of uniforms; beyond 30 the normal is as good as it needs to be here. */
uint64_t draw_poisson(struct prng *r, double mean)
{
	double left = exp(-mean), product;
	uint64_t n = 0;

	if (mean <= 0)
		return 0;
	if (mean > 30)
		return (uint64_t)llround(fmax(0, mean + sqrt(mean) * draw_normal(r)));
	for (product = unit(r); product > left; product *= unit(r))
		n++;
	return n;
}

ms_t draw_wait(struct prng *r, ms_t mean)
{
	return (ms_t)(-(double)mean * log1p(-unit(r)));
}

double normal_below(double x)
{
	return erfc(-x / 1.4142135623730951) / 2;
}
