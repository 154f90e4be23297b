#include "tests/lib/world_priv.h"

#include <assert.h>
#include <string.h>

/* ---- between a world and what the machine sees ---- */

static unsigned slot_of(const struct world *w, uint8_t place)
{
	return place == NONE || (w->first && place == OLD) ? SLOT_NONE : place;
}

static void record_of(const struct world *w, struct upd_record *r)
{
	upd_record_init(r);
	r->state = w->state;
	r->slot_old = slot_of(w, OLD);
	r->slot_new = NEW;
	r->txn.b[0] = 1;
	r->goal = (struct upd_goal){
		.release = {"new"}, .document = {{2}}, .director_version = 2, .counter = 2};
	r->from_document.b[0] = !w->first;
	r->attempt = w->attempt;
	r->rearms = w->rearms;
	r->retries = w->retries;
	r->wake_wall = w->waits ? NOW + 1 : 0;
	r->boot_id = w->same_boot ? 0 : 1;
	r->soak_want = SOAK;
	r->soak_done = w->soak_done;
	r->content.b[0] = w->sealed;
	r->why = w->why;
	r->cause = w->cause;
	r->counter_floor = w->floor ? 2 : 1;
}

static void remember(struct world *w, const struct upd_record *r)
{
	w->state = (uint8_t)r->state;
	w->attempt = (uint8_t)r->attempt;
	w->rearms = (uint8_t)r->rearms;
	w->retries = (uint8_t)MIN(r->retries, 9U);
	w->waits = r->wake_wall != 0;
	w->same_boot = r->boot_id == 0;
	w->soak_done = (uint8_t)r->soak_done;
	w->sealed = r->content.b[0];
	w->why = (uint8_t)r->why;
	w->cause = (uint8_t)r->cause;
	w->floor = r->counter_floor == 2;
}

struct upd_event world_event(const struct world *w, enum upd_ev kind)
{
	struct upd_event ev = {
		.kind = kind,
		.wall = NOW,
		.txn = {{1}},
		.ok = true,
		.looked = true,
		.boot = {.active = slot_of(w, w->active),
			.confirmed = slot_of(w, w->confirmed),
			.tries_left = w->tries,
			.fell_back = w->fell_back,
			.counts = w->mode == WORLD_BOOT && w->active != w->confirmed,
			.crashed = w->crashed},
		.svc = {.alive = w->runs == NEW || (w->runs == OLD && !w->first),
			.slot = w->tells_slot ? slot_of(w, w->runs) : SLOT_NONE},
		.content = {{1}},
		.soak = SOAK,
		.soak_done = w->soak_done,
	};

	return ev;
}

struct upd_event world_failure(const struct world *w, enum upd_ev kind, enum err_code code)
{
	struct upd_event ev = world_event(w, kind);

	ev.ok = false;
	err_set(&ev.err, code, "because");
	return ev;
}

/* ---- the machine around the driver ---- */

static void forget_all(struct world *w)
{
	w->up = 0;
	memset(w->todo, UACT_NONE, sizeof w->todo);
	w->work = UACT_NONE;
	w->phase = 0;
	w->timer = 0;
}

/* The last try is a try: only the start after it falls back. */
static void start_by_loader(struct world *w)
{
	bool on_trial = w->active == NEW && w->confirmed != NEW;

	if (on_trial && w->tries == 0) {
		w->active = w->confirmed;
		w->runs = w->confirmed;
		w->fell_back = 1;
	} else if (on_trial) {
		w->tries--;
	}
	if (w->runs == NEW && w->release == WORLD_NO_BOOT)
		w->runs = NONE;
}

void world_start_machine(struct world *w)
{
	forget_all(w);
	w->same_boot = 0;
	w->crashed = 0;
	w->runs = w->active;
	if (w->mode == WORLD_BOOT)
		start_by_loader(w);
	else if (w->active == NEW && w->release == WORLD_NO_BOOT)
		w->runs = NONE;
}

/* ---- the driver ---- */

void world_add(struct maker *m, const struct world *w, bool by_fate)
{
	assert(m->out->n < WORLD_NEXT_MAX);
	m->out->v[m->out->n].w = *w;
	m->out->v[m->out->n++].by_fate = by_fate;
	if (by_fate)
		m->out->v[m->out->n - 1].w.faults--;
}

static void take_up(struct world *w, const struct upd_acts *acts)
{
	unsigned n = 0;

	memset(w->todo, UACT_NONE, sizeof w->todo);
	for (unsigned i = 0; i < acts->n; i++)
		if (acts->v[i].kind != UACT_REPORT)
			w->todo[n++] = (uint8_t)acts->v[i].kind;
}

/* The first effect of what is asked for is there, and the record that says so is not. */
static void lose_record(struct maker *m, const struct world *before, const struct world *after)
{
	struct world_next out = {0};
	struct maker effect = {.from = after, .out = &out};
	struct world w = *before, doing = *after;

	doing.work = after->todo[0] == UACT_STOP ? after->todo[1] : after->todo[0];
	if (doing.work >= UACT_KIND_MAX || !world_works[doing.work])
		return;
	world_works[doing.work](&effect, &doing);
	w.active = out.v[0].w.active;
	w.confirmed = out.v[0].w.confirmed;
	w.tries = out.v[0].w.tries;
	w.fell_back = out.v[0].w.fell_back;
	w.crashed = out.v[0].w.crashed;
	w.mark = out.v[0].w.mark;
	world_start_machine(&w);
	world_add(m, &w, true);
}

void world_tell(struct maker *m, struct world w, const struct upd_event *ev, bool by_fate)
{
	struct upd_record now, next;
	struct upd_acts acts;
	struct err e;

	struct world before = w;

	record_of(&w, &now);
	if (upd_step(&now, ev, &next, &acts, &e) < 0) {
		m->broken = "the machine itself says that a law is broken";
		return;
	}
	if (m->mistake == WORLD_MISTAKE_FORGET_BACK && ev->kind == UEV_CANCEL &&
		next.state == UPD_REVERTING) {
		next.state = UPD_FAILED;
		acts = (struct upd_acts){
			.save = true, .n = 2, .v = {{.kind = UACT_STOP}, {.kind = UACT_TAIL}}};
	}
	remember(&w, &next);
	take_up(&w, &acts);
	world_add(m, &w, by_fate);
	if (m->mistake == WORLD_RECORD_LOST && w.faults > by_fate)
		lose_record(m, &before, &w);
}

void world_answer(struct maker *m, struct world w, const struct upd_event *ev, bool by_fate)
{
	w.work = UACT_NONE;
	w.phase = 0;
	world_tell(m, w, ev, by_fate);
}

/* ---- what can happen next ---- */

static void begin_next(struct maker *m, struct world w)
{
	uint8_t kind = w.todo[0];

	memmove(w.todo, w.todo + 1, sizeof w.todo - 1);
	w.todo[sizeof w.todo - 1] = UACT_NONE;
	if (kind == UACT_STOP) {
		w.work = UACT_NONE;
		w.phase = 0;
		w.timer = 0;
	} else if (kind == UACT_WAKE_AT) {
		w.timer = 1;
	} else {
		if (w.work != UACT_NONE)
			m->broken = "two works at once";
		w.work = kind;
		w.phase = 0;
		w.timer = 0;
	}
	world_add(m, &w, false);
}

/* The workload may need longer to come up than the agent. */
static void come_up(struct maker *m, struct world w)
{
	struct upd_event ev = world_event(&w, UEV_POWER_UP);

	w.up = 1;
	world_tell(m, w, &ev, false);
	if (w.runs == NONE)
		return;
	ev.svc.alive = false;
	world_tell(m, w, &ev, false);
}

static void tick(struct maker *m, struct world w)
{
	struct upd_event ev = world_event(&w, UEV_TICK);

	ev.wall = NOW + 1;
	w.timer = 0;
	world_tell(m, w, &ev, false);
}

/* A system without anybody in it that could speak: the dead-man ends it. */
static void restart(struct maker *m, struct world w)
{
	world_start_machine(&w);
	world_add(m, &w, false);
}

static void proceed(struct maker *m, const struct world *w)
{
	if (!w->up && w->mode == WORLD_BOOT && w->runs == NONE)
		restart(m, *w);
	else if (!w->up)
		come_up(m, *w);
	else if (w->todo[0] != UACT_NONE)
		begin_next(m, *w);
	else if (w->work != UACT_NONE)
		world_works[w->work](m, w);
	else if (w->timer)
		tick(m, *w);
}

static void lose_power(struct maker *m, struct world w)
{
	world_start_machine(&w);
	world_add(m, &w, true);
}

static void lose_agent(struct maker *m, struct world w)
{
	forget_all(&w);
	world_add(m, &w, true);
}

static void order(struct maker *m, struct world w, const struct upd_event *ev)
{
	w.orders--;
	w.faults++; /* world_add() takes one away */
	world_tell(m, w, ev, true);
}

static void give_orders(struct maker *m, const struct world *w)
{
	struct upd_event ev = world_event(w, UEV_CANCEL);

	order(m, *w, &ev);
	ev.kind = UEV_DESIRED;
	ev.goal.director_version = 3;
	ev.goal.document.b[0] = 3; /* another release */
	order(m, *w, &ev);
	ev.goal.document.b[0] = 1; /* the old one again */
	order(m, *w, &ev);
	/* A person who vouches for a bad release gets it; that is no mistake of the machine's. */
	ev = world_event(w, UEV_VOUCH);
	if (w->release == WORLD_GOOD)
		order(m, *w, &ev);
}

const char *world_step(const struct world *w, enum world_mistake mistake, struct world_next *out)
{
	struct maker m = {.from = w, .mistake = mistake, .out = out};

	out->n = 0;
	if (world_is_over(w))
		return NULL;
	proceed(&m, w);
	if (w->orders > 0 && w->up && w->todo[0] == UACT_NONE)
		give_orders(&m, w);
	if (w->faults > 0) {
		lose_power(&m, *w);
		if (w->up)
			lose_agent(&m, *w);
	}
	return m.broken;
}

bool world_is_over(const struct world *w)
{
	return w->state == UPD_IDLE || w->state == UPD_STUCK;
}

/* ---- the laws ---- */

static bool is_at(const struct world *w, uint8_t slot)
{
	return w->active == slot && w->confirmed == slot;
}

const char *world_check(const struct world *w)
{
	bool committed = w->state == UPD_COMMITTED || (w->state == UPD_IDLE && w->why == ERR_OK);
	bool given_up = w->state == UPD_FAILED || w->state == UPD_REVERTED;

	if (w->active == NEW && (w->mark != SLOT_VALID || w->holds != 2))
		return "law 1: the active slot is not valid";
	if (w->mark == SLOT_VALID && w->holds == 1)
		return "law 1: a half-written slot is marked valid";
	if (committed && (!is_at(w, NEW) || w->release != WORLD_GOOD))
		return "law 3: a wrong commit";
	if (given_up && !is_at(w, OLD))
		return "law 3: it ended off the old slot";
	if (w->state == UPD_REVERTED && w->runs != OLD && !(w->first && w->runs == NONE))
		return "law 3: reverted, and the old release does not run";
	if (w->floor && !is_at(w, NEW))
		return "law 4: the floor has risen, and the way back is still needed";
	if (w->confirmed == NEW && w->release != WORLD_GOOD)
		return "law 4: a bad release was confirmed";
	return NULL;
}

void world_init(struct world *w, enum world_mode mode, enum world_release release, bool tells_slot,
	unsigned faults, unsigned orders)
{
	memset(w, 0, sizeof *w);
	w->mode = (uint8_t)mode;
	w->release = (uint8_t)release;
	w->tells_slot = tells_slot;
	w->faults = (uint8_t)faults;
	w->orders = (uint8_t)orders;
	w->mark = SLOT_VALID; /* of the release before the old one */
	forget_all(w);
	w->up = 1;
	w->state = UPD_ACCEPTED;
	w->attempt = 1;
	w->same_boot = 1;
	w->cause = TRIG_TYPE_MAX;
	w->todo[0] = UACT_PRECOND;
}

const char *world_release_text(enum world_release r)
{
	static const char *const text[] = {
#define X(id, t) t,
		WORLD_RELEASES(X)
#undef X
	};

	return text[r];
}

const char *world_mistake_text(enum world_mistake m)
{
	static const char *const text[] = {
#define X(id, t) t,
		WORLD_MISTAKES(X)
#undef X
	};

	return text[m];
}
