#include "server/run/intake.h"

#include <stdio.h>
#include <string.h>

#include "proto/trust/director.h"
#include "server/repo/reports.h"
#include "server/run/configuration.h"
#include "server/run/feed.h"
#include "server/run/gather.h"
#include "server/run/hook.h"
#include "server/run/lease.h"
#include "server/run/verdict.h"

#define REPORTS_KEPT 500 /* of those that say nothing final, for each device */

static void new_device(const struct run *r, const char *id, struct device_row *d)
{
	memset(d, 0, sizeof *d);
	snprintf(d->id.s, sizeof d->id.s, "%s", id);
	d->registered = run_now(r);
	d->epoch = 1;
	d->desired.version = 1;
	snprintf(d->desired.order, sizeof d->desired.order, "%s",
		desired_order_name(DESIRED_NOTHING));
}

static void hear(struct device_row *d, const struct report *rp, ms_t now)
{
	if (*rp->hardware)
		snprintf(d->hardware, sizeof d->hardware, "%s", rp->hardware);
	if (*rp->agent)
		snprintf(d->agent, sizeof d->agent, "%s", rp->agent);
	if (rp->kind == REPORT_HELLO)
		snprintf(d->labels, sizeof d->labels, "%s", rp->labels);
	d->running = rp->running;
	d->running_digest = rp->running_digest;
	snprintf(d->slot, sizeof d->slot, "%s", rp->slot);
	snprintf(d->state, sizeof d->state, "%s", rp->state);
	d->target = rp->target;
	d->done = rp->done;
	d->total = rp->total;
	d->code = rp->code;
	snprintf(d->cause, sizeof d->cause, "%s", rp->cause);
	snprintf(d->text, sizeof d->text, "%s", rp->text);
	d->seq = rp->seq;
	d->reported = now;
}

/* Has this number been counted already? Begins a new life of the device when it is a hello that is
 * not the one we have. */
static int look_at_number(struct run *r, struct device_row *d, const struct report *rp,
	struct str body, bool *out_duplicate, struct err *e)
{
	bool has = true;

	*out_duplicate = rp->seq <= d->seq;
	if (!*out_duplicate || rp->kind != REPORT_HELLO)
		return 0;
	TRY(reports_has(r->c.db, d->id.s, d->epoch, rp->seq, body, &has, e));
	*out_duplicate = has;
	d->epoch += !has;
	return 0;
}

/* Who has agreed to which bytes, and when, belongs to what the audit log binds. */
static int note_consent(
	struct run *r, const struct device_row *d, const struct report *rp, struct err *e)
{
	char text[LIMIT_TEXT * 2], hex[SHA256_TEXT];

	sha256_format(&rp->target_digest, hex);
	snprintf(text, sizeof text, "%s: consent to %s (%s): %s, by %s, at %lld ms", d->id.s,
		rp->target.s, hex, rp->consent, rp->who, (long long)rp->at);
	return run_audit(r, NULL, d->id.s, "consent", d->id.s, text, e);
}

/* What the audit log says of it; false: nothing. */
static bool sentence(const struct device_row *d, const struct report *rp, char *out, size_t cap)
{
	const char *of = *rp->target.s ? rp->target.s : "desired state";

	if (rp->kind == REPORT_CONDITION)
		snprintf(out, cap, "%s: %s (%s)", d->id.s, rp->text, err_name(rp->code));
	else if (rp->kind == REPORT_OUTCOME || rp->kind == REPORT_REFUSED)
		snprintf(out, cap, "%s: %s %s (%s): %s", d->id.s, of,
			rp->kind == REPORT_REFUSED ? "refused" : rp->state, err_name(rp->code),
			rp->text);
	else
		return false;
	return true;
}

static int write_down(struct run *r, const struct device_row *d, const struct report *rp,
	struct str body, struct err *e)
{
	struct report_row row = {
		.epoch = d->epoch,
		.seq = rp->seq,
		.received = run_now(r),
		.body = body,
	};
	char text[LIMIT_TEXT * 2];

	snprintf(row.kind, sizeof row.kind, "%s", report_kind_name(rp->kind));
	TRY(reports_add(r->c.db, d->id.s, &row, e));
	if (rp->kind == REPORT_HELLO)
		return reports_prune(r->c.db, d->id.s, REPORTS_KEPT, e);
	if (rp->kind == REPORT_CONSENT)
		return note_consent(r, d, rp, e);
	if (!sentence(d, rp, text, sizeof text))
		return 0;
	/* One that is stuck is disrupted yet: its lease ends by itself. */
	if (rp->kind == REPORT_OUTCOME && strcmp(rp->state, "stuck") != 0)
		TRY(lease_give_back(r, d->id.s, e));
	TRY(run_audit(r, NULL, d->id.s, row.kind, d->id.s, text, e));
	return hook_report(r, d->id.s, rp, e);
}

static int move(struct run *r, const struct device_row *d, const struct report *rp, struct err *e)
{
	CAMPAIGN_ROW_AUTO c = {0};
	struct recipient_row rec;
	struct verdict_in in;
	enum recipient_state is;

	if (!*d->campaign.s)
		TRY(gather_late(r, d->id.s, e));
	if (!*d->desired.campaign.s)
		return 0;
	TRY(campaigns_get(r->c.db, d->desired.campaign.s, &c, e));
	TRY(recipients_get(r->c.db, c.id.s, d->id.s, &rec, e));
	in = (struct verdict_in){rec.state, d->ordered_back, &c.release_digest, &rec.before_digest,
		d->desired.version};
	is = verdict_eval(&in, rp);
	if (is == rec.state)
		return 0;
	if (verdict_is_again(&c.policy, rec.state, is, rp, rec.tries))
		is = RECIPIENT_WAITING;
	return feed_move(r, c.id.s, d->id.s, is, rp->text, e);
}

static int take(struct run *r, const char *device, const struct report *rp, struct str body,
	bool *out_duplicate, struct err *e)
{
	struct device_row d;
	int rc = devices_get(r->c.db, device, &d, e);

	if (rc < 0 && rc != -ERR_NOT_FOUND)
		return rc;
	if (rc < 0) {
		char text[LIMIT_TEXT];

		new_device(r, device, &d);
		snprintf(text, sizeof text, "%s has registered: hardware %s", device,
			*rp->hardware ? rp->hardware : "unknown");
		TRY(run_audit(r, NULL, device, "register", device, text, e));
	}
	TRY(look_at_number(r, &d, rp, body, out_duplicate, e));
	if (*out_duplicate)
		return 0;
	hear(&d, rp, run_now(r));
	TRY(devices_put(r->c.db, &d, e));
	TRY(configuration_note(r, &d, rp->kind, e));
	TRY(write_down(r, &d, rp, body, e));
	return move(r, &d, rp, e);
}

/* Progress of a device that is known waits in memory; that of another registers it. */
static int take_progress(
	struct run *r, const char *device, const struct report *rp, bool *out_done, struct err *e)
{
	struct device_poll poll;
	struct contact *contact;
	int rc = devices_poll(r->c.db, device, &poll, e);

	*out_done = rc == 0;
	if (rc < 0)
		return rc == -ERR_NOT_FOUND ? 0 : rc;
	contact = contacts_put(&r->contacts, device, run_now(r));
	contact->has_progress = true;
	contact->done = rp->done;
	contact->total = rp->total;
	return 0;
}

int intake_report(struct run *r, const char *device, const struct report *report, struct str body,
	bool *out_duplicate, struct err *e)
{
	bool done = false, duplicate = false;

	r->stats.reports++;
	if (report->kind == REPORT_PROGRESS)
		TRY(take_progress(r, device, report, &done, e));
	if (!done) {
		TRY(run_begin(r, e));
		TRY(run_end(r, take(r, device, report, body, &duplicate, e), e));
		contacts_put(&r->contacts, device, run_now(r));
	}
	r->stats.duplicates += duplicate;
	*out_duplicate = duplicate;
	return 0;
}
