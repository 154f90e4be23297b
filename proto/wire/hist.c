#include <math.h>

#include "proto/wire/promtext.h"

bool hist_has_bounds(const struct hist *a, const struct hist *b)
{
	bool same = a->n == b->n;

	for (unsigned i = 0; same && i < a->n; i++)
		same = a->le[i] <= b->le[i] && a->le[i] >= b->le[i];
	return same;
}

uint64_t hist_total(const struct hist *h)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < h->n; i++)
		sum += h->count[i];
	return sum;
}

void hist_delta(const struct hist *later, const struct hist *earlier, struct hist *out)
{
	struct hist d = *later;
	bool grown = hist_has_bounds(later, earlier);

	for (unsigned i = 0; grown && i < d.n; i++)
		grown = later->count[i] >= earlier->count[i];
	for (unsigned i = 0; grown && i < d.n; i++)
		d.count[i] -= earlier->count[i];
	*out = d;
}

void hist_add(struct hist *into, const struct hist *more)
{
	if (!hist_has_bounds(into, more)) {
		*into = *more;
		return;
	}
	for (unsigned i = 0; i < more->n; i++)
		into->count[i] += more->count[i];
}

/* As PromQL: a first bucket that ends at or below zero has no lower bound to interpolate from. */
static double within(const struct hist *h, unsigned b, double rank)
{
	double low = b ? h->le[b - 1] : 0;

	if (b == 0 && h->le[0] <= 0)
		return h->le[0];
	return low + (h->le[b] - low) * rank / (double)h->count[b];
}

double hist_quantile(const struct hist *h, double q)
{
	uint64_t total = hist_total(h);
	double rank = q * (double)total;

	if (total == 0 || h->n < 2)
		return (double)NAN;
	for (unsigned b = 0; b + 1 < h->n; b++) {
		if (rank <= (double)h->count[b] && h->count[b])
			return within(h, b, rank);
		rank -= (double)h->count[b];
	}
	return h->le[h->n - 2];
}

/* The part of bucket b that is above x. */
static double above(const struct hist *h, unsigned b, double x)
{
	double low = b ? h->le[b - 1] : MIN(0.0, h->le[0]), width = h->le[b] - low;

	if (b + 1 == h->n || x <= low)
		return 1;
	return x >= h->le[b] || width <= 0 ? 0 : (h->le[b] - x) / width;
}

double hist_above(const struct hist *h, double x)
{
	double sum = 0;

	for (unsigned b = 0; b < h->n; b++)
		if (h->count[b])
			sum += (double)h->count[b] * above(h, b, x);
	return sum;
}

bool hist_fold(const struct hist *h, const double *edge, unsigned n, struct hist *out)
{
	struct hist f = {.n = n + 1};
	unsigned bin = 0;

	if (h->n == 0 || n + 1 > LIMIT_HIST_BUCKETS)
		return false;
	for (unsigned b = 0; b < h->n; b++) {
		f.count[bin] += h->count[b];
		/* A bound on the page is text of a binary fraction, an edge is in millionths. */
		if (bin < n && fabs(h->le[b] - edge[bin]) <= 5e-7)
			f.le[bin] = edge[bin], bin++;
	}
	if (bin < n)
		return false;
	f.le[n] = (double)INFINITY;
	*out = f;
	return true;
}
