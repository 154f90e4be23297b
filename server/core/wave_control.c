/* The control group: recipients that still run what ran before, at the same time and in the same
 * weather. Positions are a hash of the device, so that which of the recipients it is is chance, and
 * stays. */
#include "server/core/wave_priv.h"

#define PPM 1000000U

bool wave_is_control(const struct wave_state *s, uint32_t position)
{
	return !s->control_released && position >= s->control_from && position < s->control_to;
}

static uint32_t size_of(const struct policy *p, uint32_t recipients, uint32_t room)
{
	uint64_t want = ((uint64_t)recipients * p->control.share + PPM - 1) / PPM;

	return p->control.share ? (uint32_t)MIN(room, MAX(want, p->control.min)) : 0;
}

uint32_t wave_control_size(const struct policy *p, uint32_t recipients)
{
	unsigned last = p->n_waves - 1;

	return size_of(p, recipients, last ? recipients - wave_end(p, recipients, last - 1) : 0);
}

/* All of it waits for the last wave, so it is no larger than that. */
int wave_control_begin(struct step *x, struct err *e)
{
	unsigned last = x->p->n_waves - 1;
	uint32_t n = x->s.recipients, room = last ? x->s.end[last] - x->s.end[last - 1] : 0;

	if (!x->p->control.share)
		return 0;
	if (room < x->p->control.min)
		return err_set(e, ERR_CONFLICT,
			"a control group of %u devices is wanted, and the last wave has %u of %u recipients",
			x->p->control.min, room, n);
	x->s.control_to = n;
	x->s.control_from = n - size_of(x->p, n, room);
	return 0;
}

/* It is let in when everybody else of the last wave has ended. */
uint32_t wave_control_hold_back(struct step *x, uint32_t end)
{
	uint32_t from = x->s.control_from;

	if (x->s.control_released || from == x->s.control_to || end <= from)
		return end;
	if (x->s.open_to < from)
		return from;
	x->s.control_released = true;
	wave_act(x, WACT_AUDIT,
		"the control group of %u devices is let in; nobody is left to compare with",
		x->s.control_to - from);
	return end;
}

bool wave_control_is_let_in(const struct wave_state *s)
{
	return s->control_released && s->control_from < s->control_to;
}

/* Of all outcomes in a wave, which share is the canary's? Every canary that is still to come ends
 * once, and every device of the control group counts once. Half of the group is reckoned with, so
 * that those that are away do not keep the arms out of step (judge.h). Rounded to a whole number of
 * devices on one side for each on the other, and up: too large a share only makes an abort
 * harder. */
static uint32_t share_of(uint32_t canaries, uint32_t control)
{
	uint32_t several = control / (2 * canaries), per;

	if (several)
		return (PPM + several) / (several + 1);
	per = (2 * canaries + control - 1) / control;
	return MIN(PPM - 1, (uint32_t)(((uint64_t)PPM * per + per) / (per + 1)));
}

void wave_control_wave(struct step *x, uint32_t *out_share)
{
	uint32_t canaries = x->s.open_to - wave_ever_admitted(&x->s);
	uint32_t control = x->s.control_to - x->s.control_from;

	*out_share = PPM;
	x->s.control_heard = 0;
	if (control && !x->s.control_released)
		*out_share = share_of(MAX(1, canaries), control);
}

void wave_control_ask(struct step *x)
{
	x->s.turn++;
	x->s.asked = x->ev->now;
}

ms_t wave_control_wait(const struct step *x)
{
	ms_t until = x->s.asked + wave_silence(x->p, x->s.wave);

	return x->p->judge.on && x->s.judge.asked && x->ev->now < until ? until : 0;
}

/* Only what is wrong makes a sentence: one a watch would bury the log. */
void wave_control_hear(struct step *x)
{
	x->s.control_heard += x->s.asked == x->s.opened;
	x->changed = true;
	if (x->ev->bad)
		wave_act(x, WACT_AUDIT, "%s, which is compared with, has tripped%s%s", x->ev->who,
			*x->ev->text ? ": " : "", x->ev->text);
	wave_judge_control(x);
}
