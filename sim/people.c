/* What people do: approve late, agree with each other or not, give orders. */
#include <stdio.h>

#include "sim/course_priv.h"

static int say(struct course *m, enum wave_ev_kind kind, const char *who, struct err *e)
{
	struct wave_event ev = {.kind = kind, .text = "simulated"};

	snprintf(ev.who, sizeof ev.who, "%s", who);
	return office_step(m, ev, e);
}

/* Whoever overrules the judge's doubt is not alone with it. */
int office_approve(struct course *m, struct err *e)
{
	m->approve_at = 0;
	if (m->s.phase != WAVE_HOLD)
		return 0;
	if (m->s.hold == WAVE_HOLD_APPROVAL)
		return say(m, WEV_APPROVE, "ann", e);
	m->stopped |= m->sc->doubt == DOUBT_ROLL_BACK;
	if (m->sc->doubt == DOUBT_ROLL_BACK)
		return say(m, WEV_ROLL_BACK, "ann", e);
	if (m->sc->doubt != DOUBT_GO_ON)
		return 0;
	TRY(say(m, WEV_APPROVE, "ann", e));
	return say(m, WEV_APPROVE, "ben", e);
}

int office_order(struct course *m, uint32_t order, struct err *e)
{
	const struct scenario_order *o = &m->sc->orders[order];
	struct wave_event ev = {.kind = o->order};

	snprintf(ev.who, sizeof ev.who, "%s", o->who);
	snprintf(ev.text, sizeof ev.text, "%s", o->reason);
	m->stopped |= o->order == WEV_HALT || o->order == WEV_ROLL_BACK;
	m->halted |= o->order == WEV_HALT;
	return office_step(m, ev, e);
}
