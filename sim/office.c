/* The server: what it hears of devices, what it tells the wave engine, and whom it lets in. Devices
 * ask all the time; what they ask while nobody is let in changes nothing and is left out. So the
 * next one to ask is drawn among those that might be let in, after the time that lies between two
 * questions of so many devices. */
#include <stdio.h>
#include <string.h>

#include "sim/course_priv.h"

bool office_lets_in(const struct course *m)
{
	return m->s.phase == WAVE_FIRST || m->s.phase == WAVE_OPEN;
}

/* ---- who asks ---- */

static ms_t joins_at(const struct course *m, uint32_t device)
{
	const struct scenario_group *g = m->kinds[m->v[device].kind].group;
	uint64_t trait = course_trait(m, device, TRAIT_LATE);

	return trait % PPM < g->late ? m->sc->begin + (ms_t)(trait / PPM % (uint64_t)g->late_within)
				     : 0;
}

void office_join(struct course *m, uint32_t device)
{
	if (m->v[device].state != RECIPIENT_WAITING || m->v[device].asking)
		return;
	control_fini(&m->v[device]);
	m->v[device].asking = true;
	m->asking[m->n_asking++] = device;
}

static void open_askers(struct course *m)
{
	for (; m->opened < m->s.open_to; m->opened++) {
		ms_t at = joins_at(m, m->opened);

		if (at > m->now)
			course_at(m, at, m->opened, AT_JOIN, 0);
		else
			office_join(m, m->opened);
	}
}

/* As the engine is given it. */
static const struct policy *policy_of(const struct course *m, struct policy *room)
{
	if (m->c->mistake != COURSE_NO_FREEZE)
		return m->p;
	*room = *m->p;
	room->n_freezes = 0;
	return room;
}

/* Nobody else asks until there is room again. */
void office_plan_ask(struct course *m)
{
	struct policy room;
	const struct policy *p = policy_of(m, &room);
	unsigned which;
	ms_t at = m->now + 1, until;

	m->ask_at = 0;
	if (!m->n_asking || !office_lets_in(m) || m->s.paused || m->over)
		return;
	at += course_within(m, 2 * m->sc->poll / m->n_asking);
	at = MAX(at, m->s.next_at);
	if (wave_is_frozen(p, &m->s, at, &which, &until))
		at = until + course_within(m, m->sc->poll / m->n_asking + 1);
	if (m->c->mistake == COURSE_ADMIT_ALL || wave_admits(p, &m->s, m->asking[0], at))
		m->ask_at = at;
}

static struct wave_event event_of(const struct course *m, enum wave_ev_kind kind, uint32_t device)
{
	return (struct wave_event){.kind = kind,
		.position = device,
		.stratum = m->kinds[m->v[device].kind].stratum,
		.who = "device"};
}

int office_ask(struct course *m, struct err *e)
{
	uint32_t at = (uint32_t)prng_below(&m->random, m->n_asking), device = m->asking[at];
	uint64_t rev = m->s.rev;

	m->ask_at = 0;
	if (reach_is_up(m, device, m->now)) {
		m->asking[at] = m->asking[m->n_asking - 1];
		m->n_asking--;
		m->v[device].asking = false;
		TRY(office_step(m, event_of(m, WEV_ASK, device), e));
		if (m->c->mistake == COURSE_ADMIT_ALL && m->s.rev == rev)
			office_admit(m, device);
		if (m->v[device].state == RECIPIENT_WAITING)
			office_join(m, device);
		else
			TRY(twin_desire(m, device, false, e));
	}
	office_plan_ask(m);
	return 0;
}

/* ---- what the engine says ---- */

static void set_state(struct course *m, uint32_t device, enum recipient_state is)
{
	struct twin *w = &m->v[device];

	m->counts[w->state]--;
	m->counts[is]++;
	w->state = (uint8_t)is;
	course_note(m, device, RECIPIENT_STATE_MAX, is);
}

static ms_t silence_of(const struct course *m, uint32_t device)
{
	ms_t own = m->p->waves[wave_of(m->p, &m->s, device)].silence;

	return own ? own : m->p->silence;
}

static void await(struct course *m, uint32_t device)
{
	m->v[device].heard = m->now;
	if (silence_of(m, device))
		course_at(m, m->now + silence_of(m, device), device, AT_SILENCE, 0);
}

void office_admit(struct course *m, uint32_t device)
{
	set_state(m, device, RECIPIENT_ADMITTED);
	m->ever++;
	m->r.had_it++;
	await(m, device);
}

static void order_back(struct course *m, uint32_t device)
{
	struct twin *w = &m->v[device];

	if (w->state != RECIPIENT_ADMITTED && w->state != RECIPIENT_COMMITTED &&
		w->state != RECIPIENT_SILENT)
		return;
	set_state(m, device, RECIPIENT_ORDERED_BACK);
	w->ordered_back = true;
	await(m, device);
	if (m->c->mistake != COURSE_NO_ORDER)
		course_at(m, m->now + course_within(m, m->sc->poll), device, AT_POLL, 0);
}

static void obey(struct course *m, const struct wave_event *ev)
{
	for (unsigned i = 0; i < m->acts.n; i++)
		if (m->acts.v[i].kind == WACT_ADMIT)
			office_admit(m, ev->position);
		else if (m->acts.v[i].kind == WACT_ROLL_BACK)
			for (uint32_t k = 0; k < m->n; k++)
				order_back(m, k);
}

int office_step(struct course *m, struct wave_event ev, struct err *e UNUSED)
{
	struct wave_state was = m->s;
	struct policy room;
	struct err why;

	ev.now = m->now;
	m->r.wave_steps++;
	if (wave_step(policy_of(m, &room), &was, &ev, &m->s, &m->acts, &why) < 0) {
		if (why.code == ERR_BUG)
			law_broken(m, ev.position, why.text);
		snprintf(m->refusal, sizeof m->refusal, "%s", why.text);
		return 0;
	}
	if (m->s.rev == was.rev)
		return 0;
	course_note(m, (uint32_t)m->s.phase, m->s.wave, (uint32_t)ev.kind);
	obey(m, &ev);
	law_wave(m, &was, &ev);
	open_askers(m);
	if (was.phase == WAVE_DRAFT)
		control_begin(m);
	if (!m->ask_at || m->s.phase != was.phase || m->s.paused != was.paused)
		office_plan_ask(m);
	if (m->s.phase == WAVE_HOLD && was.phase != WAVE_HOLD)
		m->approve_at = m->now + m->sc->approve_after;
	return 0;
}

int office_begin(struct course *m, struct err *e)
{
	struct wave_event ev = {.kind = WEV_START, .who = "ann", .text = "simulated"};

	wave_init(&m->s);
	plan_all(m, &ev);
	kind_faults(m);
	m->counts[RECIPIENT_WAITING] = m->n;
	TRY(office_step(m, ev, e));
	if (m->s.phase == WAVE_DRAFT)
		return err_set(e, ERR_BAD_INPUT, "the campaign does not start: %s", m->refusal);
	return 0;
}

/* ---- what is heard ---- */

static int move(struct course *m, uint32_t device, enum recipient_state is, struct err *e)
{
	struct wave_event ev = event_of(m, WEV_MOVED, device);

	ev.was = m->v[device].state;
	ev.is = is;
	if (ev.was == ev.is)
		return 0;
	set_state(m, device, is);
	return office_step(m, ev, e);
}

/* What an end means for its recipient: as server/run/verdict.c says. */
static enum recipient_state verdict(const struct twin *w)
{
	bool committed = w->outcome == UPD_COMMITTED, reverted = w->outcome == UPD_REVERTED;

	if (!w->ordered_back && w->outcome_new)
		return committed  ? RECIPIENT_COMMITTED
		       : reverted ? RECIPIENT_REVERTED
				  : RECIPIENT_FAILED;
	if (!w->ordered_back)
		return w->state;
	if (w->outcome_new && reverted)
		return RECIPIENT_REVERTED;
	if (!twin_runs_new(w))
		return RECIPIENT_BACK;
	return w->outcome_new ? RECIPIENT_ORDERED_BACK : RECIPIENT_FAILED;
}

static bool may_be_moved(const struct twin *w)
{
	return w->state == RECIPIENT_ADMITTED || w->state == RECIPIENT_SILENT ||
	       w->state == RECIPIENT_ORDERED_BACK;
}

static int take_report(struct course *m, uint32_t device, struct err *e)
{
	struct twin *w = &m->v[device];
	enum recipient_state was = w->state, is = verdict(w);
	struct wave_event twice = event_of(m, WEV_MOVED, device);

	w->heard = m->now;
	if (is == RECIPIENT_COMMITTED && !w->reported_commit) {
		w->reported_commit = true;
		m->commits_heard++;
	}
	if (!may_be_moved(w))
		return 0;
	TRY(move(m, device, is, e));
	if (m->c->mistake != COURSE_COUNT_TWICE || w->state == was)
		return 0;
	twice.was = was;
	twice.is = is;
	return office_step(m, twice, e);
}

/* Some are told the same release once more, as a server would that was restored from a backup. */
static void tell_again(struct course *m, uint32_t device)
{
	if (m->v[device].outcome == UPD_REVERTED && m->v[device].outcome_new &&
		!m->v[device].ordered_back && course_happens(m, PPM / 2))
		course_at(m, m->now + m->sc->poll, device, AT_AGAIN, 0);
}

int office_send(struct course *m, uint32_t device, struct err *e)
{
	struct twin *w = &m->v[device];
	const struct scenario_group *g = m->kinds[w->kind].group;

	if (!w->outcome || twin_is_off(w))
		return 0;
	if (!reach_is_up(m, device, m->now)) {
		course_at(m, reach_next_up(m, device, m->now) + course_within(m, SEC(60)) + 1,
			device, AT_SEND, 0);
		return 0;
	}
	if (course_happens(m, g->loss)) {
		w->tries = (uint8_t)MIN(w->tries + 1, 200);
		course_at(m,
			m->now + backoff_wait(
					 err_retry(ERR_NET), w->tries, prng_next(&m->random), 0),
			device, AT_SEND, 0);
		return 0;
	}
	w->tries = 0;
	tell_again(m, device);
	TRY(take_report(m, device, e));
	w->outcome = 0;
	return 0;
}

int office_progress(struct course *m, uint32_t device, struct err *e)
{
	struct twin *w = &m->v[device];

	if (!reach_is_up(m, device, m->now))
		return 0;
	w->heard = m->now;
	if (w->state == RECIPIENT_SILENT)
		return move(m, device,
			w->ordered_back ? RECIPIENT_ORDERED_BACK : RECIPIENT_ADMITTED, e);
	return 0;
}

/* ---- who has an order to go back asks until it is obeyed ---- */

static bool is_settled(const struct twin *w)
{
	return !w->trial;
}

int office_poll(struct course *m, uint32_t device, struct err *e)
{
	struct twin *w = &m->v[device];

	if (w->dead || !w->ordered_back ||
		(w->state != RECIPIENT_ORDERED_BACK && w->state != RECIPIENT_SILENT))
		return 0;
	if (!twin_is_off(w) && reach_is_up(m, device, m->now)) {
		w->heard = m->now;
		if (is_settled(w) && !twin_runs_new(w) && !w->outcome)
			return move(m, device, RECIPIENT_BACK, e);
		if (w->trial ? !w->trial->rec.goal.rollback : twin_runs_new(w))
			TRY(twin_desire(m, device, true, e));
	}
	course_at(
		m, MAX(m->now + m->sc->poll, reach_next_up(m, device, m->now)), device, AT_POLL, 0);
	return 0;
}

/* ---- silence ---- */

/* A device that works is heard of with every poll. */
static ms_t last_heard(const struct course *m, uint32_t device)
{
	const struct twin *w = &m->v[device];
	ms_t heard;

	if (w->dead)
		return w->heard;
	heard = reach_last_up(m, device, m->now);
	if (w->trial && w->trial->off_since)
		heard = MIN(heard, w->trial->off_since);
	return MAX(w->heard, heard);
}

int office_silence(struct course *m, uint32_t device, struct err *e)
{
	struct twin *w = &m->v[device];
	bool counts = m->c->mistake == COURSE_SILENCE_COUNTS && !w->ordered_back;

	if (!recipient_is_due(w->state))
		return 0;
	w->heard = last_heard(m, device);
	if (m->now - w->heard < silence_of(m, device)) {
		course_at(m, w->heard + silence_of(m, device), device, AT_SILENCE, 0);
		return 0;
	}
	m->r.silent++;
	return move(m, device, counts ? RECIPIENT_COMMITTED : RECIPIENT_SILENT, e);
}
