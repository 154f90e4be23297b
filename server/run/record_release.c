/* The record of one release: what it is, who vouched for it, whom it was for, and what came of it.
 */
#include "server/run/record_whole.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/repo/drifts.h"
#include "server/repo/excluded.h"

/* When what happened to the recipient at a position. */
struct course {
	ms_t admitted, ended;
};

struct whole {
	struct run *r;
	const struct release_row *row;
	json_t *record, *campaigns;
	/* while one campaign is filled */
	json_t *campaign;
	ms_t started;
	struct course *courses; /* by position, owned */
	uint32_t n;
};

static json_t *list_of(json_t *o, const char *key)
{
	json_t *list = json_object_get(o, key);

	if (list)
		return list;
	list = json_array();
	json_object_set_new(o, key, list);
	return list;
}

/* ---- one campaign ---- */

static bool is_final(enum recipient_state s)
{
	return s != RECIPIENT_WAITING && s != RECIPIENT_ADMITTED && s != RECIPIENT_ORDERED_BACK &&
	       s != RECIPIENT_SILENT;
}

static int take_event(
	void *ctx, uint64_t rev UNUSED, const struct wave_event *ev, struct err *e UNUSED)
{
	struct whole *w = ctx;

	if (record_is_order(ev->kind))
		json_array_append_new(list_of(w->campaign, "orders"), record_order(ev));
	if (ev->kind == WEV_START)
		w->started = ev->now;
	if (ev->position >= w->n)
		return 0;
	if (ev->kind == WEV_ASK)
		w->courses[ev->position].admitted = ev->now;
	if (ev->kind == WEV_MOVED && is_final(ev->is))
		w->courses[ev->position].ended = ev->now;
	return 0;
}

/* The digest of its configuration then; the vehicle's own record has the whole. */
static int set_configuration(
	struct whole *w, json_t *o, const char *key, const char *device, ms_t at, struct err *e)
{
	struct configuration_row c;
	struct sha256 digest;
	int rc = at ? configurations_at(w->r->c.db, device, at, &c, e) : -ERR_NOT_FOUND;

	if (rc < 0)
		return rc == -ERR_NOT_FOUND ? 0 : rc;
	configuration_digest(&c, &digest);
	record_digest(o, key, &digest);
	return 0;
}

static int add_recipient(void *ctx, const struct recipient_row *rec, struct err *e)
{
	struct whole *w = ctx;
	const struct course none = {0, 0},
			    *c = rec->position < w->n ? &w->courses[rec->position] : &none;
	json_t *o = json_pack("{s:s, s:I, s:s, s:s}", "device", rec->device.s, "position",
		(json_int_t)rec->position, "compatibility", "compatible", "state",
		recipient_state_name(rec->state));

	json_array_append_new(list_of(w->campaign, "recipients"), o);
	record_digest(o, "before", &rec->before_digest);
	record_text(o, "before_path", rec->before_path);
	record_number(o, "admitted_ms", c->admitted);
	record_number(o, "ended_ms", c->ended);
	record_text(o, "text", rec->text);
	TRY(set_configuration(w, o, "configuration_frozen", rec->device.s, w->started, e));
	TRY(set_configuration(w, o, "configuration_before", rec->device.s, c->admitted, e));
	return set_configuration(w, o, "configuration_after", rec->device.s, c->ended, e);
}

static int add_excluded(void *ctx, const char *device, const char *verdict, struct err *e UNUSED)
{
	json_array_append_new(
		ctx, json_pack("{s:s, s:s}", "device", device, "compatibility", verdict));
	return 0;
}

static int fill_campaign(struct whole *w, const char *id, struct err *e)
{
	struct db *db = w->r->c.db;

	TRY(events_each(db, id, 0, UINT32_MAX, take_event, w, e));
	record_number(w->campaign, "started_ms", w->started);
	TRY(recipients_each(db, id, add_recipient, w, e));
	TRY(excluded_each(db, id, add_excluded, list_of(w->campaign, "excluded"), e));
	return audit_each_of_campaign(
		db, id, 0, RECORD_ROWS, record_add_row, list_of(w->campaign, "decisions"), e);
}

static int add_campaign(void *ctx, const struct campaign_row *c, struct err *e)
{
	struct whole *w = ctx;
	int rc;

	if (!sha256_eq(&c->release_digest, &w->row->digest))
		return 0;
	w->campaign = record_campaign(c);
	json_array_append_new(w->campaigns, w->campaign);
	list_of(w->campaign, "orders");
	list_of(w->campaign, "recipients");
	w->started = 0;
	w->n = c->wave.recipients;
	w->courses = mem_new(w->n * sizeof *w->courses + 1);
	memset(w->courses, 0, w->n * sizeof *w->courses);
	rc = fill_campaign(w, c->id.s, e);
	free(w->courses);
	w->courses = NULL;
	return rc;
}

/* ---- the whole ---- */

static int add_drift(void *ctx, const struct drift_row *d, struct err *e UNUSED)
{
	struct whole *w = ctx;
	json_t *o;

	if (!sha256_eq(&d->document, &w->row->digest))
		return 0;
	o = json_pack("{s:s, s:I, s:I, s:I, s:I}", "metric", d->metric, "value_milli",
		(json_int_t)d->value_milli, "threshold_milli", (json_int_t)d->threshold_milli,
		"devices", (json_int_t)d->devices, "samples", (json_int_t)d->samples);
	record_digest(o, "reference", &d->reference);
	record_number(o, "from_ms", d->from);
	record_number(o, "to_ms", d->to);
	json_array_append_new(list_of(w->record, "drifts"), o);
	return 0;
}

int record_whole_release(
	struct run *r, const struct release_row *row, json_t *record, struct err *e)
{
	struct whole w = {.r = r, .row = row, .record = record};
	struct db *db = r->c.db;
	BUF_AUTO document = {0};
	json_t *rows;

	TRY(releases_document(db, &row->digest, &document, e));
	json_object_set_new(record, "software", record_software(row, buf_str(&document)));
	TRY(record_vouching(r, row, record, e));
	w.campaigns = list_of(record, "campaigns");
	TRY(campaigns_each(db, add_campaign, &w, e));
	list_of(record, "drifts");
	TRY(drifts_each(db, RECORD_ROWS, add_drift, &w, e));
	rows = list_of(record, "decisions");
	TRY(audit_each_saying(db, "publish", row->path, RECORD_ROWS, record_add_row, rows, e));
	return audit_each_saying(db, "approve", row->path, RECORD_ROWS, record_add_row, rows, e);
}
