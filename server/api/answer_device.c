/* Devices and what they report. */
#include "server/api/api_priv.h"

#include <stdio.h>
#include <string.h>

#include "proto/wire/report.h"
#include "server/repo/certificates.h"
#include "server/repo/devices.h"
#include "server/repo/leases.h"
#include "server/repo/presence.h"
#include "server/repo/reports.h"
#include "server/run/carry.h"
#include "server/run/intake.h"

#define HISTORY_MAX 1000

int answer_REPORT(struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	struct report r CLEANUP(report_fini) = {0};
	char device[ID_TEXT_MAX];
	bool duplicate;

	TRY(answer_id(rq, 0, "device", device, e));
	TRY(report_decode(rq->body, &r, e));
	TRY(intake_report(a->run, device, &r, rq->body, &duplicate, e));
	answer_json(out, json_pack("{s:I, s:b}", "seq", (json_int_t)r.seq, "duplicate", duplicate));
	return 0;
}

static json_t *desired_of(const struct desired_row *d)
{
	json_t *o = json_pack(
		"{s:s, s:I}", "order", d->order, "director_version", (json_int_t)d->version);

	answer_set_text(o, "path", d->path);
	answer_set_digest(o, "digest", &d->digest);
	answer_set_text(o, "campaign", d->campaign.s);
	return o;
}

static json_t *device_of(const struct device_row *d)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "id", d->id.s, "hardware",
		d->hardware, "running", d->running.s, "slot", d->slot, "state", d->state,
		"campaign", *d->campaign.s ? d->campaign.s : d->desired.campaign.s);

	answer_set_number(o, "last_contact_ms", MAX(d->contact, d->reported));
	answer_set_number(o, "reported_ms", d->reported);
	answer_set_number(o, "registered_ms", d->registered);
	answer_set_text(o, "text", d->text);
	answer_set_text(o, "target", d->target.s);
	if (d->total) {
		answer_set_number(o, "done", (int64_t)d->done);
		answer_set_number(o, "total", (int64_t)d->total);
	}
	if (d->code != ERR_OK)
		answer_set_text(o, "code", err_name(d->code));
	answer_set_text(o, "cause", d->cause);
	answer_set_text(o, "labels", d->labels);
	answer_set_text(o, "agent", d->agent);
	answer_set_digest(o, "running_digest", &d->running_digest);
	answer_set_number(o, "seq", (int64_t)d->seq);
	json_object_set_new(o, "desired", desired_of(&d->desired));
	return o;
}

static int add_device(void *ctx, const struct device_row *d, struct err *e UNUSED)
{
	json_array_append_new(ctx, device_of(d));
	return 0;
}

int answer_DEVICES(
	struct api *a, const struct web_request *rq UNUSED, struct web_reply *out, struct err *e)
{
	JSON_AUTO *list = json_array();

	TRY(devices_each(a->db, add_device, list, e));
	answer_json(out, json_pack("{s:O}", "devices", list));
	return 0;
}

/* What is known of who it is: nothing, until it has enrolled. */
static int add_identity(struct api *a, const char *device, json_t *o, struct err *e)
{
	struct certificate_row c;
	int rc = certificates_newest(a->db, device, &c, e);

	if (rc < 0)
		return rc == -ERR_NOT_FOUND ? 0 : rc;
	json_object_set_new(o, "identity",
		json_pack("{s:s, s:I, s:I}", "state", c.revoked ? "revoked" : "enrolled",
			"issued_ms", (json_int_t)c.issued, "until_ms",
			(json_int_t)c.until_s * 1000));
	return 0;
}

/* Whether others of its group wait for it. */
static int add_lease(struct api *a, const char *device, json_t *o, struct err *e)
{
	struct lease_row l;
	int rc = leases_get(a->db, device, &l, e);

	if (rc < 0)
		return rc == -ERR_NOT_FOUND ? 0 : rc;
	json_object_set_new(o, "lease",
		json_pack("{s:s, s:s, s:I, s:I}", "group", l.group, "campaign", l.campaign.s,
			"since_ms", (json_int_t)l.since, "until_ms", (json_int_t)l.until));
	return 0;
}

/* Whether the broker has a connection of it, as far as a broker is believed. */
static int add_presence(struct api *a, const char *device, json_t *o, struct err *e)
{
	bool online;
	ms_t since;

	TRY(presence_get(a->db, device, &online, &since, e));
	if (since)
		json_object_set_new(o, "presence",
			json_pack("{s:s, s:I}", "state", online ? "online" : "offline", "since_ms",
				(json_int_t)since));
	return 0;
}

int answer_DEVICE(struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	char device[ID_TEXT_MAX];
	struct device_row d;
	JSON_AUTO *o = NULL;

	TRY(answer_id(rq, 0, "device", device, e));
	TRY(devices_get(a->db, device, &d, e));
	o = device_of(&d);
	TRY(add_identity(a, device, o, e));
	TRY(add_lease(a, device, o, e));
	TRY(add_presence(a, device, o, e));
	answer_json(out, json_incref(o));
	return 0;
}

/* As it came, and when. */
static int add_report(void *ctx, const struct report_row *r, struct err *e)
{
	json_t *o;

	TRY(json_read(r->body, LIMIT_REPORT_BYTES, &o, e));
	answer_set_number(o, "at", r->received);
	answer_set_number(o, "n", (int64_t)r->n);
	answer_set_number(o, "epoch", (int64_t)r->epoch);
	json_array_append_new(ctx, o);
	return 0;
}

int answer_DEVICE_HISTORY(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	JSON_AUTO *list = json_array();
	char device[ID_TEXT_MAX];
	struct device_row d;
	uint64_t last, before;

	TRY(answer_id(rq, 0, "device", device, e));
	TRY(answer_number(rq, "last", 50, INT32_MAX, &last, e));
	TRY(answer_number(rq, "before", 0, INT64_MAX, &before, e));
	TRY(devices_get(a->db, device, &d, e));
	TRY(reports_each(
		a->db, device, before, (unsigned)MIN(last, HISTORY_MAX), add_report, list, e));
	answer_json(out, json_pack("{s:s, s:O}", "device", device, "reports", list));
	return 0;
}

struct carried {
	json_t *files;     /* path to content */
	json_t *artifacts; /* digest to length */
};

static int add_file(void *ctx, const char *path, struct str text, struct err *e UNUSED)
{
	struct carried *c = ctx;

	json_object_set_new(c->files, path, json_stringn(text.p, text.n));
	return 0;
}

static int add_artifact(
	void *ctx, const struct sha256 *digest, uint64_t length, struct err *e UNUSED)
{
	struct carried *c = ctx;
	char hex[SHA256_TEXT];

	sha256_format(digest, hex);
	json_object_set_new(c->artifacts, hex, json_integer((json_int_t)length));
	return 0;
}

int answer_DEVICE_CARRY(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	static const char *const known[] = {"days", NULL};
	JSON_AUTO *body = NULL, *files = json_object(), *artifacts = json_object();
	struct carried c = {files, artifacts};
	struct carry_out to = {&c, add_file, add_artifact};
	char device[ID_TEXT_MAX];
	uint64_t days = 30;

	TRY(answer_id(rq, 0, "device", device, e));
	TRY(answer_body(rq, LIMIT_BODY_BYTES, known, &body, e));
	TRY(json_u64_opt(body, "request", "days", 1, LIMIT_CARRY_DAYS, &days, e));
	TRY(carry_device(a->run, device, MINUTE((ms_t)days * 24 * 60), a->user.name, &to, e));
	answer_json(out, json_pack("{s:s, s:I, s:O, s:O}", "device", device, "days",
				 (json_int_t)days, "files", files, "artifacts", artifacts));
	return 0;
}
