#include "server/run/way.h"

#include <stdio.h>
#include <string.h>

#include "proto/trust/director.h"
#include "server/repo/releases.h"

/* The version grows only when something changed, so that repeating an action costs a device
 * nothing. */
static void want(struct device_row *d, const char *path, const struct sha256 *digest,
	enum desired_order order, const struct camp_id *campaign)
{
	struct desired_row next = {.version = d->desired.version, .campaign = *campaign};

	snprintf(next.path, sizeof next.path, "%s", path);
	snprintf(next.order, sizeof next.order, "%s",
		desired_order_name(*path ? order : DESIRED_NOTHING));
	if (*path)
		next.digest = *digest;
	if (strcmp(next.path, d->desired.path) == 0 && strcmp(next.order, d->desired.order) == 0 &&
		sha256_eq(&next.digest, &d->desired.digest) &&
		strcmp(next.campaign.s, d->desired.campaign.s) == 0)
		return;
	next.version++;
	d->desired = next;
}

/* What it runs, if it was published here: only that can be signed for again. */
static int remember_before(
	struct run *r, const struct device_row *d, struct recipient_row *rec, struct err *e)
{
	RELEASE_ROW_AUTO before = {0};
	int rc;

	rec->before_digest = d->running_digest;
	rec->before_path[0] = 0;
	if (sha256_is_zero(&d->running_digest))
		return 0;
	rc = releases_by_digest(r->c.db, &d->running_digest, &before, e);
	if (rc == 0)
		snprintf(rec->before_path, sizeof rec->before_path, "%s", before.path);
	return rc == -ERR_NOT_FOUND ? 0 : rc;
}

ms_t way_silence(const struct campaign_row *c, const struct recipient_row *rec)
{
	return wave_silence(&c->policy, wave_of(&c->policy, &c->wave, rec->position));
}

int way_admit(struct run *r, const struct campaign_row *c, const char *device, struct err *e)
{
	struct recipient_row rec;
	struct device_row d;

	TRY(devices_get(r->c.db, device, &d, e));
	TRY(recipients_get(r->c.db, c->id.s, device, &rec, e));
	TRY(remember_before(r, &d, &rec, e));
	rec.state = RECIPIENT_ADMITTED;
	rec.moved = run_now(r);
	rec.deadline = run_now(r) + way_silence(c, &rec);
	want(&d, c->release_path, &c->release_digest, DESIRED_INSTALL, &c->id);
	d.ordered_back = false;
	r->stats.admitted++;
	TRY(recipients_save(r->c.db, &rec, e));
	return devices_put(r->c.db, &d, e);
}

static bool is_of(const struct device_row *d, const struct recipient_row *rec)
{
	return strcmp(d->desired.campaign.s, rec->campaign.s) == 0;
}

static bool authorises(const struct release_row *release, const struct release_row *before)
{
	struct rollback_to ways[LIMIT_ROLLBACK_TO];
	JSON_AUTO *match = NULL;
	unsigned n = 0;

	if (json_read(buf_str(&release->match), release->match.n, &match, NULL) < 0 ||
		director_rollback_to(match, ways, &n, NULL) < 0)
		return false;
	for (unsigned i = 0; i < n; i++)
		if (strcmp(ways[i].path, before->path) == 0 &&
			sha256_eq(&ways[i].hash, &before->digest))
			return true;
	return false;
}

/* How a device that went back is told to stay: nobody signs an order below the counter of the one
 * before it, unless it is a rollback that this one pre-authorised. Without that it is told
 * nothing, which comes to the same. */
static int order_to_stay(struct run *r, const struct device_row *d, const struct recipient_row *rec,
	enum desired_order *out, struct err *e)
{
	RELEASE_ROW_AUTO told = {0}, before = {0};

	*out = DESIRED_NOTHING;
	if (!*rec->before_path || !*d->desired.path)
		return 0;
	TRY(releases_get(r->c.db, d->desired.path, &told, e));
	TRY(releases_get(r->c.db, rec->before_path, &before, e));
	if (before.counter >= told.counter)
		*out = DESIRED_INSTALL;
	else if (authorises(&told, &before))
		*out = DESIRED_ROLLBACK;
	return 0;
}

int way_stay_back(struct run *r, const struct recipient_row *rec, struct err *e)
{
	enum desired_order order;
	struct device_row d;

	TRY(devices_get(r->c.db, rec->device.s, &d, e));
	if (!is_of(&d, rec))
		return 0;
	TRY(order_to_stay(r, &d, rec, &order, e));
	want(&d, order == DESIRED_NOTHING ? "" : rec->before_path, &rec->before_digest, order,
		&rec->campaign);
	d.ordered_back = false;
	return devices_put(r->c.db, &d, e);
}

int way_order_back(
	struct run *r, const struct campaign_row *c, struct recipient_row *rec, struct err *e)
{
	struct device_row d;

	rec->state = RECIPIENT_ORDERED_BACK;
	rec->moved = run_now(r);
	rec->deadline = run_now(r) + way_silence(c, rec);
	TRY(recipients_save(r->c.db, rec, e));
	TRY(devices_get(r->c.db, rec->device.s, &d, e));
	if (!is_of(&d, rec))
		return 0;
	want(&d, rec->before_path, &rec->before_digest, DESIRED_ROLLBACK, &rec->campaign);
	d.ordered_back = true;
	d.campaign = c->id; /* a campaign that was over holds its devices again */
	d.position = rec->position;
	run_wake(r, rec->device.s);
	return devices_put(r->c.db, &d, e);
}

int way_answered(struct run *r, const char *device, struct err *e)
{
	struct device_row d;

	TRY(devices_get(r->c.db, device, &d, e));
	d.ordered_back = false;
	return devices_put(r->c.db, &d, e);
}
