#include "proto/wire/telemetry.h"

#include <inttypes.h>
#include <stdlib.h>

static const struct {
	const char *name;
	bool detail;
} kinds[] = {
#define X(id, name, detail, text) {name, detail},
	TELEMETRY_KIND_TABLE(X)
#undef X
};
static const char *const layer_names[] = {
#define X(id, name, text) name,
	TELEMETRY_LAYER_TABLE(X)
#undef X
};

const char *telemetry_kind_name(enum telemetry_kind k)
{
	return kinds[k].name;
}

const char *telemetry_layer_name(enum telemetry_layer l)
{
	return layer_names[l];
}

bool telemetry_is_detail(enum telemetry_kind k)
{
	return kinds[k].detail;
}

static bool is_name_char(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' ||
	       (!first && c >= '0' && c <= '9');
}

bool telemetry_is_name(struct str s)
{
	bool good = s.n > 0 && s.n < TELEMETRY_NAME;

	for (size_t i = 0; good && i < s.n; i++)
		good = is_name_char(s.p[i], i == 0);
	return good;
}

void telemetry_window_fini(struct telemetry_window *w)
{
	free(w->counter);
	free(w->gauge);
	free(w->hist);
	*w = (struct telemetry_window){0};
}

void telemetry_item_fini(struct telemetry_item *t)
{
	if (t->kind == TELEMETRY_WINDOW)
		telemetry_window_fini(&t->window);
	if (t->kind == TELEMETRY_MARK) {
		for (unsigned i = 0; i < t->mark.n_ring; i++)
			telemetry_window_fini(&t->mark.ring[i]);
		free(t->mark.ring);
	}
	*t = (struct telemetry_item){0};
}

void telemetry_fini(struct telemetry_batch *b)
{
	for (unsigned i = 0; i < b->n; i++)
		telemetry_item_fini(&b->item[i]);
	free(b->item);
	*b = (struct telemetry_batch){0};
}

/* ---- writing ---- */

static json_t *counters_of(const struct telemetry_window *w)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < w->n_counters; i++)
		json_object_set_new(
			o, w->counter[i].name, json_integer((json_int_t)w->counter[i].value));
	return o;
}

static json_t *gauges_of(const struct telemetry_window *w)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < w->n_gauges; i++)
		json_object_set_new(o, w->gauge[i].name, json_integer(w->gauge[i].milli));
	return o;
}

static json_t *hist_of(const struct telemetry_hist *h)
{
	json_t *edges = json_array(), *counts = json_array();

	for (unsigned i = 0; i + 1 < h->n; i++)
		json_array_append_new(edges, json_integer(h->edges_micro[i]));
	for (unsigned i = 0; i < h->n; i++)
		json_array_append_new(counts, json_integer((json_int_t)h->counts[i]));
	return json_pack("{s:o, s:o}", "edges_micro", edges, "counts", counts);
}

static json_t *hists_of(const struct telemetry_window *w)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < w->n_hists; i++)
		json_object_set_new(o, w->hist[i].name, hist_of(&w->hist[i]));
	return o;
}

static void put_window(json_t *o, const struct telemetry_window *w)
{
	json_put_digest(o, "release", &w->release);
	json_put_text(o, "slot", w->slot);
	json_put_text(o, "layer", telemetry_layer_name(w->layer));
	if (w->n_counters)
		json_object_set_new(o, "counters", counters_of(w));
	if (w->n_gauges)
		json_object_set_new(o, "gauges", gauges_of(w));
	if (w->n_hists)
		json_object_set_new(o, "hists", hists_of(w));
}

json_t *telemetry_window_json(const struct telemetry_window *w)
{
	json_t *o = json_object();

	json_put_u64(o, "at_ms", (uint64_t)MAX(w->at, 1));
	json_put_u64(o, "span_ms", (uint64_t)w->span);
	put_window(o, w);
	return o;
}

static void put_watch(json_t *o, const struct telemetry_watch *w)
{
	json_put_digest(o, "release", &w->release);
	json_put_text(o, "tripped", w->tripped);
	json_put_u64(o, "samples", w->samples);
}

static void put_mark(json_t *o, const struct telemetry_mark *m)
{
	json_t *ring = json_array();

	json_put_text(o, "what", m->what);
	json_put_text(o, "text", m->text);
	for (unsigned i = 0; i < m->n_ring; i++)
		json_array_append_new(ring, telemetry_window_json(&m->ring[i]));
	json_object_set_new(o, "ring", ring);
}

static void put_drift(json_t *o, const struct telemetry_drift *d)
{
	json_put_digest(o, "release", &d->release);
	json_put_text(o, "metric", d->metric);
	json_put_u64(o, "value_milli", d->value_milli);
	json_put_u64(o, "threshold_milli", d->threshold_milli);
	json_put_u64(o, "from_ms", (uint64_t)MAX(d->from, 1));
	json_put_u64(o, "to_ms", (uint64_t)MAX(d->to, 1));
	json_put_u64(o, "samples", d->samples);
	json_put_digest(o, "reference", &d->reference);
}

static void put_body(json_t *o, const struct telemetry_item *t)
{
	switch (t->kind) {
	case TELEMETRY_WINDOW:
		put_window(o, &t->window);
		break;
	case TELEMETRY_WATCH:
		put_watch(o, &t->watch);
		break;
	case TELEMETRY_MARK:
		put_mark(o, &t->mark);
		break;
	case TELEMETRY_DRIFT:
		put_drift(o, &t->drift);
		break;
	case TELEMETRY_KIND_MAX:
		break;
	}
}

void telemetry_item_encode(const struct telemetry_item *t, struct buf *out)
{
	JSON_AUTO *o = json_object();

	json_put_u64(o, "seq", t->seq);
	json_put_u64(o, "dropped", t->dropped);
	json_put_u64(o, "at_ms", (uint64_t)MAX(t->at, 1));
	json_put_u64(o, "span_ms", (uint64_t)t->span);
	json_put_text(o, "kind", telemetry_kind_name(t->kind));
	put_body(o, t);
	json_write(o, out);
}

void telemetry_begin(uint64_t epoch, struct buf *out)
{
	buf_addf(out, "{\"format\":1,\"epoch\":\"%016" PRIx64 "\",\"items\":[", epoch);
}

void telemetry_add(struct str item, bool first, struct buf *out)
{
	if (!first)
		buf_add_char(out, ',');
	buf_add(out, item.p, item.n);
}

void telemetry_end(struct buf *out)
{
	buf_add_str(out, "]}");
}

void telemetry_ack_encode(const struct telemetry_ack *a, struct buf *out)
{
	JSON_AUTO *o = json_object();
	char hex[17];

	snprintf(hex, sizeof hex, "%016" PRIx64, a->epoch);
	json_put_text(o, "epoch", a->epoch ? hex : "");
	json_put_u64(o, "seq", a->seq);
	json_put_u64(o, "report", a->report);
	json_write(o, out);
}
