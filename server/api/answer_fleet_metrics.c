/* The fleet, for Prometheus: who runs what, where campaigns are, and what releases do. It has
 * names, so it takes a viewer's token. */
#include "server/api/api_priv.h"

#include <stdio.h>
#include <string.h>

#include "proto/wire/release.h"
#include "server/api/metric.h"
#include "server/repo/campaigns.h"
#include "server/repo/devices.h"
#include "server/repo/presence.h"
#include "server/repo/releases.h"
#include "server/run/telemetry.h"

#define RECENT MINUTE(30)
#define LABELS 320

/* ---- devices and campaigns ---- */

struct tallied {
	struct buf *out;
	const char *name, *label;
};

static int put_tally(void *ctx, const char *what, uint64_t n, struct err *e UNUSED)
{
	const struct tallied *t = ctx;
	char labels[LABELS];

	snprintf(labels, sizeof labels, "%s=\"%s\"", t->label, *what ? what : "none");
	metric_sample(t->out, t->name, labels, (double)n);
	return 0;
}

static int device_metrics(struct api *a, struct buf *out, struct err *e)
{
	struct tallied states = {out, "devices_by_state", "state"};
	struct tallied runs = {out, "devices_by_release", "release"};
	uint64_t online;

	metric_family(out, states.name, "gauge", "Devices by the state that they reported last.");
	TRY(devices_tally(a->db, DEVICES_BY_STATE, put_tally, &states, e));
	metric_family(out, runs.name, "gauge", "Devices by the release that they run.");
	TRY(devices_tally(a->db, DEVICES_BY_RUNNING, put_tally, &runs, e));
	TRY(presence_count(a->db, &online, e));
	metric_one(out, "devices_online", "gauge", "Devices that the broker has a connection of.",
		online);
	return 0;
}

static int put_campaign(void *ctx, const struct campaign_row *c, struct err *e UNUSED)
{
	struct buf *out = ctx;
	char labels[LABELS];

	for (enum recipient_state s = 0; s < RECIPIENT_STATE_MAX; s++) {
		snprintf(labels, sizeof labels,
			"campaign=\"%s\",release=\"%s\",phase=\"%s\",state=\"%s\"", c->id.s,
			c->release.s, wave_phase_name(c->wave.phase), recipient_state_name(s));
		metric_sample(out, "campaign_recipients", labels, c->wave.all.n[s]);
	}
	return 0;
}

/* ---- what releases did since the server was started ---- */

struct family {
	enum agg_kind kind;
	const char *name, *type, *help;
};

static void put_value(
	struct buf *out, const struct family *f, const char *labels, const struct agg_metric *m)
{
	if (f->kind == AGG_HIST)
		metric_buckets(out, f->name, labels, m->edge, m->count, m->n, 1e6);
	else
		metric_sample(out, f->name, labels, (double)m->sum);
}

static void put_total(
	struct buf *out, const struct family *f, const char *release, const struct total *t)
{
	char labels[LABELS];

	for (unsigned i = 0; i < t->sum.n; i++) {
		const struct agg_metric *m = &t->sum.v[i];

		if (m->kind != f->kind)
			continue;
		snprintf(labels, sizeof labels, "release=\"%s\",layer=\"%s\",metric=\"%s\"",
			release, telemetry_layer_name(t->layer), m->name);
		put_value(out, f, labels, m);
	}
}

static int release_name(
	struct api *a, const struct sha256 *digest, char out[ID_TEXT_MAX], struct err *e)
{
	RELEASE_ROW_AUTO row = {0};

	snprintf(out, ID_TEXT_MAX, "none");
	if (sha256_is_zero(digest))
		return 0;
	TRY(releases_by_digest(a->db, digest, &row, e));
	snprintf(out, ID_TEXT_MAX, "%s", row.id.s);
	return 0;
}

static int put_family(struct api *a, struct buf *out, const struct family *f, struct err *e)
{
	const struct totals *t = telemetry_totals(a->run);
	char release[ID_TEXT_MAX];

	metric_family(out, f->name, f->type, f->help);
	for (unsigned i = 0; i < t->n; i++) {
		TRY(release_name(a, &t->v[i].release, release, e));
		put_total(out, f, release, &t->v[i]);
	}
	return 0;
}

static int watched(struct api *a, struct buf *out, struct err *e)
{
	const struct totals *t = telemetry_totals(a->run);
	char release[ID_TEXT_MAX], labels[LABELS];

	metric_family(out, "workload_watched_seconds_total", "counter",
		"Time of devices that windows covered: what rates are a share of.");
	for (unsigned i = 0; i < t->n; i++) {
		TRY(release_name(a, &t->v[i].release, release, e));
		snprintf(labels, sizeof labels, "release=\"%s\",layer=\"%s\"", release,
			telemetry_layer_name(t->v[i].layer));
		metric_sample(out, "workload_watched_seconds_total", labels,
			(double)t->v[i].sum.span / 1000);
	}
	return 0;
}

static int workload_metrics(struct api *a, struct buf *out, struct err *e)
{
	static const struct family families[] = {
		{AGG_COUNTER, "workload_events_total", "counter",
			"Events that workloads counted, by their own names."},
		{AGG_HIST, "workload_distribution", "histogram",
			"What workloads measured, by their own names and in their own units."},
	};

	TRY(watched(a, out, e));
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		TRY(put_family(a, out, &families[i], e));
	return 0;
}

/* ---- what releases did lately, beside what their triggers allow ---- */

struct recent {
	struct api *a;
	struct buf latency, errors, limits; /* samples of each family */
};

static int add_layer(
	void *ctx, const struct agg_key *k UNUSED, const struct aggregate *a, struct err *e UNUSED)
{
	aggregate_merge(ctx, a);
	return 0;
}

static void put_latency(struct recent *r, const char *release, const struct trig_rule *rule,
	const struct aggregate *sum)
{
	const struct agg_metric *m = aggregate_find(sum, AGG_HIST, rule->metric);
	char labels[LABELS];
	int64_t micro;
	bool beyond;

	if (!m || !agg_hist_quantile(m, rule->quantile, &micro, &beyond))
		return;
	snprintf(labels, sizeof labels, "release=\"%s\",metric=\"%s\",quantile=\"%.4g\"", release,
		rule->metric, (double)rule->quantile / 1000);
	metric_sample(&r->latency, "release_latency_seconds", labels, (double)micro / 1e6);
	if (rule->comparator == TRIG_CMP_ABSOLUTE)
		metric_sample(&r->limits, "release_latency_limit_seconds", labels, rule->threshold);
}

static void put_errors(struct recent *r, const char *release, const struct trig_rule *rule,
	const struct aggregate *sum)
{
	const struct agg_metric *bad = aggregate_find(sum, AGG_COUNTER, rule->metric);
	const struct agg_metric *all = aggregate_find(sum, AGG_COUNTER, rule->total);
	char labels[LABELS];

	if (!bad || !all || all->sum <= 0)
		return;
	snprintf(labels, sizeof labels, "release=\"%s\",metric=\"%s\"", release, rule->metric);
	metric_sample(
		&r->errors, "release_error_ratio", labels, (double)bad->sum / (double)all->sum);
}

static int put_release(void *ctx, const struct release_row *row, struct err *e)
{
	struct release *doc CLEANUP(mem_free) = NULL;
	AGGREGATE_AUTO sum = {0};
	BUF_AUTO text = {0};
	struct recent *r = ctx;
	ms_t now = run_now(r->a->run);

	TRY(telemetry_merged(
		r->a->db, &row->digest, AGG_PART_ALL, now - RECENT, now + 1, add_layer, &sum, e));
	if (!sum.windows)
		return 0;
	doc = mem_new(sizeof *doc);
	TRY(releases_document(r->a->db, &row->digest, &text, e));
	TRY(release_parse(buf_str(&text), doc, e));
	for (unsigned i = 0; i < doc->n_triggers; i++) {
		if (doc->triggers[i].type == TRIG_LATENCY)
			put_latency(r, row->id.s, &doc->triggers[i], &sum);
		if (doc->triggers[i].type == TRIG_ERROR_RATE)
			put_errors(r, row->id.s, &doc->triggers[i], &sum);
	}
	return 0;
}

static void put_recent(const struct recent *r, struct buf *out)
{
	metric_family(out, "release_latency_seconds", "gauge",
		"The quantile that a latency trigger of the release watches, over all devices, in the "
		"last half hour.");
	buf_add(out, r->latency.p, r->latency.n);
	metric_family(out, "release_latency_limit_seconds", "gauge",
		"What that trigger allows on one device.");
	buf_add(out, r->limits.p, r->limits.n);
	metric_family(out, "release_error_ratio", "gauge",
		"The share that an error_rate trigger of the release watches, over all devices, in "
		"the last half hour.");
	buf_add(out, r->errors.p, r->errors.n);
}

static int release_metrics(struct api *a, struct buf *out, struct err *e)
{
	struct recent r = {.a = a};
	int rc = releases_each(a->db, put_release, &r, e);

	if (rc == 0)
		put_recent(&r, out);
	buf_fini(&r.latency);
	buf_fini(&r.errors);
	buf_fini(&r.limits);
	return rc;
}

int answer_FLEET_METRICS(
	struct api *a, const struct web_request *rq UNUSED, struct web_reply *out, struct err *e)
{
	TRY(device_metrics(a, &out->body, e));
	metric_family(&out->body, "campaign_recipients", "gauge",
		"Recipients of campaigns by where they are.");
	TRY(campaigns_each(a->db, put_campaign, &out->body, e));
	TRY(workload_metrics(a, &out->body, e));
	TRY(release_metrics(a, &out->body, e));
	out->type = "text/plain; version=0.0.4";
	return 0;
}
