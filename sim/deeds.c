/* What a device does when its update machine asks for something: how long it takes, what becomes of
 * it, and what is answered. */
#include <string.h>

#include "sim/course_priv.h"

#define LOOK_TAKES   SEC(1)
#define SMOKE_TAKES  SEC(5)
#define SWAP_TAKES   SEC(3)
#define WRITE_TAKES  200
#define REBOOT_TAKES SEC(30)
#define NET_TIMEOUT  SEC(10)
#define TRIES        3U

typedef ms_t deed_takes_f(struct course *m, uint32_t device);
typedef int deed_done_f(struct course *m, uint32_t device, struct err *e);

static struct trial *trial_of(struct course *m, uint32_t device)
{
	return m->v[device].trial;
}

static int answer(struct course *m, uint32_t device, enum upd_ev kind, struct err *e)
{
	struct upd_event ev = twin_event(m, device, kind);

	return twin_tell(m, device, &ev, e);
}

static int fail(struct course *m, uint32_t device, enum upd_ev kind, enum err_code code,
	const char *text, struct err *e)
{
	struct upd_event ev = twin_failure(m, device, kind, code, text);

	return twin_tell(m, device, &ev, e);
}

static uint8_t goal_hold(const struct trial *t)
{
	return t->rec.goal.rollback ? HOLDS_OLD : HOLDS_NEW;
}

static bool is_by_loader(const struct course *m, uint32_t device)
{
	return m->kinds[m->v[device].kind].group->boot == 1;
}

static ms_t look_takes(struct course *m UNUSED, uint32_t device UNUSED)
{
	return LOOK_TAKES;
}

static ms_t write_takes(struct course *m UNUSED, uint32_t device UNUSED)
{
	return WRITE_TAKES;
}

static ms_t swap_takes(struct course *m UNUSED, uint32_t device UNUSED)
{
	return SWAP_TAKES;
}

static int precond_done(struct course *m, uint32_t device, struct err *e)
{
	return answer(m, device, UEV_PRECOND, e);
}

/* ---- staging ---- */

/* Milliseconds for the bytes that are missing; what is lost is sent again. */
static ms_t download_takes(const struct course *m, uint32_t device)
{
	const struct scenario_group *g = m->kinds[m->v[device].kind].group;
	uint64_t bits = (m->sc->bytes - m->v[device].trial->got) * 8;

	return (ms_t)(bits / g->kbit * PPM / (PPM - g->loss)) + LOOK_TAKES;
}

static ms_t stage_takes(struct course *m, uint32_t device)
{
	struct twin *w = &m->v[device];
	struct trial *t = w->trial;
	ms_t broken = m->kinds[w->kind].group->broken_every, whole, most = NEVER;

	t->complete = w->hold[t->rec.slot_new] == goal_hold(t);
	if (t->complete)
		return LOOK_TAKES;
	law_write(m, device, t->rec.slot_new);
	w->hold[t->rec.slot_new] = HOLDS_HALF;
	if (!reach_is_up(m, device, m->now))
		return NET_TIMEOUT;
	whole = download_takes(m, device);
	if (broken)
		most = course_spread(m, broken);
	most = MIN(most, reach_next_down(m, device, m->now) - m->now);
	t->complete = whole <= most;
	return MAX(1, MIN(whole, most));
}

/* As much as came until now; where the network is away nothing does. */
static void take_bytes(struct course *m, uint32_t device)
{
	struct trial *t = trial_of(m, device);
	ms_t whole = download_takes(m, device), spent = m->now - t->begun;

	if (reach_is_up(m, device, t->begun))
		t->got += (m->sc->bytes - t->got) * (uint64_t)MIN(spent, whole) / (uint64_t)whole;
}

static int stage_done(struct course *m, uint32_t device, struct err *e)
{
	struct twin *w = &m->v[device];
	struct trial *t = w->trial;
	struct upd_event ev;
	bool sealed = t->complete || m->c->mistake == COURSE_SEAL_HALF;

	if (!t->complete)
		take_bytes(m, device);
	if (!sealed)
		return fail(m, device, UEV_STAGED, ERR_NET, "the download was broken off", e);
	if (t->complete)
		w->hold[t->rec.slot_new] = goal_hold(t);
	ev = twin_event(m, device, UEV_STAGED);
	ev.content = t->rec.goal.document;
	ev.soak = m->sc->soak;
	ev.start_timeout = m->sc->start_timeout;
	return twin_tell(m, device, &ev, e);
}

static ms_t smoke_takes(struct course *m UNUSED, uint32_t device UNUSED)
{
	return SMOKE_TAKES;
}

static int smoke_done(struct course *m, uint32_t device, struct err *e)
{
	if (goal_hold(trial_of(m, device)) == HOLDS_NEW && twin_fault(m, device, FAULT_SMOKE))
		return fail(m, device, UEV_SMOKE, ERR_SMOKE_FAILED, "a smoke test failed", e);
	return answer(m, device, UEV_SMOKE, e);
}

/* ---- the switch ---- */

static int try_next_done(struct course *m, uint32_t device, struct err *e)
{
	struct twin *w = &m->v[device];

	w->active = (uint8_t)w->trial->rec.slot_new;
	w->trial->counts = is_by_loader(m, device);
	w->trial->tries_left = w->trial->counts ? TRIES : 0;
	w->trial->fell_back = false;
	return answer(m, device, UEV_SWITCHED, e);
}

static bool does_not_start(const struct course *m, uint32_t device)
{
	return goal_hold(m->v[device].trial) == HOLDS_NEW &&
	       (twin_fault(m, device, FAULT_START) || twin_fault(m, device, FAULT_NO_BOOT));
}

static ms_t apply_takes(struct course *m, uint32_t device)
{
	struct twin *w = &m->v[device];

	if (w->runs == w->active)
		return LOOK_TAKES;
	if (is_by_loader(m, device) && w->trial->started == 0)
		return SWAP_TAKES;
	return does_not_start(m, device) ? m->sc->start_timeout : SWAP_TAKES;
}

static int start_new(struct course *m, uint32_t device, struct err *e)
{
	struct twin *w = &m->v[device];

	if (w->runs != w->active) {
		w->trial->started = m->now;
		w->runs = does_not_start(m, device) ? SLOT_NONE : w->active;
	}
	m->r.switched += !w->has_run_new && twin_runs_new(w);
	w->has_run_new |= twin_runs_new(w);
	if (w->runs == SLOT_NONE)
		return fail(m, device, UEV_STARTED, ERR_START_FAILED, "it was not up in time", e);
	return answer(m, device, UEV_STARTED, e);
}

/* To apply by a boot loader is to start the machine anew; what a brick does, it does then. */
static int apply_done(struct course *m, uint32_t device, struct err *e)
{
	struct twin *w = &m->v[device];
	bool is_new = goal_hold(w->trial) == HOLDS_NEW;

	if (is_new && w->runs != w->active && twin_fault(m, device, FAULT_BRICK)) {
		w->has_run_new = true;
		m->r.switched++;
		twin_die(m, device);
		return 0;
	}
	if (is_by_loader(m, device) && w->runs != w->active && w->runs != SLOT_NONE) {
		w->trial->crashed = false;
		twin_cut(m, device, REBOOT_TAKES);
		return 0;
	}
	return start_new(m, device, e);
}

/* ---- the ends ---- */

static int confirm_done(struct course *m, uint32_t device, struct err *e)
{
	struct twin *w = &m->v[device];

	law_confirm(m, device);
	w->confirmed = w->active;
	w->trial->tries_left = 0;
	w->trial->counts = false;
	return answer(m, device, UEV_CONFIRMED, e);
}

static int go_back_done(struct course *m, uint32_t device, struct err *e)
{
	struct twin *w = &m->v[device];

	w->active = w->confirmed = (uint8_t)w->trial->rec.slot_old;
	w->trial->tries_left = 0;
	w->trial->counts = false;
	w->trial->fell_back = false;
	return answer(m, device, UEV_BACK, e);
}

static int restore_done(struct course *m, uint32_t device, struct err *e)
{
	struct twin *w = &m->v[device];

	if (is_by_loader(m, device) && w->runs != w->active) {
		w->trial->crashed = false;
		twin_cut(m, device, REBOOT_TAKES);
		return 0;
	}
	w->runs = w->active;
	return answer(m, device, UEV_RESTORED, e);
}

static void note_mended(struct course *m, const struct trial *t)
{
	if (!t->started)
		return;
	if (m->n_mends == m->cap_mends) {
		m->cap_mends = m->cap_mends ? 2 * m->cap_mends : 256;
		m->mends = mem_resize(m->mends, m->cap_mends * sizeof *m->mends);
	}
	m->mends[m->n_mends++] = (uint32_t)((m->now - t->started) / 1000);
}

static void note_end(struct course *m, uint32_t device)
{
	struct twin *w = &m->v[device];
	const struct upd_record *r = &w->trial->rec;
	bool is_new = !r->goal.rollback, blamed = r->state != UPD_COMMITTED && upd_is_blamed(r);

	if (is_new && r->state == UPD_COMMITTED) {
		m->r.committed++;
		m->r.bad_committed += w->faults != 0;
	}
	if (is_new && r->state == UPD_REVERTED && r->why != ERR_SUPERSEDED)
		note_mended(m, w->trial);
	m->r.false_rollbacks += is_new && blamed && !w->faults;
	if (blamed)
		twin_quarantine(m, device);
	w->blamed |= is_new && blamed;
}

static int tail_done(struct course *m, uint32_t device, struct err *e)
{
	struct twin *w = &m->v[device];

	if (!w->outcome || w->outcome_new != !w->trial->rec.goal.rollback)
		note_end(m, device);
	w->outcome = (uint8_t)w->trial->rec.state;
	w->outcome_new = !w->trial->rec.goal.rollback;
	w->trial->rec.report_seq++;
	return answer(m, device, UEV_TAIL_DONE, e);
}

/* ---- the table ---- */

static const struct {
	deed_takes_f *takes;
	deed_done_f *done;
} deeds[UACT_KIND_MAX] = {
	[UACT_PRECOND] = {look_takes, precond_done},
	[UACT_STAGE] = {stage_takes, stage_done},
	[UACT_SMOKE] = {smoke_takes, smoke_done},
	[UACT_ASK_WINDOW] = {baseline_begin, baseline_look},
	[UACT_TRY_NEXT] = {write_takes, try_next_done},
	[UACT_APPLY] = {apply_takes, apply_done},
	[UACT_WATCH] = {soak_begin, soak_look},
	[UACT_CONFIRM] = {write_takes, confirm_done},
	[UACT_GO_BACK] = {write_takes, go_back_done},
	[UACT_RESTORE] = {swap_takes, restore_done},
	[UACT_TAIL] = {look_takes, tail_done},
};

void deed_begin(struct course *m, uint32_t device, enum upd_act_kind kind)
{
	struct trial *t = trial_of(m, device);
	ms_t takes;

	t->work = kind;
	t->begun = m->now;
	t->gen++;
	takes = deeds[kind].takes(m, device);
	course_at(m, m->now + takes, device, AT_WORK, t->gen);
}

int deed_done(struct course *m, uint32_t device, struct err *e)
{
	return deeds[trial_of(m, device)->work].done(m, device, e);
}

void deed_broken_off(struct course *m, uint32_t device)
{
	struct trial *t = trial_of(m, device);

	if (t->work == UACT_STAGE && m->v[device].hold[t->rec.slot_new] == HOLDS_HALF)
		take_bytes(m, device);
}
