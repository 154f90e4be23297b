#include "server/core/aggregate.h"

#include <stdlib.h>
#include <string.h>

void aggregate_init(struct aggregate *a)
{
	*a = (struct aggregate){0};
}

void aggregate_fini(struct aggregate *a)
{
	free(a->v);
	aggregate_init(a);
}

/* ---- sums that do not wrap ---- */

static void add_u(uint64_t *into, uint64_t more)
{
	if (__builtin_add_overflow(*into, more, into))
		*into = UINT64_MAX;
}

static void add_i(int64_t *into, int64_t more)
{
	if (__builtin_add_overflow(*into, more, into))
		*into = more < 0 ? INT64_MIN : INT64_MAX;
}

/* ---- names ---- */

static int compare(const struct agg_metric *m, enum agg_kind kind, const char *name)
{
	return m->kind == kind ? strcmp(m->name, name) : (int)m->kind - (int)kind;
}

/* Where it is, or where it would be. */
static unsigned place_of(const struct aggregate *a, enum agg_kind kind, const char *name)
{
	unsigned low = 0, high = a->n;

	while (low < high) {
		unsigned mid = (low + high) / 2;

		if (compare(&a->v[mid], kind, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool is_at(const struct aggregate *a, unsigned at, enum agg_kind kind, const char *name)
{
	return at < a->n && compare(&a->v[at], kind, name) == 0;
}

const struct agg_metric *aggregate_find(
	const struct aggregate *a, enum agg_kind kind, const char *name)
{
	unsigned at = place_of(a, kind, name);

	return is_at(a, at, kind, name) ? &a->v[at] : NULL;
}

/* The metric of that name, made if there is room; NULL, and counted, when there is none. */
static struct agg_metric *take(struct aggregate *a, enum agg_kind kind, const char *name)
{
	unsigned at = place_of(a, kind, name);
	size_t n = strnlen(name, AGG_NAME);

	if (is_at(a, at, kind, name))
		return &a->v[at];
	if (a->n == AGG_METRICS || n == AGG_NAME) {
		add_u(&a->left_out, 1);
		return NULL;
	}
	a->v = mem_resize(a->v, (a->n + 1) * sizeof *a->v);
	memmove(&a->v[at + 1], &a->v[at], (a->n - at) * sizeof *a->v);
	a->n++;
	a->v[at] = (struct agg_metric){.kind = kind, .least = INT64_MAX, .most = INT64_MIN};
	memcpy(a->v[at].name, name, n);
	return &a->v[at];
}

/* ---- adding ---- */

void aggregate_add_window(struct aggregate *a, int64_t span)
{
	add_u(&a->windows, 1);
	add_i(&a->span, span);
}

void aggregate_add_counter(struct aggregate *a, const char *name, uint64_t events)
{
	struct agg_metric *m = take(a, AGG_COUNTER, name);

	if (!m)
		return;
	add_u(&m->windows, 1);
	add_i(&m->sum, (int64_t)MIN(events, (uint64_t)INT64_MAX));
}

void aggregate_add_gauge(struct aggregate *a, const char *name, int64_t milli)
{
	struct agg_metric *m = take(a, AGG_GAUGE, name);

	if (!m)
		return;
	add_u(&m->windows, 1);
	add_i(&m->sum, milli);
	m->least = MIN(m->least, milli);
	m->most = MAX(m->most, milli);
}

static bool has_edges(const struct agg_metric *m, const int64_t *edges, unsigned n)
{
	return m->n == n && memcmp(m->edge, edges, n * sizeof *edges) == 0;
}

/* The first bucket that ends no earlier than the edge. */
static unsigned bucket_of(const struct agg_metric *m, int64_t edge)
{
	unsigned b = 0;

	while (b < m->n && m->edge[b] < edge)
		b++;
	return b;
}

static void add_moved(
	struct agg_metric *m, const int64_t *edges, unsigned n, const uint64_t *counts)
{
	for (unsigned i = 0; i <= n; i++) {
		add_u(&m->count[i < n ? bucket_of(m, edges[i]) : m->n], counts[i]);
		add_u(&m->moved, counts[i]);
	}
}

/* `moved` are those of the counts that were moved before. */
static void add_counts(struct agg_metric *m, const int64_t *edges, unsigned n,
	const uint64_t *counts, uint64_t moved)
{
	bool is_first = m->windows == 0;

	if (is_first && n) {
		m->n = n;
		memcpy(m->edge, edges, n * sizeof *edges);
	}
	if (!has_edges(m, edges, n)) {
		add_moved(m, edges, n, counts);
		return;
	}
	for (unsigned i = 0; i <= n; i++)
		add_u(&m->count[i], counts[i]);
	add_u(&m->moved, moved);
}

void aggregate_add_hist(struct aggregate *a, const char *name, const int64_t *edges, unsigned n,
	const uint64_t *counts)
{
	struct agg_metric *m = take(a, AGG_HIST, name);

	if (!m)
		return;
	add_counts(m, edges, n, counts, 0);
	add_u(&m->windows, 1);
}

void aggregate_take(struct aggregate *a, const struct telemetry_window *w)
{
	aggregate_add_window(a, w->span);
	for (unsigned i = 0; i < w->n_counters; i++)
		aggregate_add_counter(a, w->counter[i].name, w->counter[i].value);
	for (unsigned i = 0; i < w->n_gauges; i++)
		aggregate_add_gauge(a, w->gauge[i].name, w->gauge[i].milli);
	for (unsigned i = 0; i < w->n_hists; i++)
		aggregate_add_hist(a, w->hist[i].name, w->hist[i].edges_micro, w->hist[i].n - 1,
			w->hist[i].counts);
}

/* ---- merging ---- */

static void merge_one(struct aggregate *into, const struct agg_metric *more)
{
	struct agg_metric *m = take(into, more->kind, more->name);

	if (!m)
		return;
	if (more->kind == AGG_HIST)
		add_counts(m, more->edge, more->n, more->count, more->moved);
	add_u(&m->windows, more->windows);
	add_i(&m->sum, more->sum);
	m->least = MIN(m->least, more->least);
	m->most = MAX(m->most, more->most);
}

void aggregate_merge(struct aggregate *into, const struct aggregate *more)
{
	add_u(&into->windows, more->windows);
	add_i(&into->span, more->span);
	add_u(&into->left_out, more->left_out);
	for (unsigned i = 0; i < more->n; i++)
		merge_one(into, &more->v[i]);
}

/* ---- quantiles ---- */

uint64_t agg_hist_total(const struct agg_metric *m)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i <= m->n; i++)
		add_u(&sum, m->count[i]);
	return sum;
}

/* As PromQL: a first bucket that ends at or below zero has no lower edge to go on from. */
static int64_t within(const struct agg_metric *m, unsigned b, double rank)
{
	int64_t low = b ? m->edge[b - 1] : 0;

	if (b == 0 && m->edge[0] <= 0)
		return m->edge[0];
	return low + (int64_t)((double)(m->edge[b] - low) * rank / (double)m->count[b]);
}

bool agg_hist_quantile(
	const struct agg_metric *m, unsigned permille, int64_t *out_micro, bool *out_beyond)
{
	uint64_t total = agg_hist_total(m);
	double rank = (double)total * permille / 1000;

	*out_beyond = false;
	if (!total || !m->n)
		return false;
	for (unsigned b = 0; b < m->n; b++) {
		if (m->count[b] && rank <= (double)m->count[b]) {
			*out_micro = within(m, b, rank);
			return true;
		}
		rank -= (double)m->count[b];
	}
	*out_micro = m->edge[m->n - 1];
	*out_beyond = true;
	return true;
}
