/* Evidence as e-values: numbers that may be looked at after every device, and multiplied, without a
 * mistake in the long run (Ville 1939: the chance that an e-process of a true hypothesis ever
 * reaches 1 / alpha is at most alpha). All are natural logarithms, exact functions of counts.
 *
 * The mixture: under the hypothesis each of n trials succeeds with chance at most (at least) p; the
 * alternative is a Beta(a, b) prior cut off at p. With x successes
 *
 *   E = [B(a+x, b+n-x) / B(a, b)] * [tail_p(a+x, b+n-x) / tail_p(a, b)] / [p^x (1-p)^(n-x)]
 *
 * (Lindon and Malek, NeurIPS 2022, arXiv 2011.03567; tail: 1 - I_p above, I_p below). */
#ifndef SERVER_CORE_EVALUE_H
#define SERVER_CORE_EVALUE_H

#include "lib/util.h"

struct evalue_prior {
	double a, b;
};

/* Against "the chance is at most p"; 0 < p < 1, x <= n. */
double evalue_above(uint64_t x, uint64_t n, double p, struct evalue_prior prior);
/* Against "the chance is at least p". */
double evalue_below(uint64_t x, uint64_t n, double p, struct evalue_prior prior);

/* Two arms: of n failures in both, x fell into the canary, which has the share `rho` of the
 * exposure. Against "canaries fail no more often than the control". What drives the failures of
 * both arms alike (a cold morning, a bad network) cancels. Prior Beta(1/2, 1/2). */
double evalue_two_arm(uint64_t x, uint64_t n, double rho);
/* One arm against a rate that is known: x of n devices failed. Prior Beta(1, 19): with a flatter
 * one a single failure of the very first device would already be taken for proof. */
double evalue_one_arm(uint64_t x, uint64_t n, double p);
/* x of n devices failed: against "at least a share p fails". Prior Beta(1/2, 10). */
double evalue_promote(uint64_t x, uint64_t n, double p);

/* Do the arms report as they were assigned? x of n reports came from the canary, whose assigned
 * share is rho: against "as assigned", to both sides. The mean of two e-values is one. */
double evalue_ratio(uint64_t x, uint64_t n, double rho);

/* Wald's sequential probability ratio (1945): x of n devices failed; ln of the likelihood at p1
 * over that at p0. Above evalue_sprt_abort it aborts, below evalue_sprt_accept it accepts. */
double evalue_sprt(uint64_t x, uint64_t n, double p0, double p1);
double evalue_sprt_abort(double alpha, double beta);
double evalue_sprt_accept(double alpha, double beta);

#endif
