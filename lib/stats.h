/* The few special functions that the tests of the judge and of drift are made of. Pure; natural
 * logarithms throughout, because probabilities of a whole fleet leave the range of a double. */
#ifndef LIB_STATS_H
#define LIB_STATS_H

#include "lib/util.h"

/* ln B(a, b); a, b > 0. */
double stats_lbeta(double a, double b);

/* ln I_x(a, b) and ln(1 - I_x(a, b)) of the regularised incomplete beta function, by the continued
 * fraction of DLMF 8.17.22. Each is accurate by itself, however small. a, b > 0; 0 < x < 1. */
void stats_ibeta(double a, double b, double x, double *out_lower, double *out_upper);

/* ln Q(df / 2, x / 2): the chance that a chi-squared variable of `df` degrees of freedom is above x
 * (DLMF 8.2.4; series 8.7.1 and continued fraction 8.9.2). df > 0, x >= 0. */
double stats_chi2_tail(double df, double x);
/* The x whose tail is `p`; 0 < p < 1. */
double stats_chi2_quantile(double df, double p);

/* The chance of at least k successes in n tries of chance p. */
double stats_binomial_tail(uint64_t n, uint64_t k, double p);

/* Fisher's exact test, one-sided: of n and m tries, x and y succeeded; the chance that at least x
 * of the x + y successes are among the n when both have the same chance (hypergeometric). x <= n,
 * y <= m. A chance that is not small is not computed: 1 is returned for x at or below what is
 * expected. */
double stats_fisher_tail(uint64_t x, uint64_t n, uint64_t y, uint64_t m);

/* The chance that a normal variable is more than `sigma` standard deviations above its mean. */
double stats_normal_tail(double sigma);

#endif
