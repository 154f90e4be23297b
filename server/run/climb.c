#include "server/run/climb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/run/campaign.h"
#include "server/run/feed.h"

/* Names, gathered before anything is changed. */
struct names {
	struct run *r;
	const struct campaign_row *but;
	char (*v)[ID_TEXT_MAX];
	size_t n, cap;
};

static void names_fini(struct names *l)
{
	free(l->v);
}

static void add(struct names *l, const char *name)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 64;
		l->v = mem_resize(l->v, l->cap * sizeof *l->v);
	}
	snprintf(l->v[l->n++], ID_TEXT_MAX, "%s", name);
}

/* States of a device in which what it runs is still what it ran before. */
static bool has_switched(const char *state)
{
	static const char *const before[] = {
		"", "idle", "accepted", "staging", "sealed", "ready", "reverted", "failed"};

	for (size_t i = 0; i < ARRAY_LEN(before); i++)
		if (strcmp(state, before[i]) == 0)
			return false;
	return true;
}

static int add_staged(void *ctx, const struct recipient_row *rec, struct err *e)
{
	struct names *l = ctx;
	struct device_row d;

	if (rec->state != RECIPIENT_ADMITTED)
		return 0;
	TRY(devices_get(l->r->c.db, rec->device.s, &d, e));
	if (!has_switched(d.state))
		add(l, rec->device.s);
	return 0;
}

int climb_revoke(struct run *r, const char *campaign, struct err *e)
{
	struct names l CLEANUP(names_fini) = {.r = r};

	TRY(recipients_each(r->c.db, campaign, add_staged, &l, e));
	for (size_t i = 0; i < l.n; i++)
		TRY(feed_move(
			r, campaign, l.v[i], RECIPIENT_WAITING, "revoked before it switched", e));
	return 0;
}

static int add_other(void *ctx, const struct campaign_row *c, struct err *e UNUSED)
{
	struct names *l = ctx;

	if (sha256_eq(&c->release_digest, &l->but->release_digest) &&
		strcmp(c->id.s, l->but->id.s) != 0 && c->wave.phase != WAVE_DRAFT &&
		c->wave.phase != WAVE_ROLLING_BACK)
		add(l, c->id.s);
	return 0;
}

static int order_back(struct run *r, const char *other, const char *reason, struct err *e)
{
	int rc = campaign_may_roll_back(r, other, e);
	CAMPAIGN_ROW_AUTO c = {0};

	if (rc != -ERR_CONFLICT)
		return rc < 0 ? rc : feed_order(r, other, WEV_ROLL_BACK, "server", reason, e);
	TRY(campaigns_get(r->c.db, other, &c, e));
	return run_audit(r, &c, "server", "left", "", e->text, e);
}

int climb_everywhere(struct run *r, const struct campaign_row *c, struct err *e)
{
	struct names l CLEANUP(names_fini) = {.r = r, .but = c};
	char reason[LIMIT_TEXT];

	snprintf(reason, sizeof reason, "campaign %s of the same release went wrong", c->id.s);
	TRY(campaigns_each(r->c.db, add_other, &l, e));
	for (size_t i = 0; i < l.n; i++)
		TRY(order_back(r, l.v[i], reason, e));
	return 0;
}
