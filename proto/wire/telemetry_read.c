/* How telemetry is read. */
#include <stdio.h>
#include <stdlib.h>

#include "proto/wire/telemetry.h"

#define MAX_VALUE ((uint64_t)TELEMETRY_VALUE_MAX)

static const char *const kind_names[] = {
#define X(id, name, ...) name,
	TELEMETRY_KIND_TABLE(X)
#undef X
};
static const char *const layer_names[] = {
#define X(id, name, ...) name,
	TELEMETRY_LAYER_TABLE(X)
#undef X
};

/* ---- one metric ---- */

static int read_name(const char *where, const char *key, char out[TELEMETRY_NAME], struct err *e)
{
	char shown[80];

	if (!telemetry_is_name(str_of(key)))
		return err_set(e, ERR_BAD_INPUT, "%s: \"%s\" is no name of a metric", where,
			str_printable(str_of(key), shown, sizeof shown));
	return str_copy(str_of(key), out, TELEMETRY_NAME, e);
}

static int read_count(const json_t *j, const char *where, uint64_t *out, struct err *e)
{
	if (!json_is_integer(j) || json_integer_value(j) < 0)
		return err_set(e, ERR_BAD_INPUT, "%s: a number of events is wanted", where);
	*out = (uint64_t)json_integer_value(j);
	return 0;
}

static int read_signed(const json_t *j, const char *where, int64_t *out, struct err *e)
{
	if (!json_is_integer(j))
		return err_set(e, ERR_BAD_INPUT, "%s: a whole number is wanted", where);
	*out = json_integer_value(j);
	return 0;
}

static int read_counter(const char *key, const json_t *j, void *out, struct err *e)
{
	struct telemetry_counter *c = out;

	TRY(read_name("counters", key, c->name, e));
	return read_count(j, c->name, &c->value, e);
}

static int read_gauge(const char *key, const json_t *j, void *out, struct err *e)
{
	struct telemetry_gauge *g = out;

	TRY(read_name("gauges", key, g->name, e));
	return read_signed(j, g->name, &g->milli, e);
}

static int read_edges(const json_t *edges, struct telemetry_hist *h, struct err *e)
{
	for (unsigned i = 0; i + 1 < h->n; i++) {
		TRY(read_signed(json_array_get(edges, i), h->name, &h->edges_micro[i], e));
		if (i && h->edges_micro[i] <= h->edges_micro[i - 1])
			return err_set(e, ERR_BAD_INPUT, "%s.edges_micro: they must rise", h->name);
	}
	return 0;
}

static int read_hist(const char *key, const json_t *j, void *out, struct err *e)
{
	static const char *const known[] = {"edges_micro", "counts", NULL};
	struct telemetry_hist *h = out;
	const json_t *edges, *counts;

	TRY(read_name("hists", key, h->name, e));
	if (!json_is_object(j))
		return err_set(e, ERR_BAD_INPUT, "%s: an object is wanted", h->name);
	TRY(json_only(j, h->name, known, e));
	TRY(json_arr(j, h->name, "edges_micro", LIMIT_HIST_BUCKETS - 1, &edges, e));
	TRY(json_arr(j, h->name, "counts", LIMIT_HIST_BUCKETS, &counts, e));
	h->n = (unsigned)json_array_size(counts);
	if (h->n != json_array_size(edges) + 1)
		return err_set(
			e, ERR_BAD_INPUT, "%s.counts: one more than edges are wanted", h->name);
	for (unsigned i = 0; i < h->n; i++)
		TRY(read_count(json_array_get(counts, i), h->name, &h->counts[i], e));
	return read_edges(edges, h, e);
}

/* ---- a window ---- */

typedef int read_f(const char *key, const json_t *j, void *out, struct err *e);

/* A list of metrics, by name; *out is owned by whoever owns what it stands in, on failure too. */
static int read_metrics(const json_t *o, const char *list, size_t size, read_f *read, void **out,
	unsigned *out_n, struct err *e)
{
	const json_t *j;
	json_t *value;
	const char *key;
	char *v;

	if (!json_object_get(o, list))
		return 0;
	TRY(json_obj(o, "telemetry", list, &j, e));
	if (json_object_size(j) > LIMIT_TELEMETRY_METRICS)
		return err_set(e, ERR_TOO_LARGE, "telemetry.%s: %zu, at most %d are allowed", list,
			json_object_size(j), LIMIT_TELEMETRY_METRICS);
	if (json_object_size(j) == 0)
		return 0;
	*out = v = mem_new(json_object_size(j) * size);
	json_object_foreach ((json_t *)(uintptr_t)j, key, value) {
		TRY(read(key, value, v, e));
		v += size;
		++*out_n;
	}
	return 0;
}

static int read_window(const json_t *j, struct telemetry_window *w, struct err *e)
{
	void *counter = NULL, *gauge = NULL, *hist = NULL;
	unsigned layer;
	int rc;

	TRY(json_digest_opt(j, "telemetry", "release", &w->release, e));
	TRY(json_text_opt(j, "telemetry", "slot", w->slot, sizeof w->slot, e));
	TRY(json_choice(j, "telemetry", "layer", layer_names, TELEMETRY_LAYER_MAX, &layer, e));
	w->layer = (enum telemetry_layer)layer;
	rc = read_metrics(
		j, "counters", sizeof *w->counter, read_counter, &counter, &w->n_counters, e);
	if (rc == 0)
		rc = read_metrics(
			j, "gauges", sizeof *w->gauge, read_gauge, &gauge, &w->n_gauges, e);
	if (rc == 0)
		rc = read_metrics(j, "hists", sizeof *w->hist, read_hist, &hist, &w->n_hists, e);
	w->counter = counter;
	w->gauge = gauge;
	w->hist = hist;
	return rc;
}

static int read_at(const json_t *j, ms_t *out_at, ms_t *out_span, struct err *e)
{
	uint64_t at;

	TRY(json_u64(j, "telemetry", "at_ms", 1, MAX_VALUE, &at, e));
	*out_at = (ms_t)at;
	return json_span_opt(j, "telemetry", "span_ms", 0, out_span, e);
}

/* ---- by kind ---- */

#define ITEM_MEMBERS "seq", "dropped", "at_ms", "span_ms", "kind"

static int take_window(const json_t *j, struct telemetry_item *t, struct err *e)
{
	static const char *const known[] = {
		ITEM_MEMBERS, "release", "slot", "layer", "counters", "gauges", "hists", NULL};

	TRY(json_only(j, "telemetry", known, e));
	t->window.at = t->at;
	t->window.span = t->span;
	return read_window(j, &t->window, e);
}

static int take_watch(const json_t *j, struct telemetry_item *t, struct err *e)
{
	static const char *const known[] = {ITEM_MEMBERS, "release", "tripped", "samples", NULL};
	struct telemetry_watch *w = &t->watch;

	w->at = t->at;
	w->span = t->span;
	TRY(json_only(j, "telemetry", known, e));
	TRY(json_digest(j, "telemetry", "release", &w->release, e));
	TRY(json_id_opt(j, "telemetry", "tripped", w->tripped, e));
	return json_u64_opt(j, "telemetry", "samples", 0, MAX_VALUE, &w->samples, e);
}

static int read_ring(const json_t *j, struct telemetry_window *w, struct err *e)
{
	static const char *const known[] = {"at_ms", "span_ms", "release", "slot", "layer",
		"counters", "gauges", "hists", NULL};

	if (!json_is_object(j))
		return err_set(e, ERR_BAD_INPUT, "telemetry.ring: objects are wanted");
	TRY(json_only(j, "telemetry.ring", known, e));
	TRY(read_at(j, &w->at, &w->span, e));
	return read_window(j, w, e);
}

static int take_mark(const json_t *j, struct telemetry_item *t, struct err *e)
{
	static const char *const known[] = {ITEM_MEMBERS, "what", "text", "ring", NULL};
	struct telemetry_mark *m = &t->mark;
	const json_t *ring;
	size_t n;

	TRY(json_only(j, "telemetry", known, e));
	TRY(json_id(j, "telemetry", "what", m->what, e));
	TRY(json_text_opt(j, "telemetry", "text", m->text, sizeof m->text, e));
	TRY(json_arr(j, "telemetry", "ring", LIMIT_TELEMETRY_RING, &ring, e));
	n = json_array_size(ring);
	if (n == 0)
		return 0;
	m->ring = mem_new(n * sizeof *m->ring);
	while (m->n_ring < n) {
		m->n_ring++;
		TRY(read_ring(json_array_get(ring, m->n_ring - 1), &m->ring[m->n_ring - 1], e));
	}
	return 0;
}

static int take_drift(const json_t *j, struct telemetry_item *t, struct err *e)
{
	static const char *const known[] = {ITEM_MEMBERS, "release", "metric", "value_milli",
		"threshold_milli", "from_ms", "to_ms", "samples", "reference", NULL};
	struct telemetry_drift *d = &t->drift;
	uint64_t from, to;
	char name[TELEMETRY_NAME];

	TRY(json_only(j, "telemetry", known, e));
	TRY(json_digest_opt(j, "telemetry", "release", &d->release, e));
	TRY(json_text(j, "telemetry", "metric", name, sizeof name, e));
	TRY(read_name("telemetry.metric", name, d->metric, e));
	TRY(json_u64_opt(j, "telemetry", "value_milli", 0, MAX_VALUE, &d->value_milli, e));
	TRY(json_u64_opt(j, "telemetry", "threshold_milli", 0, MAX_VALUE, &d->threshold_milli, e));
	TRY(json_u64(j, "telemetry", "from_ms", 1, MAX_VALUE, &from, e));
	TRY(json_u64(j, "telemetry", "to_ms", from, MAX_VALUE, &to, e));
	TRY(json_u64_opt(j, "telemetry", "samples", 0, MAX_VALUE, &d->samples, e));
	d->from = (ms_t)from;
	d->to = (ms_t)to;
	return json_digest(j, "telemetry", "reference", &d->reference, e);
}

static int (*const take[TELEMETRY_KIND_MAX])(
	const json_t *, struct telemetry_item *, struct err *) = {
	[TELEMETRY_WINDOW] = take_window,
	[TELEMETRY_WATCH] = take_watch,
	[TELEMETRY_MARK] = take_mark,
	[TELEMETRY_DRIFT] = take_drift,
};

static int read_item(const json_t *j, struct telemetry_item *t, struct err *e)
{
	unsigned kind;

	if (!json_is_object(j))
		return err_set(e, ERR_BAD_INPUT, "telemetry: an object is wanted");
	TRY(json_choice(j, "telemetry", "kind", kind_names, TELEMETRY_KIND_MAX, &kind, e));
	t->kind = (enum telemetry_kind)kind;
	TRY(json_u64(j, "telemetry", "seq", 1, MAX_VALUE, &t->seq, e));
	TRY(json_u64_opt(j, "telemetry", "dropped", 0, t->seq - 1, &t->dropped, e));
	TRY(read_at(j, &t->at, &t->span, e));
	return take[kind](j, t, e);
}

int telemetry_item_decode(struct str text, struct telemetry_item *out, struct err *e)
{
	struct telemetry_item t CLEANUP(telemetry_item_fini) = {0};
	JSON_AUTO *j = NULL;

	TRY(json_read(text, LIMIT_TELEMETRY_BYTES, &j, e));
	TRY(read_item(j, &t, e));
	*out = t;
	t = (struct telemetry_item){0};
	return 0;
}

/* ---- a batch ---- */

static int read_epoch(const json_t *j, uint64_t *out, struct err *e)
{
	uint8_t b[8];
	char hex[17];
	uint64_t v = 0;

	TRY(json_text(j, "telemetry", "epoch", hex, sizeof hex, e));
	if (hex_decode(str_of(hex), b, sizeof b, e) < 0)
		return err_wrap(e, "telemetry.epoch");
	for (size_t i = 0; i < sizeof b; i++)
		v = v << 8 | b[i];
	if (v == 0)
		return err_set(e, ERR_BAD_INPUT, "telemetry.epoch: 0 is none");
	*out = v;
	return 0;
}

static int read_items(const json_t *items, struct telemetry_batch *b, struct err *e)
{
	size_t n = json_array_size(items);
	uint64_t before = 0;

	if (n == 0)
		return err_set(e, ERR_BAD_INPUT, "telemetry.items: none");
	b->item = mem_new(n * sizeof *b->item);
	while (b->n < n) {
		struct telemetry_item *t = &b->item[b->n++];

		TRY(read_item(json_array_get(items, b->n - 1), t, e));
		if (t->seq <= before || (before && t->dropped > t->seq - before - 1))
			return err_set(e, ERR_BAD_INPUT,
				"telemetry.items[%u]: its number does not fit the one before",
				b->n - 1);
		before = t->seq;
	}
	return 0;
}

int telemetry_decode(struct str text, struct telemetry_batch *out, struct err *e)
{
	static const char *const known[] = {"format", "epoch", "items", NULL};
	struct telemetry_batch b CLEANUP(telemetry_fini) = {0};
	JSON_AUTO *j = NULL;
	const json_t *items;
	uint64_t format;

	TRY(json_read(text, LIMIT_TELEMETRY_BYTES, &j, e));
	if (!json_is_object(j))
		return err_set(e, ERR_BAD_INPUT, "telemetry: an object is wanted");
	TRY(json_only(j, "telemetry", known, e));
	TRY(json_u64(j, "telemetry", "format", 1, 1, &format, e));
	TRY(read_epoch(j, &b.epoch, e));
	TRY(json_arr(j, "telemetry", "items", LIMIT_TELEMETRY_ITEMS, &items, e));
	TRY(read_items(items, &b, e));
	*out = b;
	b = (struct telemetry_batch){0};
	return 0;
}

int telemetry_ack_decode(struct str text, struct telemetry_ack *out, struct err *e)
{
	static const char *const known[] = {"epoch", "seq", "report", NULL};
	struct telemetry_ack a = {0};
	JSON_AUTO *j = NULL;

	TRY(json_read(text, LIMIT_TELEMETRY_ACK, &j, e));
	if (!json_is_object(j))
		return err_set(e, ERR_BAD_INPUT, "telemetry: an object is wanted");
	TRY(json_only(j, "telemetry", known, e));
	if (json_object_get(j, "epoch"))
		TRY(read_epoch(j, &a.epoch, e));
	TRY(json_u64_opt(j, "telemetry", "seq", 1, MAX_VALUE, &a.seq, e));
	TRY(json_u64_opt(j, "telemetry", "report", 1, MAX_VALUE, &a.report, e));
	if (!a.seq && !a.report)
		return err_set(e, ERR_BAD_INPUT, "telemetry: neither seq nor report");
	*out = a;
	return 0;
}
