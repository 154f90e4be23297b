#include "server/run/control.h"

#include "server/run/feed.h"
#include "server/run/run_priv.h"

/* The release of the campaign cannot run on a device of its control group by the campaign, but a
 * person at the device may have installed it. */
static bool is_comparable(
	const struct campaign_row *c, const struct device_row *d, const struct telemetry_watch *w)
{
	return wave_is_control(&c->wave, d->position) && w->samples && w->at > c->wave.asked &&
	       sha256_eq(&w->release, &d->running_digest) &&
	       !sha256_eq(&w->release, &c->release_digest);
}

static int count(struct run *r, const struct campaign_row *c, const struct device_row *d,
	const char *tripped, struct err *e)
{
	struct recipient_row rec;

	TRY(recipients_get(r->c.db, c->id.s, d->id.s, &rec, e));
	if (rec.state != RECIPIENT_WAITING || rec.watched == c->wave.turn)
		return 0;
	rec.watched = c->wave.turn;
	TRY(recipients_save(r->c.db, &rec, e));
	return feed_control(r, &rec, *tripped != 0, tripped, e);
}

int control_watched(
	struct run *r, const char *device, const struct telemetry_watch *w, struct err *e)
{
	const struct campaign_row *c;
	struct device_row d;
	int rc = devices_get(r->c.db, device, &d, e);

	if (rc < 0)
		return rc == -ERR_NOT_FOUND ? 0 : rc;
	if (!*d.campaign.s)
		return 0;
	TRY(run_active(r, d.campaign.s, &c, e));
	return c && is_comparable(c, &d, w) ? count(r, c, &d, w->tripped, e) : 0;
}
