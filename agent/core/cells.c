/* What each cell of the table does. A handler changes s->next and asks for actions; upd_step judges
 * the result by the laws. */
#include <string.h>

#include "agent/core/cells.tbl.h"
#include "agent/core/update_priv.h"

#define LOOK_AGAIN SEC(30) /* preconditions and windows that do not hold are looked at again */

static struct fault fault_of(const struct err *e, enum err_code otherwise, const char *text)
{
	struct fault f = {e->code, TRIG_TYPE_MAX, e->text};

	if (f.why == ERR_OK)
		f.why = otherwise;
	if (!*f.text)
		f.text = text;
	return f;
}

static bool is_transient(enum err_code code)
{
	return err_retry(code) == ERR_RETRY_SOON || err_retry(code) == ERR_RETRY_LATER;
}

/* ---- common cells ---- */

static void retry(struct step *s)
{
	step_retry(s);
}

static void stay(struct step *s)
{
	(void)s;
}

/* Looking again costs nothing and is not remembered. */
static void again(struct step *s)
{
	step_act(s);
}

/* ---- before the switch ---- */

static bool is_free(const struct upd_event *ev, unsigned slot)
{
	return slot != ev->boot.active && slot != ev->svc.slot;
}

static void begin(struct step *s, unsigned slot_new)
{
	const struct upd_event *ev = s->ev;
	struct upd_record *r = s->next, fresh;

	upd_record_init(&fresh);
	fresh.seq = r->seq;
	fresh.counter_floor = r->counter_floor;
	fresh.report_seq = r->report_seq;
	fresh.director_seen = MAX(r->director_seen, ev->goal.director_version);
	fresh.txn = ev->txn;
	fresh.goal = ev->goal;
	fresh.slot_old = ev->boot.active;
	fresh.slot_new = slot_new;
	if (fresh.slot_old != SLOT_NONE && ev->slot[fresh.slot_old].mark == SLOT_VALID) {
		fresh.from = ev->slot[fresh.slot_old].release;
		fresh.from_document = ev->slot[fresh.slot_old].document;
	}
	*r = fresh;
	step_enter(s, UPD_ACCEPTED);
}

static void accept(struct step *s)
{
	const struct upd_event *ev = s->ev;
	unsigned active = ev->boot.active;
	unsigned slot_new = active == SLOT_NONE ? 0 : slot_other(active);

	if (!ev->looked || !*ev->goal.release.s || !is_free(ev, slot_new))
		return;
	if (active != SLOT_NONE && ev->slot[active].mark == SLOT_VALID &&
		sha256_eq(&ev->slot[active].document, &ev->goal.document))
		return;
	begin(s, slot_new);
}

/* An order that is only signed again, for the same release, does not cost the work that was done.
 */
static void supersede(struct step *s)
{
	const struct upd_goal *want = &s->ev->goal;
	struct upd_goal *have = &s->next->goal;

	if (want->director_version <= have->director_version)
		return;
	if (!sha256_eq(&want->document, &have->document) || want->rollback != have->rollback) {
		step_stop_and_enter(s, UPD_FAILED,
			&(struct fault){ERR_SUPERSEDED, TRIG_TYPE_MAX,
				"a newer desired state names another release"});
		return;
	}
	*have = *want;
	s->next->director_seen = MAX(s->next->director_seen, want->director_version);
	step_save(s);
}

static void give_up(struct step *s)
{
	struct fault f = fault_of(&s->ev->err, ERR_CANCELLED, "cancelled before the switch");

	f.why = ERR_CANCELLED;
	step_stop_and_enter(s, UPD_FAILED, &f);
}

/* Will it never be? A wait that has lasted too long comes as ERR_EXPIRED. */
static bool is_final(const struct err *e)
{
	return e->code != ERR_OK && (!is_transient(e->code) || e->code == ERR_EXPIRED);
}

static void fail_by(struct step *s, const struct err *e)
{
	step_stop_and_enter(s, UPD_FAILED, &(struct fault){e->code, TRIG_TYPE_MAX, e->text});
}

/* Not yet; unless it never will be. Whoever looked may know when it is worth looking again. */
static void not_yet(struct step *s)
{
	if (is_final(&s->ev->err))
		fail_by(s, &s->ev->err);
	else
		step_wake_at(
			s, s->ev->wall + (s->ev->retry_after ? s->ev->retry_after : LOOK_AGAIN));
}

/* A precondition that held when the staging began holds no more: what works for it stops, and it
 * goes on after a pause. */
static void hold_up(struct step *s)
{
	if (s->ev->ok)
		return;
	if (is_final(&s->ev->err)) {
		fail_by(s, &s->ev->err);
		return;
	}
	step_stop(s);
	step_wait(s, ERR_RETRY_SOON);
}

static void precond(struct step *s)
{
	if (!s->ev->ok || !s->ev->looked)
		not_yet(s);
	else if (is_free(s->ev, s->next->slot_new))
		step_enter(s, UPD_STAGING);
	else
		step_stop_and_enter(s, UPD_REVERTING,
			&(struct fault){ERR_NEED_HAND, TRIG_TYPE_MAX,
				"the slot to be written was taken into use"});
}

static void staged(struct step *s)
{
	const struct upd_event *ev = s->ev;

	if (ev->ok) {
		s->next->content = ev->content;
		s->next->soak_want = ev->soak;
		s->next->start_timeout = ev->start_timeout;
		step_enter(s, UPD_SEALED);
	} else if (is_transient(ev->err.code)) {
		step_wait(s, err_retry(ev->err.code));
	} else {
		struct fault f = fault_of(&ev->err, ERR_BUG, "staging failed without a reason");

		step_blame(s, &f);
		step_enter(s, UPD_FAILED);
	}
}

/* A test that could not be made says nothing about the release; after a few tries the update ends
 * without blame. */
static void smoked(struct step *s)
{
	struct fault f = fault_of(&s->ev->err, ERR_SMOKE_FAILED, "a smoke test failed");

	if (s->ev->ok) {
		step_enter(s, UPD_READY);
	} else if (is_transient(f.why) && s->next->attempt < UPD_ATTEMPT_MAX) {
		s->next->attempt++;
		step_wait(s, err_retry(f.why));
	} else {
		if (!is_transient(f.why))
			f.cause = TRIG_SMOKE_FAILED;
		step_blame(s, &f);
		step_enter(s, UPD_FAILED);
	}
}

static void copy_triggers(struct step *s)
{
	s->next->n_trig = MIN(s->ev->n_trig, LIMIT_TRIGGERS);
	memcpy(s->next->trig, s->ev->trig, sizeof s->next->trig);
}

static void window(struct step *s)
{
	if (!s->ev->ok) {
		not_yet(s);
		return;
	}
	copy_triggers(s);
	step_enter(s, UPD_SWITCHING);
}

/* ---- on trial ---- */

static void call_off(struct step *s)
{
	struct fault f = fault_of(&s->ev->err, ERR_CANCELLED, "cancelled on trial");

	f.why = ERR_CANCELLED;
	step_stop_and_enter(s, UPD_REVERTING, &f);
}

/* The fleet wants back what the old slot still holds: that is quicker undone than finished. Any
 * other wish waits until this trial has ended. */
static void call_back(struct step *s)
{
	const struct upd_goal *want = &s->ev->goal;

	if (want->director_version > s->next->goal.director_version &&
		!sha256_is_zero(&want->document) &&
		sha256_eq(&want->document, &s->next->from_document))
		step_stop_and_enter(s, UPD_REVERTING,
			&(struct fault){ERR_SUPERSEDED, TRIG_FLEET,
				"a newer desired state names the old release"});
}

/* FAILED may only be said when it was seen that the old slot stands; else the way back is gone. */
static void switched(struct step *s)
{
	struct fault f = fault_of(&s->ev->err, ERR_IO, "the new slot did not become active");

	if (s->ev->ok && boot_is_on_trial(s->next, s->ev)) {
		step_enter(s, UPD_STARTING);
	} else if (s->next->attempt < UPD_ATTEMPT_MAX) {
		s->next->attempt++;
		step_wait(s, ERR_RETRY_SOON);
	} else {
		step_blame(s, &f);
		step_enter(s, boot_is_old(s->next, s->ev) ? UPD_FAILED : UPD_REVERTING);
	}
}

static void started(struct step *s)
{
	struct fault f = fault_of(&s->ev->err, ERR_START_FAILED, "the new version does not run");

	if (s->ev->ok && boot_is_on_trial(s->next, s->ev) && svc_runs_new(s->next, s->ev)) {
		s->next->start_ended = s->ev->svc.ended;
		step_enter(s, UPD_SOAKING);
		return;
	}
	f.cause = TRIG_START_FAILED;
	step_blame(s, &f);
	step_enter(s, UPD_REVERTING);
}

static void checkpoint(struct step *s)
{
	s->next->soak_done = MAX(s->next->soak_done, MIN(s->ev->soak_done, s->next->soak_want));
	copy_triggers(s);
	step_save(s);
}

static void trigger(struct step *s)
{
	bool known = s->ev->cause < TRIG_TYPE_MAX;
	struct fault f = {ERR_TRIGGERED, known ? s->ev->cause : TRIG_OPERATOR, s->ev->err.text};

	if (s->next->state == UPD_SOAKING)
		checkpoint(s);
	step_stop_and_enter(s, UPD_REVERTING, &f);
}

/* Committing a version that does not run would be the worst of all ends: it is looked at a few
 * times more. */
static void soak_over(struct step *s)
{
	checkpoint(s);
	if (s->next->soak_done < s->next->soak_want)
		step_act(s);
	else if (boot_is_on_trial(s->next, s->ev) && svc_runs_new(s->next, s->ev))
		step_enter(s, UPD_COMMITTING);
	else if (s->next->retries < UPD_ATTEMPT_MAX)
		step_wait(s, ERR_RETRY_SOON);
	else
		step_stop_and_enter(s, UPD_REVERTING,
			&(struct fault){ERR_START_FAILED, TRIG_START_FAILED,
				"the new version did not run when its soak was over"});
}

/* Whoever stands before the device may know more than the triggers, but not that it runs: that must
 * be seen. The record then says how long it was watched, not how long it should have been. */
static void vouch(struct step *s)
{
	struct upd_record *r = s->next;

	if (!boot_is_on_trial(r, s->ev) || !svc_runs_new(r, s->ev))
		return;
	r->soak_done = MAX(r->soak_done, MIN(s->ev->soak_done, r->soak_want));
	r->soak_want = r->soak_done;
	step_stop(s);
	step_enter(s, UPD_COMMITTING);
}

/* The soak was good; a confirm that cannot be written is tried for as long as it takes. */
static void confirmed(struct step *s)
{
	struct upd_record *r = s->next;

	if (s->ev->ok && boot_is_new(r, s->ev)) {
		r->counter_floor = MAX(r->counter_floor, r->goal.counter);
		step_enter(s, UPD_COMMITTED);
	} else if (boot_is_old(r, s->ev)) {
		step_stop_and_enter(s, UPD_REVERTING,
			&(struct fault){ERR_FELL_BACK,
				s->ev->boot.fell_back ? TRIG_BOOT_FAILED : TRIG_START_FAILED,
				"the system went back to the old slot before the confirm"});
	} else {
		step_wait(s, ERR_RETRY_LATER);
	}
}

/* ---- the way back, and the ends ---- */

static void retry_or_stick(struct step *s)
{
	if (s->next->attempt >= UPD_BACK_MAX) {
		step_enter(s, UPD_STUCK);
		return;
	}
	s->next->attempt++;
	step_wait(s, ERR_RETRY_SOON);
}

static void back(struct step *s)
{
	if (s->ev->ok && boot_is_old(s->next, s->ev))
		step_enter(s, UPD_RESTORING);
	else
		retry_or_stick(s);
}

static void restored(struct step *s)
{
	bool runs = s->ev->svc.alive || s->next->slot_old == SLOT_NONE;

	if (s->ev->ok && runs && boot_is_old(s->next, s->ev))
		step_enter(s, UPD_REVERTED);
	else
		retry_or_stick(s);
}

/* What the outcome was stays in the record until the next update, for `explain`. */
static void rest(struct step *s, unsigned active)
{
	struct upd_record *r = s->next;

	r->goal = (struct upd_goal){0};
	r->content = (struct sha256){0};
	r->slot_old = active;
	r->slot_new = active == SLOT_NONE ? SLOT_NONE : slot_other(active);
	r->n_trig = 0;
	memset(r->trig, 0, sizeof r->trig);
	step_enter(s, UPD_IDLE);
}

static void tail_done(struct step *s)
{
	bool is_new = s->next->state == UPD_COMMITTED;

	if (s->ev->ok)
		rest(s, is_new ? s->next->slot_new : s->next->slot_old);
	else
		step_wait(s, ERR_RETRY_SOON);
}

static void reset(struct step *s)
{
	if (s->ev->looked)
		rest(s, s->ev->boot.active);
}

/* ---- power-up ---- */

static void follow(struct step *s, const struct boot_plan *p)
{
	if (p->fault.text)
		step_blame(s, &p->fault);
	step_enter(s, p->to);
}

/* The supervisor counts from the start of the machine. */
static void adopt_boot(struct step *s)
{
	struct upd_record *r = s->next;

	if (r->boot_id == s->ev->boot_id && r->start_ended <= s->ev->svc.ended)
		return;
	r->boot_id = s->ev->boot_id;
	r->start_ended = s->ev->svc.ended;
	step_save(s);
}

static void resume(struct step *s)
{
	adopt_boot(s);
	if (s->next->wake_wall != 0)
		step_retry(s);
	else
		step_act(s);
}

static void power_up(struct step *s)
{
	const struct boot_plan *p;

	if (!s->ev->looked)
		return;
	p = boot_plan_eval(s->now, s->ev);
	switch (p->verb) {
	case BOOT_STAY:
		return;
	case BOOT_AGAIN:
		resume(s);
		return;
	case BOOT_RETRY:
		if (s->next->attempt >= UPD_ATTEMPT_MAX) {
			follow(s, p);
			return;
		}
		s->next->attempt++;
		step_save(s);
		resume(s);
		return;
	case BOOT_REARM:
		s->next->rearms++;
		follow(s, p);
		return;
	case BOOT_GOTO:
		follow(s, p);
		return;
	}
}

static upd_cell_f *const cells[UPD_STATE_MAX][UEV_MAX] = {
#define ROW(state, ...) [UPD_##state] = {__VA_ARGS__},
	UPD_CELLS(ROW)
#undef ROW
};

upd_cell_f *cells_at(enum upd_state state, enum upd_ev ev)
{
	return cells[state][ev];
}
