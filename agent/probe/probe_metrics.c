#include "agent/probe/probe_priv.h"

#include <math.h>

struct memory {
	bool known;
	struct hist hist;
	double bad, total;
};

/* Counters are floating-point numbers on the wire; what counts events is whole. */
static uint64_t grown(double now, double before)
{
	double v = now >= before ? now - before : now;

	return v > 0 && v < 1e18 ? (uint64_t)llround(v) : 0;
}

static int latency(struct str page, struct probe_rule *v, struct err *e)
{
	struct memory *m = v->memory;
	struct hist now;

	TRY(prom_hist(page, v->rule->metric, &now, e));
	if (m->known) {
		hist_delta(&now, &m->hist, &v->out->hist);
		v->out->n = hist_total(&v->out->hist);
	}
	m->hist = now;
	return 0;
}

static int error_rate(struct str page, struct probe_rule *v, struct err *e)
{
	struct memory *m = v->memory;
	double bad = 0, total;
	int rc;

	TRY(prom_value(page, v->rule->total, &total, e));
	/* Many client libraries show a labelled counter only after it has counted something. */
	rc = prom_value(page, v->rule->metric, &bad, e);
	if (rc < 0 && rc != -(int)ERR_NOT_FOUND)
		return rc;
	if (!isfinite(total) || !isfinite(bad))
		return err_set(e, ERR_BAD_INPUT, "%s: no number of events", v->rule->total);
	if (m->known) {
		v->out->n = grown(total, m->total);
		v->out->bad = grown(bad, m->bad);
	}
	m->total = total;
	m->bad = bad;
	return 0;
}

static void look_for(struct str page, struct probe_rule *v)
{
	struct memory *m = v->memory;
	struct err why;
	int rc;

	if (v->rule->type == TRIG_LATENCY)
		rc = latency(page, v, &why);
	else
		rc = error_rate(page, v, &why);
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
