/* What workloads did, summed over devices and over time: counters, gauges and histograms by name.
 * Adding and merging are the same sums, so neither the order in which windows come nor how they
 * were gathered before makes a difference; only histograms of different edges, and names beyond
 * the bound, depend on who came first, and are counted as such. Whole numbers only, so that what is
 * stored is what was summed. Sums stay at their largest value and never wrap. */
#ifndef SERVER_CORE_AGGREGATE_H
#define SERVER_CORE_AGGREGATE_H

#include "lib/buf.h"
#include "proto/wire/limits.h"
#include "proto/wire/telemetry.h"

#define AGG_METRICS   64U /* names in one aggregate; more are counted as left out */
#define AGG_NAME      TELEMETRY_NAME
#define AGG_EDGES_MAX (LIMIT_HIST_BUCKETS - 1U) /* finite ones; one more bucket is beyond them */
#define AGG_EDGE_MOST (1LL << 53)               /* what JSON carries, either side of zero */

/*  id, letter in the store */
#define AGG_KIND_TABLE(X)                                                                          \
	X(COUNTER, 'c')                                                                            \
	X(GAUGE, 'g')                                                                              \
	X(HIST, 'h')

enum agg_kind {
#define X(id, ...) AGG_##id,
	AGG_KIND_TABLE(X)
#undef X
		AGG_KIND_MAX
};

struct agg_metric {
	enum agg_kind kind;
	char name[AGG_NAME];
	uint64_t windows;            /* that had it */
	int64_t sum;                 /* COUNTER: events; GAUGE: of all values, in thousandths */
	int64_t least, most;         /* GAUGE: in thousandths */
	unsigned n;                  /* HIST: edges, ascending; count[n] is beyond the last */
	int64_t edge[AGG_EDGES_MAX]; /* in millionths; a bucket holds what is at most its edge */
	uint64_t count[AGG_EDGES_MAX + 1];
	uint64_t moved; /* HIST: of these counts, those that came with other edges */
};

struct aggregate {
	uint64_t windows;
	int64_t span;      /* milliseconds that devices were watched for: the exposure */
	uint64_t left_out; /* values whose name was one too many */
	unsigned n;
	struct agg_metric *v; /* owned; in order of kind and name */
};

void aggregate_init(struct aggregate *a);
void aggregate_fini(struct aggregate *a);
#define AGGREGATE_AUTO CLEANUP(aggregate_fini) struct aggregate

/* A window of `span` milliseconds has ended; its values are added one by one. */
void aggregate_add_window(struct aggregate *a, int64_t span);
void aggregate_add_counter(struct aggregate *a, const char *name, uint64_t events);
void aggregate_add_gauge(struct aggregate *a, const char *name, int64_t milli);
/* At most AGG_EDGES_MAX edges, ascending; n + 1 counts. A histogram of other edges than were seen
 * first goes where its samples were at most: a bucket into the first one that ends no earlier. So
 * no quantile ever looks better than it was. */
void aggregate_add_hist(struct aggregate *a, const char *name, const int64_t *edges, unsigned n,
	const uint64_t *counts);

/* All of a window that a device has sent. */
void aggregate_take(struct aggregate *a, const struct telemetry_window *w);

void aggregate_merge(struct aggregate *into, const struct aggregate *more);

/* NULL when there is none. */
const struct agg_metric *aggregate_find(
	const struct aggregate *a, enum agg_kind kind, const char *name);

uint64_t agg_hist_total(const struct agg_metric *m);
/* The quantile of so many thousandths, in millionths, linear within its bucket as PromQL's
 * histogram_quantile; the last edge, and *out_beyond, when it lies beyond that. False without
 * samples. */
bool agg_hist_quantile(
	const struct agg_metric *m, unsigned permille, int64_t *out_micro, bool *out_beyond);

/* Lines of text for the store, and back. ERR_BAD_INPUT; *out is then untouched. */
void aggregate_encode(const struct aggregate *a, struct buf *out);
int aggregate_decode(struct str text, struct aggregate *out, struct err *e) MUST_CHECK;

#endif
