/* Limits, and whether what is beyond them may be chance. The tests are named in trigger.h. */
#include "agent/core/trigger_priv.h"

#include <math.h>

#include "lib/drift.h"
#include "lib/stats.h"

static double alpha_of(const struct trig_rule *r)
{
	return stats_normal_tail(r->sigma);
}

/* ---- limits ---- */

static uint64_t reference_n(const struct trig_rule *r, const struct trig_state *s)
{
	uint64_t sum = 0;

	if (r->comparator != TRIG_CMP_TRAINING)
		return s->baseline_n;
	for (unsigned i = 0; i <= r->n_edges; i++)
		sum += r->count[i];
	return sum;
}

static double distance_limit(const struct trig_rule *r, const struct trig_state *s)
{
	uint64_t m = reference_n(r, s), n = s->last_n ? s->last_n : MAX(r->min_samples, 1);
	double chance;

	if (m == 0)
		return (double)NAN;
	if (r->sigma <= 0)
		return r->threshold;
	chance = r->distance == TRIG_DISTANCE_JS
			 ? drift_js_critical(r->n_edges + 1, n, m, alpha_of(r))
			 : drift_psi_critical(r->n_edges + 1, n, m, alpha_of(r));
	return fmax(r->threshold, chance);
}

/* Half the width of the chart: the difference that is asked for, or what chance makes of n samples
 * beside those of the reference. */
static double shift_by(const struct trig_rule *r, const struct trig_state *s)
{
	double n = (double)s->last_n, m = (double)s->baseline_n;
	double p =
		n > 0 && !isnan(s->last) ? (s->last * n + s->baseline * m) / (n + m) : s->baseline;

	if (n <= 0)
		return r->threshold;
	return fmax(r->threshold, r->sigma * sqrt(p * (1 - p) * (1 / n + 1 / m)));
}

static double relative_limit(const struct trig_rule *r, const struct trig_state *s)
{
	double base = s->baseline;

	if (s->baseline_n == 0)
		return (double)NAN;
	if (trig_kind(r) == TRIG_KIND_SHIFT)
		return s->last < base ? base - shift_by(r, s) : base + shift_by(r, s);
	if (trig_kind(r) == TRIG_KIND_RATIO)
		base = fmax(base, 3.0 / (double)s->baseline_n);
	return r->threshold * base;
}

double trig_limit(const struct trig_rule *r, const struct trig_state *s)
{
	if (trig_kind(r) == TRIG_KIND_DISTANCE)
		return distance_limit(r, s);
	return r->comparator == TRIG_CMP_ABSOLUTE ? r->threshold : relative_limit(r, s);
}

bool is_beyond(const struct trig_rule *r, const struct trig_state *s)
{
	double limit = trig_limit(r, s);

	if (trig_kind(r) == TRIG_KIND_SHIFT && s->last < s->baseline)
		return s->last < limit;
	return trig_measure_of(r)->below ? s->last < limit : s->last > limit;
}

/* ---- chance ---- */

/* `bad` of n, where the chance of each may be `share`. */
static bool is_more_than(uint64_t n, uint64_t bad, double share, double alpha)
{
	return stats_binomial_tail(n, bad, share) < alpha;
}

static bool is_more_than_before(
	const struct trig_rule *r, const struct trig_state *s, uint64_t n, uint64_t bad)
{
	/* A record of an older agent does not know it. */
	if (s->baseline_span == 0)
		return true;
	return stats_fisher_tail(bad, n, MIN(s->baseline_bad, s->baseline_n), s->baseline_n) <
	       alpha_of(r);
}

bool is_no_chance(const struct trig_rule *r, const struct trig_state *s, const struct trig_sums *x)
{
	enum trig_kind kind = trig_kind(r);
	uint64_t n = sums_samples(r, x), bad = MIN(x->bad, n);
	double share = r->threshold;

	if (r->sigma <= 0 || (kind != TRIG_KIND_RATIO && kind != TRIG_KIND_QUANTILE))
		return true;
	if (kind == TRIG_KIND_QUANTILE) {
		bad = (uint64_t)hist_above(&x->hist, trig_limit(r, s));
		share = 1 - r->quantile / 1000.0;
	}
	return r->comparator == TRIG_CMP_ABSOLUTE ? is_more_than(n, bad, share, alpha_of(r))
						  : is_more_than_before(r, s, n, bad);
}
