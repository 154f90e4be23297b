#include "server/run/run_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sys/log.h"
#include "server/run/checkpoint.h"
#include "server/run/drift.h"
#include "server/run/ending.h"
#include "server/run/feed.h"
#include "server/run/imagerepo.h"
#include "server/run/lease.h"
#include "server/run/way.h"

#define SILENT_A_TICK 256 /* so that polls are answered in between */

ms_t run_now(const struct run *r)
{
	return r->c.clock->wall(r->c.clock->self);
}

int64_t run_now_s(const struct run *r)
{
	return run_now(r) / 1000;
}

const struct run_stats *run_stats(const struct run *r)
{
	return &r->stats;
}

/* ---- one transaction ---- */

int run_begin(struct run *r, struct err *e)
{
	r->said_before = r->said.n;
	r->woken_before = r->woken.n;
	r->was_shown = false;
	return db_begin(r->c.db, e);
}

static void log_sentences(struct run *r)
{
	struct str rest = buf_str(&r->said), line;

	while (rest.n && str_split(&rest, '\n', &line))
		if (line.n)
			log_ev(line.p[0] == 'c' ? LOG_ID_CAMPAIGN : LOG_ID_AUDIT, "%.*s",
				(int)line.n, line.p);
	buf_clear(&r->said);
}

void run_wake(struct run *r, const char *device)
{
	if (r->c.wake)
		buf_addf(&r->woken, "%s\n", device);
}

static void wake_devices(struct run *r)
{
	struct str rest = buf_str(&r->woken), line;
	char device[ID_TEXT_MAX];

	while (rest.n && str_split(&rest, '\n', &line))
		if (line.n && str_copy(line, device, sizeof device, NULL) == 0)
			r->c.wake(r->c.wake_self, device);
	buf_clear(&r->woken);
}

static void tell(struct run *r)
{
	log_sentences(r);
	wake_devices(r);
}

int run_end(struct run *r, int rc, struct err *e)
{
	rc = db_end(r->c.db, rc, e);
	if (rc < 0) {
		r->said.n = r->said_before;
		r->woken.n = r->woken_before;
		return rc;
	}
	if (r->was_shown)
		r->to_be_shown = false;
	if (!db_group_is_open(r->c.db))
		tell(r);
	return rc;
}

/* ---- transactions that become durable together ---- */

void run_group_begin(struct run *r)
{
	db_group_begin(r->c.db);
}

bool run_group_is_open(const struct run *r)
{
	return db_group_is_open(r->c.db);
}

int run_group_end(struct run *r, struct err *e)
{
	int rc = db_group_end(r->c.db, e);

	if (rc == 0) {
		tell(r);
		return 0;
	}
	buf_clear(&r->said);
	buf_clear(&r->woken);
	r->stale = true;
	r->to_be_shown = true;
	r->image_refresh_s = 0;
	return rc;
}

int run_audit(struct run *r, const struct campaign_row *campaign, const char *who, const char *what,
	const char *device, const char *text, struct err *e)
{
	struct audit_row a = {.at = run_now(r)};

	snprintf(a.who, sizeof a.who, "%s", who);
	snprintf(a.what, sizeof a.what, "%s", what);
	snprintf(a.device, sizeof a.device, "%s", device);
	snprintf(a.text, sizeof a.text, "%s", text);
	if (campaign) {
		snprintf(a.campaign, sizeof a.campaign, "%s", campaign->id.s);
		a.policy = campaign->policy_digest;
		snprintf(a.engine, sizeof a.engine, "%s", WAVE_ENGINE);
	}
	if (campaign)
		buf_addf(&r->said, "campaign=%s ", a.campaign);
	buf_addf(&r->said, "who=%s text=\"%s\"\n", a.who, a.text);
	return audit_add(r->c.db, &a, e);
}

/* ---- campaigns under way, in memory ---- */

static int add_active(void *ctx, const struct campaign_row *c, struct err *e UNUSED)
{
	struct run *r = ctx;

	r->active = mem_resize(r->active, (r->n_active + 1) * sizeof *r->active);
	r->active[r->n_active] = *c;
	r->active[r->n_active++].selector = (struct buf){0};
	return 0;
}

int run_load_active(struct run *r, struct err *e)
{
	if (!r->stale)
		return 0;
	r->n_active = 0;
	TRY(campaigns_each_active(r->c.db, add_active, r, e));
	r->stale = false;
	return 0;
}

int run_active(struct run *r, const char *id, const struct campaign_row **out, struct err *e)
{
	TRY(run_load_active(r, e));
	*out = NULL;
	for (unsigned i = 0; i < r->n_active; i++)
		if (strcmp(r->active[i].id.s, id) == 0)
			*out = &r->active[i];
	return 0;
}

/* ---- what time brings ---- */

static int save_contacts(struct run *r, struct err *e)
{
	if (!r->contacts.n)
		return 0;
	TRY(run_begin(r, e));
	TRY(run_end(r, contacts_save(&r->contacts, r->c.db, e), e));
	contacts_clear(&r->contacts);
	return 0;
}

static int count_silent(struct run *r, const struct recipient_row *due, struct err *e)
{
	CAMPAIGN_ROW_AUTO c = {0};
	struct recipient_row rec = *due;
	char text[LIMIT_TEXT];
	ms_t heard;

	TRY(campaigns_get(r->c.db, rec.campaign.s, &c, e));
	TRY(devices_contact(r->c.db, rec.device.s, &heard, e));
	heard = MAX(MAX(heard, rec.moved), r->started);
	if (heard + way_silence(&c, &rec) > run_now(r)) {
		rec.deadline = heard + way_silence(&c, &rec);
		return recipients_save(r->c.db, &rec, e);
	}
	snprintf(text, sizeof text, "not heard of for %lld s",
		(long long)(run_now(r) - heard) / 1000);
	return feed_move(r, rec.campaign.s, rec.device.s, RECIPIENT_SILENT, text, e);
}

static int count_due(struct run *r, struct err *e)
{
	struct recipient_row rec;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < SILENT_A_TICK; i++) {
		rc = recipients_due(r->c.db, run_now(r), &rec, e);
		if (rc == 0)
			rc = count_silent(r, &rec, e);
	}
	return rc == -ERR_NOT_FOUND ? 0 : rc;
}

static int count_all_silent(struct run *r, struct err *e)
{
	struct recipient_row rec;
	int rc = recipients_due(r->c.db, run_now(r), &rec, e);

	if (rc < 0)
		return rc == -ERR_NOT_FOUND ? 0 : rc;
	TRY(run_begin(r, e));
	return run_end(r, count_due(r, e), e);
}

/* A campaign that is due and does not move would be found again at once: each is told once. */
static int wake_campaigns(struct run *r, struct err *e)
{
	struct camp_id last = {""}, id;
	int rc;

	while ((rc = campaigns_due(r->c.db, run_now(r), &id, e)) == 0) {
		if (strcmp(id.s, last.s) == 0)
			return 0;
		last = id;
		TRY(run_begin(r, e));
		TRY(run_end(r, feed_tick(r, id.s, e), e));
	}
	return rc == -ERR_NOT_FOUND ? 0 : rc;
}

int run_tick(struct run *r, struct err *e)
{
	TRY(save_contacts(r, e));
	TRY(count_all_silent(r, e));
	TRY(lease_tick(r, e));
	TRY(drift_tick(r, e));
	TRY(ending_tick(r, e));
	TRY(wake_campaigns(r, e));
	TRY(telemetry_tick(r, e));
	TRY(imagerepo_refresh(r, e));
	return checkpoint_due(r, e);
}

/* ---- life ---- */

/* A store that is older than the chain gets it now, once. */
static int chain_old_rows(struct run *r, struct err *e)
{
	TRY(run_begin(r, e));
	return run_end(r, audit_chain_old(r->c.db, e), e);
}

int run_open(const struct run_conf *c, struct run **out, struct err *e)
{
	struct run *r = mem_new(sizeof *r);
	int rc;

	*r = (struct run){.c = *c, .stale = true, .to_be_shown = true};
	r->started = run_now(r);
	contacts_init(&r->contacts);
	rc = chain_old_rows(r, e);
	if (rc < 0)
		run_close(&r);
	else
		*out = r;
	return rc;
}

void run_close(struct run **r)
{
	struct err e;

	if (!*r)
		return;
	if (save_contacts(*r, &e) < 0)
		log_err(LOG_ID_STORE, &e, "what=contacts");
	contacts_fini(&(*r)->contacts);
	totals_fini(&(*r)->totals);
	buf_fini(&(*r)->said);
	buf_fini(&(*r)->woken);
	free((*r)->active);
	free(*r);
	*r = NULL;
}
