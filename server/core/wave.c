#include "server/core/wave_priv.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

typedef int on_event_f(struct step *x, struct err *e);

/* ---- events ---- */

static int on_start(struct step *x, struct err *e)
{
	if (!x->ev->recipients)
		return err_set(e, ERR_CONFLICT, "no device fits the campaign");
	if (!x->p->n_waves)
		return err_set(e, ERR_BUG, "a policy without waves");
	x->s.recipients = x->ev->recipients;
	x->s.all.n[RECIPIENT_WAITING] = x->ev->recipients;
	wave_open(x, 0);
	wave_act(x, WACT_AUDIT, "%s started it for %u recipients in %u waves%s%s", x->ev->who,
		x->s.recipients, x->p->n_waves, *x->ev->text ? ": " : "", x->ev->text);
	if (x->p->first_alone)
		wave_enter(x, WAVE_FIRST,
			"one device alone, then wave %s up to %u of %u recipients",
			x->p->waves[x->s.wave].name, x->s.open_to, x->s.recipients);
	else
		wave_enter(x, WAVE_OPEN, "wave %s opens, up to %u of %u recipients",
			x->p->waves[x->s.wave].name, x->s.open_to, x->s.recipients);
	return 0;
}

static int on_ask(struct step *x, struct err *e)
{
	if (!x->s.all.n[RECIPIENT_WAITING])
		return err_set(e, ERR_BUG, "%s asks, but nobody waits", x->ev->who);
	if (!wave_admits(x->p, &x->s, x->ev->position))
		return 0;
	x->s.all.n[RECIPIENT_WAITING]--;
	x->s.all.n[RECIPIENT_ADMITTED]++;
	x->s.quiet_since = x->ev->now;
	wave_act(x, WACT_ADMIT, "%s is admitted in wave %s (position %u, %u in update)", x->ev->who,
		x->p->waves[wave_of(x->p, x->s.recipients, x->ev->position)].name, x->ev->position,
		x->s.all.n[RECIPIENT_ADMITTED]);
	return 0;
}

/* Nobody is on the way back before it was ordered. */
static bool can_move(const struct step *x, enum recipient_state was, enum recipient_state is)
{
	bool is_back = is == RECIPIENT_ORDERED_BACK || is == RECIPIENT_BACK;

	return recipient_may_move(was, is) && x->s.all.n[was] &&
	       (!is_back || x->s.phase == WAVE_ROLLING_BACK || x->s.phase == WAVE_HALTED);
}

static int on_moved(struct step *x, struct err *e)
{
	const struct wave_event *ev = x->ev;

	if (!can_move(x, ev->was, ev->is))
		return err_set(e, ERR_BUG, "%s cannot go from %s to %s", ev->who,
			recipient_state_name(ev->was), recipient_state_name(ev->is));
	x->s.all.n[ev->was]--;
	x->s.all.n[ev->is]++;
	x->s.quiet_since = ev->now;
	wave_act(x, WACT_AUDIT, "%s: %s, was %s%s%s", ev->who, recipient_state_name(ev->is),
		recipient_state_name(ev->was), *ev->text ? ": " : "", ev->text);
	wave_settle(x);
	return 0;
}

static int on_tick(struct step *x, struct err *e UNUSED)
{
	wave_settle(x);
	return 0;
}

static int on_pause(struct step *x, struct err *e UNUSED)
{
	if (x->s.paused)
		return 0;
	x->s.paused = true;
	wave_act(x, WACT_AUDIT, "%s paused it%s%s", x->ev->who, *x->ev->text ? ": " : "",
		x->ev->text);
	return 0;
}

static int on_resume(struct step *x, struct err *e UNUSED)
{
	if (!x->s.paused)
		return 0;
	x->s.paused = false;
	x->s.quiet_since = x->ev->now;
	wave_act(x, WACT_AUDIT, "%s resumed it%s%s", x->ev->who, *x->ev->text ? ": " : "",
		x->ev->text);
	wave_settle(x);
	return 0;
}

static int on_halt(struct step *x, struct err *e UNUSED)
{
	wave_enter(x, WAVE_HALTED, "%s halted it: %s", x->ev->who, x->ev->text);
	return 0;
}

static int on_roll_back(struct step *x, struct err *e UNUSED)
{
	char why[LIMIT_TEXT];

	snprintf(why, sizeof why, "%s ordered it back: %.*s", x->ev->who, LIMIT_TEXT / 2,
		x->ev->text);
	wave_roll_back(x, why);
	return 0;
}

/* ---- the step ---- */

static on_event_f *const handlers[WEV_MAX] = {
	[WEV_START] = on_start,
	[WEV_ASK] = on_ask,
	[WEV_MOVED] = on_moved,
	[WEV_TICK] = on_tick,
	[WEV_PAUSE] = on_pause,
	[WEV_RESUME] = on_resume,
	[WEV_HALT] = on_halt,
	[WEV_ROLL_BACK] = on_roll_back,
};

/* Which event fits which phase: yes, it is so already, or no. */
enum fit { NO, SAME, YES };

static const enum fit fits[WAVE_PHASE_MAX][WEV_MAX] = {
	/* START, ASK, MOVED, TICK, PAUSE, RESUME, HALT, ROLL_BACK */
	[WAVE_DRAFT] = {YES, SAME, NO, SAME, NO, NO, YES, NO},
	[WAVE_FIRST] = {SAME, YES, YES, YES, YES, YES, YES, YES},
	[WAVE_OPEN] = {SAME, YES, YES, YES, YES, YES, YES, YES},
	[WAVE_SOAK] = {SAME, SAME, YES, YES, YES, YES, YES, YES},
	[WAVE_ROLLING_BACK] = {NO, SAME, YES, SAME, NO, NO, YES, SAME},
	[WAVE_HALTED] = {NO, SAME, YES, SAME, NO, NO, SAME, YES},
	[WAVE_DONE] = {NO, SAME, YES, SAME, NO, NO, NO, YES},
};

static bool keeps_the_laws(const struct step *x, const struct wave_state *was)
{
	const struct wave_state *is = &x->s;
	bool admits = x->ev->kind != WEV_START &&
		      is->all.n[RECIPIENT_WAITING] != was->all.n[RECIPIENT_WAITING];
	uint64_t sum = 0;

	for (size_t i = 0; i < RECIPIENT_STATE_MAX; i++)
		sum += is->all.n[i];
	if (sum != is->recipients || wave_ever_admitted(is) > is->open_to || is->open_to > sum)
		return false;
	if (is->phase != WAVE_DRAFT && is->open_to > wave_end(x->p, is->recipients, is->wave) &&
		is->recipients)
		return false;
	if (admits && (was->paused || (was->phase != WAVE_FIRST && was->phase != WAVE_OPEN)))
		return false;
	return was->phase != WAVE_HALTED || is->phase == WAVE_HALTED ||
	       x->ev->kind == WEV_ROLL_BACK;
}

int wave_step(const struct policy *p, const struct wave_state *now, const struct wave_event *ev,
	struct wave_state *next, struct wave_acts *acts, struct err *e)
{
	struct step x = {.p = p, .ev = ev, .s = *now};

	assert(ev->kind < WEV_MAX && now->phase < WAVE_PHASE_MAX);
	if (fits[now->phase][ev->kind] == NO)
		return err_set(e, ev->kind == WEV_MOVED ? ERR_BUG : ERR_CONFLICT,
			"%s does not fit a campaign that is %s", wave_event_name(ev->kind),
			wave_phase_name(now->phase));
	if (fits[now->phase][ev->kind] == YES)
		TRY(handlers[ev->kind](&x, e));
	if (x.changed) {
		x.s.rev++;
		x.s.wake_at = wave_next_wake(&x);
	}
	if (!keeps_the_laws(&x, now))
		return err_set(e, ERR_BUG, "%s would break a law of the wave engine in phase %s",
			wave_event_name(ev->kind), wave_phase_name(now->phase));
	*next = x.s;
	*acts = x.a;
	return 0;
}
