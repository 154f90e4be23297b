/* The steady watch: after its commit a version is watched on, by the same triggers. Nothing is
 * taken back for it; the server compares what is newly rolled out with it. */
#include <stdio.h>
#include <string.h>

#include "agent/agent_priv.h"
#include "lib/sys/log.h"

#define SPAN_MIN SEC(10)
#define SPAN_MAX MINUTE(60)

struct steady_look {
	struct job job;
	struct agent *agent;
	const struct agent_world *w;
	void *probe;
	bool orphan; /* the watch has let go of the probe */
	ms_t mono;
	int rc;
	struct svc_view svc;
	struct sample sample[LIMIT_TRIGGERS];
};

static void look_run(struct job *job)
{
	struct steady_look *l = (struct steady_look *)job;

	l->rc = l->w->look(l->w->self, &l->svc, NULL);
	l->mono = l->w->clock.mono(l->w->clock.self);
	l->w->probe_look(l->probe, l->mono, l->sample);
}

/* ---- what a look says ---- */

static void trip(struct agent *a, const char *what, const char *text)
{
	struct steady *s = &a->telemetry.steady;

	if (s->tripped[0])
		return;
	snprintf(s->tripped, sizeof s->tripped, "%s", what);
	if (!s->was_tripped)
		ring_mark(a, what, text);
}

/* An alarm is told once a span. */
static void judge(struct agent *a, unsigned i)
{
	struct steady *s = &a->telemetry.steady;
	char text[LIMIT_TEXT];

	switch (trig_eval(&s->rule[i], &s->state[i])) {
	case TRIG_FIRE:
		trig_explain(&s->rule[i], &s->state[i], text, sizeof text);
		trip(a, trig_type_name(s->rule[i].type), text);
		break;
	case TRIG_ALARM:
		drift_tell(a, &s->release, &s->rule[i], &s->state[i], &s->alarmed[i]);
		break;
	case TRIG_QUIET:
	case TRIG_BLIND:
		break;
	}
}

static void feed(struct agent *a, const struct steady_look *l)
{
	struct steady *s = &a->telemetry.steady;
	uint64_t most = 0;

	for (unsigned i = 0; i < s->n; i++) {
		if (!watch_is_looked_at(&s->rule[i]))
			continue;
		trig_feed(&s->rule[i], &s->state[i], &s->window[i], &l->sample[i]);
		trig_gather(&s->rule[i], &s->gathered[i], &l->sample[i]);
		most = MAX(most, l->sample[i].n);
		judge(a, i);
	}
	s->samples += most;
}

/* As in a soak: a workload that has not run for so long has failed, whatever the triggers say. */
static void see_dead(struct agent *a, const struct steady_look *l)
{
	struct steady *s = &a->telemetry.steady;

	if (l->rc < 0)
		return;
	if (l->svc.alive)
		s->dead_since = 0;
	else if (!s->dead_since)
		s->dead_since = MAX(l->mono, 1);
	else if (l->mono - s->dead_since >= s->start_timeout)
		trip(a, trig_type_name(TRIG_START_FAILED), "the workload does not run");
}

/* What a device did just before is what it is compared with, as a version on trial is with what ran
 * just before it: a load that hits both alike then trips both alike. A bad span is no measure. */
static void renew_baselines(struct steady *s)
{
	for (unsigned i = 0; i < s->n; i++) {
		if (!s->tripped[0] && watch_wants_baseline(&s->rule[i]))
			(void)trig_baseline(&s->rule[i], &s->gathered[i], &s->state[i]);
		s->gathered[i] = (struct trig_window){0};
		s->alarmed[i] = false;
	}
}

static void end_span(struct agent *a, ms_t now)
{
	struct steady *s = &a->telemetry.steady;
	struct telemetry_item t = {
		.kind = TELEMETRY_WATCH, .at = agent_wall(a), .span = now - s->began};

	t.watch = (struct telemetry_watch){
		.at = t.at, .span = t.span, .release = s->release, .samples = s->samples};
	memcpy(t.watch.tripped, s->tripped, sizeof t.watch.tripped);
	telemetry_put(a, &t, 1);
	renew_baselines(s);
	s->was_tripped = s->tripped[0] != 0;
	s->tripped[0] = 0;
	s->samples = 0;
	s->began = now;
}

static void look_done(struct job *job)
{
	struct steady_look *l = (struct steady_look *)job;
	struct agent *a = l->agent;
	struct steady *s = &a->telemetry.steady;

	s->look = NULL;
	if (l->orphan) {
		a->w.probe_close(l->probe);
	} else if (!a->closing) {
		feed(a, l);
		see_dead(a, l);
		if (l->mono - s->began >= s->span)
			end_span(a, l->mono);
	}
	mem_free(&l);
}

/* ---- begin and end ---- */

void steady_end(struct agent *a)
{
	struct steady *s = &a->telemetry.steady;
	struct steady_look *look = s->look;

	if (s->probe && look && look->probe == s->probe)
		look->orphan = true;
	else if (s->probe)
		a->w.probe_close(s->probe);
	*s = (struct steady){.look = look};
}

static void fill(struct steady *s, const struct release *r)
{
	s->n = r->n_triggers;
	for (unsigned i = 0; i < s->n; i++) {
		s->rule[i] = r->triggers[i];
		trig_init(&s->state[i], &s->window[i]);
	}
	s->span = MAX(SPAN_MIN, MIN(SPAN_MAX, r->soak));
	s->start_timeout = r->start_timeout;
}

/* What cannot be read is not tried again before something else runs. */
static void begin(struct agent *a, const struct sha256 *document, ms_t now)
{
	struct steady *s = &a->telemetry.steady;
	struct release *r;
	struct err e = {0};

	steady_end(a);
	s->release = *document;
	s->began = s->next = now;
	r = agent_load_release(a->w.fs, document, &e);
	if (!r) {
		log_err(LOG_ID_ACTION_FAILED, &e, "action=steady release=%s",
			agent_running(a)->release.s);
		return;
	}
	fill(s, r);
	if (a->w.probe_open(a->w.self, s->rule, s->n, &s->probe, &e) < 0) {
		s->probe = NULL;
		log_err(LOG_ID_ACTION_FAILED, &e, "action=probe");
	}
	mem_free(&r);
}

static bool is_at_rest(const struct agent *a)
{
	return a->rec.state == UPD_IDLE && !sha256_is_zero(&agent_running(a)->document);
}

ms_t steady_next(const struct agent *a)
{
	const struct steady *s = &a->telemetry.steady;

	if (s->look || !is_at_rest(a))
		return NEVER;
	return s->probe || !sha256_eq(&s->release, &agent_running(a)->document) ? s->next : NEVER;
}

void steady_due(struct agent *a, ms_t now)
{
	struct steady *s = &a->telemetry.steady;
	struct steady_look *l;

	if (s->look || !is_at_rest(a))
		return;
	if (!sha256_eq(&s->release, &agent_running(a)->document))
		begin(a, &agent_running(a)->document, now);
	if (!s->probe || now < s->next)
		return;
	l = mem_new(sizeof *l);
	l->job = (struct job){.lane = LANE_SVC, .run = look_run, .done = look_done};
	l->agent = a;
	l->w = &a->w;
	l->probe = s->probe;
	s->look = l;
	s->next = now + MIN(a->conf->telemetry.look_interval, s->span / 2);
	jobs_submit(a->jobs, &l->job);
}
