/* A device: its driver in small, as agent/watch.c and agent/work.c do it, around the real machine
 * and the real triggers. */
#include "tests/sim/matrix_priv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "agent/core/promise.h"
#include "agent/core/record.h"

#define START_TIMEOUT SEC(90)
#define LOST          MINUTE(5)
#define BASELINE_WAIT MINUTE(45)
#define CHECKPOINT    SEC(20)   /* more than the driver's: a power cut takes more */
#define TALLY         0         /* the rule of crashes, see matrix_rules.c */
#define FRESH         MINUTE(1) /* as agent/poll.c: an answer of the server that is no older */
#define OLD           0U
#define NEW           1U

/* ---- the machine ---- */

static struct svc_view svc_of(const struct device *d)
{
	return (struct svc_view){.alive = true, .slot = d->boot.active, .ended = d->load.ended};
}

/* Steps, saves, and remembers what is to be done next. */
static void step(struct device *d, struct upd_event ev)
{
	struct upd_acts acts;
	struct err e;

	ev.wall = d->wall;
	ev.boot_id = d->boot_id;
	ev.txn = (struct txn_id){{1}};
	ev.looked = upd_event_looks(ev.kind);
	ev.boot = d->boot;
	ev.svc = svc_of(d);
	if (upd_step(&d->rec, &ev, &d->rec, &acts, &e) < 0) {
		snprintf(d->out->broken, sizeof d->out->broken, "%.*s", 150, e.text);
		return;
	}
	if (acts.save) {
		buf_clear(&d->journal);
		record_encode(&d->rec, &d->journal);
	}
	for (unsigned i = 0; i < acts.n; i++)
		if (acts.v[i].kind != UACT_STOP && acts.v[i].kind != UACT_REPORT)
			d->todo = acts.v[i];
}

static void answer(struct device *d, enum upd_ev kind)
{
	d->todo.kind = UACT_NONE;
	step(d, (struct upd_event){.kind = kind,
			.ok = true,
			.soak = d->soak,
			.start_timeout = START_TIMEOUT,
			.content = {{44}}});
}

/* The machine is started anew: clock, process, and all that was only in memory. What runs is what
 * the boot layer names. */
static void power_up(struct device *d)
{
	struct err e;

	d->out->cuts++;
	d->boot_id++;
	d->mono = (ms_t)draw_uniform(&d->r, 5000, 20000);
	d->load.ended = 0;
	load_start(&d->load, d->boot.active == NEW ? d->fault : FAULT_NONE, d->mono);
	d->load.up += (ms_t)draw_uniform(&d->r, 10000, 40000);
	d->looked = d->mono;
	if (record_decode(buf_str(&d->journal), &d->rec, &e) < 0)
		snprintf(d->out->broken, sizeof d->out->broken, "%.*s", 150, e.text);
	d->todo.kind = UACT_NONE;
	step(d, (struct upd_event){.kind = UEV_POWER_UP, .ok = true});
}

/* ---- time ---- */

/* One look's time passes. False when the power went away: everything has begun anew. */
static bool pass(struct device *d)
{
	ms_t span = LOOK;

	if (trouble_pass(d, &span)) {
		power_up(d);
		return false;
	}
	d->mono += span;
	d->wall += span;
	d->total += span;
	load_pass(&d->load, d->mono, span, LOOK);
	return true;
}

static void look(struct device *d, struct sample out[LIMIT_TRIGGERS])
{
	ms_t span = d->mono - d->looked;

	for (unsigned i = 0; i < d->n; i++) {
		out[i] = (struct sample){.at = d->mono};
		if (trig_kind(&d->rule[i]) == TRIG_KIND_TALLY)
			out[i].n = d->load.ended - d->ended_seen;
		else
			load_sample(&d->load, &d->rule[i], d->with.excuse, d->mono, span, &out[i]);
	}
	d->ended_seen = d->load.ended;
	d->looked = d->mono;
	load_seen(&d->load, d->mono);
}

static void begin_looking(struct device *d)
{
	for (unsigned i = 0; i < d->n; i++)
		trig_init(&d->state[i], &d->window[i]);
	d->ended_seen = d->load.ended;
	d->looked = d->load.seen = d->mono;
}

/* ---- before the switch ---- */

static bool has_baseline(struct device *d)
{
	for (unsigned i = 0; i < d->n; i++) {
		if (d->rule[i].comparator == TRIG_CMP_BASELINE &&
			!trig_is_ready(&d->rule[i], &d->window[i]))
			return false;
	}
	return true;
}

/* What must keep the connection is switched to while there is one: the answer may be as old as
 * that. False: the power went away. */
static bool reaches_server(struct device *d)
{
	ms_t age = (ms_t)draw_uniform(&d->r, 0, (double)FRESH);

	if (!d->with.contact)
		return true;
	while (!load_reaches(&d->load))
		if (!pass(d))
			return false;
	while ((age -= LOOK) > 0)
		if (!pass(d))
			return false;
	return true;
}

static void do_ask_window(struct device *d)
{
	struct upd_event ev = {.kind = UEV_WINDOW, .ok = true, .n_trig = d->n};
	struct sample s[LIMIT_TRIGGERS];
	ms_t end = d->mono + BASELINE_WAIT;

	begin_looking(d);
	while (!has_baseline(d) && d->mono < end) {
		if (!pass(d))
			return;
		look(d, s);
		for (unsigned i = 0; i < d->n; i++)
			if (d->rule[i].comparator == TRIG_CMP_BASELINE)
				trig_gather(&d->rule[i], &d->window[i], &s[i]);
	}
	if (!reaches_server(d))
		return;
	for (unsigned i = 0; i < d->n; i++) {
		if (d->rule[i].comparator == TRIG_CMP_BASELINE)
			(void)trig_baseline(&d->rule[i], &d->window[i], &d->state[i]);
		ev.trig[i] = d->state[i];
	}
	d->todo.kind = UACT_NONE;
	step(d, ev);
}

/* ---- switch, start, and the way back ---- */

static bool becomes_ready(struct device *d)
{
	while (!load_is_ready(&d->load, d->mono))
		if (!pass(d))
			return false;
	return true;
}

static void do_try_next(struct device *d)
{
	if (d->switched == 0)
		d->switched = d->total;
	d->boot.active = NEW;
	answer(d, UEV_SWITCHED);
}

static void do_apply(struct device *d)
{
	load_start(&d->load, d->fault, d->mono);
	if (becomes_ready(d))
		answer(d, UEV_STARTED);
}

static void do_go_back(struct device *d)
{
	d->boot.active = OLD;
	answer(d, UEV_BACK);
}

static void do_restore(struct device *d)
{
	load_start(&d->load, FAULT_NONE, d->mono);
	if (becomes_ready(d))
		answer(d, UEV_RESTORED);
}

static void do_confirm(struct device *d)
{
	d->boot.confirmed = NEW;
	answer(d, UEV_CONFIRMED);
}

/* ---- the soak ---- */

static void say_soak(struct device *d, enum upd_ev kind, unsigned cause, const char *text)
{
	struct upd_event ev = {.kind = kind,
		.ok = true,
		.cause = cause,
		.n_trig = d->n,
		.soak_done = MIN(d->soaked, d->soak)};

	memcpy(ev.trig, d->state, d->n * sizeof ev.trig[0]);
	if (kind == UEV_TRIGGER)
		err_set(&ev.err, ERR_TRIGGERED, "%s", text);
	if (kind != UEV_CHECKPOINT)
		d->todo.kind = UACT_NONE;
	step(d, ev);
}

static bool fires(struct device *d, const struct sample *s)
{
	char text[160];

	for (unsigned i = 0; i < d->n; i++)
		trig_feed(&d->rule[i], &d->state[i], &d->window[i], &s[i]);
	for (unsigned i = 0; i < d->n; i++) {
		if (trig_eval(&d->rule[i], &d->state[i]) != TRIG_FIRE)
			continue;
		trig_explain(&d->rule[i], &d->state[i], text, sizeof text);
		say_soak(d, UEV_TRIGGER, d->rule[i].type, text);
		return true;
	}
	return false;
}

static bool may_accept(const struct device *d)
{
	for (unsigned i = 0; i < d->n; i++)
		if (!trig_may_accept(&d->rule[i], &d->state[i]))
			return false;
	return true;
}

static void do_watch(struct device *d)
{
	struct sample s[LIMIT_TRIGGERS];
	ms_t waited = 0, patience;

	begin_looking(d);
	memcpy(d->state, d->rec.trig, d->n * sizeof d->state[0]);
	d->soaked = d->rec.soak_done;
	patience = promise_patience(d->soak - d->soaked, LOST);
	for (;;) {
		if (!pass(d))
			return;
		look(d, s);
		d->soaked += LOOK;
		waited += LOOK;
		if (fires(d, s))
			return;
		if (d->soaked >= d->soak && may_accept(d)) {
			say_soak(d, UEV_SOAK_OVER, 0, "");
			return;
		}
		if (waited >= patience) {
			say_soak(d, UEV_TRIGGER, TRIG_UNDECIDED, "it could not be judged");
			return;
		}
		if (s[TALLY].n > 0 || waited % CHECKPOINT == 0)
			say_soak(d, UEV_CHECKPOINT, 0, "");
	}
}

/* ---- the whole ---- */

static void do_tail(struct device *d)
{
	struct outcome *o = d->out;

	o->taken_back = d->rec.state != UPD_COMMITTED;
	o->cause = d->rec.cause;
	snprintf(o->text, sizeof o->text, "%s", d->rec.why_text);
	o->recovered = d->total - d->switched;
	d->ended = true;
}

static void do_precond(struct device *d)
{
	answer(d, UEV_PRECOND);
}

static void do_stage(struct device *d)
{
	answer(d, UEV_STAGED);
}

static void do_smoke(struct device *d)
{
	answer(d, UEV_SMOKE);
}

static void do_wake(struct device *d)
{
	ms_t end = d->wall + 1;

	d->wall = MAX(end, d->todo.at);
	answer(d, UEV_TICK);
}

static void (*const doers[])(struct device *) = {
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
	[UACT_WAKE_AT] = do_wake,
};

static void order(struct device *d)
{
	upd_record_init(&d->rec);
	d->rec.slot_old = OLD;
	d->rec.slot_new = NEW;
	step(d, (struct upd_event){.kind = UEV_DESIRED,
			.ok = true,
			.slot = {{.mark = SLOT_VALID, .release = {"old"}, .document = {{2}}}},
			.goal = {.release = {"new"},
				.document = {{4}},
				.director_version = 4,
				.counter = 4}});
}

void episode_run(const struct episode *e, struct outcome *out)
{
	struct device d = {.r = {.s = e->seed},
		.fault = e->fault,
		.with = e->with,
		.trouble = {.kind = e->trouble},
		.out = out,
		.wall = 1700000000000,
		.mono = MINUTE(10),
		.boot_id = 1};

	*out = (struct outcome){.cause = TRIG_TYPE_MAX};
	d.soak = e->trouble == TROUBLE_FEW ? MINUTE(120) : MINUTE(60);
	rules_make(e, START_TIMEOUT, &d.n, d.rule);
	load_init(&d.load, &d.r, e->trouble == TROUBLE_FEW || e->trouble == TROUBLE_FEW_DEFAULTS);
	d.load.slower = draw_uniform(&d.r, 1.4, 2.5);
	d.load.wronger = draw_uniform(&d.r, 0.03, 0.1);
	if (e->fault == FAULT_DECIDES)
		d.load.wronger = draw_uniform(&d.r, 0, 1);
	load_start(&d.load, FAULT_NONE, 0);
	trouble_begin(&d);
	order(&d);
	while (!d.ended && !out->broken[0]) {
		if (d.todo.kind >= ARRAY_LEN(doers) || !doers[d.todo.kind]) {
			snprintf(out->broken, sizeof out->broken, "nothing to do in %s",
				upd_state_name(d.rec.state));
			break;
		}
		doers[d.todo.kind](&d);
	}
	out->soaked = d.soaked;
	buf_fini(&d.journal);
}
