#include "server/export/otlp.h"

#define CUMULATIVE "\"aggregationTemporality\":2"

/* What every point of one release and layer begins with. */
struct point {
	const struct total *total;
	char release[ID_TEXT_MAX];
	ms_t now;
	struct buf *out;
	bool any; /* a metric was written */
};

/* Names and values are ids, names of metrics or hexadecimal: nothing has to be escaped. */
static void attribute(struct buf *out, const char *key, const char *value, bool more)
{
	buf_addf(out, "{\"key\":\"%s\",\"value\":{\"stringValue\":\"%s\"}}%s", key, value,
		more ? "," : "");
}

static void begin_metric(struct point *p, const char *name, const char *form, const char *unit)
{
	buf_addf(p->out, "%s{\"name\":\"backstay.workload.%s\",\"unit\":\"%s\",\"%s\":{",
		p->any ? "," : "", name, unit, form);
	p->any = true;
}

static void begin_point(struct point *p, const char *metric)
{
	const struct total *t = p->total;
	char hex[SHA256_TEXT];

	sha256_format(&t->release, hex);
	buf_add_str(p->out, "\"dataPoints\":[{\"attributes\":[");
	attribute(p->out, "backstay.release", p->release, true);
	attribute(p->out, "backstay.release.digest", sha256_is_zero(&t->release) ? "" : hex, true);
	attribute(p->out, "backstay.layer", telemetry_layer_name(t->layer), *metric != 0);
	if (*metric)
		attribute(p->out, "backstay.metric", metric, false);
	buf_addf(p->out, "],\"startTimeUnixNano\":\"%lld000000\",\"timeUnixNano\":\"%lld000000\",",
		(long long)t->since, (long long)p->now);
}

static void end_sum(struct point *p)
{
	buf_add_str(p->out, "}]," CUMULATIVE ",\"isMonotonic\":true}}");
}

static void put_sum(
	struct point *p, const char *name, const char *unit, const char *metric, int64_t value)
{
	begin_metric(p, name, "sum", unit);
	begin_point(p, metric);
	buf_addf(p->out, "\"asInt\":\"%lld\"", (long long)value);
	end_sum(p);
}

static void put_gauge(struct point *p, const struct agg_metric *m)
{
	begin_metric(p, "gauge.mean", "gauge", "");
	begin_point(p, m->name);
	buf_addf(p->out, "\"asDouble\":%.15g}]}}",
		(double)m->sum / 1000 / (double)(m->windows ? m->windows : 1));
}

static void put_hist(struct point *p, const struct agg_metric *m)
{
	begin_metric(p, "distribution", "histogram", "");
	begin_point(p, m->name);
	buf_addf(p->out, "\"count\":\"%llu\",\"bucketCounts\":[",
		(unsigned long long)agg_hist_total(m));
	for (unsigned i = 0; i <= m->n; i++)
		buf_addf(p->out, "%s\"%llu\"", i ? "," : "", (unsigned long long)m->count[i]);
	buf_add_str(p->out, "],\"explicitBounds\":[");
	for (unsigned i = 0; i < m->n; i++)
		buf_addf(p->out, "%s%.15g", i ? "," : "", (double)m->edge[i] / 1e6);
	buf_add_str(p->out, "]}]," CUMULATIVE "}}");
}

static void put_total(struct point *p)
{
	const struct aggregate *a = &p->total->sum;

	put_sum(p, "windows", "{window}", "", (int64_t)MIN(a->windows, (uint64_t)INT64_MAX));
	put_sum(p, "watched", "ms", "", a->span);
	for (unsigned i = 0; i < a->n; i++) {
		if (a->v[i].kind == AGG_HIST)
			put_hist(p, &a->v[i]);
		else if (a->v[i].kind == AGG_GAUGE)
			put_gauge(p, &a->v[i]);
		else
			put_sum(p, "events", "{event}", a->v[i].name, a->v[i].sum);
	}
}

bool otlp_encode(const struct otlp_in *in, struct buf *out)
{
	struct point p = {.now = in->now, .out = out};

	if (!in->totals->n)
		return false;
	buf_add_str(out, "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[");
	attribute(out, "service.name", "backstay-server", true);
	attribute(out, "service.instance.id", in->source, true);
	attribute(out, "service.version", in->version, false);
	buf_addf(out, "]},\"scopeMetrics\":[{\"scope\":{\"name\":\"backstay\",\"version\":\"%s\"},",
		in->version);
	buf_add_str(out, "\"metrics\":[");
	for (unsigned i = 0; i < in->totals->n; i++) {
		p.total = &in->totals->v[i];
		in->name(in->ctx, &p.total->release, p.release);
		put_total(&p);
	}
	buf_add_str(out, "]}]}]}");
	return true;
}
