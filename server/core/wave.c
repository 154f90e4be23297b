#include "server/core/wave_priv.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

typedef int on_event_f(struct step *x, struct err *e);

/* ---- events ---- */

/* Where waves end is frozen with the recipients. */
static int freeze_ends(struct step *x, struct err *e)
{
	const struct wave_event *ev = x->ev;
	uint32_t last = 0;

	for (unsigned w = 0; w < x->p->n_waves; w++) {
		uint32_t end = ev->n_ends ? ev->end[w] : wave_end(x->p, ev->recipients, w);

		if (end < last)
			return err_set(e, ERR_BUG, "wave %u ends before it begins", w);
		x->s.end[w] = last = end;
	}
	if ((ev->n_ends && ev->n_ends != x->p->n_waves) || last != ev->recipients ||
		ev->strata > JUDGE_STRATA)
		return err_set(e, ERR_BUG, "the waves do not have all recipients");
	x->s.strata = MAX(1, ev->strata);
	return 0;
}

static int on_start(struct step *x, struct err *e)
{
	if (!x->ev->recipients)
		return err_set(e, ERR_CONFLICT, "no device fits the campaign");
	if (!x->p->n_waves)
		return err_set(e, ERR_BUG, "a policy without waves");
	x->s.recipients = x->ev->recipients;
	x->s.all.n[RECIPIENT_WAITING] = x->ev->recipients;
	TRY(freeze_ends(x, e));
	TRY(wave_control_begin(x, e));
	wave_judge_begin(x);
	wave_act(x, WACT_AUDIT, "%s started it for %u recipients in %u waves%s%s", x->ev->who,
		x->s.recipients, x->p->n_waves, *x->ev->text ? ": " : "", x->ev->text);
	if (x->p->waves[0].approval) {
		x->s.hold = WAVE_HOLD_APPROVAL;
		wave_enter(x, WAVE_HOLD, "wave %s waits for approval", x->p->waves[0].name);
	} else {
		wave_begin(x);
	}
	return 0;
}

/* Evenly: ten a minute is one in six seconds. */
static void space_out(struct step *x)
{
	const struct policy_wave *w = &x->p->waves[x->s.wave];

	if (w->rate_count)
		x->s.next_at = x->ev->now + (w->rate_per + w->rate_count - 1) / w->rate_count;
}

static int on_ask(struct step *x, struct err *e)
{
	if (!x->s.all.n[RECIPIENT_WAITING])
		return err_set(e, ERR_BUG, "%s asks, but nobody waits", x->ev->who);
	if (!wave_admits(x->p, &x->s, x->ev->position, x->ev->now))
		return 0;
	x->s.all.n[RECIPIENT_WAITING]--;
	x->s.all.n[RECIPIENT_ADMITTED]++;
	x->s.quiet_since = x->ev->now;
	space_out(x);
	wave_judge_admit(x);
	wave_act(x, WACT_ADMIT, "%s is admitted in wave %s (position %u, %u in update)", x->ev->who,
		x->p->waves[wave_of(x->p, &x->s, x->ev->position)].name, x->ev->position,
		x->s.all.n[RECIPIENT_ADMITTED]);
	return 0;
}

/* Nobody is on the way back before it was ordered. */
static bool can_move(const struct step *x, enum recipient_state was, enum recipient_state is)
{
	bool is_back = is == RECIPIENT_ORDERED_BACK || is == RECIPIENT_BACK;

	if (is == RECIPIENT_WAITING && x->ev->position >= x->s.open_to)
		return false;
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
	wave_judge_move(x, ev->was, ev->is);
	wave_act(x, WACT_AUDIT, "%s: %s, was %s%s%s", ev->who, recipient_state_name(ev->is),
		recipient_state_name(ev->was), *ev->text ? ": " : "", ev->text);
	wave_judge_tell(x);
	wave_settle(x);
	return 0;
}

static int on_tick(struct step *x, struct err *e UNUSED)
{
	wave_settle(x);
	return 0;
}

static int on_control(struct step *x, struct err *e UNUSED)
{
	if (!wave_is_control(&x->s, x->ev->position))
		return 0;
	wave_control_hear(x);
	wave_settle(x);
	return 0;
}

/* It is the last of the last wave, and passes the gates that this one has. */
static int on_join(struct step *x, struct err *e)
{
	if (x->ev->position != x->s.recipients || x->s.recipients >= LIMIT_DEVICES)
		return err_set(e, ERR_BUG, "%s would join at position %u of %u", x->ev->who,
			x->ev->position, x->s.recipients);
	if (x->s.open_to == x->s.recipients)
		x->s.open_to++;
	x->s.recipients++;
	x->s.end[x->p->n_waves - 1]++;
	x->s.all.n[RECIPIENT_WAITING]++;
	wave_act(x, WACT_AUDIT, "%s takes part from now on, in the last wave (position %u)",
		x->ev->who, x->ev->position);
	return 0;
}

/* ---- the step ---- */

static on_event_f *const handlers[WEV_MAX] = {
	[WEV_START] = on_start,
	[WEV_ASK] = on_ask,
	[WEV_MOVED] = on_moved,
	[WEV_TICK] = on_tick,
	[WEV_PAUSE] = wave_on_pause,
	[WEV_RESUME] = wave_on_resume,
	[WEV_HALT] = wave_on_halt,
	[WEV_ROLL_BACK] = wave_on_roll_back,
	[WEV_APPROVE] = wave_on_approve,
	[WEV_BREAK_GLASS] = wave_on_break_glass,
	[WEV_CONTROL] = on_control,
	[WEV_JOIN] = on_join,
	[WEV_PROMOTE] = wave_on_promote,
	[WEV_REVOKE] = wave_on_revoke,
	[WEV_ROLL_BACK_ALL] = wave_on_roll_back_all,
};

/* Which event fits which phase: yes, it is so already, or no. */
enum fit { NO, SAME, YES };

static const enum fit fits[WAVE_PHASE_MAX][WEV_MAX] = {
	/* START, ASK, MOVED, TICK, PAUSE, RESUME, HALT, ROLL_BACK, APPROVE, BREAK_GLASS, CONTROL,
	 * JOIN, PROMOTE, REVOKE, ROLL_BACK_ALL */
	[WAVE_DRAFT] = {YES, SAME, NO, SAME, NO, NO, YES, NO, NO, NO, SAME, NO, NO, NO, NO},
	[WAVE_FIRST] = {SAME, YES, YES, YES, YES, YES, YES, YES, NO, YES, YES, YES, NO, YES, YES},
	[WAVE_OPEN] = {SAME, YES, YES, YES, YES, YES, YES, YES, NO, YES, YES, YES, YES, YES, YES},
	[WAVE_SOAK] = {SAME, SAME, YES, YES, YES, YES, YES, YES, NO, YES, YES, YES, YES, YES, YES},
	[WAVE_HOLD] = {SAME, SAME, YES, YES, YES, YES, YES, YES, YES, YES, YES, YES, NO, YES, YES},
	[WAVE_ROLLING_BACK] = {NO, SAME, YES, SAME, NO, NO, YES, SAME, NO, NO, SAME, NO, NO, NO,
		YES},
	[WAVE_HALTED] = {NO, SAME, YES, SAME, NO, NO, SAME, YES, NO, NO, SAME, NO, NO, NO, YES},
	[WAVE_DONE] = {NO, SAME, YES, SAME, NO, NO, NO, YES, NO, NO, SAME, NO, NO, NO, YES},
};

static bool counts_add_up(const struct step *x)
{
	const struct wave_state *is = &x->s;
	uint64_t sum = 0;

	for (size_t i = 0; i < RECIPIENT_STATE_MAX; i++)
		sum += is->all.n[i];
	return sum == is->recipients && wave_ever_admitted(is) <= is->open_to &&
	       is->open_to <= sum &&
	       (is->phase == WAVE_DRAFT || !is->recipients || is->open_to <= is->end[is->wave]) &&
	       (is->control_from == is->control_to || is->control_released ||
		       is->open_to <= is->control_from);
}

static bool keeps_the_laws(const struct step *x, const struct wave_state *was)
{
	const struct wave_state *is = &x->s;
	bool admits = x->ev->kind != WEV_START &&
		      is->all.n[RECIPIENT_WAITING] < was->all.n[RECIPIENT_WAITING];
	unsigned which;
	ms_t until;

	if (!counts_add_up(x) || (is->phase == WAVE_HOLD) != (is->hold != WAVE_NO_HOLD))
		return false;
	if (admits && (was->paused || (was->phase != WAVE_FIRST && was->phase != WAVE_OPEN) ||
			      x->ev->now < was->next_at ||
			      wave_is_frozen(x->p, was, x->ev->now, &which, &until)))
		return false;
	return was->phase != WAVE_HALTED || is->phase == WAVE_HALTED ||
	       x->ev->kind == WEV_ROLL_BACK || x->ev->kind == WEV_ROLL_BACK_ALL;
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
