#include "server/run/lease.h"

#include <stdio.h>
#include <string.h>

#include "proto/trust/director.h"
#include "proto/wire/release.h"
#include "server/core/lease.h"
#include "server/repo/releases.h"
#include "server/run/run_priv.h"

#define ENDS_A_TICK 64

void lease_group(const struct device_row *d, const char *label, char out[LEASE_GROUP_MAX])
{
	struct str value = {"", 0};

	(void)labels_find(str_of(d->labels), str_of(label), &value);
	snprintf(out, LEASE_GROUP_MAX, "%.47s=%.*s", label, (int)MIN(value.n, ID_TEXT_MAX - 1),
		value.p);
}

/* A device that has nothing of a campaign has no policy, and no budget. */
static int find_budget(
	struct run *r, const struct device_row *d, struct policy_disruption *out, struct err *e)
{
	CAMPAIGN_ROW_AUTO c = {0};

	*out = (struct policy_disruption){.max = 0};
	if (!*d->desired.campaign.s)
		return 0;
	TRY(campaigns_get(r->c.db, d->desired.campaign.s, &c, e));
	*out = c.policy.disruption;
	return 0;
}

static int look(struct run *r, const struct policy_disruption *budget, const char *device,
	const char *group, struct lease_case *c, struct err *e)
{
	struct lease_row mine;
	int rc = leases_get(r->c.db, device, &mine, e);

	if (rc < 0 && rc != -ERR_NOT_FOUND)
		return rc;
	c->holds = rc == 0 && mine.until > c->now && strcmp(mine.group, group) == 0;
	return leases_taken(
		r->c.db, group, device, c->now, budget->max, &c->taken, &c->ends_first, e);
}

static int grant(struct run *r, const struct device_row *d, const char *group,
	const struct lease_case *c, const struct lease_verdict *v, struct err *e)
{
	struct lease_row row = {.device = d->id,
		.campaign = d->desired.campaign,
		.document = d->desired.digest,
		.since = c->now,
		.until = v->until};
	char text[LIMIT_TEXT];

	snprintf(row.group, sizeof row.group, "%s", group);
	TRY(leases_put(r->c.db, &row, e));
	if (c->holds)
		return 0;
	snprintf(text, sizeof text, "%s may be disrupted for %lld s; others of %s are: %u", d->id.s,
		(long long)(v->until - c->now) / 1000, group, c->taken);
	return run_audit(r, NULL, d->id.s, "lease", d->id.s, text, e);
}

static int decide(struct run *r, const struct device_row *d, const struct lease_ask *ask,
	struct lease_answer *out, struct err *e)
{
	struct lease_case c = {.now = run_now(r), .need = ask->need};
	char group[LEASE_GROUP_MAX] = "";
	struct policy_disruption budget;
	struct lease_verdict v;

	TRY(find_budget(r, d, &budget, e));
	if (budget.max) {
		lease_group(d, budget.label, group);
		TRY(look(r, &budget, d->id.s, group, &c, e));
	}
	lease_eval(&budget, &c, &v);
	if (v.granted && budget.max)
		TRY(grant(r, d, group, &c, &v, e));
	*out = (struct lease_answer){.granted = v.granted, .again = v.again};
	if (v.granted)
		out->life = v.until - c.now;
	else
		snprintf(out->text, sizeof out->text, "%u of at most %u of %s are disrupted",
			c.taken, budget.max, group);
	return 0;
}

/* What it may be disrupted for is what it was told to run, and nothing else. */
static int ask_within(struct run *r, const char *device, const struct lease_ask *ask,
	struct lease_answer *out, struct err *e)
{
	struct device_row d;

	TRY(devices_get(r->c.db, device, &d, e));
	if (!*d.desired.path || !sha256_eq(&d.desired.digest, &ask->document))
		return err_set(e, ERR_CONFLICT, "%s is not to run that", device);
	return decide(r, &d, ask, out, e);
}

int lease_ask(struct run *r, const char *device, const struct lease_ask *ask,
	struct lease_answer *out, struct err *e)
{
	TRY(run_begin(r, e));
	return run_end(r, ask_within(r, device, ask, out, e), e);
}

static int end_lease(struct run *r, const struct lease_row *l, const char *how, struct err *e)
{
	char text[LIMIT_TEXT];

	TRY(leases_remove(r->c.db, l->device.s, e));
	snprintf(text, sizeof text, "the lease of %s in %s %s", l->device.s, l->group, how);
	return run_audit(r, NULL, l->device.s, "lease_over", l->device.s, text, e);
}

int lease_give_back(struct run *r, const char *device, struct err *e)
{
	struct lease_row l;
	int rc = leases_get(r->c.db, device, &l, e);

	if (rc < 0)
		return rc == -ERR_NOT_FOUND ? 0 : rc;
	return end_lease(r, &l, "was given back", e);
}

static int end_some(struct run *r, struct err *e)
{
	struct lease_row l;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < ENDS_A_TICK; i++) {
		rc = leases_due(r->c.db, run_now(r), &l, e);
		if (rc == 0)
			rc = end_lease(r, &l, "has ended without an outcome", e);
	}
	return rc == -ERR_NOT_FOUND ? 0 : rc;
}

int lease_tick(struct run *r, struct err *e)
{
	struct lease_row l;
	int rc = leases_due(r->c.db, run_now(r), &l, e);

	if (rc < 0)
		return rc == -ERR_NOT_FOUND ? 0 : rc;
	TRY(run_begin(r, e));
	return run_end(r, end_some(r, e), e);
}

int lease_check_release(
	struct run *r, const struct policy *p, const struct sha256 *document, struct err *e)
{
	struct release *rel CLEANUP(mem_free) = NULL;
	BUF_AUTO text = {0};

	if (!p->disruption.max)
		return 0;
	rel = mem_new(sizeof *rel);
	TRY(releases_document(r->c.db, document, &text, e));
	TRY(release_parse(buf_str(&text), rel, e));
	for (unsigned i = 0; i < rel->n_preconditions; i++)
		if (rel->preconditions[i].type == PRECOND_LEASE)
			return 0;
	return err_set(e, ERR_CONFLICT,
		"the policy counts disruptions, but %s does not state the precondition \"lease\": "
		"its devices would not ask",
		rel->id.s);
}
