#include "agent/agent_priv.h"

#include <string.h>

#include "agent/core/backoff.h"
#include "lib/prng.h"
#include "lib/str.h"
#include "lib/sys/log.h"

#define NUDGE_EVERY SEC(1)     /* not more often for somebody who says that there is news */
#define TIME_EVERY  MINUTE(60) /* how long a signed time is built upon by counting */
#define REACHED     MINUTE(1)  /* how old contact may be where it is what a release must keep */

struct poll_job {
	struct job job;
	struct agent *agent;
	const struct agent_world *w;
	struct desired_in in;
	struct desired_out out;
	ms_t began;                         /* mono */
	struct sha256 running;              /* release document, zero when there is none */
	struct sha256 keep[SLOT_COUNT + 2]; /* documents that are in use, and one more */
	int rc;
	struct err err;
};

static const struct slot_view nothing;

unsigned agent_running_slot(const struct agent *a)
{
	return a->w.booted < SLOT_COUNT ? a->w.booted : a->boot.active;
}

const struct slot_view *agent_running(const struct agent *a)
{
	unsigned slot = agent_running_slot(a);

	return slot < SLOT_COUNT && a->slot[slot].mark == SLOT_VALID ? &a->slot[slot] : &nothing;
}

/* ---- the lane ---- */

/* Only a fetch brings documents, and fetches come one after the other: so what was in use when this
 * one began, and what it brought, is all that can be needed. What cannot be removed now will be
 * next time. */
static void prune(struct poll_job *p)
{
	struct err ignored;

	p->keep[SLOT_COUNT + 1] = p->out.desired.hash;
	(void)!desired_prune(p->w->fs, p->keep, ARRAY_LEN(p->keep), &ignored);
}

/* A release that pre-authorised nothing, or whose entry is gone, allows no way back below the
 * floor: that is the safe side. */
static void poll_run(struct job *job)
{
	struct poll_job *p = (struct poll_job *)job;
	struct err ignored;

	p->in.fs = p->w->fs;
	p->in.cancel = &p->job.cancel;
	if (!sha256_is_zero(&p->running) &&
		desired_load_rollback_to(p->w->fs, &p->running, &p->in.facts, &ignored) < 0)
		p->in.facts.n_rollback_to = 0;
	p->rc = p->w->fetch(p->w->self, &p->in, &p->out, &p->err);
	if (p->rc == 0 && !p->out.unchanged)
		prune(p);
}

/* ---- what to do with it ---- */

static void accept(struct agent *a, const struct desired *d, const struct release *r)
{
	struct upd_event ev = {.kind = UEV_DESIRED, .ok = true};

	ev.goal.release = r->id;
	ev.goal.document = d->hash;
	ev.goal.manifest = d->manifest;
	ev.goal.campaign = d->campaign;
	ev.goal.director_version = d->director_version;
	ev.goal.counter = d->counter;
	ev.goal.rollback = d->order == DESIRED_ROLLBACK;
	memcpy(ev.goal.path, d->path, sizeof(ev.goal.path));
	agent_new_txn(a, &ev.txn);
	log_ev(LOG_ID_DESIRED, "release=%s order=%s campaign=%s version=%llu", r->id.s,
		d->order == DESIRED_ROLLBACK ? "rollback" : "install", d->campaign.s,
		(unsigned long long)d->director_version);
	work_look_then_post(a, &ev);
}

static bool refuse_quarantined(struct agent *a, const struct desired *d)
{
	const struct quarantine_entry *q = quarantine_find(&a->quarantine, &d->hash, agent_wall(a));
	struct err why;

	if (!q)
		return false;
	(void)err_set(&why, ERR_QUARANTINED, "%s: %s", q->release.s, q->text);
	outbox_refuse(a, &why, d);
	return true;
}

/* Nothing of it is fetched, and nothing is held against it. */
static bool refuse_unsupported(struct agent *a, const struct desired_out *out)
{
	struct err why;

	if (shadow_check(a, out->release, out->desired.order == DESIRED_ROLLBACK, &why) == 0)
		return false;
	outbox_refuse(a, &why, &out->desired);
	return true;
}

/* A director version that was dealt with once, by an update or a refusal, is not dealt with again:
 * what became of it stands in the history, and it takes a new order or a person to try it anew. */
static void decide(struct agent *a, const struct desired_out *out)
{
	const struct desired *d = &out->desired;

	if (d->order == DESIRED_NOTHING || !out->release || a->rec.state == UPD_STUCK)
		return;
	if (upd_is_busy(a->rec.state)) {
		if (!sha256_eq(&d->hash, &a->rec.goal.document))
			accept(a, d, out->release);
		return;
	}
	if (sha256_eq(&d->hash, &agent_running(a)->document) ||
		d->director_version <= a->rec.director_seen)
		return;
	if (!refuse_quarantined(a, d) && !refuse_unsupported(a, out))
		accept(a, d, out->release);
}

/* Did the world fail, or was something refused that the server sent? A server that says no has sent
 * nothing. An answer that does not end in time may be somebody's doing, and is told like a refusal
 * when there is anybody to tell. */
static bool is_refusal(const struct poll_job *j)
{
	static const enum err_code world[] = {ERR_NET, ERR_BUSY, ERR_NOT_FOUND, ERR_WORKER,
		ERR_IMPOSTOR, ERR_TOO_OFTEN, ERR_REVOKED, ERR_NO_SPACE, ERR_IO, ERR_CANCELLED,
		ERR_CONFIG};

	for (size_t i = 0; i < ARRAY_LEN(world); i++)
		if (world[i] == j->err.code)
			return false;
	return !j->out.turned_away;
}

/* The same refusal is told once, and again when it has become another one. */
static void refuse(struct agent *a, const struct err *why)
{
	uint64_t hash = hash64(why->code, why->text, strlen(why->text));

	log_err(LOG_ID_REFUSED, why, "server=%s", a->conf->server.url);
	if (hash == a->poll.refused)
		return;
	a->poll.refused = hash;
	outbox_refuse(a, why, NULL);
}

static ms_t wait_after(struct agent *a, const struct err *why, ms_t retry_after)
{
	struct poll *p = &a->poll;
	ms_t wait = backoff_wait(err_retry(why->code), p->fails, agent_random(a), retry_after);

	return wait < 0 ? agent_jitter(a, a->conf->server.poll_interval) : wait;
}

static void poll_failed(struct agent *a, struct poll_job *j)
{
	struct poll *p = &a->poll;

	p->fails++;
	p->err = j->err;
	p->again |= j->in.again;
	if (is_refusal(j))
		refuse(a, &j->err);
	else if (p->fails == 1)
		log_err(LOG_ID_POLL_FAILED, &j->err, "server=%s", a->conf->server.url);
	p->held = j->out.retry_after > 0;
	p->next = agent_mono(a) + wait_after(a, &j->err, j->out.retry_after);
}

static void note_time(struct poll *p, const struct poll_job *j)
{
	if (j->out.heard.s) {
		p->heard = j->out.heard;
		p->heard_at = j->began;
	}
	p->fresh_at = MAX(1, j->began);
	if (!j->out.unchanged)
		p->wants = j->out.desired.hash;
}

static void poll_answered(struct agent *a, struct poll_job *j)
{
	struct poll *p = &a->poll;
	/* Somebody may want to know anew since this was asked. */
	ms_t wait = p->again ? 0 : agent_jitter(a, a->conf->server.poll_interval);

	if (p->nudged)
		wait = MIN(wait, NUDGE_EVERY);

	note_time(p, j);
	p->reached_at = p->fresh_at;
	p->fails = 0;
	p->held = j->out.retry_after > 0;
	p->err = (struct err){0};
	p->refused = 0;
	p->ok_wall = agent_wall(a);
	p->next = a->conf->server.url[0] ? agent_mono(a) + MAX(wait, j->out.retry_after) : NEVER;
	if (!j->out.unchanged)
		decide(a, &j->out);
	window_answer(a);
}

/* The server is asked when it would have been. */
static void poll_carried(struct agent *a, struct poll_job *j)
{
	struct poll *p = &a->poll;

	if (j->rc < 0) {
		carry_done(a, NULL, &j->err);
		if (is_refusal(j))
			outbox_refuse(a, &j->err, NULL);
		return;
	}
	carry_done(a, &j->out, NULL);
	p->fresh_at = MAX(1, j->began);
	p->wants = j->out.desired.hash;
	decide(a, &j->out);
	window_answer(a);
}

static void poll_done(struct job *job)
{
	struct poll_job *j = (struct poll_job *)job;
	struct agent *a = j->agent;

	a->poll.job = NULL;
	if (!a->closing) {
		a->poll.asked |= !j->in.carried;
		(j->in.carried ? poll_carried : j->rc < 0 ? poll_failed : poll_answered)(a, j);
	}
	mem_free(&j->out.release);
	mem_free(&j);
}

static void fill_facts(struct agent *a, struct poll_job *j)
{
	struct device_facts *f = &j->in.facts;

	j->running = agent_running(a)->document;
	f->running = j->running;
	f->counter_floor = a->rec.counter_floor;
	memcpy(f->device.s, a->conf->device.id, sizeof(f->device.s));
	memcpy(f->hardware, a->conf->device.hardware, sizeof(f->hardware));
	for (unsigned i = 0; i < SLOT_COUNT; i++)
		j->keep[i] = a->slot[i].document;
	j->keep[SLOT_COUNT] = a->rec.goal.document;
}

/* A token's time goes on with the clock that counts sleep and cannot be set. */
static void fill_time(struct agent *a, struct poll_job *j)
{
	const struct poll *p = &a->poll;
	uint64_t bits[2] = {agent_random(a), agent_random(a)};

	j->began = agent_mono(a);
	j->in.now_s = agent_wall(a) / 1000;
	j->in.clock_set = a->w.clock_is_set && a->w.clock_is_set(a->w.self);
	j->in.built_s = a->w.built_s;
	j->in.heard = p->heard;
	if (p->heard.s)
		j->in.heard.s += (j->began - p->heard_at) / 1000;
	j->in.ask_time = j->began - p->heard_at >= TIME_EVERY;
	j->in.budget = a->conf->net.refresh_timeout;
	hex_encode((const uint8_t *)bits, sizeof bits, j->in.nonce);
}

void poll_due(struct agent *a, ms_t now)
{
	struct poll *p = &a->poll;

	if (p->job || (now < p->next && a->carry.state != CARRY_WAITS))
		return;
	struct poll_job *j = mem_new(sizeof(*j));

	j->job = (struct job){.lane = LANE_NET, .run = poll_run, .done = poll_done};
	j->agent = a;
	j->w = &a->w;
	carry_begin(a, &j->in);
	if (!j->in.carried) {
		j->in.again = p->again;
		p->again = p->nudged = false;
	}
	fill_facts(a, j);
	fill_time(a, j);
	p->began = j->began;
	p->job = j;
	jobs_submit(a->jobs, &j->job);
}

void poll_init(struct agent *a)
{
	bool has_server = a->conf->server.url[0];

	a->poll = (struct poll){.again = has_server, .next = has_server ? 0 : NEVER};
}

void poll_now(struct agent *a)
{
	if (a->poll.next == NEVER)
		return;
	a->poll.again = true;
	a->poll.next = agent_mono(a);
}

/* Whoever can nudge must not be able to have a server asked more often than it would like: a wait
 * that it has asked for is kept, and after failures nudges count less and less often. */
void agent_nudge(struct agent *a)
{
	struct poll *p = &a->poll;
	ms_t soon = p->began + (NUDGE_EVERY << MIN(p->fails, 6U));

	p->nudged = true;
	if (!p->job && p->next != NEVER && !p->held)
		p->next = MIN(p->next, MAX(agent_mono(a), soon));
}

static bool is_fresh(const struct agent *a)
{
	const struct poll *p = &a->poll;
	ms_t most = a->conf->server.fresh;

	return p->fresh_at && (!most || agent_mono(a) - p->fresh_at < most);
}

/* A person at the device has ordered it, and no director has. */
static bool is_by_hand(const struct agent *a)
{
	return sha256_is_zero(&a->rec.goal.manifest);
}

bool poll_withdrew(const struct agent *a)
{
	return is_fresh(a) && sha256_is_zero(&a->poll.wants) && !is_by_hand(a);
}

bool poll_reaches(const struct agent *a)
{
	const struct poll *p = &a->poll;

	return p->reached_at && agent_mono(a) - p->reached_at < REACHED;
}

static bool is_carried(const struct agent *a)
{
	const struct carry *c = &a->carry;

	return c->state != CARRY_NONE && sha256_eq(&c->wants, &a->rec.goal.document);
}

static bool must_reach(const struct agent *a)
{
	if (!a->release || !a->conf->server.url[0] || a->rec.goal.rollback || is_carried(a))
		return false;
	for (unsigned i = 0; i < a->release->n_triggers; i++)
		if (trig_source(&a->release->triggers[i]) == TRIG_SRC_SERVER)
			return true;
	return false;
}

bool poll_must_ask(const struct agent *a)
{
	if (is_by_hand(a))
		return false;
	return !is_fresh(a) || (must_reach(a) && !poll_reaches(a));
}

/* After a failure its pause is kept: the server is not asked more often for this. */
bool poll_confirms(struct agent *a)
{
	struct poll *p = &a->poll;
	ms_t now = agent_mono(a);

	if (is_by_hand(a))
		return true;
	if (!poll_must_ask(a))
		return sha256_eq(&p->wants, &a->rec.goal.document);
	if (!p->job && (p->next == NEVER || (p->fails == 0 && p->next > now))) {
		p->again = true;
		p->next = now;
	}
	return false;
}
