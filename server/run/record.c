#include "server/run/record.h"

#include <stdio.h>
#include <string.h>

#include "proto/trust/digest.h"
#include "server/repo/checkpoints.h"
#include "server/run/checkpoint.h"
#include "server/run/record_priv.h"
#include "server/run/record_whole.h"

/* ---- what the parts share ---- */

void record_text(json_t *o, const char *key, const char *text)
{
	if (*text)
		json_object_set_new(o, key, json_string(text));
}

void record_number(json_t *o, const char *key, int64_t n)
{
	if (n)
		json_object_set_new(o, key, json_integer(n));
}

void record_digest(json_t *o, const char *key, const struct sha256 *d)
{
	char hex[SHA256_TEXT];

	if (sha256_is_zero(d))
		return;
	sha256_format(d, hex);
	json_object_set_new(o, key, json_string(hex));
}

void record_json(json_t *o, const char *key, struct str text)
{
	json_t *j;

	if (text.n && json_read(text, text.n, &j, NULL) == 0)
		json_object_set_new(o, key, j);
}

int record_add_row(
	void *list, const struct audit_row *a, const struct sha256 *chain, struct err *e UNUSED)
{
	json_t *o = audit_row_encode(a);

	record_digest(o, "chain", chain);
	json_array_append_new(list, o);
	return 0;
}

json_t *record_configuration(const struct configuration_row *c)
{
	json_t *o = configuration_encode(c);
	struct sha256 digest;

	configuration_digest(c, &digest);
	record_digest(o, "digest", &digest);
	record_text(o, "runs", *c->running.s ? c->running.s : "nothing");
	record_number(o, "n", (int64_t)c->n);
	record_number(o, "at_ms", c->at);
	record_text(o, "source", c->source);
	record_number(o, "epoch", (int64_t)c->epoch);
	record_number(o, "seq", (int64_t)c->seq);
	record_number(o, "audit_row", (int64_t)c->audit);
	return o;
}

bool record_is_order(enum wave_ev_kind kind)
{
	return kind != WEV_ASK && kind != WEV_MOVED && kind != WEV_TICK && kind != WEV_CONTROL;
}

json_t *record_order(const struct wave_event *ev)
{
	json_t *o = json_pack("{s:I, s:s, s:s}", "at_ms", (json_int_t)ev->now, "order",
		wave_event_name(ev->kind), "by", ev->who);

	record_text(o, "reason", ev->text);
	return o;
}

json_t *record_campaign(const struct campaign_row *c)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:I, s:s, s:s}", "campaign", c->id.s, "release",
		c->release.s, "created_by", c->created_by, "created_ms", (json_int_t)c->created,
		"phase", wave_phase_name(c->wave.phase), "engine", WAVE_ENGINE);
	BUF_AUTO policy = {0};

	policy_encode(&c->policy, &policy);
	record_digest(o, "release_digest", &c->release_digest);
	record_json(o, "policy", buf_str(&policy));
	record_digest(o, "policy_digest", &c->policy_digest);
	record_json(o, "selector", buf_str(&c->selector));
	record_text(o, "why", c->wave.why);
	return o;
}

/* ---- the anchor ---- */

static int add_checkpoint(void *ctx, struct str bytes, struct err *e UNUSED)
{
	record_json(ctx, "checkpoint", bytes);
	return 0;
}

static int say_given(struct run *r, const char *kind, const char *name, const char *device,
	const char *by, const char *hex, struct err *e)
{
	char text[2 * LIMIT_TEXT];

	snprintf(text, sizeof text, "%s was given the record of %s %s: sha256 %s", by, kind, name,
		hex);
	return run_audit(r, NULL, by, "record", device, text, e);
}

/* The row that names the digest, and a signed checkpoint that covers it, unless nobody signs. */
static int anchor(struct run *r, const char *hex, json_t *out, struct err *e)
{
	struct sha256 chain;
	uint64_t n;

	TRY(audit_newest(r->c.db, &n, &chain, e));
	json_object_set_new(out, "digest", json_string(hex));
	record_number(out, "row", (int64_t)n);
	record_digest(out, "chain", &chain);
	TRY(checkpoint_now(r, e));
	return checkpoints_each(r->c.db, n - 1, 1, add_checkpoint, out, e);
}

static int give(struct run *r, json_t *record, const char *name, const char *device, const char *by,
	json_t **out, struct err *e)
{
	const char *kind = *device ? "vehicle" : "release";
	JSON_AUTO *at = json_object();
	BUF_AUTO bytes = {0};
	char hex[SHA256_TEXT];
	struct sha256 digest;

	json_canonical(record, &bytes);
	digest_of(bytes.p, bytes.n, &digest);
	sha256_format(&digest, hex);
	TRY(run_begin(r, e));
	TRY(run_end(r, say_given(r, kind, name, device, by, hex, e), e));
	TRY(anchor(r, hex, at, e));
	*out = json_pack("{s:i, s:O, s:O}", "format", 1, "record", record, "anchor", at);
	return 0;
}

static json_t *new_record(const struct run *r, const char *kind, const char *by)
{
	return json_pack(
		"{s:s, s:s, s:I}", "kind", kind, "made_for", by, "made_ms", (json_int_t)run_now(r));
}

int record_vehicle(struct run *r, const char *device, const char *by, json_t **out, struct err *e)
{
	JSON_AUTO *record = new_record(r, "vehicle", by);

	TRY(record_whole_vehicle(r, device, record, e));
	record_judge(RECORD_VEHICLE, record);
	return give(r, record, device, device, by, out, e);
}

int record_release(struct run *r, const char *release, const char *by, json_t **out, struct err *e)
{
	JSON_AUTO *record = new_record(r, "release", by);
	RELEASE_ROW_AUTO row = {0};

	TRY(releases_get(r->c.db, release, &row, e));
	TRY(record_whole_release(r, &row, record, e));
	record_judge(RECORD_RELEASE, record);
	return give(r, record, row.id.s, "", by, out, e);
}
