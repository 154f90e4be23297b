#include "agent/telemetry.h"

#include <stdio.h>
#include <string.h>

#include "agent/agent_priv.h"
#include "lib/sys/log.h"

#define ON_TRIAL 5 /* so many times as often is looked while an update is on trial */

struct meter_look {
	struct job job;
	struct agent *agent;
	const struct agent_world *w;
	ms_t mono;
	struct measure seen;
};

/* ---- the lane ---- */

static void look_run(struct job *job)
{
	struct meter_look *l = (struct meter_look *)job;

	l->w->measure(l->w->self, &l->seen);
	l->mono = l->w->clock.mono(l->w->clock.self);
}

/* ---- what a look says ---- */

static void see_machine(struct telemetry *t, const struct measure *m, struct telemetry_window *out)
{
	if (m->has_cpu && t->has_cpu && m->cpu.all > t->cpu.all && m->cpu.busy >= t->cpu.busy)
		telemetry_add_gauge(out, "cpu_busy_ratio",
			(double)(m->cpu.busy - t->cpu.busy) / (double)(m->cpu.all - t->cpu.all));
	t->has_cpu = m->has_cpu;
	t->cpu = m->cpu;
	if (m->has_pressure)
		telemetry_add_gauge(out, "cpu_pressure_ratio", (double)m->cpu_permille / 1000);
	if (m->has_memory) {
		telemetry_add_gauge(out, "memory_total_bytes", (double)m->memory.total);
		telemetry_add_gauge(out, "memory_available_bytes", (double)m->memory.available);
	}
	if (m->has_disk)
		telemetry_add_gauge(out, "disk_free_bytes", (double)m->disk_free);
	if (m->has_temperature)
		telemetry_add_gauge(out, "temperature_celsius", (double)m->milli_c / 1000);
}

static void see_workload(struct agent *a, const struct measure *m, struct telemetry_window *v)
{
	const struct steady *s = &a->telemetry.steady;
	bool rest = a->rec.state == UPD_IDLE;
	const struct meter_rules rules = {.metrics = a->conf->telemetry.metrics,
		.model = a->conf->telemetry.model,
		.rule = rest ? s->rule : a->watch.rule,
		.n_rules = rest ? s->n : a->watch.n};
	struct err e = {0};

	if (!m->has_page)
		return;
	if (meter_take(&a->telemetry.meter, &rules, buf_str(&m->page),
		    &v[TELEMETRY_LAYER_INFERENCE], &v[TELEMETRY_LAYER_MODEL], &e) == 0)
		return;
	telemetry_window_fini(&v[TELEMETRY_LAYER_INFERENCE]);
	telemetry_window_fini(&v[TELEMETRY_LAYER_MODEL]);
}

static void label(
	const struct agent *a, ms_t span, enum telemetry_layer layer, struct telemetry_window *w)
{
	w->at = agent_wall(a);
	w->span = span;
	w->layer = layer;
	w->release = agent_running(a)->document;
	snprintf(w->slot, sizeof w->slot, "%s",
		agent_running_slot(a) < SLOT_COUNT ? slot_name(agent_running_slot(a)) : "");
}

static void add_to_open(struct telemetry *t, const struct telemetry_window *w)
{
	struct telemetry_window *open = &t->open[w->layer];

	if (telemetry_window_is_empty(open))
		telemetry_window_copy(w, open);
	else
		telemetry_merge(open, w);
}

/* Several windows are stored at once: one writing of the disk a minute. */
static void close_windows(struct agent *a)
{
	struct telemetry *t = &a->telemetry;
	struct telemetry_item v[TELEMETRY_LAYER_MAX];
	unsigned n = 0;

	for (unsigned i = 0; i < TELEMETRY_LAYER_MAX; i++) {
		struct telemetry_window *w = &t->open[i];

		if (telemetry_window_is_empty(w))
			continue;
		v[n++] = (struct telemetry_item){
			.kind = TELEMETRY_WINDOW, .at = w->at, .span = w->span, .window = *w};
		*w = (struct telemetry_window){0};
	}
	if (n)
		telemetry_put(a, v, n);
	while (n)
		telemetry_item_fini(&v[--n]);
}

/* The first look only says from where is counted. */
static void take(struct agent *a, const struct meter_look *l)
{
	struct telemetry *t = &a->telemetry;
	struct telemetry_window v[TELEMETRY_LAYER_MAX] = {{0}};
	bool first = t->looked == 0;
	ms_t span = first ? 0 : l->mono - t->looked;

	see_machine(t, &l->seen, &v[TELEMETRY_LAYER_DEVICE]);
	see_workload(a, &l->seen, v);
	t->looked = MAX(l->mono, 1);
	if (first)
		t->opened = t->looked;
	for (unsigned i = 0; i < TELEMETRY_LAYER_MAX; i++) {
		label(a, span, i, &v[i]);
		if (!first && !telemetry_window_is_empty(&v[i])) {
			add_to_open(t, &v[i]);
			ring_add(a, &v[i]);
		}
		telemetry_window_fini(&v[i]);
	}
	if (t->looked - t->opened >= a->conf->telemetry.interval) {
		close_windows(a);
		t->opened = t->looked;
	}
}

static void look_done(struct job *job)
{
	struct meter_look *l = (struct meter_look *)job;
	struct agent *a = l->agent;

	a->telemetry.look = NULL;
	if (!a->closing)
		take(a, l);
	measure_fini(&l->seen);
	mem_free(&l);
}

static ms_t look_every(const struct agent *a)
{
	ms_t every = a->conf->telemetry.look_interval;
	bool trial = a->rec.state >= UPD_SWITCHING && upd_is_busy(a->rec.state);

	return trial ? MAX(every / ON_TRIAL, a->conf->agent.watch_interval) : every;
}

static void look_due(struct agent *a, ms_t now)
{
	struct telemetry *t = &a->telemetry;
	struct meter_look *l;

	if (!a->w.measure || t->look || now < t->next)
		return;
	l = mem_new(sizeof *l);
	l->job = (struct job){.lane = LANE_METER, .run = look_run, .done = look_done};
	l->agent = a;
	l->w = &a->w;
	t->look = l;
	t->next = now + look_every(a);
	jobs_submit(a->jobs, &l->job);
}

/* ---- the driver's part ---- */

void telemetry_put(struct agent *a, struct telemetry_item *v, unsigned n)
{
	struct err e = {0};
	bool soon = false;

	if (telequeue_put(a->telemetry.queue, v, n, &e) < 0) {
		log_err(LOG_ID_ACTION_FAILED, &e, "action=telemetry kind=%s",
			telemetry_kind_name(v[0].kind));
		return;
	}
	for (unsigned i = 0; i < n; i++)
		soon |= !telemetry_is_detail(v[i].kind);
	if (soon)
		courier_hurry(a);
}

void telemetry_open(struct agent *a)
{
	struct telemetry *t = &a->telemetry;
	struct err e = {0};

	if (!a->conf->telemetry.enabled || !a->conf->server.url[0])
		return;
	if (telequeue_open(a->w.fs, a->conf->telemetry.queue, agent_random(a), &t->queue, &e) < 0)
		log_err(LOG_ID_ACTION_FAILED, &e, "action=telemetry");
}

void telemetry_due(struct agent *a, ms_t now)
{
	if (!a->telemetry.queue || a->rescue[0])
		return;
	look_due(a, now);
	steady_due(a, now);
	courier_due(a, now);
}

ms_t telemetry_next(const struct agent *a)
{
	const struct telemetry *t = &a->telemetry;
	ms_t at;

	if (!t->queue || a->rescue[0])
		return NEVER;
	at = t->look || !a->w.measure ? NEVER : t->next;
	at = MIN(at, steady_next(a));
	return MIN(at, courier_next(a));
}

void telemetry_moved(struct agent *a)
{
	if (!a->telemetry.queue)
		return;
	a->telemetry.next = MIN(a->telemetry.next, agent_mono(a) + look_every(a));
	if (a->rec.state != UPD_IDLE)
		steady_end(a);
	if (a->rec.state == UPD_STUCK)
		ring_mark(a, upd_state_name(a->rec.state), a->rec.why_text);
}

void telemetry_flush(struct agent *a)
{
	if (!a->telemetry.queue)
		return;
	close_windows(a);
	ring_flush(a);
}

void telemetry_close(struct agent *a)
{
	struct telemetry *t = &a->telemetry;

	for (unsigned i = 0; i < TELEMETRY_LAYER_MAX; i++)
		telemetry_window_fini(&t->open[i]);
	ring_fini(&t->ring);
	steady_end(a);
	telequeue_close(&t->queue);
}

json_t *telemetry_answer(const struct agent *a)
{
	const struct courier *c = &a->telemetry.courier;
	struct telequeue_view v;

	if (!a->telemetry.queue)
		return json_null();
	telequeue_look(a->telemetry.queue, &v);
	return json_pack("{si sI sI sI sI sI ss ss}", "waiting", (int)v.waiting, "bytes",
		(json_int_t)v.bytes, "dropped", (json_int_t)v.dropped, "items", (json_int_t)v.last,
		"batches_sent", (json_int_t)c->sent, "acked_at", (json_int_t)c->ok_wall, "code",
		err_name(c->err.code), "reason", c->err.text);
}
