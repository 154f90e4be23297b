#include "server/run/gather.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/trust/director.h"
#include "server/core/cohort.h"
#include "server/repo/excluded.h"
#include "server/repo/strata.h"
#include "server/repo/releases.h"
#include "server/run/feed.h"
#include "server/run/kinds.h"
#include "server/run/lease.h"
#include "server/run/selector.h"

struct candidate {
	struct dev_id id;
	uint64_t key;
	unsigned kind;               /* of kinds_add */
	uint16_t waves;              /* a bit for each that may have it */
	char group[LEASE_GROUP_MAX]; /* of the disruption budget, or "" */
	char verdict[LIMIT_TEXT];    /* why it cannot take part, or "" */
};

struct gather {
	struct run *r;
	const struct campaign_row *c;
	struct selector selector;
	struct release_row release;
	json_t *match;
	unsigned n_ways_back; /* what the release pre-authorises */
	struct rollback_to ways_back[LIMIT_ROLLBACK_TO];
	struct release_row running; /* the one that was looked up last */
	struct candidate *v;
	size_t n, cap;
	struct kinds kinds;
	unsigned stratum[KINDS_MAX + 1];
};

static void gather_fini(struct gather *g)
{
	selector_fini(&g->selector);
	release_row_fini(&g->release);
	release_row_fini(&g->running);
	json_release(&g->match);
	free(g->v);
}

/* ---- the verdict ---- */

static bool is_made_for(const struct gather *g, const char *hardware)
{
	const json_t *one;
	size_t i;

	json_array_foreach (json_object_get(g->match, "hardwareIds"), i, one)
		if (json_is_string(one) && strcmp(json_string_value(one), hardware) == 0)
			return true;
	return false;
}

/* What the device runs, if that was published here; else counter 0 and no path. Devices mostly run
 * the same: the last look-up answers the next one. */
static const struct release_row *look_up(struct gather *g, const struct sha256 *document)
{
	if (sha256_eq(&g->running.digest, document))
		return &g->running;
	release_row_fini(&g->running);
	if (sha256_is_zero(document) ||
		releases_by_digest(g->r->c.db, document, &g->running, NULL) < 0)
		g->running = (struct release_row){.digest = *document};
	return &g->running;
}

/* A device refuses to go below the counter that it has committed, unless the release that it is on
 * then allows exactly that. */
static bool can_go_back(const struct gather *g, const struct release_row *running)
{
	if (!*running->path || running->counter >= g->release.counter)
		return true;
	for (unsigned i = 0; i < g->n_ways_back; i++)
		if (strcmp(g->ways_back[i].path, running->path) == 0 &&
			sha256_eq(&g->ways_back[i].hash, &running->digest))
			return true;
	return false;
}

static void judge(struct gather *g, const struct device_row *d, char *verdict, size_t cap)
{
	const struct release_row *running = look_up(g, &d->running_digest);

	*verdict = 0;
	if (*d->campaign.s)
		snprintf(verdict, cap, "takes part in campaign %s", d->campaign.s);
	else if (!is_made_for(g, d->hardware))
		snprintf(verdict, cap, "the release is not made for its hardware %s",
			*d->hardware ? d->hardware : "(unknown)");
	else if (sha256_eq(&d->running_digest, &g->release.digest))
		snprintf(verdict, cap, "runs it already");
	else if (running->counter > g->release.counter)
		snprintf(verdict, cap, "runs %s, whose release counter is higher (%llu > %llu)",
			d->running.s, (unsigned long long)running->counter,
			(unsigned long long)g->release.counter);
	else if (g->c->policy.roll_back_on_abort && !can_go_back(g, running))
		snprintf(verdict, cap,
			"could not be ordered back: %s does not pre-authorise %s, which it runs",
			g->release.id.s, running->id.s);
}

/* ---- gathering ---- */

static struct candidate *add(struct gather *g, const char *device)
{
	struct candidate *k;

	if (g->n == g->cap) {
		g->cap = g->cap ? 2 * g->cap : 256;
		g->v = mem_resize(g->v, g->cap * sizeof *g->v);
	}
	k = &g->v[g->n++];
	*k = (struct candidate){.key = 0};
	snprintf(k->id.s, sizeof k->id.s, "%s", device);
	k->key = cohort_key(&g->c->id, &k->id);
	return k;
}

static void describe(struct gather *g, const struct device_row *d, struct candidate *k)
{
	const struct policy *p = &g->c->policy;
	char name[ID_TEXT_MAX];

	for (unsigned w = 0; w < p->n_waves; w++)
		if (!*p->waves[w].labels || labels_have(str_of(d->labels), p->waves[w].labels))
			k->waves |= (uint16_t)(1U << w);
	if (!k->waves)
		snprintf(k->verdict, sizeof k->verdict, "no wave of the policy selects it");
	if (p->disruption.at_admission)
		lease_group(d, p->disruption.label, k->group);
	if (!*p->judge.strata || *k->verdict)
		return;
	kinds_of(d, p->judge.strata, name);
	k->kind = kinds_add(&g->kinds, name);
}

static int look_at(void *ctx, const struct device_row *d, struct err *e UNUSED)
{
	struct gather *g = ctx;
	struct candidate *k;

	if (!selector_takes(&g->selector, d->id.s, d->labels))
		return 0;
	k = add(g, d->id.s);
	judge(g, d, k->verdict, sizeof k->verdict);
	if (!*k->verdict)
		describe(g, d, k);
	return 0;
}

static void add_unknown(struct gather *g)
{
	for (size_t i = 0; i < g->selector.n_devices; i++)
		if (!g->selector.seen[i])
			snprintf(add(g, g->selector.devices[i].s)->verdict, LIMIT_TEXT,
				"has never registered");
}

static int by_key(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return strcmp(x->id.s, y->id.s);
}

static int take(struct gather *g, const struct candidate *k, uint32_t position, struct err *e)
{
	struct recipient_row rec = {
		.campaign = g->c->id,
		.device = k->id,
		.position = position,
		.state = RECIPIENT_WAITING,
		.moved = run_now(g->r),
		.stratum = g->stratum[k->kind],
	};

	snprintf(rec.group, sizeof rec.group, "%s", k->group);
	TRY(recipients_add(g->r->c.db, &rec, e));
	return devices_join(g->r->c.db, k->id.s, g->c->id.s, position, e);
}

static int refuse(const struct gather *g, struct err *e)
{
	if (!g->n)
		return err_set(e, ERR_CONFLICT, "no device is selected");
	return err_set(e, ERR_CONFLICT, "none of the %zu selected devices fits: %s %s", g->n,
		g->v[0].id.s, g->v[0].verdict);
}

static int exclude(struct gather *g, const struct candidate *k, struct err *e)
{
	return excluded_add(g->r->c.db, g->c->id.s, k->id.s, k->verdict, e);
}

/* Those that cannot take part are written down and leave the list. */
static int drop_others(struct gather *g, struct err *e)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++)
		if (*g->v[i].verdict)
			TRY(exclude(g, &g->v[i], e));
		else
			g->v[n++] = g->v[i];
	if (!n)
		return refuse(g, e);
	g->n = n;
	return 0;
}

/* Wave by wave, and within a wave in the stable order. */
static int take_all(struct gather *g, const uint8_t *wave, struct err *e)
{
	uint32_t position = 0;

	for (unsigned w = 0; w < g->c->policy.n_waves; w++)
		for (size_t i = 0; i < g->n; i++)
			if (wave[i] == w)
				TRY(take(g, &g->v[i], position++, e));
	for (size_t i = 0; i < g->n; i++)
		if (wave[i] == LIMIT_WAVES) {
			snprintf(g->v[i].verdict, sizeof g->v[i].verdict,
				"the waves that select it are full");
			TRY(exclude(g, &g->v[i], e));
		}
	return 0;
}

static int allot(struct gather *g, struct wave_event *plan, struct err *e)
{
	uint16_t *fits CLEANUP(mem_free) = mem_new(g->n * sizeof *fits);
	uint8_t *wave CLEANUP(mem_free) = mem_new(g->n);

	for (size_t i = 0; i < g->n; i++)
		fits[i] = g->v[i].waves;
	wave_allot(&g->c->policy, fits, (uint32_t)g->n, wave, plan->end);
	plan->n_ends = g->c->policy.n_waves;
	plan->recipients = plan->end[plan->n_ends - 1];
	return take_all(g, wave, e);
}

static int stratify(struct gather *g, struct wave_event *plan, struct err *e)
{
	char names[JUDGE_STRATA][ID_TEXT_MAX];

	if (!*g->c->policy.judge.strata)
		return 0;
	kinds_rank(&g->kinds, JUDGE_STRATA, g->stratum, names, &plan->strata);
	for (unsigned i = 0; i < plan->strata; i++)
		TRY(strata_add(g->r->c.db, g->c->id.s, i, names[i], e));
	return 0;
}

static int freeze(struct gather *g, struct wave_event *plan, struct err *e)
{
	if (!g->n)
		return refuse(g, e);
	qsort(g->v, g->n, sizeof *g->v, by_key);
	TRY(drop_others(g, e));
	TRY(stratify(g, plan, e));
	return allot(g, plan, e);
}

static int load(struct gather *g, struct err *e)
{
	JSON_AUTO *selector = NULL;

	TRY(json_read(buf_str(&g->c->selector), g->c->selector.n, &selector, e));
	TRY(selector_parse(selector, &g->selector, e));
	TRY(releases_get(g->r->c.db, g->c->release_path, &g->release, e));
	TRY(json_read(buf_str(&g->release.match), g->release.match.n, &g->match, e));
	return director_rollback_to(g->match, g->ways_back, &g->n_ways_back, e);
}

/* ---- late joiners ---- */

static int note_stratum(void *ctx, unsigned n, const char *name, struct err *e UNUSED)
{
	struct candidate *k = ctx;

	if (strcmp(name, k->verdict) == 0 || strcmp(name, "other") == 0)
		k->kind = n;
	return strcmp(name, k->verdict) == 0;
}

/* The strata are those of the start; who is like none of them is among the others, if there are
 * any. */
static int find_stratum(
	struct gather *g, const struct device_row *d, struct candidate *k, struct err *e)
{
	int rc;

	k->kind = 0;
	kinds_of(d, g->c->policy.judge.strata, k->verdict);
	rc = strata_each(g->r->c.db, g->c->id.s, note_stratum, k, e);
	*k->verdict = 0;
	return MIN(rc, 0);
}

static int join(struct gather *g, const struct device_row *d, bool *out_joined, struct err *e)
{
	const struct policy *p = &g->c->policy;
	struct recipient_row rec;
	struct candidate *k;

	TRY(load(g, e));
	*out_joined = false;
	if (recipients_get(g->r->c.db, g->c->id.s, d->id.s, &rec, e) != -ERR_NOT_FOUND)
		return 0;
	TRY(look_at(g, d, e));
	k = g->v;
	if (!g->n || *k->verdict || !(k->waves & 1U << (p->n_waves - 1)))
		return 0;
	if (*p->judge.strata)
		TRY(find_stratum(g, d, k, e));
	g->stratum[k->kind] = k->kind;
	TRY(take(g, k, g->c->wave.recipients, e));
	TRY(recipients_get(g->r->c.db, g->c->id.s, d->id.s, &rec, e));
	*out_joined = true;
	return feed_join(g->r, &rec, e);
}

static int join_one(
	struct run *r, const char *campaign, const struct device_row *d, bool *out, struct err *e)
{
	CAMPAIGN_ROW_AUTO c = {0};
	struct gather g CLEANUP(gather_fini) = {.r = r, .c = &c};

	TRY(campaigns_get(r->c.db, campaign, &c, e));
	return join(&g, d, out, e);
}

static bool may_join(const struct campaign_row *c)
{
	return c->policy.late && c->wave.phase != WAVE_ROLLING_BACK;
}

int gather_is_open(struct run *r, bool *out, struct err *e)
{
	bool any = false;

	TRY(run_load_active(r, e));
	for (unsigned i = 0; i < r->n_active; i++)
		any = any || may_join(&r->active[i]);
	*out = any;
	return 0;
}

int gather_late(struct run *r, const char *device, struct err *e)
{
	struct device_row d;
	bool joined = false;

	TRY(run_load_active(r, e));
	for (unsigned i = 0; i < r->n_active && !joined; i++) {
		struct camp_id id = r->active[i].id;

		if (!may_join(&r->active[i]))
			continue;
		TRY(devices_get(r->c.db, device, &d, e));
		if (!*d.campaign.s && device_is_settled(d.state))
			TRY(join_one(r, id.s, &d, &joined, e));
	}
	return 0;
}

int gather_recipients(
	struct run *r, const struct campaign_row *c, struct wave_event *plan, struct err *e)
{
	struct gather g CLEANUP(gather_fini) = {.r = r, .c = c};

	TRY(load(&g, e));
	TRY(devices_each(r->c.db, look_at, &g, e));
	add_unknown(&g);
	return freeze(&g, plan, e);
}
