/* A device: the machine around the real update machine, as far as that can see it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/core/quarantine.h"
#include "sim/course_priv.h"

#define BOOT_TAKES SEC(20)
#define TRIES      3U

static const struct sha256 old_document = {{1}}, new_document = {{2}};

/* ---- what can be seen ---- */

bool twin_runs_new(const struct twin *w)
{
	return w->runs < SLOT_COUNT && w->hold[w->runs] == HOLDS_NEW;
}

bool twin_is_off(const struct twin *w)
{
	return w->dead || (w->trial && w->trial->off_since);
}

const struct scenario_fault *twin_fault(
	const struct course *m, uint32_t device, enum scenario_fault_kind kind)
{
	uint32_t mask = m->v[device].faults;

	for (unsigned i = 0; mask >> i; i++)
		if (mask >> i & 1 && m->sc->faults[i].what == kind)
			return &m->sc->faults[i];
	return NULL;
}

static struct slot_view slot_view(const struct twin *w, unsigned slot)
{
	uint8_t hold = w->hold[slot];
	struct slot_view v = {.room = UINT64_MAX};

	if (hold != HOLDS_OLD && hold != HOLDS_NEW)
		return v;
	v.mark = SLOT_VALID;
	v.document = hold == HOLDS_NEW ? new_document : old_document;
	v.content = v.document;
	snprintf(v.release.s, sizeof v.release.s, "%s", hold == HOLDS_NEW ? "new" : "old");
	return v;
}

static bool boots_by_loader(const struct course *m, const struct twin *w)
{
	return m->kinds[w->kind].group->boot == 1;
}

static void look(const struct course *m, const struct twin *w, struct upd_event *ev)
{
	const struct trial *t = w->trial;

	ev->looked = true;
	ev->boot = (struct boot_view){.active = w->active,
		.confirmed = w->confirmed,
		.tries_left = t->tries_left,
		.fell_back = t->fell_back,
		.counts = t->counts,
		.crashed = t->crashed};
	ev->svc = (struct svc_view){
		.alive = w->runs != SLOT_NONE, .slot = w->runs, .ended = t->ended};
	if (boots_by_loader(m, w) && w->runs == SLOT_NONE)
		ev->svc.slot = w->active;
	for (unsigned i = 0; i < SLOT_COUNT; i++)
		ev->slot[i] = slot_view(w, i);
}

struct upd_event twin_event(struct course *m, uint32_t device, enum upd_ev kind)
{
	const struct twin *w = &m->v[device];
	struct upd_event ev = {.kind = kind,
		.wall = m->now + w->clock,
		.boot_id = w->boots,
		.txn = w->trial->rec.txn,
		.ok = true,
		.jitter = prng_next(&m->random)};

	look(m, w, &ev);
	return ev;
}

struct upd_event twin_failure(
	struct course *m, uint32_t device, enum upd_ev kind, enum err_code code, const char *text)
{
	struct upd_event ev = twin_event(m, device, kind);

	ev.ok = false;
	(void)err_set(&ev.err, code, "%s", text);
	return ev;
}

/* ---- one step of the update machine ---- */

static void stop(struct course *m, uint32_t device)
{
	struct trial *t = m->v[device].trial;

	deed_broken_off(m, device);
	t->work = UACT_NONE;
	t->gen++;
}

static int act(struct course *m, uint32_t device, const struct upd_act *a, struct err *e)
{
	struct twin *w = &m->v[device];

	switch (a->kind) {
	case UACT_STOP:
		stop(m, device);
		return 0;
	case UACT_WAKE_AT:
		course_at(m, MAX(m->now + 1, a->at - w->clock), device, AT_WAKE, w->trial->gen);
		return 0;
	case UACT_REPORT:
		return office_progress(m, device, e);
	default:
		deed_begin(m, device, a->kind);
		return 0;
	}
}

int twin_tell(struct course *m, uint32_t device, struct upd_event *ev, struct err *e)
{
	struct twin *w = &m->v[device];
	struct upd_record was = w->trial->rec;
	struct upd_acts acts;
	struct err bug;

	m->r.update_steps++;
	if (upd_step(&was, ev, &w->trial->rec, &acts, &bug) < 0) {
		law_broken(m, device, bug.text);
		return 0;
	}
	course_note(m, device, ev->kind, w->trial->rec.state);
	law_device(m, device, &was);
	for (unsigned i = 0; i < acts.n && !w->dead; i++)
		TRY(act(m, device, &acts.v[i], e));
	if (!w->dead && w->trial->rec.state == UPD_IDLE && was.state != UPD_IDLE)
		twin_end(m, device);
	return 0;
}

/* ---- from one update to the next ---- */

static void trial_begin(struct course *m, uint32_t device)
{
	struct twin *w = &m->v[device];
	size_t size = sizeof *w->trial + m->sc->n_triggers * sizeof(struct trig_window);
	struct trial *t = mem_new(size);
	ms_t cut_every = m->kinds[w->kind].group->cut_every;

	memset(t, 0, size);
	w->trial = t;
	upd_record_init(&t->rec);
	t->rec.counter_floor = w->floor;
	t->rec.report_seq = w->report_seq;
	t->rec.director_seen = w->director_seen;
	t->work = UACT_NONE;
	m->trials_most = MAX(m->trials_most, ++m->trials);
	if (cut_every)
		course_at(m, m->now + course_spread(m, cut_every), device, AT_CUT, w->boots);
}

/* What it keeps. A report that has not been sent yet waits in its queue. */
void twin_end(struct course *m, uint32_t device)
{
	struct twin *w = &m->v[device];
	struct trial *t = w->trial;

	w->floor = (uint32_t)t->rec.counter_floor;
	w->report_seq = (uint32_t)t->rec.report_seq;
	w->director_seen = (uint32_t)t->rec.director_seen;
	w->boots++; /* moments of its power that are still to come are history */
	w->trial = NULL;
	free(t);
	m->trials--;
	if (w->outcome)
		course_at(m, m->now + 1, device, AT_SEND, 0);
}

/* ---- what it is told ---- */

static bool is_quarantined(const struct course *m, const struct twin *w, const struct sha256 *doc)
{
	struct quarantine q = {0};
	struct err e;

	return w->quarantine && quarantine_decode(str_of(w->quarantine), &q, &e) == 0 &&
	       quarantine_find(&q, doc, m->now + w->clock);
}

void twin_quarantine(struct course *m, uint32_t device)
{
	struct twin *w = &m->v[device];
	const struct upd_record *r = &w->trial->rec;
	struct quarantine q = {0};
	struct quarantine_entry q_new = {.document = r->goal.document,
		.release = r->goal.release,
		.why = r->why,
		.since = m->now + w->clock};
	BUF_AUTO text = {0};
	struct err e;

	if (m->c->mistake == COURSE_NO_QUARANTINE)
		return;
	if (w->quarantine && quarantine_decode(str_of(w->quarantine), &q, &e) < 0)
		law_broken(m, device, "a quarantine that cannot be read");
	snprintf(q_new.text, sizeof q_new.text, "%s", r->why_text);
	quarantine_add(&q, &q_new);
	quarantine_encode(&q, &text);
	mem_free(&w->quarantine);
	w->quarantine = mem_strdup(buf_cstr(&text));
}

static struct upd_goal goal_of(const struct twin *w, bool back)
{
	struct upd_goal g = {.document = back ? old_document : new_document,
		.director_version = w->director_seen + 1U,
		.counter = back ? 1 : 2,
		.rollback = back};

	if (w->trial)
		g.director_version =
			MAX(g.director_version, w->trial->rec.goal.director_version + 1);
	snprintf(g.release.s, sizeof g.release.s, "%s", back ? "old" : "new");
	return g;
}

int twin_desire(struct course *m, uint32_t device, bool back, struct err *e)
{
	struct twin *w = &m->v[device];
	struct upd_goal goal = goal_of(w, back);
	struct upd_event ev;

	if (w->dead)
		return 0;
	if (!w->trial && is_quarantined(m, w, &goal.document)) {
		m->r.refused++;
		return 0;
	}
	if (!w->trial)
		trial_begin(m, device);
	ev = twin_event(m, device, UEV_DESIRED);
	ev.goal = goal;
	for (unsigned i = 0; i < 2; i++) {
		uint64_t bits = prng_next(&m->random);

		memcpy(ev.txn.b + 8 * i, &bits, sizeof bits);
	}
	return twin_tell(m, device, &ev, e);
}

/* ---- power ---- */

void twin_die(struct course *m, uint32_t device)
{
	struct twin *w = &m->v[device];

	w->dead = true;
	w->runs = SLOT_NONE;
	m->r.bricked++;
	course_note(m, device, WHAT_MAX, 0);
	free(w->trial);
	w->trial = NULL;
	m->trials--;
}

static void forget_windows(struct course *m, struct trial *t)
{
	memset(t->window, 0, m->sc->n_triggers * sizeof *t->window);
}

void twin_cut(struct course *m, uint32_t device, ms_t off)
{
	struct twin *w = &m->v[device];
	struct trial *t = w->trial;

	stop(m, device);
	forget_windows(m, t);
	if (m->c->mistake == COURSE_LOSE_RECORD) {
		upd_record_init(&t->rec);
		t->rec.counter_floor = w->floor;
	}
	w->runs = SLOT_NONE;
	w->boots++;
	t->off_since = m->now;
	course_at(m, m->now + off + BOOT_TAKES, device, AT_UP, w->boots);
	course_note(m, device, AT_CUT, w->active);
}

/* The last try is a try: only the start after it falls back. */
static void start_by_loader(struct twin *w, struct trial *t)
{
	t->counts = w->active != w->confirmed;
	if (!t->counts)
		return;
	if (t->tries_left == 0) {
		w->active = w->confirmed;
		t->fell_back = true;
		t->counts = false;
	} else {
		t->tries_left--;
	}
}

/* Does what starts now come up? A machine that does not is started again, by whoever waits before
 * it: a watchdog, the dead-man. */
static bool comes_up(struct course *m, uint32_t device)
{
	struct twin *w = &m->v[device];
	bool is_new = w->hold[w->active] == HOLDS_NEW;

	w->runs = w->active;
	if (!is_new)
		return true;
	w->trial->started = m->now;
	if (twin_fault(m, device, FAULT_NO_BOOT)) {
		w->runs = SLOT_NONE;
		return !boots_by_loader(m, w);
	}
	if (twin_fault(m, device, FAULT_START))
		w->runs = SLOT_NONE;
	return true;
}

int twin_up(struct course *m, uint32_t device, struct err *e)
{
	struct twin *w = &m->v[device];
	struct trial *t = w->trial;
	ms_t power = reach_power_back(m, device, m->now);
	struct upd_event ev;

	if (power > m->now) {
		course_at(m, power + BOOT_TAKES, device, AT_UP, w->boots);
		return 0;
	}
	if (boots_by_loader(m, w))
		start_by_loader(w, t);
	if (w->hold[w->active] == HOLDS_NEW && twin_fault(m, device, FAULT_BRICK)) {
		twin_die(m, device);
		return 0;
	}
	if (!comes_up(m, device)) {
		twin_cut(m, device, SEC(60));
		return 0;
	}
	t->off_since = 0;
	if (m->kinds[w->kind].group->cut_every)
		course_at(m, m->now + course_spread(m, m->kinds[w->kind].group->cut_every), device,
			AT_CUT, w->boots);
	ev = twin_event(m, device, UEV_POWER_UP);
	return twin_tell(m, device, &ev, e);
}
