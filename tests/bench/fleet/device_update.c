#include "tests/bench/fleet/device_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/wire/release.h"

static const struct stage stages[STAGES] = {
	[IDLE] = {"idle", IDLE, false, ERR_OK},
	[ACCEPTED] = {"accepted", STAGING, false, ERR_OK},
	[STAGING] = {"staging", SEALED, false, ERR_OK},
	[SEALED] = {"sealed", READY, false, ERR_OK},
	[READY] = {"ready", SWITCHING, false, ERR_OK},
	[SWITCHING] = {"switching", STARTING, false, ERR_OK},
	[STARTING] = {"starting", SOAKING, false, ERR_OK},
	[SOAKING] = {"soaking", COMMITTING, false, ERR_OK},
	[COMMITTING] = {"committing", COMMITTED, false, ERR_OK},
	[COMMITTED] = {"committed", IDLE, true, ERR_OK},
	[REVERTING] = {"reverting", RESTORING, false, ERR_OK},
	[RESTORING] = {"restoring", REVERTED, false, ERR_OK},
	[REVERTED] = {"reverted", IDLE, true, ERR_TRIGGERED},
	[FAILED] = {"failed", IDLE, true, ERR_SMOKE_FAILED},
};

const struct stage *device_stage(const struct device *d)
{
	return &stages[d->stage];
}

bool device_is_busy(const struct device *d)
{
	return d->stage != IDLE && !stages[d->stage].ends;
}

/* In [0, 1,000,000), by device and release. */
static uint32_t fate(const struct device *d)
{
	char text[2 * ID_TEXT_MAX];

	snprintf(text, sizeof text, "%s %s", d->id.s, d->target.s);
	return (uint32_t)(hash64(d->herd->conf->seed, text, strlen(text)) % 1000000U);
}

static enum stage_id next_of(const struct device *d)
{
	const struct herd_conf *c = d->herd->conf;
	bool back = d->director_seen && strcmp(d->target.s, c->runs.s) == 0;

	if (d->stage == SOAKING && !back && fate(d) < c->revert_ppm)
		return REVERTING;
	if (d->stage == SEALED && !back && fate(d) >= c->revert_ppm &&
		fate(d) < c->revert_ppm + c->fail_ppm)
		return FAILED;
	return stages[d->stage].next;
}

static void enter(struct device *d, enum stage_id s)
{
	d->stage = s;
	if (s == COMMITTED) {
		d->running = d->target;
		d->running_digest = d->target_digest;
	}
	d->stage_ends = device_now() + (s == SOAKING ? device_spread(d, d->herd->conf->soak) : 0);
	device_queue(d, stages[s].ends ? REPORT_OUTCOME : REPORT_STATE);
	device_go_on(d);
}

static void fetch_artifact(struct device *d);

static void on_artifact(struct call *c)
{
	struct device *d = device_of(c);

	if (!device_is_answer(d, false, SPAN_META))
		return;
	figures_count(d->herd->figures, COUNT_FILES);
	d->artifact++;
	fetch_artifact(d);
}

static void fetch_artifact(struct device *d)
{
	struct release *r = mem_new(sizeof *r);
	char hex[SHA256_TEXT] = "";
	struct err e;

	if (release_parse(buf_str(&d->document), r, &e) < 0)
		device_die(d, &e);
	if (d->artifact < r->n_components)
		sha256_format(&r->components[d->artifact].artifact.digest, hex);
	free(r);
	if (!*hex || !d->herd->conf->fetches) {
		buf_fini(&d->document);
		enter(d, SEALED);
		return;
	}
	snprintf(d->call.path, sizeof d->call.path, "/artifacts/%s", hex);
	device_call(d, on_artifact, (struct str){0});
}

static void on_document(struct call *c)
{
	struct device *d = device_of(c);

	if (!device_is_answer(d, false, SPAN_META))
		return;
	figures_count(d->herd->figures, COUNT_FILES);
	buf_clear(&d->document);
	buf_add(&d->document, c->answer.p, c->answer.n);
	d->artifact = 0;
	fetch_artifact(d);
}

static void fetch_document(struct device *d)
{
	char hex[SHA256_TEXT];

	sha256_format(&d->target_digest, hex);
	snprintf(d->call.path, sizeof d->call.path, "/image/targets/toy/%s.%s.json", hex,
		d->target.s);
	d->call.etag = NULL;
	device_call(d, on_document, (struct str){0});
}

void device_decide(struct device *d, const struct desired *want)
{
	const char *slash = strchr(want->path, '/');

	if (want->order == DESIRED_NOTHING || sha256_eq(&want->hash, &d->running_digest) ||
		want->director_version <= d->director_seen)
		return;
	d->director_seen = want->director_version;
	d->campaign = want->campaign;
	d->target_digest = want->hash;
	snprintf(d->target.s, sizeof d->target.s, "%.*s", (int)strcspn(slash ? slash + 1 : "", "."),
		slash ? slash + 1 : "");
	d->herd->figures->dev[d->number].ended = 0;
	d->stage = ACCEPTED;
	device_queue(d, REPORT_STATE);
}

void device_step(struct device *d)
{
	if (d->stage == STAGING)
		fetch_document(d);
	else if (d->stage_ends <= device_now())
		enter(d, next_of(d));
	else
		device_sleep_until(d, MIN(d->stage_ends, device_batch_due(d)));
}
