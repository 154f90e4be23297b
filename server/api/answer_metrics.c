/* The server's own health, for Prometheus. Anybody may read it, so it has counts and no names. */
#include <sys/resource.h>

#include "server/api/api_priv.h"
#include "server/api/metric.h"
#include "server/broker/broker.h"
#include "server/export/export.h"
#include "server/repo/campaigns.h"
#include "server/repo/devices.h"
#include "server/repo/items.h"
#include "server/run/telemetry.h"
#include "server/version.h"

static void took(const struct web_stats *w, struct buf *out)
{
	static const int64_t edges[WEB_TOOK_BUCKETS - 1] = WEB_TOOK_EDGES;

	metric_family(out, "http_request_seconds", "histogram",
		"Time from a whole request to its answer.");
	metric_buckets(out, "http_request_seconds", "", edges, w->took, WEB_TOOK_BUCKETS - 1, 1e6);
	metric_sample(out, "http_request_seconds_sum", "", (double)w->took_us / 1e6);
}

static void http_metrics(const struct api *a, struct buf *out)
{
	const struct web_stats *w;

	if (!a->web)
		return;
	w = web_stats(a->web);
	metric_family(out, "http_requests_total", "counter", "Requests by route.");
	for (enum route r = 0; r <= ROUTE_MAX; r++)
		buf_addf(out, "backstay_http_requests_total{method=\"%s\",route=\"%s\"} %llu\n",
			r < ROUTE_MAX ? route_method(r) : "any",
			r < ROUTE_MAX ? route_path(r) : "none", (unsigned long long)w->requests[r]);
	metric_one(out, "http_errors_total", "counter", "Answers of 400 and more.", w->errors);
	metric_one(out, "http_busy_total", "counter",
		"Of them, told to come back later: 429 and 503.", w->busy);
	metric_one(out, "http_connections", "gauge", "Connections that are open.", w->connections);
	metric_one(out, "http_body_bytes", "gauge", "Bytes of requests that are held in memory.",
		w->bodies);
	took(w, out);
}

static int count_phase(void *ctx, const struct campaign_row *c, struct err *e UNUSED)
{
	uint64_t *phases = ctx;

	phases[c->wave.phase]++;
	return 0;
}

static int run_metrics(struct api *a, struct buf *out, struct err *e)
{
	const struct run_stats *s = run_stats(a->run);
	uint64_t devices, phases[WAVE_PHASE_MAX] = {0};

	TRY(devices_count(a->db, &devices, e));
	TRY(campaigns_each(a->db, count_phase, phases, e));
	metric_one(out, "devices", "gauge", "Devices that are registered.", devices);
	metric_family(out, "campaigns", "gauge", "Campaigns by phase.");
	for (enum wave_phase p = 0; p < WAVE_PHASE_MAX; p++)
		buf_addf(out, "backstay_campaigns{phase=\"%s\"} %llu\n", wave_phase_name(p),
			(unsigned long long)phases[p]);
	metric_one(out, "admitted_total", "counter", "Devices let into an update.", s->admitted);
	metric_one(out, "reports_total", "counter", "Reports of devices.", s->reports);
	metric_one(out, "reports_duplicate_total", "counter", "Reports that came again.",
		s->duplicates);
	metric_one(out, "releases_published_total", "counter", "Releases published.", s->published);
	metric_one(out, "signatures_total", "counter", "Metadata files signed.",
		signer_count(a->signer));
	return 0;
}

static int telemetry_metrics(struct api *a, struct buf *out, struct err *e)
{
	static const char *const names[] = {[ITEMS_WINDOWS] = "windows", [ITEMS_EVENTS] = "events"};
	const struct telemetry_stats *s = telemetry_stats(a->run);

	metric_family(out, "telemetry_items_total", "counter", "Items of telemetry, counted once.");
	for (unsigned k = 0; k < TELEMETRY_KIND_MAX; k++)
		buf_addf(out, "backstay_telemetry_items_total{kind=\"%s\"} %llu\n",
			telemetry_kind_name(k), (unsigned long long)s->items[k]);
	metric_one(out, "telemetry_duplicates_total", "counter", "Items that came again.",
		s->duplicates);
	metric_one(out, "telemetry_dropped_total", "counter",
		"Details that devices had no room for.", s->dropped);
	metric_one(out, "telemetry_refused_total", "counter",
		"Batches of devices that never said hello.", s->refused);
	metric_one(out, "telemetry_tripped_total", "counter",
		"Watches of running releases in which a trigger tripped.", s->tripped);
	metric_family(out, "telemetry_rows", "gauge", "Items that are kept just now.");
	for (unsigned shelf = 0; shelf < ITEMS_SHELF_MAX; shelf++) {
		struct items_shelf_view v;

		TRY(items_look(a->db, (enum items_shelf)shelf, &v, e));
		buf_addf(out, "backstay_telemetry_rows{shelf=\"%s\"} %llu\n", names[shelf],
			(unsigned long long)v.rows);
	}
	return 0;
}

static void broker_metrics(const struct api *a, struct buf *out)
{
	struct broker_view v;

	if (!a->broker)
		return;
	broker_look(a->broker, &v);
	metric_one(out, "mqtt_connected", "gauge", "1: the broker is reached.", v.connected);
	metric_one(
		out, "mqtt_sent_total", "counter", "Messages that the broker has taken.", v.sent);
	metric_one(out, "mqtt_failed_total", "counter", "Messages that it has not.", v.failed);
	metric_family(out, "mqtt_heard_total", "counter", "Messages of devices by kind.");
	for (unsigned k = 0; k < BROKER_KIND_MAX; k++)
		buf_addf(out, "backstay_mqtt_heard_total{kind=\"%s\"} %llu\n", broker_kind_name(k),
			v.heard[k]);
	metric_one(out, "mqtt_dropped_total", "counter",
		"Messages for which there was no room, or that were none of a device's.",
		v.dropped);
	metric_one(out, "mqtt_queue", "gauge", "Messages that wait to be taken.", v.waiting);
}

static void export_metrics(const struct api *a, struct buf *out)
{
	struct export_view v;

	if (!a->export)
		return;
	export_look(a->export, &v);
	metric_one(out, "otlp_exports_total", "counter", "Exports that the collector has taken.",
		v.sent);
	metric_one(out, "otlp_failures_total", "counter", "Attempts that failed.", v.failed);
	metric_one(out, "otlp_waiting", "gauge", "1: the last attempt failed, and is made again.",
		v.waiting);
}

int answer_METRICS(
	struct api *a, const struct web_request *rq UNUSED, struct web_reply *out, struct err *e)
{
	struct rusage usage;
	struct buf *page = &out->body;

	metric_family(page, "build_info", "gauge", "The version that runs.");
	metric_sample(page, "build_info", "version=\"" SERVER_VERSION "\"", 1);
	if (getrusage(RUSAGE_SELF, &usage) == 0)
		metric_one(page, "memory_peak_bytes", "gauge", "Most memory that it ever had.",
			(uint64_t)usage.ru_maxrss * 1024);
	TRY(run_metrics(a, page, e));
	TRY(telemetry_metrics(a, page, e));
	broker_metrics(a, page);
	export_metrics(a, page);
	http_metrics(a, page);
	out->type = "text/plain; version=0.0.4";
	return 0;
}
