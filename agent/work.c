#include "agent/agent_priv.h"

#include <string.h>

#include "lib/sys/log.h"

/* Any event that looks will do as the answer: all look at the same. */
static const struct work_row look_only = {
	.act = UACT_NONE, .lane = LANE_SVC, .answer = UEV_POWER_UP};

static int look_at_world(struct work *k, struct err *e)
{
	TRY(boot_adapter_of(k->boot)->look(k->boot, &k->ev.boot, e));
	TRY(k->w->look(k->w->self, &k->ev.svc, e));
	k->ev.looked = true;
	return 0;
}

static void run(struct job *job)
{
	struct work *k = (struct work *)job;
	struct err e = {0};
	int rc = k->row->run ? k->row->run(k, &e) : 0;

	if (upd_event_looks(k->row->answer) && look_at_world(k, rc < 0 ? NULL : &e) < 0)
		rc = rc < 0 ? rc : -(int)e.code;
	k->ev.ok = rc == 0;
	k->ev.err = e;
}

static void work_free(struct work *k)
{
	buf_fini(&k->log);
	mem_free(&k);
}

/* The slots' status files are read here and not in the lane: its handle may be busy staging. */
static int look_at_slots(struct agent *a, struct slot_view out[SLOT_COUNT], struct err *e)
{
	const struct slot_driver *d = slots_driver(a->look_slots);

	for (unsigned i = 0; i < SLOT_COUNT; i++)
		TRY(d->look(a->look_slots, i, &out[i], e));
	return 0;
}

void agent_see_slots(struct agent *a)
{
	struct slot_view seen[SLOT_COUNT];

	/* What cannot be seen just now stays as it was seen last. */
	if (look_at_slots(a, seen, NULL) == 0)
		memcpy(a->slot, seen, sizeof seen);
}

static int see_slots(struct agent *a, struct work *k, struct err *e)
{
	TRY(look_at_slots(a, k->ev.slot, e));
	memcpy(a->slot, k->ev.slot, sizeof a->slot);
	a->boot = k->ev.boot;
	return 0;
}

static int finish(struct agent *a, struct work *k, struct err *e)
{
	if (k->ev.looked && see_slots(a, k, e) < 0) {
		k->ev.looked = false;
		return -(int)e->code;
	}
	return k->row->finish ? k->row->finish(a, k, e) : 0;
}

static void note_failure(struct agent *a, const struct work *k)
{
	a->failed = k->ev.err;
	/* Waiting is told when it begins. */
	if (k->ev.err.code == ERR_UNMET)
		return;
	log_err(LOG_ID_ACTION_FAILED, &k->ev.err, "state=%s event=%s", upd_state_name(a->rec.state),
		upd_event_name(k->ev.kind));
}

/* Nothing can be decided before the world was seen once. */
static bool must_look_again(struct agent *a, const struct work *k)
{
	if (k->ev.kind != UEV_POWER_UP || k->ev.ok)
		return false;
	a->wake_at = agent_mono(a) + SEC(1);
	return true;
}

static void done(struct job *job)
{
	struct work *k = (struct work *)job;
	struct agent *a = k->agent;
	struct err e = {0};
	bool counts = !a->closing && !atomic_load(&job->cancel);

	if (a->work == k)
		a->work = NULL;
	a->orders -= k->row == &look_only;
	if (counts && finish(a, k, &e) < 0 && k->ev.ok) {
		k->ev.ok = false;
		k->ev.err = e;
	}
	if (counts && !k->ev.ok)
		note_failure(a, k);
	if (counts && !must_look_again(a, k))
		agent_post(a, &k->ev);
	work_free(k);
}

static struct work *work_new(struct agent *a, const struct work_row *row)
{
	struct work *k = mem_new(sizeof(*k));

	k->job.lane = row->lane;
	k->job.run = run;
	k->job.done = done;
	k->row = row;
	k->agent = a;
	k->w = &a->w;
	k->slots = a->stage_slots;
	k->boot = a->boot_layer;
	k->rec = a->rec;
	return k;
}

void work_begin(struct agent *a, const struct work_row *row, const struct upd_act *act)
{
	if (a->work && a->work->row == row)
		return;
	work_drop(a);
	struct work *k = work_new(a, row);

	k->act = *act;
	if (act->kind == UACT_PRECOND || act->kind == UACT_STAGE)
		waits_gather(a, waits_phases(a), &k->waits);
	k->ev.kind = row->answer;
	k->ev.txn = a->rec.txn;
	a->work = k;
	jobs_submit(a->jobs, &k->job);
}

void work_look_then_post(struct agent *a, const struct upd_event *ev)
{
	struct work *k = work_new(a, &look_only);

	k->ev = *ev;
	a->orders++;
	jobs_submit(a->jobs, &k->job);
}

void work_drop(struct agent *a)
{
	if (!a->work)
		return;
	atomic_store(&a->work->job.cancel, true);
	a->work = NULL;
}
