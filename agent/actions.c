#include "agent/agent_priv.h"

#include <assert.h>
#include <string.h>

/* ---- in the lanes ---- */

static int run_stage(struct work *k, struct err *e)
{
	struct release *r CLEANUP(mem_free) =
		agent_load_release(k->w->fs, &k->rec.goal.document, e);
	struct stage_in in = {
		.slots = k->slots,
		.slot = k->act.slot,
		.from = k->rec.slot_old,
		.release = r,
		.document = k->rec.goal.document,
		.source = k->w->source(k->w->self, &k->room, &k->job.cancel),
		.cancel = &k->job.cancel,
		.done = &k->bytes,
		.overlap = k->w->slot_threads > 1,
	};

	if (!r)
		return -(int)e->code;
	waits_look(k->w, &k->waits, &k->facts);
	TRY(waits_hold(&k->waits, &k->facts, e));
	TRY(stage_run(&in, &k->ev.content, e));
	k->ev.soak = r->soak;
	k->ev.start_timeout = r->start_timeout;
	return 0;
}

static int run_smoke(struct work *k, struct err *e)
{
	struct release *r CLEANUP(mem_free) =
		agent_load_release(k->w->fs, &k->rec.goal.document, e);

	if (!r)
		return -(int)e->code;
	return k->w->smoke(k->w->self, k->act.slot, r, &k->job.cancel, &k->log, e);
}

static int run_try_next(struct work *k, struct err *e)
{
	return boot_adapter_of(k->boot)->try_next(k->boot, k->act.slot, k->act.tries, e);
}

static int run_confirm(struct work *k, struct err *e)
{
	return boot_adapter_of(k->boot)->confirm(k->boot, k->act.slot, e);
}

static int run_go_back(struct work *k, struct err *e)
{
	return boot_adapter_of(k->boot)->go_back(k->boot, k->act.slot, e);
}

static const struct component *find_component(const struct release *r, const char *name)
{
	for (unsigned i = 0; i < r->n_components; i++)
		if (strcmp(r->components[i].name, name) == 0)
			return &r->components[i];
	return NULL;
}

static bool has_code_of(const struct release *r, const struct release *other)
{
	for (unsigned i = 0; i < other->n_components; i++) {
		const struct component *theirs = &other->components[i];
		const struct component *ours = find_component(r, theirs->name);

		if (theirs->kind == COMPONENT_CODE &&
			(!ours || !sha256_eq(&ours->artifact.tree, &theirs->artifact.tree)))
			return false;
	}
	return true;
}

/* How the workload gets from the old release to the goal, or back. A reload exchanges what a
 * program works with, not the program: it is enough only if the goal says so and both releases have
 * the same code, and then it is enough in both directions. */
static enum activation activation_of(struct work *k, const struct release *goal)
{
	struct release *from CLEANUP(mem_free) = NULL;

	if (!goal || goal->activation != ACTIVATE_RELOAD || sha256_is_zero(&k->rec.from_document))
		return ACTIVATE_RESTART;
	from = agent_load_release(k->w->fs, &k->rec.from_document, NULL);
	return from && has_code_of(from, goal) && has_code_of(goal, from) ? ACTIVATE_RELOAD
									  : ACTIVATE_RESTART;
}

static int run_apply(struct work *k, struct err *e)
{
	struct release *r CLEANUP(mem_free) =
		agent_load_release(k->w->fs, &k->rec.goal.document, e);

	if (!r)
		return -(int)e->code;
	return k->w->start(k->w->self, k->act.slot, activation_of(k, r), k->rec.start_timeout,
		&k->job.cancel, e);
}

/* The way back must not depend on a document: without it, restart. */
static int run_restore(struct work *k, struct err *e)
{
	struct release *goal CLEANUP(mem_free) =
		agent_load_release(k->w->fs, &k->rec.goal.document, NULL);

	return k->w->start(k->w->self, k->act.slot, activation_of(k, goal), k->rec.start_timeout,
		&k->job.cancel, e);
}

static int run_precond(struct work *k, struct err *e UNUSED)
{
	waits_look(k->w, &k->waits, &k->facts);
	return 0;
}

/* What this device can hold against a release: that it failed here before; and what it has to wait
 * for. */
static int finish_precond(struct agent *a, struct work *k, struct err *e)
{
	const struct quarantine_entry *q =
		quarantine_find(&a->quarantine, &k->rec.goal.document, agent_wall(a));

	if (q)
		return err_set(e, ERR_QUARANTINED, "%s: %s", q->release.s, q->text);
	return waits_judge(a, waits_phases(a), &k->waits, &k->facts, &k->ev.retry_after, e);
}

/* It was not begun, because a precondition has stopped to hold: that is no failure of staging. */
static int finish_stage(struct agent *a, struct work *k, struct err *e UNUSED)
{
	struct err why = {0};

	if (k->ev.ok || k->ev.err.code != ERR_UNMET)
		return 0;
	if (waits_judge(a, waits_phases(a), &k->waits, &k->facts, &k->ev.retry_after, &why) < 0)
		k->ev.err = why;
	k->ev.kind = UEV_PRECOND;
	return 0;
}

static int finish_smoke(struct agent *a, struct work *k, struct err *e UNUSED)
{
	buf_clear(&a->smoke_log);
	buf_add(&a->smoke_log, k->log.p, k->log.n);
	return 0;
}

/* ---- the table ---- */

static const struct work_row works[] = {
	{UACT_PRECOND, LANE_SVC, UEV_PRECOND, run_precond, finish_precond},
	{UACT_STAGE, LANE_SLOT, UEV_STAGED, run_stage, finish_stage},
	{UACT_SMOKE, LANE_SLOT, UEV_SMOKE, run_smoke, finish_smoke},
	{UACT_TRY_NEXT, LANE_SVC, UEV_SWITCHED, run_try_next, NULL},
	{UACT_APPLY, LANE_SVC, UEV_STARTED, run_apply, NULL},
	{UACT_CONFIRM, LANE_SVC, UEV_CONFIRMED, run_confirm, NULL},
	{UACT_GO_BACK, LANE_SVC, UEV_BACK, run_go_back, NULL},
	{UACT_RESTORE, LANE_SVC, UEV_RESTORED, run_restore, NULL},
	{UACT_TAIL, LANE_SVC, UEV_TAIL_DONE, tail_run, tail_finish},
};

static void begin_work(struct agent *a, const struct upd_act *act)
{
	for (size_t i = 0; i < ARRAY_LEN(works); i++)
		if (works[i].act == act->kind)
			work_begin(a, &works[i], act);
}

static void begin_ask_window(struct agent *a, const struct upd_act *act UNUSED)
{
	watch_ask_window(a);
}

static void begin_watch(struct agent *a, const struct upd_act *act UNUSED)
{
	watch_begin_soak(a);
}

static void begin_stop(struct agent *a, const struct upd_act *act UNUSED)
{
	work_drop(a);
}

/* The record counts in wall clock, because it must outlive the machine's start; the waiting itself
 * must not depend on a clock that jumps. */
static void begin_wake_at(struct agent *a, const struct upd_act *act)
{
	a->wake_at = agent_mono(a) + MAX(0, act->at - agent_wall(a));
}

static void begin_report(struct agent *a, const struct upd_act *act UNUSED)
{
	a->tell = true;
}

static void (*const begin[UACT_KIND_MAX])(struct agent *, const struct upd_act *) = {
	[UACT_PRECOND] = begin_work,
	[UACT_STAGE] = begin_work,
	[UACT_SMOKE] = begin_work,
	[UACT_ASK_WINDOW] = begin_ask_window,
	[UACT_TRY_NEXT] = begin_work,
	[UACT_APPLY] = begin_work,
	[UACT_WATCH] = begin_watch,
	[UACT_CONFIRM] = begin_work,
	[UACT_GO_BACK] = begin_work,
	[UACT_RESTORE] = begin_work,
	[UACT_TAIL] = begin_work,
	[UACT_STOP] = begin_stop,
	[UACT_WAKE_AT] = begin_wake_at,
	[UACT_REPORT] = begin_report,
};

void action_begin(struct agent *a, const struct upd_act *act)
{
	assert(act->kind < UACT_KIND_MAX && begin[act->kind]);
	begin[act->kind](a, act);
}
