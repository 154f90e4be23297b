/* The server itself: health, metrics, the audit log. */
#include "server/api/api_priv.h"

#include <stdio.h>
#include <string.h>

#include "server/repo/audit.h"
#include "server/repo/campaigns.h"
#include "server/repo/devices.h"

#define AUDIT_MAX 10000

int answer_HEALTH(
	struct api *a, const struct web_request *rq UNUSED, struct web_reply *out, struct err *e)
{
	uint64_t devices;

	TRY(devices_count(a->db, &devices, e));
	answer_json(out, json_pack("{s:s, s:I}", "status", "ok", "devices", (json_int_t)devices));
	return 0;
}

/* ---- audit ---- */

static int add_row(void *ctx, const struct audit_row *r, struct err *e UNUSED)
{
	json_t *o = json_pack("{s:I, s:I, s:s, s:s, s:s}", "n", (json_int_t)r->n, "at",
		(json_int_t)r->at, "who", r->who, "what", r->what, "text", r->text);

	answer_set_text(o, "campaign", r->campaign);
	answer_set_text(o, "device", r->device);
	answer_set_digest(o, "policy", &r->policy);
	answer_set_text(o, "engine", r->engine);
	json_array_append_new(ctx, o);
	return 0;
}

/* ?after=N: the rows behind N; ?last=N: the newest N. */
int answer_AUDIT(struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	JSON_AUTO *rows = json_array();
	uint64_t after, last, newest;

	TRY(answer_number(rq, "after", 0, INT64_MAX, &after, e));
	TRY(answer_number(rq, "last", 0, AUDIT_MAX, &last, e));
	TRY(audit_newest(a->db, &newest, e));
	if (last && newest > last)
		after = MAX(after, newest - last);
	TRY(audit_each(a->db, after, AUDIT_MAX, add_row, rows, e));
	answer_json(out, json_pack("{s:O}", "rows", rows));
	return 0;
}

/* ---- metrics ---- */

static void family(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_addf(out, "# HELP backstay_%s %s\n# TYPE backstay_%s %s\n", name, help, name, type);
}

static void one(
	struct buf *out, const char *name, const char *type, const char *help, uint64_t value)
{
	family(out, name, type, help);
	buf_addf(out, "backstay_%s %llu\n", name, (unsigned long long)value);
}

static void http_metrics(const struct api *a, struct buf *out)
{
	const struct web_stats *w;

	if (!a->web)
		return;
	w = web_stats(a->web);
	family(out, "http_requests_total", "counter", "Requests by route.");
	for (enum route r = 0; r <= ROUTE_MAX; r++)
		buf_addf(out, "backstay_http_requests_total{method=\"%s\",route=\"%s\"} %llu\n",
			r < ROUTE_MAX ? route_method(r) : "any",
			r < ROUTE_MAX ? route_path(r) : "none", (unsigned long long)w->requests[r]);
	one(out, "http_errors_total", "counter", "Answers of 400 and more.", w->errors);
	one(out, "http_connections", "gauge", "Connections that are open.", w->connections);
}

static int count_phase(void *ctx, const struct campaign_row *c, struct err *e UNUSED)
{
	uint64_t *phases = ctx;

	phases[c->wave.phase]++;
	return 0;
}

static int fleet_metrics(struct api *a, struct buf *out, struct err *e)
{
	const struct run_stats *s = run_stats(a->run);
	uint64_t devices, phases[WAVE_PHASE_MAX] = {0};

	TRY(devices_count(a->db, &devices, e));
	TRY(campaigns_each(a->db, count_phase, phases, e));
	one(out, "devices", "gauge", "Devices that are registered.", devices);
	family(out, "campaigns", "gauge", "Campaigns by phase.");
	for (enum wave_phase p = 0; p < WAVE_PHASE_MAX; p++)
		buf_addf(out, "backstay_campaigns{phase=\"%s\"} %llu\n", wave_phase_name(p),
			(unsigned long long)phases[p]);
	one(out, "admitted_total", "counter", "Devices let into an update.", s->admitted);
	one(out, "reports_total", "counter", "Reports of devices.", s->reports);
	one(out, "reports_duplicate_total", "counter", "Reports that came again.", s->duplicates);
	one(out, "releases_published_total", "counter", "Releases published.", s->published);
	one(out, "signatures_total", "counter", "Metadata files signed.", signer_count(a->signer));
	return 0;
}

int answer_METRICS(
	struct api *a, const struct web_request *rq UNUSED, struct web_reply *out, struct err *e)
{
	TRY(fleet_metrics(a, &out->body, e));
	http_metrics(a, &out->body);
	out->type = "text/plain; version=0.0.4";
	return 0;
}
