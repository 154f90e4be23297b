/* The ladder: how far a campaign goes when it goes wrong. Each rung takes those below it with it.
 */
#include "server/core/wave_priv.h"

#include <stdio.h>

static void reach(struct step *x, enum policy_rung rung)
{
	x->s.rung = MAX(x->s.rung, rung);
}

/* Sentences and orders of the rungs above COHORT. */
static void spread(struct step *x, enum policy_rung rung)
{
	if (rung >= POLICY_RUNG_RELEASE)
		wave_act(x, WACT_ROLL_BACK_ALL,
			"whoever has the release from another campaign is ordered back, too");
	if (rung >= POLICY_RUNG_CHANNEL)
		wave_act(x, WACT_FREEZE,
			"no campaign for this product starts until a person allows it");
}

void wave_climb(struct step *x, enum policy_rung rung, const char *why)
{
	bool was_back = x->s.phase == WAVE_ROLLING_BACK;

	reach(x, rung);
	if (rung == POLICY_RUNG_REVOKE) {
		wave_enter(x, WAVE_HALTED, "%s; who has not switched stays as it is", why);
		wave_act(x, WACT_REVOKE, "%u recipients in update are told to stay if they can",
			x->s.all.n[RECIPIENT_ADMITTED]);
		return;
	}
	if (!was_back)
		wave_roll_back(x, why);
	spread(x, rung);
}

void wave_abort(struct step *x, const char *why)
{
	enum policy_rung rung = x->p->ladder.abort;

	if (rung == POLICY_RUNG_NONE && x->p->roll_back_on_abort)
		rung = POLICY_RUNG_COHORT;
	if (rung == POLICY_RUNG_NONE)
		wave_enter(x, WAVE_HALTED, "%s; devices keep what they have", why);
	else
		wave_climb(x, rung, why);
}

static enum policy_rung rung_of(const struct step *x, uint32_t failures)
{
	enum policy_rung rung = POLICY_RUNG_NONE;

	for (enum policy_rung r = POLICY_RUNG_HOLD; r < POLICY_RUNG_MAX; r++)
		if (x->p->ladder.at[r] && failures >= x->p->ladder.at[r])
			rung = r;
	return rung;
}

/* HOLD and STOP forget what people have gone on after; the rungs above do not. */
bool wave_ladder(struct step *x)
{
	uint32_t all = wave_failures(&x->s), since = all - MIN(all, x->s.forgiven);
	enum policy_rung rung = rung_of(x, all);
	char why[LIMIT_TEXT];

	if (rung < POLICY_RUNG_REVOKE)
		rung = MIN(rung_of(x, since), POLICY_RUNG_STOP);
	if (rung <= x->s.rung)
		return false;
	snprintf(why, sizeof why, "%u of %u recipients failed, which leads to \"%s\"", all,
		x->s.recipients, policy_rung_names[rung]);
	reach(x, rung);
	if (rung >= POLICY_RUNG_REVOKE)
		wave_climb(x, rung, why);
	else if (rung == POLICY_RUNG_STOP && x->s.phase != WAVE_HOLD)
		wave_hold(x, WAVE_HOLD_LADDER, x->s.phase, why);
	else
		wave_act(x, WACT_AUDIT, "%s", why);
	return x->s.phase == WAVE_HOLD || rung >= POLICY_RUNG_REVOKE;
}
