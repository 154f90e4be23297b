/* Telemetry: what devices send, and what has become of it. */
#include "server/api/api_priv.h"

#include <string.h>

#include "server/repo/devices.h"
#include "server/repo/items.h"
#include "server/repo/releases.h"
#include "server/run/telemetry.h"

#define ITEMS_MAX 1000
#define HOUR_MS   (3600LL * 1000)
#define HOURS_MAX (365 * 24)

int answer_TELEMETRY(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	struct telemetry_batch batch CLEANUP(telemetry_fini) = {0};
	struct telemetry_post post = {.seq = 0};
	struct telemetry_ack ack;

	TRY(answer_id(rq, 0, "device", post.device, e));
	TRY(telemetry_decode(rq->body, &batch, e));
	post.batch = batch;
	TRY(telemetry_take(a->run, &post, 1, e));
	if (post.refused.code != ERR_OK) {
		*e = post.refused;
		return -(int)e->code;
	}
	ack = (struct telemetry_ack){.epoch = batch.epoch, .seq = post.seq};
	telemetry_ack_encode(&ack, &out->body);
	buf_add_char(&out->body, '\n');
	return 0;
}

/* ---- items as they came ---- */

static int add_item(void *ctx, const struct item_row *row, struct err *e)
{
	json_t *o;

	TRY(json_read(row->body, LIMIT_TELEMETRY_BYTES, &o, e));
	json_object_set_new(o, "device", json_string(row->device.s));
	answer_set_number(o, "received_ms", row->received);
	json_array_append_new(ctx, o);
	return 0;
}

int answer_DEVICE_TELEMETRY(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	JSON_AUTO *windows = json_array(), *events = json_array();
	char device[ID_TEXT_MAX];
	struct device_row d;
	uint64_t last;

	TRY(answer_id(rq, 0, "device", device, e));
	TRY(answer_number(rq, "last", 20, ITEMS_MAX, &last, e));
	TRY(devices_get(a->db, device, &d, e));
	TRY(items_each(a->db, ITEMS_WINDOWS, device, (unsigned)last, add_item, windows, e));
	TRY(items_each(a->db, ITEMS_EVENTS, device, (unsigned)last, add_item, events, e));
	answer_json(out, json_pack("{s:s, s:O, s:O}", "device", device, "windows", windows,
				 "events", events));
	return 0;
}

int answer_TELEMETRY_EVENTS(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	JSON_AUTO *events = json_array();
	uint64_t last;

	TRY(answer_number(rq, "last", 50, ITEMS_MAX, &last, e));
	TRY(items_each(a->db, ITEMS_EVENTS, "", (unsigned)last, add_item, events, e));
	answer_json(out, json_pack("{s:O}", "events", events));
	return 0;
}

/* ---- a release ---- */

static json_t *gauge_of(const struct agg_metric *m)
{
	json_t *o = json_object();

	answer_set_number(o, "windows", (int64_t)m->windows);
	answer_set_number(o, "mean_milli", m->sum / (int64_t)MAX(m->windows, 1));
	answer_set_number(o, "least_milli", m->least);
	answer_set_number(o, "most_milli", m->most);
	return o;
}

static json_t *numbers_of(const struct agg_metric *m, bool edges)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < m->n + !edges; i++)
		json_array_append_new(list,
			json_integer(edges ? m->edge[i]
					   : (json_int_t)MIN(m->count[i], (uint64_t)INT64_MAX)));
	return list;
}

static json_t *hist_of(const struct agg_metric *m)
{
	static const struct {
		const char *name;
		unsigned permille;
	} shown[] = {{"p50_micro", 500}, {"p90_micro", 900}, {"p95_micro", 950}, {"p99_micro", 990},
		{"p999_micro", 999}};
	json_t *o = json_object();
	bool beyond = false;
	int64_t q;

	answer_set_number(o, "samples", (int64_t)MIN(agg_hist_total(m), (uint64_t)INT64_MAX));
	for (size_t i = 0; i < ARRAY_LEN(shown); i++)
		if (agg_hist_quantile(m, shown[i].permille, &q, &beyond))
			answer_set_number(o, shown[i].name, q);
	json_object_set_new(o, "beyond_edges", json_boolean(beyond));
	answer_set_number(o, "moved", (int64_t)MIN(m->moved, (uint64_t)INT64_MAX));
	json_object_set_new(o, "edges_micro", numbers_of(m, true));
	json_object_set_new(o, "counts", numbers_of(m, false));
	return o;
}

static json_t *metric_of(const struct agg_metric *m)
{
	if (m->kind == AGG_HIST)
		return hist_of(m);
	return m->kind == AGG_GAUGE ? gauge_of(m) : json_integer(m->sum);
}

static json_t *kind_of(const struct aggregate *a, enum agg_kind kind)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < a->n; i++)
		if (a->v[i].kind == kind)
			json_object_set_new(o, a->v[i].name, metric_of(&a->v[i]));
	return o;
}

static int add_part(
	void *ctx, const struct agg_key *k, const struct aggregate *a, struct err *e UNUSED)
{
	json_t *o = json_pack("{s:s, s:s, s:I, s:I}", "key", k->key, "layer",
		telemetry_layer_name(k->layer), "windows", (json_int_t)a->windows, "watched_ms",
		(json_int_t)a->span);

	answer_set_number(o, "left_out", (int64_t)a->left_out);
	json_object_set_new(o, "counters", kind_of(a, AGG_COUNTER));
	json_object_set_new(o, "gauges", kind_of(a, AGG_GAUGE));
	json_object_set_new(o, "hists", kind_of(a, AGG_HIST));
	json_array_append_new(ctx, o);
	return 0;
}

static int read_part(const struct web_request *rq, enum agg_part *out, struct err *e)
{
	const char *by = rq->query(rq, "by");

	*out = by ? agg_part_by_name(by) : AGG_PART_ALL;
	return *out == AGG_PART_MAX
		       ? err_set(e, ERR_BAD_INPUT, "?by: all, wave or stratum are wanted")
		       : 0;
}

static int read_release(struct api *a, const char *name, struct sha256 *out, struct err *e)
{
	RELEASE_ROW_AUTO row = {0};

	*out = (struct sha256){{0}};
	if (strcmp(name, "none") == 0)
		return 0;
	TRY(releases_get(a->db, name, &row, e));
	*out = row.digest;
	return 0;
}

int answer_RELEASE_TELEMETRY(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	JSON_AUTO *parts = json_array();
	char name[ID_TEXT_MAX];
	ms_t to = run_now(a->run) + 1, from;
	struct sha256 digest;
	enum agg_part part;
	uint64_t hours;

	TRY(answer_id(rq, 0, "release", name, e));
	TRY(answer_number(rq, "hours", 24, HOURS_MAX, &hours, e));
	TRY(read_part(rq, &part, e));
	TRY(read_release(a, name, &digest, e));
	from = to - (ms_t)hours * HOUR_MS;
	TRY(telemetry_merged(a->db, &digest, part, from, to, add_part, parts, e));
	answer_json(out,
		json_pack("{s:s, s:s, s:I, s:I, s:O}", "release", name, "by", agg_part_name(part),
			"from_ms", (json_int_t)from, "to_ms", (json_int_t)to, "parts", parts));
	return 0;
}
