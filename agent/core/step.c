#include <stdio.h>

#include "agent/core/backoff.h"
#include "agent/core/update_priv.h"

#define WAKE_MAX MINUTE(60)

static struct upd_act *ask(struct step *s, enum upd_act_kind kind)
{
	struct upd_act *a = &s->acts->v[s->acts->n++];

	*a = (struct upd_act){.kind = kind, .slot = s->next->slot_new};
	if (kind == UACT_GO_BACK || kind == UACT_RESTORE)
		a->slot = s->next->slot_old;
	if (kind == UACT_TRY_NEXT)
		a->tries = UPD_TRIES;
	return a;
}

void step_act(struct step *s)
{
	if (upd_act_of(s->next->state) != UACT_NONE)
		ask(s, upd_act_of(s->next->state));
}

void step_save(struct step *s)
{
	s->acts->save = true;
}

void step_wake_at(struct step *s, ms_t wall)
{
	ask(s, UACT_WAKE_AT)->at = wall;
}

void step_enter(struct step *s, enum upd_state state)
{
	struct upd_record *r = s->next;

	r->state = state;
	r->attempt = 1;
	r->retries = 0;
	r->wake_wall = 0;
	r->entered_wall = s->ev->wall;
	r->boot_id = s->ev->boot_id;
	step_save(s);
	step_act(s);
	if (upd_act_of(state) != UACT_TAIL)
		ask(s, UACT_REPORT);
}

void step_blame(struct step *s, const struct fault *f)
{
	s->next->why = f->why;
	s->next->cause = f->cause;
	snprintf(s->next->why_text, sizeof s->next->why_text, "%s", f->text);
}

void step_stop(struct step *s)
{
	ask(s, UACT_STOP);
}

void step_stop_and_enter(struct step *s, enum upd_state state, const struct fault *f)
{
	step_blame(s, f);
	step_stop(s);
	step_enter(s, state);
}

void step_wait(struct step *s, enum err_retry class)
{
	struct upd_record *r = s->next;
	ms_t pause = backoff_wait(class, ++r->retries, s->ev->jitter, s->ev->retry_after);

	r->wake_wall = s->ev->wall + MIN(pause, WAKE_MAX);
	step_save(s);
	step_wake_at(s, r->wake_wall);
}

/* A wall clock that was set back must not stretch the wait: a wake-up that is further away than any
 * pause is due. */
static bool is_due(const struct step *s)
{
	return s->ev->wall >= s->next->wake_wall || s->next->wake_wall - s->ev->wall > WAKE_MAX;
}

void step_retry(struct step *s)
{
	if (s->next->wake_wall == 0)
		return;
	if (!is_due(s)) {
		step_wake_at(s, s->next->wake_wall);
		return;
	}
	s->next->wake_wall = 0;
	step_save(s);
	step_act(s);
}
