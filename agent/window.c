/* Whether the switch may happen now. */
#include "agent/agent_priv.h"

static bool baseline_known(const struct watch *w)
{
	for (unsigned i = 0; i < w->n; i++)
		if (watch_wants_baseline(&w->rule[i]) && !watch_has_baseline(w, i))
			return false;
	return true;
}

/* Without an old version there is nothing to compare with, and waiting would not bring it. */
static bool may_switch(const struct agent *a)
{
	const struct watch *w = &a->watch;
	ms_t wait = a->release ? a->release->baseline_wait : 0;

	return a->rec.slot_old == SLOT_NONE || baseline_known(w) ||
	       agent_mono(a) - w->asked_first >= wait;
}

/* Fails the update: what was staged before a long sleep may have been called off meanwhile. */
static void refuse_window(struct agent *a)
{
	struct upd_event ev = {.kind = UEV_WINDOW, .txn = a->rec.txn};

	(void)err_set(&ev.err, ERR_SUPERSEDED, "the director no longer asks for %s",
		a->rec.goal.release.s);
	a->watch.asked = 0;
	agent_post(a, &ev);
}

/* What was gathered for the baseline stays. */
void window_wait(struct agent *a, const struct err *why, ms_t again)
{
	struct upd_event ev = {
		.kind = UEV_WINDOW, .txn = a->rec.txn, .err = *why, .retry_after = again};

	a->watch.asked = 0;
	agent_post(a, &ev);
}

void window_answer(struct agent *a)
{
	struct watch *w = &a->watch;
	struct upd_event ev = {.kind = UEV_WINDOW, .ok = true, .txn = a->rec.txn, .n_trig = w->n};

	if (w->asked && poll_withdrew(a))
		refuse_window(a);
	if (!w->asked || !shadow_allows(a) || !may_switch(a) || !poll_confirms(a) ||
		!waits_allow(a))
		return;
	w->asked = 0;
	outbox_switch(a);
	for (unsigned i = 0; i < w->n; i++) {
		const struct trig_rule *r = &w->rule[i];
		struct trig_window fresh;

		ev.trig[i] = w->state[i];
		trig_init(&ev.trig[i], &fresh);
		if (watch_wants_baseline(r))
			(void)trig_baseline(r, &w->window[i], &ev.trig[i]);
		if (trig_source(r) == TRIG_SRC_SERVER && !poll_reaches(a))
			trig_excuse(&ev.trig[i]);
	}
	agent_post(a, &ev);
}
