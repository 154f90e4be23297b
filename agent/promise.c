#include "agent/agent_priv.h"

#include <stdio.h>
#include <string.h>

#include "agent/core/promise.h"

#define AT_REST MINUTE(5) /* between two signs of life when nothing is on trial */

/* That nothing is on trial is not said before the boot layer was seen to agree: it may try a
 * version that this record knows nothing of. */
static bool may_say(const struct agent *a, const struct promise *p)
{
	return p->on_trial || (a->up && a->boot.active == a->boot.confirmed);
}

void promise_tell(struct agent *a)
{
	struct promise p;

	if (!a->w.promise) {
		a->promised = NEVER;
		return;
	}
	promise_eval(&a->rec, a->conf->agent.lost, &p);
	a->promised = agent_mono(a) + (p.on_trial ? promise_every(&p) : AT_REST);
	if (may_say(a, &p))
		a->w.promise(a->w.self, &p, &a->rec.txn);
}

void promise_due(struct agent *a, ms_t now)
{
	if (now >= a->promised)
		promise_tell(a);
}

/* ---- somebody else's agent was lost, or does not decide ---- */

void agent_rescue(struct agent *a, const char *why)
{
	snprintf(a->rescue, sizeof(a->rescue), "%s", why);
}

void promise_rescue_now(struct agent *a)
{
	struct upd_event ev = {.kind = promise_rescue(a->rec.state),
		.txn = a->rec.txn,
		.cause = TRIG_UNDECIDED,
		.n_trig = a->rec.n_trig,
		.soak_done = a->rec.soak_done};

	if (!a->rescue[0] || ev.kind == UEV_MAX)
		return;
	memcpy(ev.trig, a->rec.trig, sizeof(ev.trig));
	(void)err_set(&ev.err, ERR_TRIGGERED, "%s", a->rescue);
	agent_post(a, &ev);
}
