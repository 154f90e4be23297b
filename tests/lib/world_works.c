/* What the driver does when it is asked, one micro-step at a time. */
#include "tests/lib/world_priv.h"

static void answer_ok(struct maker *m, const struct world *w, enum upd_ev kind)
{
	struct upd_event ev = world_event(w, kind);

	world_answer(m, *w, &ev, false);
}

/* The same call may fail by itself, as often as fate allows. */
static void may_fail(struct maker *m, const struct world *w, enum upd_ev kind, enum err_code code)
{
	struct upd_event ev = world_failure(w, kind, code);

	if (w->faults > 0)
		world_answer(m, *w, &ev, true);
}

static void fails(struct maker *m, const struct world *w, enum upd_ev kind, enum err_code code)
{
	struct upd_event ev = world_failure(w, kind, code);

	world_answer(m, *w, &ev, false);
}

static void go_on(struct maker *m, struct world w)
{
	w.phase++;
	world_add(m, &w, false);
}

static void reboot(struct maker *m, struct world w)
{
	world_start_machine(&w);
	world_add(m, &w, false);
}

static bool is_in_use(const struct world *w)
{
	return w->active == NEW || w->runs == NEW;
}

static void do_precond(struct maker *m, const struct world *w)
{
	answer_ok(m, w, UEV_PRECOND);
	may_fail(m, w, UEV_PRECOND, ERR_BUSY);
}

/* invalidate, write, write, seal, answer */
static void do_stage(struct maker *m, const struct world *w)
{
	struct upd_event altered = world_failure(w, UEV_STAGED, ERR_ALTERED);
	struct world next = *w;
	bool is_there = w->mark == SLOT_VALID && w->holds == 2;
	unsigned done = m->mistake == WORLD_MISTAKE_SEAL_HALF ? 2 : 4;

	if (w->phase == done || (w->phase == 0 && is_there)) {
		answer_ok(m, w, UEV_STAGED);
		return;
	}
	if (is_in_use(w))
		m->broken = "law 2: a slot in use is written";
	if (w->phase == 0 && m->mistake != WORLD_MISTAKE_NO_INVALIDATE)
		next.mark = SLOT_INVALID;
	if (w->phase == 1 || w->phase == 2)
		next.holds = w->phase;
	if (w->phase == 3)
		next.mark = SLOT_VALID;
	go_on(m, next);
	world_answer(m, *w, &altered, false);
	may_fail(m, w, UEV_STAGED, ERR_NET);
	may_fail(m, w, UEV_PRECOND, ERR_UNMET); /* a precondition has stopped to hold */
}

static void do_smoke(struct maker *m, const struct world *w)
{
	struct upd_event failed = world_failure(w, UEV_SMOKE, ERR_SMOKE_FAILED);

	if (w->release == WORLD_NO_SMOKE)
		world_answer(m, *w, &failed, false);
	else
		answer_ok(m, w, UEV_SMOKE);
	may_fail(m, w, UEV_SMOKE, ERR_BUSY);
}

static void do_ask_window(struct maker *m, const struct world *w)
{
	answer_ok(m, w, UEV_WINDOW);
	may_fail(m, w, UEV_WINDOW, ERR_BUSY);
}

/* A change of the boot layer may fail before it is done, and after. */
static void change_boot(
	struct maker *m, const struct world *w, struct world changed, enum upd_ev kind)
{
	if (w->phase == 0)
		go_on(m, changed);
	else
		answer_ok(m, w, kind);
	may_fail(m, w, kind, ERR_IO);
}

static void do_try_next(struct maker *m, const struct world *w)
{
	struct world next = *w;

	next.active = NEW;
	next.tries = w->mode == WORLD_BOOT ? TRIES : 0;
	next.fell_back = 0;
	change_boot(m, w, next, UEV_SWITCHED);
}

static void do_confirm(struct maker *m, const struct world *w)
{
	struct upd_event lie = world_event(w, UEV_CONFIRMED);
	struct world next = *w;

	lie.boot.confirmed = lie.boot.active;
	next.confirmed = w->active;
	next.tries = 0;
	if (m->mistake == WORLD_MISTAKE_LIE_CONFIRM)
		world_answer(m, *w, &lie, false);
	else
		change_boot(m, w, next, UEV_CONFIRMED);
}

static void do_go_back(struct maker *m, const struct world *w)
{
	struct upd_event lie = world_event(w, UEV_BACK);
	struct world next = *w;

	if (w->broken) {
		fails(m, w, UEV_BACK, ERR_IO);
		return;
	}
	next.active = OLD;
	next.tries = 0;
	next.fell_back = 0;
	if (m->mistake == WORLD_MISTAKE_EARLY_CONFIRM && w->confirmed == NEW) {
		lie.boot.active = lie.boot.confirmed = OLD;
		world_answer(m, *w, &lie, false);
		return;
	}
	next.confirmed = OLD;
	change_boot(m, w, next, UEV_BACK);
}

/* Stop the one that runs, start the other one, answer. */
static void swap(struct maker *m, const struct world *w, uint8_t to, enum upd_ev kind)
{
	struct upd_event dead = world_failure(w, kind, ERR_START_FAILED);
	struct world next = *w;
	bool starts = to == OLD || w->release != WORLD_NO_BOOT;

	if (w->phase == 0 && w->runs != to) {
		next.runs = NONE;
		go_on(m, next);
	} else if (w->phase == 1) {
		next.runs = starts ? to : NONE;
		go_on(m, next);
	} else if (w->runs == to) {
		answer_ok(m, w, kind);
	} else {
		world_answer(m, *w, &dead, false);
	}
}

static void do_apply(struct maker *m, const struct world *w)
{
	if (w->mode == WORLD_BOOT && w->runs != NEW)
		reboot(m, *w);
	else
		swap(m, w, NEW, UEV_STARTED);
}

static void do_restore(struct maker *m, const struct world *w)
{
	if (w->broken) {
		fails(m, w, UEV_RESTORED, ERR_TIMEOUT);
		return;
	}
	if (w->mode == WORLD_BOOT && w->runs != OLD)
		reboot(m, *w);
	else
		swap(m, w, OLD, UEV_RESTORED);
	may_fail(m, w, UEV_RESTORED, ERR_TIMEOUT);
}

static void fire(struct maker *m, const struct world *w, enum trig_type cause)
{
	struct upd_event ev = world_event(w, UEV_TRIGGER);

	ev.cause = cause;
	err_set(&ev.err, ERR_TRIGGERED, "because");
	world_answer(m, *w, &ev, false);
}

static void soak_on(struct maker *m, const struct world *w)
{
	struct upd_event ev = world_event(w, UEV_CHECKPOINT);

	ev.soak_done++;
	if (w->soak_done < SOAK)
		world_tell(m, *w, &ev, false);
	else
		answer_ok(m, w, UEV_SOAK_OVER);
}

static void do_watch(struct maker *m, const struct world *w)
{
	struct world next = *w;

	if (m->mistake == WORLD_MISTAKE_EARLY_CONFIRM && w->confirmed == OLD) {
		next.confirmed = NEW;
		world_add(m, &next, false);
	} else if (w->release == WORLD_DIES && w->runs == NEW) {
		next.runs = NONE;
		world_add(m, &next, false);
	} else if (w->release == WORLD_PANICS || w->release == WORLD_HANGS) {
		world_start_machine(&next);
		next.crashed = w->release == WORLD_PANICS;
		world_add(m, &next, false);
		if (w->soak_done + 1 < SOAK)
			soak_on(m, w);
	} else if (w->release == WORLD_DIES) {
		fire(m, w, TRIG_CRASH_LOOP);
		soak_on(m, w);
	} else if (w->release == WORLD_BAD) {
		fire(m, w, TRIG_LATENCY);
		if (w->soak_done + 1 < SOAK)
			soak_on(m, w);
	} else {
		soak_on(m, w);
	}
}

static void do_tail(struct maker *m, const struct world *w)
{
	answer_ok(m, w, UEV_TAIL_DONE);
	may_fail(m, w, UEV_TAIL_DONE, ERR_IO);
}

void (*const world_works[UACT_KIND_MAX])(struct maker *, const struct world *) = {
	[UACT_PRECOND] = do_precond,
	[UACT_STAGE] = do_stage,
	[UACT_SMOKE] = do_smoke,
	[UACT_ASK_WINDOW] = do_ask_window,
	[UACT_TRY_NEXT] = do_try_next,
	[UACT_APPLY] = do_apply,
	[UACT_WATCH] = do_watch,
	[UACT_CONFIRM] = do_confirm,
	[UACT_GO_BACK] = do_go_back,
	[UACT_RESTORE] = do_restore,
	[UACT_TAIL] = do_tail,
};
