#include "server/run/telemetry.h"

#include <stdio.h>
#include <string.h>

#include "server/repo/releases.h"
#include "server/repo/items.h"
#include "server/run/control.h"
#include "server/run/hook.h"
#include "server/run/run_priv.h"

#define DAY MINUTE(24 * 60)

const struct telemetry_conf telemetry_usual = {
	.window_keep = DAY,
	.event_keep = 30 * DAY,
	.window_rows = 500000,
	.event_rows = 100000,
	.fine_keep = 2 * DAY,
	.coarse_keep = 90 * DAY,
};

/* Everything that one transaction gathers; it counts only when that is durable. */
struct taking {
	struct run *r;
	const struct telemetry_conf *c;
	struct gain gain;
	struct telemetry_stats stats;
	struct sha256 asked, known; /* the release that was looked up last, and what it counts as */
	bool has_asked;
};

/* Where the windows of one device belong. */
struct source {
	const struct device_row *d;
	const struct campaign_row *campaign; /* under way with the device in it, or NULL */
	bool waits;                          /* there, and was not admitted yet */
	char stratum[AGG_KEY_TEXT];
};

/* ---- of whom ---- */

static void stratum_of(const struct taking *x, const struct device_row *d, char out[AGG_KEY_TEXT])
{
	struct str value = STR("");

	if (*x->c->stratum)
		(void)labels_find(str_of(d->labels), str_of(x->c->stratum), &value);
	snprintf(out, AGG_KEY_TEXT, "%s%s%.*s", d->hardware, *x->c->stratum ? "/" : "",
		(int)value.n, value.p);
}

static int find_source(
	struct taking *x, const struct device_row *d, struct source *out, struct err *e)
{
	struct recipient_row rec;
	int rc;

	*out = (struct source){.d = d};
	stratum_of(x, d, out->stratum);
	if (!*d->campaign.s)
		return 0;
	TRY(run_active(x->r, d->campaign.s, &out->campaign, e));
	if (!out->campaign)
		return 0;
	rc = recipients_get(x->r->c.db, d->campaign.s, d->id.s, &rec, e);
	out->waits = rc == 0 && rec.state == RECIPIENT_WAITING;
	return rc == -ERR_NOT_FOUND ? 0 : rc;
}

/* A release that was not published here counts as none, so that nobody can make up aggregates. */
static int release_of(
	struct taking *x, const struct sha256 *said, struct sha256 *out, struct err *e)
{
	RELEASE_ROW_AUTO row = {0};
	int rc = 0;

	if (!x->has_asked || !sha256_eq(said, &x->asked)) {
		x->asked = *said;
		x->known = (struct sha256){{0}};
		rc = sha256_is_zero(said) ? -ERR_NOT_FOUND
					  : releases_by_digest(x->r->c.db, said, &row, e);
		if (rc == 0)
			x->known = *said;
	}
	x->has_asked = rc == 0 || rc == -ERR_NOT_FOUND;
	*out = x->known;
	return rc == -ERR_NOT_FOUND ? 0 : rc;
}

/* ---- windows ---- */

/* Devices with a clock are believed as far as what is fine yet; others count when they are heard.
 */
static ms_t span_of(const struct taking *x, ms_t at)
{
	ms_t now = run_now(x->r);

	if (at > now || at < now - x->c->fine_keep)
		at = now;
	return at - at % TELEMETRY_FINE;
}

static void add_to(struct taking *x, const struct agg_key *base, enum agg_part part,
	const char *name, const struct telemetry_window *w)
{
	struct agg_key k = *base;

	k.part = part;
	snprintf(k.key, sizeof k.key, "%s", name);
	gain_add(&x->gain, &k, w);
}

/* The devices of a campaign that have its release by wave, and those that wait as one. */
static bool wave_name(const struct source *s, const struct sha256 *release, char out[AGG_KEY_TEXT])
{
	const struct campaign_row *c = s->campaign;

	if (!c)
		return false;
	if (sha256_eq(release, &c->release_digest))
		snprintf(out, AGG_KEY_TEXT, "%s/%u", c->id.s,
			wave_of(&c->policy, &c->wave, s->d->position) + 1);
	else if (s->waits)
		snprintf(out, AGG_KEY_TEXT, "%s/waiting", c->id.s);
	else
		return false;
	return true;
}

static int take_window(
	struct taking *x, const struct source *s, const struct telemetry_item *t, struct err *e)
{
	const struct telemetry_window *w = &t->window;
	struct agg_key k = {.layer = w->layer, .span = TELEMETRY_FINE, .at = span_of(x, t->at)};
	char wave[AGG_KEY_TEXT];

	TRY(release_of(x, &w->release, &k.release, e));
	add_to(x, &k, AGG_PART_ALL, "", w);
	add_to(x, &k, AGG_PART_STRATUM, s->stratum, w);
	if (wave_name(s, &k.release, wave))
		add_to(x, &k, AGG_PART_WAVE, wave, w);
	return 0;
}

/* ---- items ---- */

static int take_watch(
	struct taking *x, const struct source *s, const struct telemetry_item *t, struct err *e)
{
	x->stats.tripped += *t->watch.tripped != 0;
	return control_watched(x->r, s->d->id.s, &t->watch, e);
}

static int take_drift(
	struct taking *x, const struct source *s, const struct telemetry_item *t, struct err *e)
{
	return hook_drift(x->r, s->d->id.s, &t->drift, e);
}

static int take_nothing(struct taking *x UNUSED, const struct source *s UNUSED,
	const struct telemetry_item *t UNUSED, struct err *e UNUSED)
{
	return 0;
}

static int (*const take[TELEMETRY_KIND_MAX])(
	struct taking *, const struct source *, const struct telemetry_item *, struct err *) = {
	[TELEMETRY_WINDOW] = take_window,
	[TELEMETRY_WATCH] = take_watch,
	[TELEMETRY_MARK] = take_nothing,
	[TELEMETRY_DRIFT] = take_drift,
};

static int keep(struct taking *x, const struct source *s, uint64_t epoch,
	const struct telemetry_item *t, struct err *e)
{
	struct item_row row = {
		.device = s->d->id, .epoch = epoch, .seq = t->seq, .received = run_now(x->r)};
	BUF_AUTO body = {0};

	telemetry_item_encode(t, &body);
	row.body = buf_str(&body);
	return items_add(
		x->r->c.db, t->kind == TELEMETRY_WINDOW ? ITEMS_WINDOWS : ITEMS_EVENTS, &row, e);
}

static int take_item(struct taking *x, const struct source *s, uint64_t epoch,
	const struct telemetry_item *t, struct err *e)
{
	x->stats.items[t->kind]++;
	x->stats.dropped += t->dropped;
	TRY(take[t->kind](x, s, t, e));
	return keep(x, s, epoch, t, e);
}

/* ---- batches ---- */

static int take_new(struct taking *x, const struct device_row *d, struct telemetry_post *p,
	uint64_t have, struct err *e)
{
	const struct telemetry_batch *b = &p->batch;
	uint64_t last = b->item[b->n - 1].seq;
	struct source s;

	p->seq = MAX(have, last);
	if (last <= have) {
		x->stats.duplicates += b->n;
		return 0;
	}
	TRY(find_source(x, d, &s, e));
	for (unsigned i = 0; i < b->n; i++) {
		if (b->item[i].seq > have)
			TRY(take_item(x, &s, b->epoch, &b->item[i], e));
		else
			x->stats.duplicates++;
		/* its campaign may have moved on */
		if (b->item[i].kind == TELEMETRY_WATCH)
			TRY(find_source(x, d, &s, e));
	}
	return items_seq_put(x->r->c.db, d->id.s, b->epoch, last, run_now(x->r), e);
}

static int take_post(struct taking *x, struct telemetry_post *p, struct err *e)
{
	struct device_row d;
	uint64_t have;
	int rc = devices_get(x->r->c.db, p->device, &d, e);

	p->refused = (struct err){0};
	if (rc == -ERR_NOT_FOUND) {
		(void)err_set(&p->refused, ERR_NOT_FOUND, "%s has not said hello yet", p->device);
		x->stats.refused++;
		return 0;
	}
	TRY(rc);
	TRY(items_seq(x->r->c.db, p->device, p->batch.epoch, &have, e));
	return take_new(x, &d, p, have, e);
}

static int take_all(struct taking *x, struct telemetry_post *v, unsigned n, struct err *e)
{
	for (unsigned i = 0; i < n; i++)
		TRY(take_post(x, &v[i], e));
	return gain_save(&x->gain, x->r->c.db, e);
}

static void count(struct run *r, const struct taking *x, const struct telemetry_post *v, unsigned n)
{
	struct telemetry_stats *s = &r->telemetry;

	for (unsigned k = 0; k < TELEMETRY_KIND_MAX; k++)
		s->items[k] += x->stats.items[k];
	s->duplicates += x->stats.duplicates;
	s->dropped += x->stats.dropped;
	s->refused += x->stats.refused;
	s->tripped += x->stats.tripped;
	totals_take(&r->totals, &x->gain, run_now(r));
	for (unsigned i = 0; i < n; i++)
		if (v[i].refused.code == ERR_OK)
			contacts_put(&r->contacts, v[i].device, run_now(r));
}

int telemetry_take(struct run *r, struct telemetry_post *v, unsigned n, struct err *e)
{
	struct taking x = {.r = r, .c = r->c.telemetry ? r->c.telemetry : &telemetry_usual};
	int rc = run_begin(r, e);

	if (rc == 0)
		rc = run_end(r, take_all(&x, v, n, e), e);
	if (rc == 0)
		count(r, &x, v, n);
	gain_fini(&x.gain);
	return rc;
}

const struct telemetry_stats *telemetry_stats(const struct run *r)
{
	return &r->telemetry;
}

const struct totals *telemetry_totals(const struct run *r)
{
	return &r->totals;
}
