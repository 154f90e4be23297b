#include "server/run/feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/run/hook.h"
#include "server/run/channel.h"
#include "server/run/climb.h"
#include "server/run/rouse.h"
#include "server/run/way.h"

/* One event of one campaign on its way through. */
struct feed {
	struct run *r;
	struct campaign_row c;
	struct wave_event ev;
	const char *device; /* that it is about, or "" */
	unsigned acts;      /* what the engine wants, a bit per kind */
};

static void feed_fini(struct feed *f)
{
	campaign_row_fini(&f->c);
}
#define FEED_AUTO CLEANUP(feed_fini) struct feed

static int load(struct run *r, const char *campaign, enum wave_ev_kind kind, const char *device,
	struct feed *f, struct err *e)
{
	*f = (struct feed){.r = r, .device = device};
	f->ev.kind = kind;
	f->ev.now = run_now(r);
	snprintf(f->ev.who, sizeof f->ev.who, "%s", *device ? device : "server");
	return campaigns_get(r->c.db, campaign, &f->c, e);
}

static int write_sentences(struct feed *f, const struct wave_acts *acts, struct err *e)
{
	for (unsigned i = 0; i < acts->n; i++) {
		f->acts |= 1U << acts->v[i].kind;
		TRY(run_audit(f->r, &f->c, f->ev.who, wave_event_name(f->ev.kind), f->device,
			acts->v[i].text, e));
	}
	return 0;
}

/* Those that were ordered back and have nothing to go to. */
struct lost {
	struct run *r;
	const struct campaign_row *c;
	struct dev_id *v;
	size_t n, cap;
};

static int order_one_back(void *ctx, const struct recipient_row *r, struct err *e)
{
	struct lost *lost = ctx;
	struct recipient_row rec = *r;

	if (rec.state != RECIPIENT_ADMITTED && rec.state != RECIPIENT_COMMITTED &&
		rec.state != RECIPIENT_SILENT)
		return 0;
	if (!*rec.before_path) {
		if (lost->n == lost->cap) {
			lost->cap = lost->cap ? 2 * lost->cap : 64;
			lost->v = mem_resize(lost->v, lost->cap * sizeof *lost->v);
		}
		lost->v[lost->n++] = rec.device;
	}
	return way_order_back(lost->r, lost->c, &rec, e);
}

static int order_all_back(struct feed *f, struct err *e)
{
	struct lost lost = {.r = f->r, .c = &f->c};
	int rc = recipients_each(f->r->c.db, f->c.id.s, order_one_back, &lost, e);

	for (size_t i = 0; rc == 0 && i < lost.n; i++)
		rc = feed_move(f->r, f->c.id.s, lost.v[i].s, RECIPIENT_FAILED,
			"it ran nothing before that was published here", e);
	free(lost.v);
	return rc;
}

static int carry_out(struct feed *f, bool was_over, struct err *e)
{
	if (f->acts & (1U << WACT_ADMIT))
		TRY(way_admit(f->r, &f->c, f->device, e));
	if (wave_is_over(f->c.wave.phase) && !was_over)
		TRY(devices_leave(f->r->c.db, f->c.id.s, e));
	if (f->acts & (1U << WACT_ROLL_BACK))
		TRY(order_all_back(f, e));
	if (f->acts & (1U << WACT_REVOKE))
		TRY(climb_revoke(f->r, f->c.id.s, e));
	if (f->acts & (1U << WACT_ROLL_BACK_ALL))
		TRY(climb_everywhere(f->r, &f->c, e));
	if (f->acts & (1U << WACT_FREEZE))
		TRY(channel_freeze_for(f->r, &f->c, e));
	return 0;
}

static int step(struct feed *f, struct err *e)
{
	bool was_over = wave_is_over(f->c.wave.phase);
	struct wave_state was = f->c.wave;
	struct wave_acts acts = {0};

	if (wave_step(&f->c.policy, &f->c.wave, &f->ev, &f->c.wave, &acts, e) < 0)
		return err_wrap(e, "campaign %s", f->c.id.s);
	if (f->c.wave.rev == was.rev)
		return 0;
	f->r->stale = true;
	TRY(campaigns_step(f->r->c.db, &f->c, was.rev, &f->ev, e));
	TRY(write_sentences(f, &acts, e));
	TRY(hook_campaign(f->r, &f->c, &was, &f->ev, f->device, e));
	TRY(rouse_waiting(f->r, &f->c, &was, f->ev.kind, e));
	return carry_out(f, was_over, e);
}

int feed_ask(
	struct run *r, const char *campaign, const char *device, bool *out_admitted, struct err *e)
{
	struct recipient_row rec;
	FEED_AUTO f = {0};

	TRY(load(r, campaign, WEV_ASK, device, &f, e));
	TRY(recipients_get(r->c.db, campaign, device, &rec, e));
	*out_admitted = false;
	if (rec.state != RECIPIENT_WAITING)
		return 0;
	f.ev.position = rec.position;
	f.ev.stratum = rec.stratum;
	TRY(step(&f, e));
	*out_admitted = (f.acts & (1U << WACT_ADMIT)) != 0;
	return 0;
}

static int after_move(
	struct run *r, const struct recipient_row *rec, enum recipient_state was, struct err *e)
{
	if (rec->state == RECIPIENT_BACK || was == RECIPIENT_ORDERED_BACK)
		return rec->state == RECIPIENT_SILENT ? 0 : way_answered(r, rec->device.s, e);
	if (rec->state == RECIPIENT_REVERTED || rec->state == RECIPIENT_FAILED ||
		rec->state == RECIPIENT_WAITING)
		return way_stay_back(r, rec, e);
	return 0;
}

int feed_move(struct run *r, const char *campaign, const char *device, enum recipient_state is,
	const char *text, struct err *e)
{
	struct recipient_row rec;
	FEED_AUTO f = {0};

	TRY(load(r, campaign, WEV_MOVED, device, &f, e));
	TRY(recipients_get(r->c.db, campaign, device, &rec, e));
	if (!recipient_may_move(rec.state, is))
		return 0;
	f.ev.position = rec.position;
	f.ev.stratum = rec.stratum;
	f.ev.was = rec.state;
	f.ev.is = rec.state = is;
	snprintf(f.ev.text, sizeof f.ev.text, "%s", text);
	snprintf(rec.text, sizeof rec.text, "%s", text);
	rec.moved = f.ev.now;
	rec.tries += is == RECIPIENT_WAITING;
	rec.deadline = recipient_is_due(is) ? f.ev.now + way_silence(&f.c, &rec) : 0;
	TRY(recipients_save(r->c.db, &rec, e));
	TRY(after_move(r, &rec, f.ev.was, e));
	return step(&f, e);
}

int feed_control(
	struct run *r, const struct recipient_row *rec, bool bad, const char *text, struct err *e)
{
	FEED_AUTO f = {0};

	TRY(load(r, rec->campaign.s, WEV_CONTROL, rec->device.s, &f, e));
	f.ev.position = rec->position;
	f.ev.stratum = rec->stratum;
	f.ev.bad = bad;
	snprintf(f.ev.text, sizeof f.ev.text, "%s", text);
	return step(&f, e);
}

int feed_start(struct run *r, const char *campaign, const char *who, const char *reason,
	const struct wave_event *plan, struct err *e)
{
	FEED_AUTO f = {0};

	TRY(load(r, campaign, WEV_START, "", &f, e));
	f.ev.recipients = plan->recipients;
	f.ev.strata = plan->strata;
	f.ev.n_ends = plan->n_ends;
	memcpy(f.ev.end, plan->end, sizeof f.ev.end);
	snprintf(f.ev.who, sizeof f.ev.who, "%s", who);
	snprintf(f.ev.text, sizeof f.ev.text, "%s", reason);
	return step(&f, e);
}

int feed_join(struct run *r, const struct recipient_row *rec, struct err *e)
{
	FEED_AUTO f = {0};

	TRY(load(r, rec->campaign.s, WEV_JOIN, rec->device.s, &f, e));
	f.ev.position = rec->position;
	f.ev.stratum = rec->stratum;
	return step(&f, e);
}

int feed_order(struct run *r, const char *campaign, enum wave_ev_kind kind, const char *who,
	const char *reason, struct err *e)
{
	FEED_AUTO f = {0};

	TRY(load(r, campaign, kind, "", &f, e));
	snprintf(f.ev.who, sizeof f.ev.who, "%s", who);
	snprintf(f.ev.text, sizeof f.ev.text, "%s", reason);
	return step(&f, e);
}

int feed_tick(struct run *r, const char *campaign, struct err *e)
{
	FEED_AUTO f = {0};

	TRY(load(r, campaign, WEV_TICK, "", &f, e));
	return step(&f, e);
}
