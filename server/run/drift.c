#include "server/run/drift.h"

#include <stdio.h>
#include <string.h>

#include "server/repo/drifts.h"
#include "server/repo/releases.h"
#include "server/run/hook.h"

#define WINDOW    MINUTE(24 * 60)
#define DUE_TURNS 16 /* a tick, so that polls are answered in between */

/* ---- what devices say ---- */

static void count_in(struct drift_row *row, const struct telemetry_drift *d, bool is_new)
{
	row->reports++;
	row->devices += is_new;
	row->samples = MIN(row->samples + d->samples, (uint64_t)TELEMETRY_VALUE_MAX);
	row->from = row->from ? MIN(row->from, d->from) : d->from;
	row->to = MAX(row->to, d->to);
	if (d->value_milli < row->value_milli)
		return;
	row->value_milli = d->value_milli;
	row->threshold_milli = d->threshold_milli;
}

/* More kinds of drift at once than anybody looks after are made up by somebody, and so are many
 * that one device speaks of alone: those are not gathered. */
static int look_for_room(struct run *r, const char *device, bool *out_room, struct err *e)
{
	uint64_t open, alone;

	TRY(drifts_count_open(r->c.db, &open, e));
	TRY(drifts_count_alone(r->c.db, device, &alone, e));
	*out_room = open < LIMIT_DRIFTS && alone < LIMIT_DRIFTS_ALONE;
	return 0;
}

static int find(struct run *r, const char *device, const struct telemetry_drift *d,
	struct drift_row *out, bool *out_room, struct err *e)
{
	int rc = drifts_open(r->c.db, d, out, e);

	*out_room = true;
	if (rc != -ERR_NOT_FOUND)
		return rc;
	TRY(look_for_room(r, device, out_room, e));
	*out = (struct drift_row){
		.document = d->release, .reference = d->reference, .opened = run_now(r)};
	snprintf(out->metric, sizeof out->metric, "%s", d->metric);
	return *out_room ? drifts_save(r->c.db, out, e) : 0;
}

int hook_drift(struct run *r, const char *device, const struct telemetry_drift *d, struct err *e)
{
	struct drift_row row;
	bool room, is_new;

	if (d->value_milli < d->threshold_milli)
		return 0; /* it is no alarm */
	TRY(find(r, device, d, &row, &room, e));
	if (!room)
		return 0;
	TRY(drifts_say(r->c.db, row.n, device, run_now(r), d, &is_new, e));
	count_in(&row, d, is_new);
	return drifts_save(r->c.db, &row, e);
}

/* ---- telling ---- */

static int add_name(void *ctx, const char *device, ms_t at UNUSED, uint64_t value UNUSED,
	uint64_t samples UNUSED, uint64_t reports UNUSED, struct err *e UNUSED)
{
	json_array_append_new(ctx, json_string(device));
	return 0;
}

static int set_release(struct run *r, const struct drift_row *row, json_t *data, struct err *e)
{
	RELEASE_ROW_AUTO release = {0};
	char hex[SHA256_TEXT];
	int rc;

	if (sha256_is_zero(&row->document))
		return 0;
	sha256_format(&row->document, hex);
	json_object_set_new(data, "release_digest", json_string(hex));
	rc = releases_by_digest(r->c.db, &row->document, &release, e);
	if (rc == 0)
		json_object_set_new(data, "release", json_string(release.id.s));
	return rc == -ERR_NOT_FOUND ? 0 : rc;
}

static int evidence(struct run *r, const struct drift_row *row, json_t *data, struct err *e)
{
	json_t *devices = json_array();
	char hex[SHA256_TEXT];

	json_object_set_new(data, "named_devices", devices);
	TRY(drifts_each_device(r->c.db, row->n, LIMIT_DRIFT_NAMES, add_name, devices, e));
	if (!sha256_is_zero(&row->reference)) {
		sha256_format(&row->reference, hex);
		json_object_set_new(data, "reference", json_string(hex));
	}
	json_object_set_new(data, "drift", json_integer((json_int_t)row->n));
	json_object_set_new(data, "metric", json_string(row->metric));
	json_object_set_new(data, "value_milli", json_integer((json_int_t)row->value_milli));
	json_object_set_new(
		data, "threshold_milli", json_integer((json_int_t)row->threshold_milli));
	json_object_set_new(data, "from_ms", json_integer(row->from));
	json_object_set_new(data, "to_ms", json_integer(row->to));
	json_object_set_new(data, "samples", json_integer((json_int_t)row->samples));
	json_object_set_new(data, "devices", json_integer((json_int_t)row->devices));
	json_object_set_new(data, "reports", json_integer((json_int_t)row->reports));
	return set_release(r, row, data, e);
}

static void sentence(const struct drift_row *row, const json_t *data, char *out, size_t cap)
{
	const char *release = json_string_value(json_object_get(data, "release"));

	snprintf(out, cap,
		"retraining is wanted: %s of %s has drifted to %llu.%03llu (threshold %llu.%03llu), "
		"%llu devices say",
		row->metric, release ? release : "an unknown release",
		(unsigned long long)row->value_milli / 1000,
		(unsigned long long)row->value_milli % 1000,
		(unsigned long long)row->threshold_milli / 1000,
		(unsigned long long)row->threshold_milli % 1000, (unsigned long long)row->devices);
}

static int tell(struct run *r, struct drift_row *row, struct err *e)
{
	JSON_AUTO *data = json_object();
	char text[2 * LIMIT_TEXT];
	struct hook_fact f = {.event = HOOK_RETRAINING, .text = text, .data = data};

	TRY(evidence(r, row, data, e));
	sentence(row, data, text, sizeof text);
	row->told = row->devices;
	row->told_at = run_now(r);
	TRY(run_audit(r, NULL, "server", "retraining", "", text, e));
	return hook_raise(r, &f, e);
}

static ms_t window(const struct run *r)
{
	return r->c.drift_window ? r->c.drift_window : WINDOW;
}

static int settle(struct run *r, struct drift_row *row, struct err *e)
{
	if (row->devices > row->told)
		TRY(tell(r, row, e));
	if (row->opened + window(r) <= run_now(r))
		row->closed = run_now(r);
	return drifts_save(r->c.db, row, e);
}

int drift_tick(struct run *r, struct err *e)
{
	struct drift_row row;
	ms_t now = run_now(r);

	for (unsigned i = 0; i < DUE_TURNS; i++) {
		int rc = drifts_due(r->c.db, now - r->c.drift_gather, now - window(r), &row, e);

		if (rc < 0)
			return rc == -ERR_NOT_FOUND ? 0 : rc;
		TRY(run_begin(r, e));
		TRY(run_end(r, settle(r, &row, e), e));
	}
	return 0;
}
