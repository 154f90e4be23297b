#include "agent/agent_priv.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sys/log.h"

/* More numbers of reports than a record that is gone can have given away. */
#define REPORTS_LOST 1024
#define STALL_MAX    SEC(30)

ms_t agent_mono(const struct agent *a)
{
	return a->w.clock.mono(a->w.clock.self);
}

ms_t agent_wall(const struct agent *a)
{
	return a->w.clock.wall(a->w.clock.self);
}

uint64_t agent_random(struct agent *a)
{
	return a->w.random(a->w.self);
}

void agent_new_txn(struct agent *a, struct txn_id *out)
{
	for (size_t i = 0; i < sizeof(out->b); i += sizeof(uint64_t)) {
		uint64_t bits = agent_random(a);

		memcpy(out->b + i, &bits, sizeof(bits));
	}
}

ms_t agent_jitter(struct agent *a, ms_t span)
{
	ms_t tenth = span / 10;

	return span - tenth + (ms_t)(agent_random(a) % (uint64_t)(2 * tenth + 1));
}

enum upd_state agent_state(const struct agent *a)
{
	return a->rec.state;
}

int agent_fd(const struct agent *a)
{
	return jobs_fd(a->jobs);
}

struct release *agent_load_release(struct fs *fs, const struct sha256 *document, struct err *e)
{
	struct release *r = mem_new(sizeof(*r));

	if (desired_load_release(fs, document, r, e) < 0)
		mem_free(&r);
	return r;
}

/* ---- the record ---- */

int agent_note(struct agent *a, uint64_t report_seq, uint64_t director_seen, struct err *e)
{
	struct upd_record next = a->rec;

	next.report_seq = report_seq;
	next.director_seen = director_seen;
	TRY(journal_save(&a->journal, &next, e));
	a->rec = next;
	return 0;
}

static void load_goal(struct agent *a)
{
	struct err e = {0};

	mem_free(&a->release);
	if (!upd_is_busy(a->rec.state) || sha256_is_zero(&a->rec.goal.document))
		return;
	a->release = agent_load_release(a->w.fs, &a->rec.goal.document, &e);
	if (!a->release)
		log_err(LOG_ID_ACTION_FAILED, &e, "release=%s", a->rec.goal.release.s);
}

static void log_move(const struct upd_record *r, enum upd_state from, enum upd_ev by)
{
	char txn[TXN_TEXT];

	txn_format(&r->txn, txn);
	log_ev(LOG_ID_STATE,
		"from=%s state=%s event=%s txn=%s release=%s slot=%s campaign=%s why=%s",
		upd_state_name(from), upd_state_name(r->state), upd_event_name(by), txn,
		r->goal.release.s, slot_name(r->slot_new), r->goal.campaign.s, err_name(r->why));
}

/* What hangs on the state, when it or the update has become another one. */
static void moved(struct agent *a, enum upd_state from, enum upd_ev by)
{
	const struct upd_record *r = &a->rec;

	log_move(r, from, by);
	notes_move(a, from);
	a->w.tell(a->w.self, upd_state_text(r->state));
	work_drop(a);
	a->wake_at = NEVER;
	a->failed = (struct err){0};
	if (r->state == UPD_ACCEPTED) {
		buf_clear(&a->smoke_log);
		load_goal(a);
	}
	if (r->state == UPD_REVERTING || r->state == UPD_FAILED)
		a->draft = true;
	if (r->state == UPD_IDLE) {
		load_goal(a);
		poll_now(a);
	}
	watch_moved(a);
	promise_tell(a);
	waits_moved(a);
	shadow_moved(a);
	scrub_moved(a);
	telemetry_moved(a);
}

/* Hands up only what the journal says: then nothing has happened and the event can come again. */
static int step(struct agent *a, const struct upd_event *ev, struct err *e)
{
	struct upd_record next = a->rec;
	struct upd_acts acts = {0};
	enum upd_state from = a->rec.state;

	if (upd_step(&a->rec, ev, &next, &acts, e) < 0) {
		log_err(LOG_ID_BUG, e, "state=%s event=%s", upd_state_name(from),
			upd_event_name(ev->kind));
		return 0;
	}
	if (acts.save)
		TRY(journal_save(&a->journal, &next, e));
	bool other = next.state != from || memcmp(&next.txn, &a->rec.txn, sizeof(next.txn)) != 0;

	a->rec = next;
	if (other)
		moved(a, from, ev->kind);
	for (unsigned i = 0; i < acts.n; i++)
		action_begin(a, &acts.v[i]);
	return 0;
}

/* ---- events ---- */

void agent_post(struct agent *a, const struct upd_event *ev)
{
	struct pending *p = mem_new(sizeof(*p));

	p->ev = *ev;
	p->ev.wall = agent_wall(a);
	p->ev.boot_id = a->w.boot_id;
	p->ev.jitter = agent_random(a);
	*a->last = p;
	a->last = &p->next;
}

static void drop_first(struct agent *a)
{
	struct pending *p = a->first;

	a->first = p->next;
	if (!a->first)
		a->last = &a->first;
	mem_free(&p);
}

static void stall(struct agent *a, const struct err *e)
{
	ms_t wait = MIN(SEC(1) << MIN(a->stalls, 5U), STALL_MAX);

	a->stalls++;
	a->stalled = agent_mono(a) + wait;
	log_err(LOG_ID_JOURNAL, e, "retry_ms=%lld", (long long)wait);
}

/* The first step of this process. The machine may ask to go on watching, so what it watches for has
 * to be there before. */
static int first_step(struct agent *a, const struct upd_event *ev, struct err *e)
{
	load_goal(a);
	watch_moved(a);
	TRY(step(a, ev, e));
	a->up = true;
	agree_resume(a);
	promise_tell(a);
	promise_rescue_now(a);
	outbox_tell(a, REPORT_HELLO);
	scrub_up(a);
	return 0;
}

/* Events are never lost: while the journal cannot be written they wait. */
static bool drain(struct agent *a)
{
	struct err e = {0};
	bool any = false;

	if (a->stalled && agent_mono(a) < a->stalled)
		return false;
	for (; a->first; any = true) {
		const struct upd_event *ev = &a->first->ev;

		if ((a->up ? step : first_step)(a, ev, &e) < 0) {
			stall(a, &e);
			return any;
		}
		a->stalled = 0;
		a->stalls = 0;
		drop_first(a);
	}
	return any;
}

/* Until the first look has succeeded, nothing else is waited for. */
static void wake(struct agent *a)
{
	struct upd_event ev = {.kind = a->up ? UEV_TICK : UEV_POWER_UP, .ok = true};

	if (a->up)
		agent_post(a, &ev);
	else
		work_look_then_post(a, &ev);
}

static void due(struct agent *a)
{
	ms_t now = agent_mono(a);

	notes_due(a);
	promise_due(a, now);
	if (now >= a->wake_at) {
		a->wake_at = NEVER;
		wake(a);
	}
	if (!a->up)
		return;
	watch_due(a, now);
	waits_due(a, now);
	poll_due(a, now);
	byway_due(a);
	outbox_due(a, now);
	scrub_due(a, now);
	telemetry_due(a, now);
}

static ms_t next_due(const struct agent *a)
{
	ms_t at = MIN(a->wake_at, a->stalled ? a->stalled : NEVER);

	at = MIN(at, a->promised);
	if (!a->up)
		return at;
	at = MIN(at, a->watch.look ? NEVER : a->watch.next);
	at = MIN(at, waits_next(a));
	at = MIN(at, a->poll.job ? NEVER : a->poll.next);
	at = MIN(at, a->poll.job || a->carry.state != CARRY_WAITS ? NEVER : agent_mono(a));
	at = MIN(at, a->outbox.job ? NEVER : a->outbox.next);
	at = MIN(at, scrub_next(a));
	return MIN(at, telemetry_next(a));
}

void agent_run(struct agent *a)
{
	bool more;

	do {
		more = drain(a);
		due(a);
		more |= drain(a);
		more |= jobs_collect(a->jobs);
	} while (more);
	a->w.wake(a->w.self, next_due(a));
}

bool agent_is_settled(const struct agent *a)
{
	const struct poll *p = &a->poll;
	bool asked = p->next == NEVER || (p->asked && (!p->again || p->fails));
	bool told = a->outbox.left == 0 || a->outbox.fails || a->outbox.next == NEVER;

	asked = asked || a->carry.state == CARRY_DONE;
	return a->up && a->carry.state != CARRY_WAITS && !a->first && !upd_is_busy(a->rec.state) &&
	       !a->orders && !p->job && asked && !a->outbox.job && told;
}

int agent_trouble(const struct agent *a, struct err *e)
{
	if (a->rec.state == UPD_STUCK)
		return err_set(e, ERR_NEED_HAND, "%s: %s", a->rec.goal.release.s, a->rec.why_text);
	if (a->carry.state != CARRY_NONE)
		return carry_outcome(a, e);
	if (a->poll.fails)
		return err_set(e, a->poll.err.code, "%s", a->poll.err.text);
	return 0;
}

/* ---- birth and end ---- */

static void load_outcomes(struct agent *a)
{
	struct err e;

	if (outcome_load(a->w.fs, &a->outcomes, &e) < 0)
		log_err(LOG_ID_ACTION_FAILED, &e, "action=outcome");
}

static int open_slots(struct agent *a, struct slots **out, struct err *e)
{
	const char *const devices[SLOT_COUNT] = {a->conf->slot.a, a->conf->slot.b};

	TRY(slots_open(a->w.fs, a->conf->agent.slots, out, e));
	return a->w.devices ? slots_set_devices(*out, a->w.devices, devices, e) : 0;
}

static int open_boot(struct agent *a, struct err *e)
{
	struct boot_place at = {.home = a->w.fs,
		.files = a->w.boot_fs,
		.booted = a->w.booted,
		.crashed = a->w.crashed};
	struct boot_conf c;

	agent_conf_boot(a->conf, &c);
	TRY(boot_open(&at, &c, &a->look_boot, e));
	return boot_open(&at, &c, &a->boot_layer, e);
}

static int open_world(struct agent *a, struct err *e)
{
	TRY(journal_open(a->w.fs, "journal", &a->journal, e));
	TRY(journal_load(&a->journal, &a->rec, e));
	if (a->journal.behind)
		a->rec.report_seq += REPORTS_LOST;
	TRY(agent_load_quarantine(a, e));
	load_outcomes(a);
	agree_load(a);
	scrub_open(a);
	shadow_book_load(a->w.fs, &a->rec.txn, &a->shadow.seen);
	telemetry_open(a);
	TRY(open_slots(a, &a->stage_slots, e));
	TRY(open_slots(a, &a->look_slots, e));
	TRY(open_slots(a, &a->scrub_slots, e));
	slots_set_threads(a->stage_slots, MAX(1U, a->w.slot_threads));
	TRY(open_boot(a, e));
	return jobs_open(a->w.executor, &a->jobs, e);
}

int agent_open(const struct agent_conf *conf, const struct agent_world *w, struct agent **out,
	struct err *e)
{
	struct agent *a = mem_new(sizeof(*a));

	a->conf = conf;
	a->w = *w;
	a->last = &a->first;
	a->wake_at = NEVER;
	watch_init(&a->watch);
	poll_init(a);
	outbox_init(a);
	int rc = open_world(a, e);

	if (rc < 0) {
		agent_close(&a);
		return rc;
	}
	promise_tell(a);
	wake(a);
	*out = a;
	return 0;
}

void agent_close(struct agent **pa)
{
	struct agent *a = *pa;

	if (!a)
		return;
	if (a->up)
		notes_flush(a);
	telemetry_flush(a);
	a->closing = true;
	jobs_close(&a->jobs);
	while (a->first)
		drop_first(a);
	watch_fini(a);
	telemetry_close(a);
	boot_close(&a->boot_layer);
	boot_close(&a->look_boot);
	if (a->look_slots)
		slots_close(&a->look_slots);
	if (a->scrub_slots)
		slots_close(&a->scrub_slots);
	if (a->stage_slots)
		slots_close(&a->stage_slots);
	buf_fini(&a->notes);
	buf_fini(&a->smoke_log);
	buf_fini(&a->shadow.log);
	mem_free(&a->release);
	mem_free(pa);
}
