/* The Prometheus text exposition format 0.0.4, as much as triggers need: counters, gauges and
 * histograms, summed over label sets. */
#ifndef PROTO_WIRE_PROMTEXT_H
#define PROTO_WIRE_PROMTEXT_H

#include "lib/str.h"
#include "proto/wire/limits.h"

/* A histogram: counts per bucket (not cumulative), bounds ascending; the last bound is +Inf. */
struct hist {
	unsigned n;
	double le[LIMIT_HIST_BUCKETS];
	uint64_t count[LIMIT_HIST_BUCKETS];
};

/* Do both count the same buckets? */
bool hist_has_bounds(const struct hist *a, const struct hist *b);
uint64_t hist_total(const struct hist *h);
/* later - earlier, bucket by bucket. If any went down (a restart), all count from zero. Different
 * bounds: later. */
void hist_delta(const struct hist *later, const struct hist *earlier, struct hist *out);
/* Sums bucket by bucket. Into an empty one, or one with other bounds: becomes `more`. */
void hist_add(struct hist *into, const struct hist *more);
/* The quantile q in (0,1), linear within its bucket as PromQL's histogram_quantile; the last finite
 * bound when it falls into +Inf; NaN without samples. */
double hist_quantile(const struct hist *h, double q);
/* How many samples are above `x`, linear within its bucket. All that are beyond the last finite
 * bound are: nobody knows how far. */
double hist_above(const struct hist *h, double x);
/* The same samples in the n + 1 bins that `edge` parts, each of which must be one of the bounds.
 * False, and nothing is changed, when one is not. */
bool hist_fold(const struct hist *h, const double *edge, unsigned n, struct hist *out);

/* Sum of all samples named `name` over label sets; those that are NaN are left out, unless all are.
 * ERR_NOT_FOUND when there is none; ERR_BAD_INPUT with the line number when the page is malformed,
 * cut off or has a series twice; the whole page is checked either way. */
int prom_value(struct str page, const char *name, double *out, struct err *e) MUST_CHECK;

enum prom_type { PROM_COUNTER, PROM_GAUGE, PROM_HISTOGRAM, PROM_TYPE_MAX };

/* Takes the page off *rest up to and with its next "# TYPE" line of a metric with one of these
 * types. False when there is none. The page need not have been checked. */
bool prom_next_type(struct str *rest, struct str *out_name, enum prom_type *out_type);

/* The histogram `name` (from name_bucket series), summed over label sets, which must have the same
 * bounds. The same errors; ERR_TOO_LARGE beyond LIMIT_HIST_BUCKETS. */
int prom_hist(struct str page, const char *name, struct hist *out, struct err *e) MUST_CHECK;

#endif
