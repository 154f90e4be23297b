/* Looks at the workload: at the old version before the switch, for the baselines; at the new one
 * while it is on trial. The steps are the driver's (agent/watch.c); triggers are the real ones. */
#include <string.h>

#include "sim/course_priv.h"

#define CHECKPOINT MINUTE(1)
#define PATIENCE   10 /* soaks, until one that gets nowhere is a decision too */
#define LATE_LOOKS 3

static bool is_looked_at(const struct trig_rule *r)
{
	return trig_kind(r) != TRIG_KIND_EVENT;
}

static void again(struct course *m, uint32_t device)
{
	course_at(m, m->now + m->sc->look, device, AT_WORK, m->v[device].trial->gen);
}

/* ---- before the switch ---- */

ms_t baseline_begin(struct course *m, uint32_t device)
{
	struct trial *t = m->v[device].trial;

	for (unsigned i = 0; i < m->sc->n_triggers; i++)
		trig_init(&t->state[i], &t->window[i]);
	t->waited = 0;
	return m->sc->baseline_wait ? m->sc->look : 1;
}

static bool wants_baseline(const struct trig_rule *r)
{
	return r->comparator == TRIG_CMP_BASELINE && is_looked_at(r);
}

static bool gather(struct course *m, uint32_t device)
{
	struct trial *t = m->v[device].trial;
	struct sample x[LIMIT_TRIGGERS];
	bool all = true;

	load_look(m, device, m->sc->look, x);
	t->waited += m->sc->look;
	for (unsigned i = 0; i < m->sc->n_triggers; i++) {
		const struct trig_rule *r = &m->sc->triggers[i];

		if (!wants_baseline(r))
			continue;
		trig_gather(r, &t->window[i], &x[i]);
		all &= trig_baseline(r, &t->window[i], &t->state[i]) &&
		       trig_is_ready(r, &t->window[i]);
	}
	return all || t->waited >= m->sc->baseline_wait;
}

/* It switches with a fresh word of the director only. */
int baseline_look(struct course *m, uint32_t device, struct err *e)
{
	struct trial *t = m->v[device].trial;
	struct upd_event ev;

	if (m->sc->baseline_wait && !gather(m, device)) {
		again(m, device);
		return 0;
	}
	t->work = UACT_NONE;
	if (reach_is_up(m, device, m->now)) {
		ev = twin_event(m, device, UEV_WINDOW);
		ev.n_trig = m->sc->n_triggers;
		memcpy(ev.trig, t->state, sizeof ev.trig);
	} else {
		ev = twin_failure(m, device, UEV_WINDOW, ERR_NET, "the director cannot be asked");
	}
	return twin_tell(m, device, &ev, e);
}

/* ---- on trial ---- */

ms_t soak_begin(struct course *m, uint32_t device)
{
	struct trial *t = m->v[device].trial;

	memcpy(t->state, t->rec.trig, sizeof t->state);
	memset(t->window, 0, m->sc->n_triggers * sizeof *t->window);
	t->soak_done = t->rec.soak_done;
	t->waited = t->dead_since = 0;
	t->counted = t->checkpoint = m->now;
	return m->sc->look;
}

static struct upd_event soak_event(struct course *m, uint32_t device, enum upd_ev kind)
{
	const struct trial *t = m->v[device].trial;
	struct upd_event ev = twin_event(m, device, kind);

	ev.n_trig = m->sc->n_triggers;
	memcpy(ev.trig, t->state, sizeof ev.trig);
	ev.soak_done = MIN(t->soak_done, t->rec.soak_want);
	return ev;
}

static int fire(
	struct course *m, uint32_t device, enum trig_type cause, const char *text, struct err *e)
{
	struct upd_event ev = soak_event(m, device, UEV_TRIGGER);

	ev.cause = cause;
	(void)err_set(&ev.err, ERR_TRIGGERED, "%s", text);
	m->v[device].trial->work = UACT_NONE;
	course_note(m, device, AT_WORK, cause);
	return twin_tell(m, device, &ev, e);
}

/* The trigger that fires, n_triggers when none does. */
static unsigned feed(struct course *m, uint32_t device, const struct sample *x)
{
	struct trial *t = m->v[device].trial;
	unsigned fires = m->sc->n_triggers;

	for (unsigned i = m->sc->n_triggers; i-- > 0;) {
		const struct trig_rule *r = &m->sc->triggers[i];

		if (!is_looked_at(r))
			continue;
		trig_feed(r, &t->state[i], &t->window[i], &x[i]);
		if (t->rec.goal.rollback && !trig_stops_way_back(r))
			continue;
		if (trig_eval(r, &t->state[i]) == TRIG_FIRE)
			fires = i;
	}
	return m->c->mistake == COURSE_DEAF ? m->sc->n_triggers : fires;
}

static void count_time(struct course *m, uint32_t device, bool runs)
{
	struct trial *t = m->v[device].trial;
	ms_t span = MIN(m->now - t->counted, LATE_LOOKS * m->sc->look);

	if (runs) {
		t->soak_done += span;
		t->watched += span;
	}
	if (m->c->mistake == COURSE_SHORT_SOAK)
		t->soak_done = t->rec.soak_want;
	t->waited += span;
	t->counted = m->now;
}

static bool is_gone(struct course *m, uint32_t device, bool runs)
{
	struct trial *t = m->v[device].trial;

	if (runs || !t->dead_since) {
		t->dead_since = runs ? 0 : m->now;
		return false;
	}
	return m->now - t->dead_since >= t->rec.start_timeout;
}

static int go_on(struct course *m, uint32_t device, struct err *e)
{
	struct trial *t = m->v[device].trial;
	struct upd_event ev;

	again(m, device);
	if (m->now - t->checkpoint < CHECKPOINT)
		return 0;
	t->checkpoint = m->now;
	ev = soak_event(m, device, UEV_CHECKPOINT);
	return twin_tell(m, device, &ev, e);
}

static int soak_over(struct course *m, uint32_t device, struct err *e)
{
	struct upd_event ev = soak_event(m, device, UEV_SOAK_OVER);

	m->v[device].trial->work = UACT_NONE;
	return twin_tell(m, device, &ev, e);
}

static bool may_accept(const struct course *m, const struct trial *t)
{
	for (unsigned i = 0; i < m->sc->n_triggers; i++)
		if (!trig_may_accept(&m->sc->triggers[i], &t->state[i]))
			return false;
	return true;
}

static bool panics(struct course *m, uint32_t device)
{
	const struct scenario_fault *f = twin_fault(m, device, FAULT_PANIC);
	const struct trial *t = m->v[device].trial;

	return f && twin_runs_new(&m->v[device]) && m->now - t->started >= f->onset;
}

int soak_look(struct course *m, uint32_t device, struct err *e)
{
	struct twin *w = &m->v[device];
	struct trial *t = w->trial;
	bool runs = w->runs == t->rec.slot_new;
	struct sample x[LIMIT_TRIGGERS];
	char text[160];
	unsigned fires;

	if (panics(m, device)) {
		t->crashed = true;
		twin_cut(m, device, SEC(10));
		return 0;
	}
	load_look(m, device, m->sc->look, x);
	count_time(m, device, runs);
	fires = feed(m, device, x);
	if (fires < m->sc->n_triggers) {
		trig_explain(&m->sc->triggers[fires], &t->state[fires], text, sizeof text);
		return fire(m, device, m->sc->triggers[fires].type, text, e);
	}
	if (is_gone(m, device, runs))
		return fire(m, device, TRIG_START_FAILED, "the workload has not run", e);
	if (runs && t->soak_done >= t->rec.soak_want && may_accept(m, t))
		return soak_over(m, device, e);
	if (t->waited >= PATIENCE * t->rec.soak_want)
		return fire(m, device, TRIG_UNDECIDED, "it could not be watched", e);
	return go_on(m, device, e);
}
