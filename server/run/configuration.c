#include "server/run/configuration.h"

#include <stdio.h>
#include <string.h>

#include "proto/trust/digest.h"

static void set_text(json_t *o, const char *key, const char *text)
{
	if (*text)
		json_object_set_new(o, key, json_string(text));
}

json_t *configuration_encode(const struct configuration_row *c)
{
	json_t *o = json_object();
	char hex[SHA256_TEXT] = "";

	if (!sha256_is_zero(&c->running_digest))
		sha256_format(&c->running_digest, hex);
	set_text(o, "device", c->device.s);
	set_text(o, "hardware", c->hardware);
	set_text(o, "agent", c->agent);
	set_text(o, "labels", c->labels);
	set_text(o, "slot", c->slot);
	set_text(o, "release", c->running.s);
	set_text(o, "release_digest", hex);
	return o;
}

void configuration_digest(const struct configuration_row *c, struct sha256 *out)
{
	JSON_AUTO *o = configuration_encode(c);
	BUF_AUTO bytes = {0};

	json_canonical(o, &bytes);
	digest_of(bytes.p, bytes.n, out);
}

static void fill(const struct device_row *d, ms_t now, struct configuration_row *c)
{
	*c = (struct configuration_row){.device = d->id,
		.at = now,
		.epoch = d->epoch,
		.seq = d->seq,
		.running = d->running,
		.running_digest = d->running_digest};
	snprintf(c->hardware, sizeof c->hardware, "%s", d->hardware);
	snprintf(c->agent, sizeof c->agent, "%s", d->agent);
	snprintf(c->labels, sizeof c->labels, "%s", d->labels);
	snprintf(c->slot, sizeof c->slot, "%s", d->slot);
}

static int bind_row(struct run *r, struct configuration_row *c, struct err *e)
{
	char hex[SHA256_TEXT], text[2 * LIMIT_TEXT];
	struct sha256 digest, chain;

	configuration_digest(c, &digest);
	sha256_format(&digest, hex);
	snprintf(text, sizeof text, "%s: configuration %s: runs %s in slot %s on %s", c->device.s,
		hex, *c->running.s ? c->running.s : "nothing", *c->slot ? c->slot : "-",
		*c->hardware ? c->hardware : "unknown hardware");
	TRY(run_audit(r, NULL, c->device.s, "configuration", c->device.s, text, e));
	return audit_newest(r->c.db, &c->audit, &chain, e);
}

int configuration_note(
	struct run *r, const struct device_row *d, enum report_kind source, struct err *e)
{
	struct configuration_row is, was;
	struct sha256 a, b;
	int rc = configurations_at(r->c.db, d->id.s, INT64_MAX, &was, e);

	if (rc < 0 && rc != -ERR_NOT_FOUND)
		return rc;
	fill(d, run_now(r), &is);
	configuration_digest(&is, &a);
	if (rc == 0)
		configuration_digest(&was, &b);
	if (rc == 0 && sha256_eq(&a, &b))
		return 0;
	snprintf(is.source, sizeof is.source, "%s", report_kind_name(source));
	TRY(bind_row(r, &is, e));
	return configurations_add(r->c.db, &is, e);
}
