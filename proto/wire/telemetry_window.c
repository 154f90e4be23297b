/* How windows are filled and merged. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "proto/wire/telemetry.h"

/* Where the metric stands in a list, or would; NULL when there is no room, or it is no name. All
 * kinds of metrics begin with their name. */
static void *place(void **list, unsigned *n, size_t size, const char *name)
{
	char *v = *list;

	for (unsigned i = 0; i < *n; i++)
		if (strcmp(v + i * size, name) == 0)
			return v + i * size;
	if (*n == LIMIT_TELEMETRY_METRICS || !telemetry_is_name(str_of(name)))
		return NULL;
	*list = v = mem_resize(v, (*n + 1) * size);
	v += (*n)++ * size;
	memset(v, 0, size);
	snprintf(v, TELEMETRY_NAME, "%s", name);
	return v;
}

static uint64_t sum(uint64_t a, uint64_t b)
{
	return MIN(MIN(a, (uint64_t)TELEMETRY_VALUE_MAX) + MIN(b, (uint64_t)TELEMETRY_VALUE_MAX),
		(uint64_t)TELEMETRY_VALUE_MAX);
}

static bool is_writable(double v)
{
	return isfinite(v) && fabs(v) <= (double)TELEMETRY_VALUE_MAX;
}

void telemetry_add_counter(struct telemetry_window *w, const char *name, uint64_t n)
{
	void *list = w->counter;
	struct telemetry_counter *c = place(&list, &w->n_counters, sizeof *c, name);

	w->counter = list;
	if (c)
		c->value = sum(c->value, n);
}

void telemetry_add_gauge(struct telemetry_window *w, const char *name, double value)
{
	void *list = w->gauge;
	struct telemetry_gauge *g;

	if (!is_writable(value * 1000))
		return;
	g = place(&list, &w->n_gauges, sizeof *g, name);
	w->gauge = list;
	if (g)
		g->milli = (int64_t)floor(value * 1000 + 0.5);
}

/* In millionths; false when two edges become one. */
static bool convert(const struct hist *h, struct telemetry_hist *out)
{
	out->n = h->n;
	for (unsigned i = 0; i < h->n; i++) {
		out->counts[i] = sum(0, h->count[i]);
		if (i + 1 == h->n)
			break;
		if (!is_writable(h->le[i] * 1e6))
			return false;
		out->edges_micro[i] = (int64_t)floor(h->le[i] * 1e6 + 0.5);
		if (i && out->edges_micro[i] <= out->edges_micro[i - 1])
			return false;
	}
	return h->n > 0;
}

static bool has_edges(const struct telemetry_hist *a, const struct telemetry_hist *b)
{
	bool same = a->n == b->n;

	for (unsigned i = 0; same && i + 1 < a->n; i++)
		same = a->edges_micro[i] == b->edges_micro[i];
	return same;
}

static void add_hist(struct telemetry_window *w, const struct telemetry_hist *more)
{
	void *list = w->hist;
	struct telemetry_hist *h = place(&list, &w->n_hists, sizeof *h, more->name);

	w->hist = list;
	if (!h)
		return;
	if (!has_edges(h, more)) {
		*h = *more;
		return;
	}
	for (unsigned i = 0; i < h->n; i++)
		h->counts[i] = sum(h->counts[i], more->counts[i]);
}

void telemetry_add_hist(struct telemetry_window *w, const char *name, const struct hist *h)
{
	struct telemetry_hist more = {0};

	snprintf(more.name, sizeof more.name, "%s", name);
	if (telemetry_is_name(str_of(name)) && convert(h, &more))
		add_hist(w, &more);
}

void telemetry_merge(struct telemetry_window *into, const struct telemetry_window *next)
{
	if (!sha256_eq(&into->release, &next->release))
		into->release = (struct sha256){0};
	if (strcmp(into->slot, next->slot) != 0)
		into->slot[0] = 0;
	into->at = next->at;
	into->span += next->span;
	for (unsigned i = 0; i < next->n_counters; i++)
		telemetry_add_counter(into, next->counter[i].name, next->counter[i].value);
	for (unsigned i = 0; i < next->n_gauges; i++)
		telemetry_add_gauge(into, next->gauge[i].name, (double)next->gauge[i].milli / 1000);
	for (unsigned i = 0; i < next->n_hists; i++)
		add_hist(into, &next->hist[i]);
}

void telemetry_window_copy(const struct telemetry_window *w, struct telemetry_window *out)
{
	*out = (struct telemetry_window){.release = w->release, .layer = w->layer};
	memcpy(out->slot, w->slot, sizeof out->slot);
	telemetry_merge(out, w);
}

bool telemetry_window_is_empty(const struct telemetry_window *w)
{
	return w->n_counters == 0 && w->n_gauges == 0 && w->n_hists == 0;
}
