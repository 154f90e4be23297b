/* How far two histograms over the same bins are apart, and how far chance alone takes them. Pure.
 * Each bin counts half a sample more than it has, so that an empty one is no infinity. */
#ifndef LIB_DRIFT_H
#define LIB_DRIFT_H

#include "lib/util.h"

/* Population stability index: sum of (q - p) ln(q / p), Jeffreys' divergence of 1946. Practice
 * takes 0.1 for a shift worth a look and 0.25 for a large one (Siddiqi, Credit Risk Scorecards,
 * 2006). */
double drift_psi(const uint32_t *p, const uint32_t *q, unsigned bins);

/* Jensen-Shannon distance in [0, 1]: the root of the divergence in bits (Lin 1991; a metric by
 * Endres and Schindelin 2003). */
double drift_js(const uint32_t *p, const uint32_t *q, unsigned bins);

/* What either exceeds with chance `alpha` when both histograms, of n and m samples, come from one
 * distribution. To second order both divergences are multiples of Pearson's statistic, so that
 * PSI / (1/n + 1/m) and 8 ln 2 JS^2 / (1/n + 1/m) are chi-squared with bins - 1 degrees of freedom
 * (Yurdakul and Naranjo 2020 for the index). 0 < alpha < 1; n, m > 0. */
double drift_psi_critical(unsigned bins, uint64_t n, uint64_t m, double alpha);
double drift_js_critical(unsigned bins, uint64_t n, uint64_t m, double alpha);

#endif
