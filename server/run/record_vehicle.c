/* The record of one vehicle: what it was, what it was to become, and what came of it. */
#include "server/run/record_whole.h"

#include <stdio.h>
#include <string.h>

#include "server/repo/certificates.h"
#include "server/repo/excluded.h"
#include "server/repo/reports.h"

struct vehicle {
	struct run *r;
	struct device_row d;
	json_t *record, *software, *updates;
	/* while one update is filled */
	json_t *update;
	uint32_t position;
	ms_t started, admitted, ended;
	bool has_moved;
};

/* ---- software, each once ---- */

static bool is_known(const json_t *list, const char *hex)
{
	const json_t *one;
	size_t i;

	json_array_foreach (list, i, one)
		if (strcmp(json_string_value(json_object_get(one, "digest")), hex) == 0)
			return true;
	return false;
}

static int note_software(struct vehicle *v, const struct sha256 *digest, struct err *e)
{
	json_t *software = NULL;
	char hex[SHA256_TEXT];

	sha256_format(digest, hex);
	if (sha256_is_zero(digest) || is_known(v->software, hex))
		return 0;
	TRY(record_software_of(v->r, digest, &software, e));
	if (!software)
		software = json_pack("{s:s, s:b}", "digest", hex, "unknown", 1);
	json_array_append_new(v->software, software);
	return 0;
}

/* ---- configurations ---- */

struct history {
	struct vehicle *v;
	json_t *list;
};

static int add_configuration(void *ctx, const struct configuration_row *c, struct err *e)
{
	struct history *h = ctx;

	json_array_append_new(h->list, record_configuration(c));
	return note_software(h->v, &c->running_digest, e);
}

static int configuration_then(
	struct vehicle *v, const char *key, ms_t at, const struct sha256 *ran, struct err *e)
{
	struct configuration_row c;
	json_t *o = json_object();
	int rc = at ? configurations_at(v->r->c.db, v->d.id.s, at, &c, e) : -ERR_NOT_FOUND;

	if (rc < 0 && rc != -ERR_NOT_FOUND) {
		json_decref(o);
		return rc;
	}
	json_object_set_new(v->update, key, o);
	if (ran)
		record_digest(o, "release_digest", ran);
	if (rc == 0)
		json_object_set_new(o, "configuration", record_configuration(&c));
	return ran ? note_software(v, ran, e) : 0;
}

/* ---- one update ---- */

static bool is_final(enum recipient_state s)
{
	return s != RECIPIENT_WAITING && s != RECIPIENT_ADMITTED && s != RECIPIENT_ORDERED_BACK &&
	       s != RECIPIENT_SILENT;
}

static json_t *list_of(json_t *o, const char *key)
{
	json_t *list = json_object_get(o, key);

	if (list)
		return list;
	list = json_array();
	json_object_set_new(o, key, list);
	return list;
}

static void note_move(struct vehicle *v, const struct wave_event *ev)
{
	json_t *o = json_pack("{s:I, s:s, s:s}", "at_ms", (json_int_t)ev->now, "from",
		recipient_state_name(ev->was), "to", recipient_state_name(ev->is));

	record_text(o, "text", ev->text);
	json_array_append_new(list_of(v->update, "moves"), o);
	if (is_final(ev->is))
		v->ended = ev->now;
}

/* Those about this vehicle, and the orders about all. */
static int take_event(
	void *ctx, uint64_t rev UNUSED, const struct wave_event *ev, struct err *e UNUSED)
{
	struct vehicle *v = ctx;

	if (record_is_order(ev->kind))
		json_array_append_new(list_of(v->update, "orders"), record_order(ev));
	if (ev->kind == WEV_START)
		v->started = ev->now;
	if (ev->position != v->position)
		return 0;
	if (ev->kind == WEV_ASK)
		v->admitted = ev->now;
	if (ev->kind == WEV_MOVED)
		note_move(v, ev);
	return 0;
}

/* What preconditions saw when a switch was decided: one row each. Reports come newest first. */
static void note_conditions(struct vehicle *v, const json_t *body)
{
	const json_t *conditions = json_object_get(body, "conditions"), *one;
	json_t *seen, *row;
	size_t i, at = 0;

	if (!conditions)
		return;
	seen = list_of(v->update, "seen");
	json_array_foreach (conditions, i, one) {
		row = json_pack("{s:O, s:O, s:O}", "seq", json_object_get(body, "seq"), "epoch",
			json_object_get(body, "epoch"), "at_ms", json_object_get(body, "at_ms"));
		json_object_update(row, (json_t *)one);
		json_array_insert_new(seen, at++, row);
	}
}

/* A report that belongs to this campaign: what the vehicle did, and what its user said. */
static int take_report(void *ctx, const struct report_row *row, struct err *e UNUSED)
{
	struct vehicle *v = ctx;
	JSON_AUTO *body = NULL;
	const char *campaign;

	if (json_read(row->body, LIMIT_REPORT_BYTES, &body, NULL) < 0)
		return 0;
	campaign = json_string_value(json_object_get(body, "campaign"));
	if (!campaign ||
		strcmp(campaign, json_string_value(json_object_get(v->update, "campaign"))) != 0)
		return 0;
	json_object_set_new(body, "received_ms", json_integer(row->received));
	json_object_set_new(body, "epoch", json_integer((json_int_t)row->epoch));
	json_array_insert(
		list_of(v->update, strcmp(row->kind, "consent") == 0 ? "consent" : "execution"), 0,
		body);
	note_conditions(v, body);
	return 0;
}

static void set_conditions(struct vehicle *v, const struct campaign_row *c, const json_t *software)
{
	const json_t *policy = json_object_get(v->update, "policy");
	json_t *o = json_object();

	json_object_set_new(v->update, "conditions", o);
	record_number(o, "silence_ms", c->policy.silence);
	if (json_object_get(software, "preconditions"))
		json_object_set(o, "preconditions", json_object_get(software, "preconditions"));
	if (json_object_get(policy, "freeze"))
		json_object_set(o, "freeze", json_object_get(policy, "freeze"));
	if (json_object_get(policy, "disruption"))
		json_object_set(o, "disruption", json_object_get(policy, "disruption"));
}

static void set_outcome(
	struct vehicle *v, const struct recipient_row *rec, const struct campaign_row *c)
{
	json_t *o = json_pack("{s:s}", "state", recipient_state_name(rec->state));

	record_text(o, "text", rec->text);
	record_number(o, "at_ms", v->ended);
	record_text(o, "campaign_phase", wave_phase_name(c->wave.phase));
	json_object_set_new(v->update, "outcome", o);
	record_number(v->update, "frozen_ms", v->started);
	record_number(v->update, "admitted_ms", v->admitted);
}

static int open_update(struct vehicle *v, const struct campaign_row *c, struct err *e)
{
	JSON_AUTO *software = NULL;

	v->update = record_campaign(c);
	json_array_append_new(v->updates, v->update);
	TRY(record_software_of(v->r, &c->release_digest, &software, e));
	if (software && json_object_get(software, "purpose"))
		json_object_set(v->update, "purpose", json_object_get(software, "purpose"));
	set_conditions(v, c, software);
	return note_software(v, &c->release_digest, e);
}

static int add_update(void *ctx, const struct recipient_row *rec, struct err *e)
{
	CAMPAIGN_ROW_AUTO c = {0};
	struct vehicle *v = ctx;

	TRY(campaigns_get(v->r->c.db, rec->campaign.s, &c, e));
	TRY(open_update(v, &c, e));
	v->position = rec->position;
	v->started = v->admitted = v->ended = 0;
	json_object_set_new(v->update, "compatibility", json_string("compatible"));
	json_object_set_new(v->update, "position", json_integer(rec->position));
	TRY(events_each(v->r->c.db, c.id.s, 0, UINT32_MAX, take_event, v, e));
	TRY(configuration_then(v, "before", v->admitted, &rec->before_digest, e));
	TRY(configuration_then(v, "after", v->ended, NULL, e));
	set_outcome(v, rec, &c);
	return reports_each(v->r->c.db, v->d.id.s, 0, RECORD_ROWS, take_report, v, e);
}

static int add_exclusion(void *ctx, const char *campaign, const char *verdict, struct err *e)
{
	CAMPAIGN_ROW_AUTO c = {0};
	struct vehicle *v = ctx;
	json_t *o;

	TRY(campaigns_get(v->r->c.db, campaign, &c, e));
	o = json_pack("{s:s, s:s, s:s}", "campaign", campaign, "release", c.release.s,
		"compatibility", verdict);
	record_digest(o, "release_digest", &c.release_digest);
	json_array_append_new(list_of(v->record, "excluded"), o);
	return 0;
}

/* ---- the whole ---- */

static int add_identity(struct vehicle *v, json_t *o, struct err *e)
{
	struct certificate_row c;
	int rc = certificates_newest(v->r->c.db, v->d.id.s, &c, e);

	if (rc < 0)
		return rc == -ERR_NOT_FOUND ? 0 : rc;
	record_digest(o, "certificate", &c.digest);
	record_digest(o, "key", &c.key);
	record_number(o, "certificate_until_ms", c.until_s * 1000);
	record_number(o, "revoked_ms", c.revoked);
	return 0;
}

static int add_vehicle(struct vehicle *v, struct err *e)
{
	json_t *o = json_pack("{s:s}", "id", v->d.id.s);

	json_object_set_new(v->record, "vehicle", o);
	record_text(o, "hardware", v->d.hardware);
	record_text(o, "labels", v->d.labels);
	record_text(o, "agent", v->d.agent);
	record_text(o, "state", v->d.state);
	record_text(o, "release", v->d.running.s);
	record_digest(o, "release_digest", &v->d.running_digest);
	record_number(o, "registered_ms", v->d.registered);
	record_number(o, "reported_ms", v->d.reported);
	record_number(o, "last_contact_ms", MAX(v->d.contact, v->d.reported));
	return add_identity(v, o, e);
}

static int fill(struct vehicle *v, struct err *e)
{
	struct db *db = v->r->c.db;
	const char *id = v->d.id.s;
	struct history h = {v, list_of(v->record, "configurations")};

	v->software = list_of(v->record, "software");
	v->updates = list_of(v->record, "updates");
	list_of(v->record, "excluded");
	TRY(add_vehicle(v, e));
	TRY(configurations_each(db, id, 0, RECORD_ROWS, add_configuration, &h, e));
	TRY(recipients_each_of(db, id, add_update, v, e));
	TRY(excluded_each_of(db, id, add_exclusion, v, e));
	return audit_each_of_device(
		db, id, 0, RECORD_ROWS, record_add_row, list_of(v->record, "decisions"), e);
}

int record_whole_vehicle(struct run *r, const char *device, json_t *record, struct err *e)
{
	struct vehicle *v CLEANUP(mem_free) = mem_new(sizeof *v);

	memset(v, 0, sizeof *v);
	v->r = r;
	v->record = record;
	TRY(devices_get(r->c.db, device, &v->d, e));
	return fill(v, e);
}
