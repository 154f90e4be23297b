/* What a wave must have seen before it may end, and whether those that should speak are heard. */
#include <math.h>
#include <stdio.h>

#include "server/core/evalue.h"
#include "server/core/wave_priv.h"

static bool is_passed(const struct step *x, enum wave_hold guard)
{
	return (x->s.passed & 1U << guard) != 0;
}

static bool has_seen_enough(const struct step *x)
{
	const struct policy_floor *f = &x->p->waves[x->s.wave].floor;

	return x->s.all.n[RECIPIENT_COMMITTED] >= x->s.committed_before + f->devices &&
	       wave_heard(&x->s) >= x->s.heard_before + f->outcomes;
}

/* Nobody of the wave waits who could be admitted yet: it will not see more. */
bool wave_floor_met(struct step *x)
{
	const struct policy_floor *f = &x->p->waves[x->s.wave].floor;
	char why[LIMIT_TEXT];

	if (is_passed(x, WAVE_HOLD_FLOOR) || wave_control_is_let_in(&x->s))
		return true;
	if (has_seen_enough(x))
		return !wave_floor_at(x);
	if (x->s.open_to != wave_ever_admitted(&x->s))
		return false;
	snprintf(why, sizeof why,
		"wave %s has seen %u devices run the release and %u outcomes; its floor is %u and %u",
		x->p->waves[x->s.wave].name,
		x->s.all.n[RECIPIENT_COMMITTED] - x->s.committed_before,
		wave_heard(&x->s) - x->s.heard_before, f->devices, f->outcomes);
	wave_hold(x, WAVE_HOLD_FLOOR, x->s.phase, why);
	return false;
}

ms_t wave_floor_at(const struct step *x)
{
	ms_t at = x->s.opened + x->p->waves[x->s.wave].floor.span;

	return at > x->ev->now && !is_passed(x, WAVE_HOLD_FLOOR) && !wave_control_is_let_in(&x->s)
		       ? at
		       : 0;
}

/* Those who should have been heard in this wave are the canaries that it admitted and the control
 * group; whoever is heard is of the one or the other as often as there are of each. By an e-value,
 * which is exact for few devices, where a chi-square is not (evalue.h). */
bool wave_ratio_fits(struct step *x)
{
	uint32_t canaries =
		wave_ever_admitted(&x->s) - MIN(wave_ever_admitted(&x->s), x->s.admitted_before);
	uint32_t control = x->s.control_to - x->s.control_from;
	uint32_t heard = wave_heard(&x->s) - MIN(wave_heard(&x->s), x->s.heard_before);
	double limit = log(1e6 / x->p->ratio_alpha);
	char why[LIMIT_TEXT];

	heard = MIN(heard, canaries);
	if (!x->p->ratio_alpha || x->s.control_released || !control || !canaries ||
		is_passed(x, WAVE_HOLD_RATIO) ||
		evalue_ratio(heard, (uint64_t)heard + x->s.control_heard,
			canaries / ((double)canaries + control)) < limit)
		return true;
	snprintf(why, sizeof why,
		"%u of %u canaries were heard and %u of %u of the control group: too unlike to compare",
		heard, canaries, x->s.control_heard, control);
	wave_hold(x, WAVE_HOLD_RATIO, WAVE_SOAK, why);
	return false;
}
