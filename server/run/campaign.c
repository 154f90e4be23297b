#include "server/run/campaign.h"

#include <stdio.h>
#include <string.h>

#include "proto/trust/digest.h"
#include "server/repo/releases.h"
#include "server/run/channel.h"
#include "server/run/evidence.h"
#include "server/run/feed.h"
#include "server/run/gather.h"
#include "server/run/lease.h"
#include "server/run/selector.h"

/* ---- making one ---- */

static void digest_policy(const struct policy *p, struct sha256 *out)
{
	BUF_AUTO bytes = {0};

	policy_encode(p, &bytes);
	digest_of(bytes.p, bytes.n, out);
}

static bool is_same(const struct campaign_row *a, const struct campaign_row *b)
{
	return sha256_eq(&a->release_digest, &b->release_digest) &&
	       sha256_eq(&a->policy_digest, &b->policy_digest) &&
	       str_eq(buf_str(&a->selector), buf_str(&b->selector));
}

static int fill(struct run *r, const struct campaign_new *in, struct campaign_row *c, struct err *e)
{
	RELEASE_ROW_AUTO release = {0};
	struct selector s;

	TRY(selector_parse(in->selector, &s, e));
	selector_fini(&s);
	if (releases_get(r->c.db, in->release, &release, e) < 0)
		return err_wrap(e, "release");
	c->id = in->id;
	c->release = release.id;
	c->release_digest = release.digest;
	snprintf(c->release_path, sizeof c->release_path, "%s", release.path);
	json_canonical(in->selector, &c->selector);
	c->policy = in->policy;
	digest_policy(&in->policy, &c->policy_digest);
	c->created = run_now(r);
	snprintf(c->created_by, sizeof c->created_by, "%s", in->who);
	return 0;
}

static int create(struct run *r, const struct campaign_new *in, bool *out_new, struct err *e)
{
	CAMPAIGN_ROW_AUTO c = {0}, there = {0};
	char text[LIMIT_TEXT];
	int rc;

	TRY(fill(r, in, &c, e));
	TRY(lease_check_release(r, &c.policy, &c.release_digest, e));
	rc = campaigns_get(r->c.db, c.id.s, &there, e);
	*out_new = rc < 0;
	if (rc == 0 && !is_same(&c, &there))
		return err_set(e, ERR_CONFLICT, "campaign %s exists and is another one", c.id.s);
	if (rc != -ERR_NOT_FOUND)
		return rc;
	TRY(campaigns_add(r->c.db, &c, e));
	snprintf(text, sizeof text, "%s made it: release %s, policy %s", in->who, c.release.s,
		c.policy.name);
	return run_audit(r, &c, in->who, "create", "", text, e);
}

int campaign_create(struct run *r, const struct campaign_new *in, bool *out_new, struct err *e)
{
	TRY(evidence_check_again(r, in->release, e));
	TRY(run_begin(r, e));
	return run_end(r, create(r, in, out_new, e), e);
}

/* ---- orders ---- */

static int start(struct run *r, const struct campaign_row *c, const char *who, const char *reason,
	struct err *e)
{
	struct wave_event plan = {.kind = WEV_START};

	if (c->wave.phase == WAVE_DRAFT)
		TRY(channel_check(r, c, e));
	if (c->wave.phase == WAVE_DRAFT)
		TRY(gather_recipients(r, c, &plan, e));
	return feed_start(r, c->id.s, who, reason, &plan, e);
}

/* A later campaign may hold devices that got this release. Its orders come first. */
static int is_still_here(void *ctx, const struct recipient_row *rec, struct err *e)
{
	struct run *r = ctx;
	struct device_row d;

	if (rec->state != RECIPIENT_ADMITTED && rec->state != RECIPIENT_COMMITTED &&
		rec->state != RECIPIENT_SILENT)
		return 0;
	TRY(devices_get(r->c.db, rec->device.s, &d, e));
	if (strcmp(d.desired.campaign.s, rec->campaign.s) == 0 &&
		(!*d.campaign.s || strcmp(d.campaign.s, rec->campaign.s) == 0))
		return 0;
	return err_set(e, ERR_CONFLICT, "%s takes part in campaign %s now: roll that one back",
		rec->device.s, *d.campaign.s ? d.campaign.s : d.desired.campaign.s);
}

int campaign_may_roll_back(struct run *r, const char *id, struct err *e)
{
	CAMPAIGN_ROW_AUTO c = {0};

	TRY(campaigns_get(r->c.db, id, &c, e));
	return wave_is_over(c.wave.phase) ? recipients_each(r->c.db, id, is_still_here, r, e) : 0;
}

static int order(struct run *r, const char *id, enum wave_ev_kind kind, const char *who,
	const char *reason, struct err *e)
{
	CAMPAIGN_ROW_AUTO c = {0};

	TRY(campaigns_get(r->c.db, id, &c, e));
	if (kind == WEV_START)
		return start(r, &c, who, reason, e);
	if (kind == WEV_ROLL_BACK || kind == WEV_ROLL_BACK_ALL)
		TRY(campaign_may_roll_back(r, id, e));
	return feed_order(r, id, kind, who, reason, e);
}

/* A draft may have waited for long. */
static int check_before_start(struct run *r, const char *id, struct err *e)
{
	CAMPAIGN_ROW_AUTO c = {0};
	int rc = campaigns_get(r->c.db, id, &c, e);

	if (rc == -ERR_NOT_FOUND || (rc == 0 && c.wave.phase != WAVE_DRAFT))
		return 0;
	TRY(rc);
	return evidence_check_again(r, c.release_path, e);
}

int campaign_order(struct run *r, const char *id, enum wave_ev_kind kind, const char *who,
	const char *reason, struct err *e)
{
	if ((kind == WEV_HALT || kind == WEV_ROLL_BACK || kind == WEV_BREAK_GLASS ||
		    kind == WEV_REVOKE || kind == WEV_ROLL_BACK_ALL || kind == WEV_PROMOTE) &&
		!*reason)
		return err_set(e, ERR_BAD_INPUT, "%s: a reason is wanted", wave_event_name(kind));
	if (kind == WEV_START)
		TRY(check_before_start(r, id, e));
	TRY(run_begin(r, e));
	return run_end(r, order(r, id, kind, who, reason, e), e);
}
