#include "tests/bench/fleet/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/core/backoff.h"
#include "lib/sys/clock.h"
#include "proto/wire/release.h"
#include "proto/wire/report.h"

/* ---- an update, state by state, as agents tell it (agent/core/update.tbl.h) ---- */

enum stage_id {
	IDLE,
	ACCEPTED,
	STAGING,
	SEALED,
	READY,
	SWITCHING,
	STARTING,
	SOAKING,
	COMMITTING,
	COMMITTED,
	REVERTING,
	RESTORING,
	REVERTED,
	FAILED,
	STAGES
};

static const struct stage {
	const char *name;
	enum stage_id next;
	bool ends;
	enum err_code code; /* of an outcome */
} stages[STAGES] = {
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

static bool is_busy(const struct device *d)
{
	return d->stage != IDLE && !stages[d->stage].ends;
}

static bool verifies(const struct device *d)
{
	unsigned each = d->herd->conf->verify_each;

	return each && d->number % each == 0;
}

static ms_t now_ms(void)
{
	return clock_system.mono(clock_system.self);
}

static void die(const struct device *d, const struct err *e)
{
	fprintf(stderr, "%s: %s\n", d->id.s, e->text);
	abort();
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

/* ---- reports ---- */

static void fill(const struct device *d, enum report_kind kind, struct report *r)
{
	report_init(r);
	r->kind = kind;
	r->seq = d->seq;
	r->at = clock_system.wall(clock_system.self);
	snprintf(r->agent, sizeof r->agent, "fleet");
	snprintf(r->hardware, sizeof r->hardware, "edge-x86");
	snprintf(r->labels, sizeof r->labels, "line=l%u", d->number % 10);
	r->running = d->running;
	r->running_digest = d->running_digest;
	snprintf(r->slot, sizeof r->slot, "a");
	snprintf(r->state, sizeof r->state, "%s", stages[d->stage].name);
	r->campaign = d->campaign;
	r->target = d->target;
	r->target_digest = d->target_digest;
	r->director_version = d->director_seen;
	r->code = stages[d->stage].code;
	if (r->code != ERR_OK)
		snprintf(r->text, sizeof r->text, "as the seed wants it");
}

static void queue(struct device *d, enum report_kind kind)
{
	struct waiting *w = &d->queue[d->n_queue];
	BUF_AUTO text = {0};
	struct report r;
	struct err e;

	if (d->n_queue == DEVICE_REPORTS)
		abort();
	d->seq++;
	fill(d, kind, &r);
	report_encode(&r, &text);
	*w = (struct waiting){d->seq, kind == REPORT_OUTCOME, mem_strdup(buf_cstr(&text))};
	d->n_queue++;
	if (device_save(d, &e) < 0)
		die(d, &e);
}

static void drop_first(struct device *d)
{
	free(d->queue[0].text);
	d->n_queue--;
	memmove(d->queue, d->queue + 1, d->n_queue * sizeof d->queue[0]);
}

/* ---- what comes next ---- */

static void go_on(struct device *d);

static ms_t spread(struct device *d, ms_t span)
{
	return span / 2 + (ms_t)prng_below(&d->herd->random, (uint64_t)span + 1);
}

static void sleep_until(struct device *d, ms_t when)
{
	ms_t span = MAX(when - now_ms(), 0);

	/* Not relative to when the loop began its turn, which may be long ago. */
	sd_event_source_set_time(d->timer, figures_now_us() + (uint64_t)span * 1000);
	sd_event_source_set_enabled(d->timer, SD_EVENT_ONESHOT);
}

static void begin_call(struct device *d, void (*done)(struct call *), struct str body)
{
	if (now_ms() < d->not_before)
		figures_count(d->herd->figures, COUNT_EARLY);
	d->call.host = d->id.s;
	d->call.number = d->number;
	d->call.done = done;
	d->call.body = body;
	d->calls = true;
	sd_event_source_set_enabled(d->timer, SD_EVENT_OFF);
	call_begin(d->herd->calls, &d->call);
}

/* The agent's own backoff. */
static void wait_out(struct device *d, enum err_retry class_)
{
	ms_t wait =
		backoff_wait(class_, ++d->fails, prng_next(&d->herd->random), d->call.retry_after);

	reading_free(&d->reading);
	buf_fini(&d->document);
	d->not_before = now_ms() + d->call.retry_after;
	sleep_until(d, now_ms() + (wait < 0 ? SEC(60) : wait));
}

/* True when there is an answer that can be used; otherwise the device tries again later. */
static bool is_answer(struct device *d, bool may_miss, enum span timed)
{
	struct figures *f = d->herd->figures;
	const struct call *c = &d->call;

	d->calls = false;
	if (!c->answered) {
		figures_count(f, COUNT_BROKEN);
		wait_out(d, ERR_RETRY_SOON);
		return false;
	}
	if (c->status == 429 || c->status == 503) {
		figures_count(f, COUNT_BUSY);
		wait_out(d, ERR_RETRY_SOON);
		return false;
	}
	figures_time(f, timed, c->us);
	if (c->status / 100 == 2 || c->status == 304 || (may_miss && c->status == 404)) {
		d->fails = 0;
		return true;
	}
	fprintf(stderr, "%s: %s: %d %.*s\n", d->id.s, c->path, c->status, (int)c->answer.n,
		(const char *)c->answer.p);
	figures_count(f, COUNT_WRONG);
	wait_out(d, ERR_RETRY_LATER);
	return false;
}

/* ---- sending ---- */

static void on_reported(struct call *c)
{
	struct device *d = (struct device *)((char *)c - offsetof(struct device, call));
	struct figures *f = d->herd->figures;
	bool refused = c->answered && (c->status == 400 || c->status == 409 || c->status == 422);

	if (refused) {
		figures_count(f, COUNT_REFUSED);
		fprintf(stderr, "%s: refused: %.*s\n", d->id.s, (int)c->answer.n,
			(const char *)c->answer.p);
	}
	if (!refused && !is_answer(d, false, SPAN_REPORT))
		return;
	d->calls = false;
	figures_count(f, COUNT_REPORTS);
	if (memmem(c->answer.p, c->answer.n, "true", 4))
		figures_count(f, COUNT_DUPLICATES);
	f->dev[d->number].registered = 1;
	if (d->queue[0].ends) {
		f->dev[d->number].ended = 1;
		figures_count(f, COUNT_UPDATES);
	}
	drop_first(d);
	go_on(d);
}

static void send_first(struct device *d)
{
	snprintf(d->call.path, sizeof d->call.path, "/v1/devices/%s/reports", d->id.s);
	d->call.etag = NULL;
	if (d->queue[0].ends)
		figures_outcome(d->herd->figures);
	begin_call(d, on_reported, str_of(d->queue[0].text));
}

/* ---- an update ---- */

static void enter(struct device *d, enum stage_id s)
{
	d->stage = s;
	if (s == COMMITTED) {
		d->running = d->target;
		d->running_digest = d->target_digest;
	}
	d->stage_ends = now_ms() + (s == SOAKING ? spread(d, d->herd->conf->soak) : 0);
	queue(d, stages[s].ends ? REPORT_OUTCOME : REPORT_STATE);
	go_on(d);
}

static void fetch_artifact(struct device *d);

static void on_artifact(struct call *c)
{
	struct device *d = (struct device *)((char *)c - offsetof(struct device, call));

	if (!is_answer(d, false, SPAN_META))
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
		die(d, &e);
	if (d->artifact < r->n_components)
		sha256_format(&r->components[d->artifact].artifact.digest, hex);
	free(r);
	if (!*hex || !d->herd->conf->fetches) {
		buf_fini(&d->document);
		enter(d, SEALED);
		return;
	}
	snprintf(d->call.path, sizeof d->call.path, "/artifacts/%s", hex);
	begin_call(d, on_artifact, (struct str){0});
}

static void on_document(struct call *c)
{
	struct device *d = (struct device *)((char *)c - offsetof(struct device, call));

	if (!is_answer(d, false, SPAN_META))
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
	begin_call(d, on_document, (struct str){0});
}

/* ---- what is wanted ---- */

static void poll_later(struct device *d)
{
	bool floods = d->herd->figures->mode == MODE_FLOOD;

	d->next_poll = now_ms() + (floods ? 0 : spread(d, d->herd->conf->poll));
	if (d->call.retry_after)
		d->next_poll = MAX(d->next_poll, now_ms() + d->call.retry_after);
}

static void decide(struct device *d, const struct desired *want)
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
	queue(d, REPORT_STATE);
}

static void read_next(struct device *d);

static bool is_own_timestamp(const char *path)
{
	return strncmp(path, "/director/", 10) == 0 && strstr(path, "/timestamp.json");
}

static void on_file(struct call *c)
{
	struct device *d = (struct device *)((char *)c - offsetof(struct device, call));
	bool is_missing = c->answered && c->status == 404;
	struct str bytes = {0};
	struct desired want;
	char path[400];
	bool may_miss;
	struct err e;

	reading_next(d->reading, path, sizeof path, &may_miss);
	if (!is_answer(d, may_miss, SPAN_META))
		return;
	figures_count(d->herd->figures, COUNT_FILES);
	if (is_own_timestamp(path))
		snprintf(d->call_etag, sizeof d->call_etag, "%s", c->new_etag);
	if (!is_missing)
		bytes = buf_str(&c->answer);
	if (reading_take(d->reading, bytes, &e) < 0) {
		/* Signed anew between two of its files, most of the time. */
		fprintf(stderr, "%s: %s: %s\n", d->id.s, path, e.text);
		figures_count(d->herd->figures, COUNT_WRONG);
		wait_out(d, ERR_RETRY_SOON);
		return;
	}
	if (reading_next(d->reading, path, sizeof path, &may_miss)) {
		read_next(d);
		return;
	}
	if (reading_end(d->reading, &want, &e) < 0)
		die(d, &e);
	if (verifies(d))
		figures_count(d->herd->figures, COUNT_VERIFIED);
	reading_free(&d->reading);
	memcpy(d->etag, d->call_etag, sizeof d->etag);
	decide(d, &want);
	go_on(d);
}

static void read_next(struct device *d)
{
	bool may_miss;

	reading_next(d->reading, d->call.path, sizeof d->call.path, &may_miss);
	d->call.etag = NULL;
	begin_call(d, on_file, (struct str){0});
}

static void on_polled(struct call *c)
{
	struct device *d = (struct device *)((char *)c - offsetof(struct device, call));
	const struct herd *h = d->herd;
	struct device_facts facts = {.device = d->id, .running = d->running_digest};
	struct err e;

	if (!is_answer(d, false, SPAN_POLL))
		return;
	figures_count(h->figures, COUNT_POLLS);
	poll_later(d);
	if (c->status == 304) {
		figures_count(h->figures, COUNT_UNCHANGED);
		go_on(d);
		return;
	}
	memcpy(d->call_etag, c->new_etag, sizeof d->call_etag);
	snprintf(facts.hardware, sizeof facts.hardware, "edge-x86");
	if (reading_new(&h->roots, &facts, verifies(d), &d->reading, &e) < 0 ||
		reading_take(d->reading, buf_str(&c->answer), &e) < 0)
		die(d, &e);
	read_next(d);
}

static void poll(struct device *d)
{
	d->woken = false;
	snprintf(d->call.path, sizeof d->call.path, "/director/%s/timestamp.json", d->id.s);
	d->call.etag = d->etag;
	begin_call(d, on_polled, (struct str){0});
}

/* ---- the loop of a life ---- */

static void go_on(struct device *d)
{
	ms_t now = now_ms();

	if (d->calls)
		return;
	if (d->n_queue)
		send_first(d);
	else if (is_busy(d) && d->stage == STAGING)
		fetch_document(d);
	else if (is_busy(d) && d->stage_ends <= now)
		enter(d, next_of(d));
	else if (is_busy(d))
		sleep_until(d, d->stage_ends);
	else if (d->woken || d->next_poll <= now)
		poll(d);
	else
		sleep_until(d, d->next_poll);
}

static int on_timer(sd_event_source *s UNUSED, uint64_t us UNUSED, void *ctx)
{
	go_on(ctx);
	return 0;
}

void device_mode(struct device *d)
{
	d->next_poll = now_ms() + (ms_t)prng_below(&d->herd->random, 1000);
	if (!d->calls && !d->fails)
		go_on(d);
}

void device_wake(struct device *d)
{
	d->woken = true;
	if (!d->calls && now_ms() >= d->not_before && !d->fails)
		go_on(d);
}

void device_begin(struct device *d, struct herd *h, unsigned number)
{
	*d = (struct device){.herd = h, .number = number};
	snprintf(d->id.s, sizeof d->id.s, "dev-%05u", number);
	if (sd_event_add_time_relative(h->loop, &d->timer, CLOCK_MONOTONIC, 0, 1000, on_timer, d) <
		0)
		abort();
	if (!device_load(d)) {
		d->running = h->conf->runs;
		d->running_digest = h->conf->runs_digest;
	}
	if (d->n_queue < DEVICE_REPORTS / 2)
		queue(d, REPORT_HELLO);
	/* Not all in the same instant: machines of a fleet are not switched on together. */
	sleep_until(d, now_ms() + (ms_t)prng_below(&h->random, (uint64_t)h->conf->poll + 1));
}
