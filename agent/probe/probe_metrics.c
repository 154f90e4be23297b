#include "agent/probe/probe_priv.h"

#include <math.h>

struct memory {
	bool known;
	struct hist hist;
	double bad, total, excused;
};

/* Counters are floating-point numbers on the wire; what counts events is whole. */
static uint64_t grown(double now, double before)
{
	double v = now >= before ? now - before : now;

	return v > 0 && v < 1e18 ? (uint64_t)llround(v) : 0;
}

/* Many client libraries show a labelled counter only after it has counted something. */
static int counter(struct str page, const char *name, double *out, struct err *e)
{
	double v = 0;
	int rc = prom_value(page, name, &v, e);

	if (rc < 0 && rc != -(int)ERR_NOT_FOUND)
		return rc;
	if (!isfinite(v))
		return err_set(e, ERR_BAD_INPUT, "%s: no number of events", name);
	*out = v;
	return 0;
}

static int histogram(struct str page, struct probe_rule *v, struct err *e)
{
	const struct trig_rule *r = v->rule;
	struct memory *m = v->memory;
	double excused = 0;
	struct hist now;

	TRY(prom_hist(page, r->metric, &now, e));
	if (r->excused[0])
		TRY(counter(page, r->excused, &excused, e));
	if (r->n_edges && !hist_fold(&now, r->edge, r->n_edges, &now))
		return err_set(e, ERR_BAD_INPUT,
			"%s: its buckets do not have all the edges of the release", r->metric);
	if (m->known) {
		hist_delta(&now, &m->hist, &v->out->hist);
		v->out->n = hist_total(&v->out->hist);
		v->out->bad = grown(excused, m->excused);
	}
	m->hist = now;
	m->excused = excused;
	return 0;
}

/* What failed by others' fault is neither a success nor a failure of this version. */
static void excuse(struct sample *x, uint64_t excused)
{
	uint64_t n = MIN(excused, x->bad);

	x->bad -= n;
	x->n -= MIN(n, x->n);
}

static int share(struct str page, struct probe_rule *v, struct err *e)
{
	const struct trig_rule *r = v->rule;
	struct memory *m = v->memory;
	double bad = 0, total, excused = 0;

	TRY(prom_value(page, r->total, &total, e));
	TRY(counter(page, r->metric, &bad, e));
	if (r->excused[0])
		TRY(counter(page, r->excused, &excused, e));
	if (!isfinite(total))
		return err_set(e, ERR_BAD_INPUT, "%s: no number of events", r->total);
	if (m->known) {
		v->out->n = grown(total, m->total);
		v->out->bad = grown(bad, m->bad);
		excuse(v->out, grown(excused, m->excused));
	}
	*m = (struct memory){.total = total, .bad = bad, .excused = excused, .known = m->known};
	return 0;
}

/* Bytes, as Prometheus has it. */
static int gauge(struct str page, struct probe_rule *v, struct err *e)
{
	double now;

	TRY(prom_value(page, v->rule->metric, &now, e));
	if (!isfinite(now))
		return err_set(e, ERR_BAD_INPUT, "%s: no number", v->rule->metric);
	v->out->n = 1;
	v->out->sum = now / (1024.0 * 1024.0);
	return 0;
}

static int take(struct str page, struct probe_rule *v, struct err *e)
{
	switch (trig_kind(v->rule)) {
	case TRIG_KIND_QUANTILE:
	case TRIG_KIND_DISTANCE:
		return histogram(page, v, e);
	case TRIG_KIND_MEAN:
	case TRIG_KIND_SUM:
		return gauge(page, v, e);
	case TRIG_KIND_RATIO:
	case TRIG_KIND_SHIFT:
	case TRIG_KIND_TALLY:
	case TRIG_KIND_EVENT:
		break;
	}
	return share(page, v, e);
}

static void look_for(struct str page, struct probe_rule *v)
{
	struct memory *m = v->memory;
	struct err why;
	int rc = take(page, v, &why);

	v->out->blind = rc < 0;
	m->known = m->known || rc == 0;
}

static int look(
	const struct probe_in *in, struct probe_rule *v, unsigned n, bool first, struct err *e)
{
	struct http_conf http = {.connect_timeout = in->timeout, .total_timeout = in->timeout};
	struct http_answer answer = {0};
	int rc;

	(void)first;
	if (!in->metrics_url[0])
		return err_set(e, ERR_CONFIG, "no metrics_url");
	rc = http_get(&http, in->metrics_url, NULL, LIMIT_METRICS_BYTES, NULL, &answer, e);
	if (rc == 0)
		rc = http_check(&answer, "metrics", e);
	for (unsigned i = 0; rc == 0 && i < n; i++)
		look_for(buf_str(&answer.body), &v[i]);
	http_answer_fini(&answer);
	return rc;
}

const struct probe_source probe_metrics = {
	.kind = "metrics",
	.source = TRIG_SRC_METRICS,
	.help = "The workload's own Prometheus page.",
	.memory = sizeof(struct memory),
	.look = look,
};
