#include "server/run/admit.h"

#include <stdio.h>
#include <string.h>

#include "server/run/desired.h"
#include "server/run/feed.h"
#include "server/run/gather.h"

/* Of a group whose members a policy counts, no more than so many are in update at once, whatever
 * campaign they are in. */
static int has_room(
	struct run *r, const char *campaign, const char *device, bool *out, struct err *e)
{
	const struct campaign_row *c;
	struct recipient_row rec;
	uint32_t busy = 0;

	TRY(run_active(r, campaign, &c, e));
	*out = c && !c->policy.disruption.at_admission;
	if (!c || *out)
		return 0;
	TRY(recipients_get(r->c.db, campaign, device, &rec, e));
	TRY(recipients_busy(r->c.db, rec.group, c->policy.disruption.max, &busy, e));
	*out = busy < c->policy.disruption.max;
	return 0;
}

/* One that runs the release already has nothing to do and would never report. */
static int ask(struct run *r, const char *campaign, const char *device, struct err *e)
{
	CAMPAIGN_ROW_AUTO c = {0};
	struct device_row d;
	bool admitted;

	TRY(has_room(r, campaign, device, &admitted, e));
	if (!admitted)
		return 0;
	TRY(feed_ask(r, campaign, device, &admitted, e));
	if (!admitted)
		return 0;
	TRY(campaigns_get(r->c.db, campaign, &c, e));
	TRY(devices_get(r->c.db, device, &d, e));
	if (!sha256_eq(&d.running_digest, &c.release_digest))
		return 0;
	return feed_move(r, campaign, device, RECIPIENT_COMMITTED, "runs it already", e);
}

/* Ordered back, knows it (it has the newest file) and runs what it shall: nothing was to be done,
 * and so no report will come. */
static int note_back(struct run *r, const char *device, struct err *e)
{
	struct device_row d;

	TRY(devices_get(r->c.db, device, &d, e));
	return feed_move(r, d.desired.campaign.s, device, RECIPIENT_BACK,
		"had not left what it ran before", e);
}

static int may_ask(struct run *r, const struct device_poll *p, bool *out, struct err *e)
{
	const struct campaign_row *c;

	*out = false;
	if (!p->waiting || !p->settled)
		return 0;
	TRY(run_active(r, p->campaign.s, &c, e));
	*out = c && wave_admits(&c->policy, &c->wave, p->position, run_now(r));
	return 0;
}

/* A device that was in another campaign when one began that lets it join has nothing to report when
 * the other one ends. Looked at once: what it says later is looked at when it says it. */
static int let_join(struct run *r, const char *device, struct device_poll *p, struct err *e)
{
	bool open;
	int rc;

	if (!p->freed || !p->settled || *p->campaign.s)
		return 0;
	TRY(gather_is_open(r, &open, e));
	if (!open)
		return 0;
	TRY(run_begin(r, e));
	rc = gather_late(r, device, e);
	TRY(run_end(r, rc < 0 ? rc : devices_note_free(r->c.db, device, e), e));
	return devices_poll(r->c.db, device, p, e);
}

static bool is_current(const struct run *r, const struct device_poll *p)
{
	return p->signed_version == p->version && p->refresh_s > run_now_s(r) && *p->etag;
}

int admit_carried(struct run *r, const char *device, struct err *e)
{
	struct device_poll p;
	bool asks;

	TRY(devices_poll(r->c.db, device, &p, e));
	TRY(let_join(r, device, &p, e));
	TRY(may_ask(r, &p, &asks, e));
	if (!asks)
		return 0;
	TRY(run_begin(r, e));
	return run_end(r, ask(r, p.campaign.s, device, e), e);
}

int admit_poll(struct run *r, const char *device, const char *has, char out_etag[80], struct err *e)
{
	struct device_poll p;
	bool asks;
	int rc = devices_poll(r->c.db, device, &p, e);

	if (rc == -ERR_NOT_FOUND)
		return err_set(e, ERR_NOT_FOUND,
			"%s has never reported; a device registers by its first report", device);
	TRY(rc);
	contacts_put(&r->contacts, device, run_now(r));
	TRY(let_join(r, device, &p, e));
	TRY(may_ask(r, &p, &asks, e));
	if (asks) {
		TRY(run_begin(r, e));
		TRY(run_end(r, ask(r, p.campaign.s, device, e), e));
		TRY(devices_poll(r->c.db, device, &p, e));
	} else if (p.may_be_back && is_current(r, &p) && strcmp(has, p.etag) == 0) {
		TRY(run_begin(r, e));
		TRY(run_end(r, note_back(r, device, e), e));
	}
	if (!is_current(r, &p)) {
		TRY(desired_sign(r, device, e));
		TRY(devices_poll(r->c.db, device, &p, e));
	}
	snprintf(out_etag, 80, "%s", p.etag);
	return 0;
}
