/* What people order. Whoever overrules a guardrail that fails is not alone with it. */
#include "server/core/wave_priv.h"

#include <stdio.h>
#include <string.h>

void wave_begin(struct step *x)
{
	wave_open(x, 0);
	if (x->p->first_alone)
		wave_enter(x, WAVE_FIRST,
			"one device alone, then wave %s up to %u of %u recipients",
			x->p->waves[x->s.wave].name, x->s.open_to, x->s.recipients);
	else
		wave_enter(x, WAVE_OPEN, "wave %s opens, up to %u of %u recipients",
			x->p->waves[x->s.wave].name, x->s.open_to, x->s.recipients);
}

/* "ann paused it: night shift" */
static void note(struct step *x, const char *what)
{
	wave_act(x, WACT_AUDIT, "%s %s%s%s", x->ev->who, what, *x->ev->text ? ": " : "",
		x->ev->text);
}

int wave_on_pause(struct step *x, struct err *e UNUSED)
{
	if (x->s.paused)
		return 0;
	x->s.paused = true;
	note(x, "paused it");
	return 0;
}

int wave_on_resume(struct step *x, struct err *e UNUSED)
{
	if (!x->s.paused)
		return 0;
	x->s.paused = false;
	x->s.quiet_since = x->ev->now;
	note(x, "resumed it");
	wave_settle(x);
	return 0;
}

int wave_on_halt(struct step *x, struct err *e UNUSED)
{
	wave_enter(x, WAVE_HALTED, "%s halted it: %s", x->ev->who, x->ev->text);
	return 0;
}

static void ordered(const struct step *x, const char *what, char why[LIMIT_TEXT])
{
	snprintf(why, LIMIT_TEXT, "%s %s: %.*s", x->ev->who, what, LIMIT_TEXT / 2, x->ev->text);
}

int wave_on_roll_back(struct step *x, struct err *e UNUSED)
{
	char why[LIMIT_TEXT];

	ordered(x, "ordered it back", why);
	wave_climb(x, POLICY_RUNG_COHORT, why);
	return 0;
}

int wave_on_roll_back_all(struct step *x, struct err *e UNUSED)
{
	char why[LIMIT_TEXT];

	ordered(x, "ordered the release back everywhere", why);
	wave_climb(x, POLICY_RUNG_RELEASE, why);
	return 0;
}

int wave_on_revoke(struct step *x, struct err *e UNUSED)
{
	char why[LIMIT_TEXT];

	ordered(x, "revoked it", why);
	wave_climb(x, POLICY_RUNG_REVOKE, why);
	return 0;
}

/* The first says so and waits for the second; *out_both: both have. */
static int ask_two(struct step *x, const char *what, bool *out_both, struct err *e)
{
	const struct wave_event *ev = x->ev;

	*out_both = false;
	if (!*ev->text)
		return err_set(e, ERR_BAD_INPUT, "a reason is wanted to %s all the same", what);
	if (!*x->s.agreed) {
		snprintf(x->s.agreed, sizeof x->s.agreed, "%s", ev->who);
		wave_act(x, WACT_AUDIT, "%s wants to %s: %s; a second person must agree", ev->who,
			what, ev->text);
		return 0;
	}
	if (strcmp(x->s.agreed, ev->who) == 0)
		return err_set(e, ERR_CONFLICT, "%s wants to %s already; somebody else must agree",
			ev->who, what);
	*out_both = true;
	return 0;
}

int wave_on_approve(struct step *x, struct err *e)
{
	bool go_on = true;

	if (x->s.hold != WAVE_HOLD_APPROVAL)
		TRY(ask_two(x, "go on", &go_on, e));
	if (!go_on)
		return 0;
	note(x, "approved");
	if (x->s.open_to)
		wave_go_on(x);
	else
		wave_begin(x);
	return 0;
}

/* The next wave opens before this one has ended. */
int wave_on_promote(struct step *x, struct err *e)
{
	bool both;

	if (wave_is_last(x))
		return err_set(e, ERR_CONFLICT, "there is no next wave");
	TRY(ask_two(x, "promote it", &both, e));
	if (!both)
		return 0;
	note(x, "promoted it");
	x->s.forgiven = wave_failures(&x->s);
	x->s.rung = POLICY_RUNG_NONE;
	wave_to_next(x);
	return 0;
}

int wave_on_break_glass(struct step *x, struct err *e)
{
	unsigned which;
	ms_t until;

	if (!wave_is_frozen(x->p, &x->s, x->ev->now, &which, &until))
		return err_set(e, ERR_CONFLICT, "nothing is frozen now");
	x->s.thawed = until;
	wave_act(x, WACT_AUDIT, "%s broke the glass of freeze %s: %s", x->ev->who,
		x->p->freezes[which].name, x->ev->text);
	return 0;
}
