/* What must hold, whatever anybody does. The simulation keeps its own accounts and compares: so it
 * sees a mistake of the engine, of the machine, or of what lies between. */
#include <stdio.h>
#include <string.h>

#include "proto/wire/report.h"
#include "server/core/freeze.h"
#include "sim/course_priv.h"

void law_broken(struct course *m, uint32_t device, const char *law)
{
	if (!m->r.violations++)
		snprintf(m->r.law, sizeof m->r.law, "device %u, %lld s: %.110s", device,
			(long long)((m->now - m->sc->begin) / 1000), law);
}

static void expect(struct course *m, uint32_t device, bool holds, const char *law)
{
	if (!holds)
		law_broken(m, device, law);
}

/* ---- one device ---- */

static bool is_whole(const struct twin *w, unsigned slot)
{
	return slot < SLOT_COUNT && (w->hold[slot] == HOLDS_OLD || w->hold[slot] == HOLDS_NEW);
}

void law_device(struct course *m, uint32_t device, const struct upd_record *was)
{
	const struct twin *w = &m->v[device];
	const struct upd_record *is = &w->trial->rec;
	bool begins = was->state == UPD_IDLE && is->state == UPD_ACCEPTED;

	expect(m, device, is_whole(w, w->active) && is_whole(w, w->confirmed),
		"no slot that can be started");
	expect(m, device, is->counter_floor >= was->counter_floor, "the counter floor has sunk");
	expect(m, device, !begins || is->goal.rollback || !w->blamed,
		"a release that failed here is taken again: the quarantine was forgotten");
}

void law_write(struct course *m, uint32_t device, unsigned slot)
{
	const struct twin *w = &m->v[device];

	expect(m, device, slot != w->active && slot != w->runs && slot != w->confirmed,
		"a slot in use is written");
}

/* A person's order back needs no soak of its own release but has one all the same. */
void law_confirm(struct course *m, uint32_t device)
{
	const struct twin *w = &m->v[device];

	expect(m, device, is_whole(w, w->active), "half a release is confirmed");
	expect(m, device, w->trial->watched + m->sc->look >= w->trial->rec.soak_want,
		"a release is accepted that was not watched for its whole soak");
}

/* ---- the campaign ---- */

static uint32_t share_end(const struct course *m, unsigned wave)
{
	uint64_t end = 0;

	if (m->selected)
		return m->end[wave];
	for (unsigned i = 0; i <= wave; i++) {
		const struct policy_wave *w = &m->p->waves[i];

		end += w->count ? w->count : (m->n * (uint64_t)w->permille + 999) / 1000;
	}
	return wave + 1 < m->p->n_waves ? (uint32_t)MIN(end, m->n) : m->n;
}

static void law_admission(
	struct course *m, const struct wave_state *was, const struct wave_event *ev)
{
	const struct policy_wave *w = &m->p->waves[was->wave];
	struct freeze_view frozen;

	freeze_look(m->p, m->now, &frozen);
	expect(m, ev->position, !frozen.frozen || m->now < was->thawed,
		"a device is let in while everything is frozen");
	expect(m, ev->position, !wave_is_control(was, ev->position),
		"a device that is compared with is let in");
	expect(m, ev->position,
		kind_is_where(m->kinds[m->v[ev->position].kind].labels,
			m->p->waves[wave_of(m->p, was, ev->position)].labels),
		"a device is let in by a wave that is for others");
	expect(m, ev->position,
		!was->paused && (was->phase == WAVE_FIRST || was->phase == WAVE_OPEN),
		"a device is let in by a campaign that is paused, held or over");
	expect(m, ev->position, was->phase != WAVE_FIRST || m->counts[RECIPIENT_ADMITTED] == 1,
		"the first one is not alone");
	expect(m, ev->position, !w->parallel || m->counts[RECIPIENT_ADMITTED] <= w->parallel,
		"more devices in update than the wave allows");
}

static bool counts_agree(const struct course *m)
{
	return memcmp(m->counts, m->s.all.n, sizeof m->counts) == 0;
}

void law_wave(struct course *m, const struct wave_state *was, const struct wave_event *ev)
{
	if (ev->kind == WEV_ASK)
		law_admission(m, was, ev);
	expect(m, ev->position, counts_agree(m), "the engine's counts are not the fleet's");
	expect(m, ev->position, m->ever <= share_end(m, m->s.wave),
		"more devices have the release than the wave's share");
	expect(m, ev->position, m->s.all.n[RECIPIENT_COMMITTED] <= m->commits_heard,
		"silence is counted for the release");
	expect(m, ev->position,
		was->phase != WAVE_HALTED || m->s.phase == WAVE_HALTED || ev->kind == WEV_ROLL_BACK,
		"a halted campaign goes on by itself");
}

/* ---- the end ---- */

/* Everybody was ordered back, and had all the time that is needed. */
static bool should_be_back(const struct course *m)
{
	bool ended = m->s.phase == WAVE_HALTED || m->s.phase == WAVE_ROLLING_BACK;

	return ended && m->p->roll_back_on_abort && !m->halted;
}

/* Whoever cannot be reached, and whoever has tried, could not, and has said so: a way back is
 * watched like any update, and may trip. */
static bool is_excused(const struct course *m, uint32_t device)
{
	return twin_fault(m, device, FAULT_MUTE) || m->v[device].state == RECIPIENT_FAILED;
}

static void law_rest(struct course *m, uint32_t device)
{
	const struct twin *w = &m->v[device];
	bool stuck = w->trial && w->trial->rec.state == UPD_STUCK;

	expect(m, device, !w->trial || stuck, "an update that does not end");
	expect(m, device,
		stuck || (w->active == w->confirmed && is_whole(w, w->active) &&
				 w->runs == w->active),
		"a device that does not end on a whole, confirmed version that runs");
	expect(m, device, !should_be_back(m) || !twin_runs_new(w) || is_excused(m, device),
		"a device that can be reached runs what was ordered back, and has not said so");
}

void law_end(struct course *m)
{
	for (uint32_t i = 0; i < m->n; i++)
		if (!m->v[i].dead)
			law_rest(m, i);
}
