#include "agent/deadman/core/deadman.h"

#define AWAKE  MINUTE(1) /* after a suspension, before anything is held against anybody */
#define GOING  MINUTE(5) /* from the end of the last service to the restart */
#define NOTICE SEC(1)    /* two clocks that are read one after the other differ by less */

static const char *const cause_texts[] = {
#define X(id, text) [DEADMAN_CAUSE_##id] = text,
	DEADMAN_CAUSES(X)
#undef X
};

const char *deadman_cause_text(enum deadman_cause c)
{
	return cause_texts[c < DEADMAN_CAUSE_MAX ? c : DEADMAN_CAUSE_NONE];
}

static ms_t param(const struct deadman *d, enum deadman_param p)
{
	return SEC(d->conf.v[p]);
}

static void set_down(struct deadman *d, ms_t now)
{
	d->on_trial = false;
	d->decision_due = DEADMAN_NEVER;
	d->message_due =
		d->conf.v[DEADMAN_PARAM_LOST] ? now + param(d, DEADMAN_PARAM_LOST) : DEADMAN_NEVER;
}

void deadman_init(const struct deadman_conf *conf, ms_t slept, struct deadman *out)
{
	*out = (struct deadman){.conf = *conf, .end_due = DEADMAN_NEVER, .slept = slept};
	set_down(out, 0);
	out->on_trial = conf->v[DEADMAN_PARAM_TRIAL];
	if (out->on_trial)
		out->message_due = param(out, DEADMAN_PARAM_DEADLINE);
}

static void hear(struct deadman *d, const struct deadman_msg *m, ms_t now)
{
	switch (m->word) {
	case DEADMAN_ALIVE:
		d->message_due = now + m->within;
		break;
	case DEADMAN_DECIDE:
		d->decision_due = MIN(d->decision_due, now + m->within);
		break;
	case DEADMAN_STAND_DOWN:
	case DEADMAN_WORD_MAX:
		set_down(d, now);
		return;
	}
	d->on_trial = true;
}

static void be_patient(ms_t *due, ms_t now)
{
	if (*due != DEADMAN_NEVER)
		*due = MAX(*due, now + AWAKE);
}

static void wake_up(struct deadman *d, const struct deadman_event *ev)
{
	if (ev->slept - d->slept < NOTICE)
		return;
	d->slept = ev->slept;
	be_patient(&d->message_due, ev->now);
	be_patient(&d->decision_due, ev->now);
	be_patient(&d->end_due, ev->now);
}

static enum deadman_cause overdue(const struct deadman *d, ms_t now)
{
	if (now >= d->end_due)
		return DEADMAN_CAUSE_HUNG;
	if (now >= d->decision_due)
		return DEADMAN_CAUSE_UNDECIDED;
	if (now >= d->message_due)
		return d->on_trial ? DEADMAN_CAUSE_SILENT : DEADMAN_CAUSE_LOST;
	return DEADMAN_CAUSE_NONE;
}

enum deadman_cause deadman_step(
	const struct deadman *now, const struct deadman_event *ev, struct deadman *next)
{
	*next = *now;
	wake_up(next, ev);
	if (ev->ending && next->end_due == DEADMAN_NEVER)
		next->end_due = ev->now + GOING;
	if (ev->msg)
		hear(next, ev->msg, ev->now);
	return overdue(next, ev->now);
}

ms_t deadman_due(const struct deadman *d)
{
	return MIN(d->end_due, MIN(d->message_due, d->decision_due));
}
