/* The server itself: health, metrics, the audit log. */
#include "server/api/api_priv.h"

#include <stdio.h>
#include <string.h>

#include "server/repo/audit.h"
#include "server/repo/campaigns.h"
#include "server/repo/checkpoints.h"
#include "server/repo/devices.h"
#include "server/run/checkpoint.h"

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

/* "chain" stands beside the row's own members, which are what it is made of. */
static int add_row(
	void *ctx, const struct audit_row *r, const struct sha256 *chain, struct err *e UNUSED)
{
	json_t *o = audit_row_encode(r);

	answer_set_digest(o, "chain", chain);
	json_array_append_new(ctx, o);
	return 0;
}

/* ?after=N: the rows behind N; ?last=N: the newest N; ?limit=N: not more than N. */
int answer_AUDIT(struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	JSON_AUTO *rows = json_array();
	uint64_t after, last, newest, limit;
	struct sha256 chain;

	TRY(answer_number(rq, "after", 0, INT64_MAX, &after, e));
	TRY(answer_number(rq, "last", 0, AUDIT_MAX, &last, e));
	TRY(answer_number(rq, "limit", AUDIT_MAX, AUDIT_MAX, &limit, e));
	TRY(audit_newest(a->db, &newest, &chain, e));
	if (last && newest > last)
		after = MAX(after, newest - last);
	TRY(audit_each(a->db, after, (unsigned)limit, add_row, rows, e));
	answer_json(out, json_pack("{s:O}", "rows", rows));
	return 0;
}

static int add_checkpoint(void *ctx, struct str bytes, struct err *e)
{
	json_t *file;

	TRY(json_read(bytes, LIMIT_AUDIT_LINE, &file, e));
	json_array_append_new(ctx, file);
	return 0;
}

int answer_AUDIT_CHECKPOINTS(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	JSON_AUTO *list = json_array();
	uint64_t after;

	TRY(answer_number(rq, "after", 0, INT64_MAX, &after, e));
	TRY(checkpoint_now(a->run, e));
	TRY(checkpoints_each(a->db, after, AUDIT_MAX, add_checkpoint, list, e));
	answer_json(out, json_pack("{s:O}", "checkpoints", list));
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
	one(out, "http_busy_total", "counter", "Of them, told to come back later: 429 and 503.",
		w->busy);
	one(out, "http_connections", "gauge", "Connections that are open.", w->connections);
	one(out, "http_body_bytes", "gauge", "Bytes of requests that are held in memory.",
		w->bodies);
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
