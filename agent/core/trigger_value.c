/* What samples amount to, and the reference they are compared with. */
#include "agent/core/trigger_priv.h"

#include <math.h>

#include "lib/drift.h"

void sums_add(struct trig_sums *to, const struct sample *x)
{
	to->n += x->n;
	to->bad += x->bad;
	to->sum += x->sum;
	if (x->hist.n > 0)
		hist_add(&to->hist, &x->hist);
}

uint64_t sums_samples(const struct trig_rule *r, const struct trig_sums *x)
{
	enum trig_kind kind = trig_kind(r);

	return kind == TRIG_KIND_QUANTILE || kind == TRIG_KIND_DISTANCE ? hist_total(&x->hist)
									: x->n;
}

/* Beyond the last finite bucket nobody knows how slow it was: slower than any limit, then. */
static double quantile(const struct trig_rule *r, const struct hist *h)
{
	double q = r->quantile / 1000.0, total = (double)hist_total(h);

	if (h->n >= 2 && q * total > total - (double)h->count[h->n - 1])
		return (double)INFINITY;
	return hist_quantile(h, q);
}

/* Shares are all that counts, so bins that would not fit are halved together. */
static void bins_of(const struct trig_rule *r, const struct hist *h, uint32_t out[TRIG_BINS])
{
	unsigned shift = 0;

	for (unsigned i = 0; i <= r->n_edges; i++)
		while (h->count[i] >> shift > UINT32_MAX)
			shift++;
	for (unsigned i = 0; i <= r->n_edges; i++)
		out[i] = (uint32_t)(h->count[i] >> shift);
}

static double distance(const struct trig_rule *r, const struct trig_state *s, const struct hist *h)
{
	const uint32_t *want = r->comparator == TRIG_CMP_TRAINING ? r->count : s->bin;
	uint32_t have[TRIG_BINS];

	if (h->n != r->n_edges + 1 || hist_total(h) == 0 || isnan(trig_limit(r, s)))
		return (double)NAN;
	bins_of(r, h, have);
	return r->distance == TRIG_DISTANCE_JS ? drift_js(want, have, h->n)
					       : drift_psi(want, have, h->n);
}

double sums_value(const struct trig_rule *r, const struct trig_state *s, const struct trig_sums *x)
{
	switch (trig_kind(r)) {
	case TRIG_KIND_QUANTILE:
		return quantile(r, &x->hist);
	case TRIG_KIND_RATIO:
	case TRIG_KIND_SHIFT:
		return x->n > 0 ? (double)x->bad / (double)x->n : (double)NAN;
	case TRIG_KIND_MEAN:
		return x->n > 0 ? x->sum / (double)x->n : (double)NAN;
	case TRIG_KIND_SUM:
		return x->n > 0 ? x->sum : (double)NAN;
	case TRIG_KIND_DISTANCE:
		return distance(r, s, &x->hist);
	case TRIG_KIND_TALLY:
	case TRIG_KIND_EVENT:
		break;
	}
	return (double)NAN;
}

/* ---- the reference ---- */

/* How many of the reference are over the limit that it sets: what the new version's are compared
 * with. */
static uint64_t bad_of(const struct trig_rule *r, const struct trig_sums *x, double value)
{
	if (trig_kind(r) != TRIG_KIND_QUANTILE)
		return x->bad;
	return (uint64_t)hist_above(&x->hist, r->threshold * value);
}

bool sums_reference(
	const struct trig_rule *r, const struct trig_sums *x, ms_t span, struct trig_state *s)
{
	bool bins = trig_kind(r) == TRIG_KIND_DISTANCE;
	uint64_t n = sums_samples(r, x);
	double value = bins ? 0 : sums_value(r, s, x);

	if (n == 0 || n < r->min_samples || !isfinite(value) ||
		(bins && x->hist.n != r->n_edges + 1))
		return false;
	s->baseline = value;
	s->baseline_n = n;
	s->baseline_bad = bad_of(r, x, value);
	s->baseline_span = span;
	if (bins)
		bins_of(r, &x->hist, s->bin);
	return true;
}

bool is_disturbed(const struct trig_rule *r, uint64_t others, const struct hist *h)
{
	return trig_kind(r) == TRIG_KIND_QUANTILE && others > 0 &&
	       (double)others > 0.5 * (1 - r->quantile / 1000.0) * (double)hist_total(h);
}

/* After blind looks the next one that sees brings all that came meanwhile. */
void trig_gather(const struct trig_rule *r, struct trig_window *gathered, const struct sample *x)
{
	if (x->blind)
		return;
	if (!gathered->open)
		*gathered = (struct trig_window){.open = true, .since = x->at, .latest = x->at};
	if (!is_disturbed(r, x->bad, &x->hist)) {
		gathered->span += x->at - gathered->latest;
		sums_add(&gathered->own, x);
	}
	gathered->latest = x->at;
}

bool trig_is_ready(const struct trig_rule *r, const struct trig_window *gathered)
{
	struct trig_state probe = {0};

	return gathered->span >= r->window && trig_baseline(r, gathered, &probe);
}

bool trig_baseline(
	const struct trig_rule *r, const struct trig_window *gathered, struct trig_state *s)
{
	return sums_reference(r, &gathered->own, gathered->span, s);
}
