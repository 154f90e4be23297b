/* What a workload does between two looks of its agent: requests, failures, latencies, health
 * checks, ends. The same for old and new but for the faults of the release; the weather hits both.
 */
#include <math.h>

#include "sim/course_priv.h"

/* How latencies are spread around their median, in thousandths of it, and how many of a thousand
 * requests: a long tail, p99 at about four times the median. */
static const struct {
	uint32_t times, parts;
} spread[] = {{400, 50}, {600, 100}, {800, 200}, {1000, 300}, {1300, 200}, {1800, 90}, {2500, 42},
	{3800, 14}, {6000, 4}};

#define FIRST_EDGE 0.001 /* seconds; each next bucket is a third wider, up to some seconds */
#define EDGE_STEP  1.33

/* Confidence of a model, between 0 and 1. */
#define USUAL_SCORE 0.7
#define SCORE_WIDTH 0.08

struct load {
	uint64_t requests, errors, excused, rejects, unhealthy, ends;
	double score; /* around which the scores lie */
	bool reached; /* its server */
	struct hist latency;
};

/* ---- chance ---- */

static double unit(struct course *m)
{
	return (double)(prng_next(&m->random) >> 11) * 0x1p-53;
}

/* Knuth, The Art of Computer Programming 3.4.1: the product of uniform numbers. */
static uint64_t few(struct course *m, double mean)
{
	double limit = exp(-mean), product = unit(m);
	uint64_t n = 0;

	for (; product > limit; n++)
		product *= unit(m);
	return n;
}

/* The sum of twelve uniform numbers is as good as normal here. */
static uint64_t many(struct course *m, double mean)
{
	double sum = -6;

	for (unsigned i = 0; i < 12; i++)
		sum += unit(m);
	return (uint64_t)MAX(0.0, mean + sqrt(mean) * sum + 0.5);
}

static uint64_t poisson(struct course *m, double mean)
{
	if (mean <= 0)
		return 0;
	return mean < 12 ? few(m, mean) : many(m, mean);
}

/* ---- what is going on ---- */

static bool begins_to_fail(
	const struct course *m, const struct twin *w, const struct scenario_fault *f)
{
	return w->trial && w->trial->started && m->now - w->trial->started >= f->onset;
}

/* The most that the faults of this kind amount to, 0 when none does. */
static uint32_t fault_amount(const struct course *m, uint32_t device, enum scenario_fault_kind what)
{
	const struct twin *w = &m->v[device];
	uint32_t most = 0;

	if (!twin_runs_new(w))
		return 0;
	for (unsigned i = 0; w->faults >> i; i++)
		if (w->faults >> i & 1 && m->sc->faults[i].what == what &&
			begins_to_fail(m, w, &m->sc->faults[i]))
			most = MAX(most, m->sc->faults[i].amount);
	return most;
}

static uint32_t weather_amount(
	const struct course *m, uint32_t device, enum scenario_weather_kind what)
{
	uint32_t mask = m->weather & m->kinds[m->v[device].kind].weather, most = 0;

	for (unsigned i = 0; mask >> i; i++)
		if (mask >> i & 1 && m->sc->weather[i].what == what && kind_is_hit(m, device, i))
			most = MAX(most, m->sc->weather[i].amount);
	return most;
}

/* ---- a look ---- */

static void spread_latency(struct course *m, double median, struct load *l)
{
	l->latency.n = LIMIT_HIST_BUCKETS;
	for (unsigned i = 0; i < LIMIT_HIST_BUCKETS; i++) {
		l->latency.le[i] = m->edge[i];
		l->latency.count[i] = 0;
	}
	for (unsigned i = 0; i < ARRAY_LEN(spread); i++) {
		double value = median * spread[i].times / 1000;
		unsigned k = 0;

		while (value > m->edge[k])
			k++;
		l->latency.count[k] += poisson(m, (double)l->requests * spread[i].parts / 1000);
	}
}

/* What the cloud answers is known to be the cloud's, and counted as such beside. */
static void fail_some(struct course *m, uint32_t device, struct load *l)
{
	const struct scenario_group *g = m->kinds[m->v[device].kind].group;
	uint32_t own = MAX(g->errors, fault_amount(m, device, FAULT_ERRORS));
	uint32_t cloud = weather_amount(m, device, WEATHER_ERRORS);
	uint32_t sick = MAX(MAX(g->unhealthy, fault_amount(m, device, FAULT_HEALTH)),
		weather_amount(m, device, WEATHER_HEALTH));
	uint32_t rejects = MAX(g->rejects, fault_amount(m, device, FAULT_REJECTS));

	l->excused = MIN(l->requests, poisson(m, (double)l->requests * cloud / PPM));
	l->errors = MIN(l->requests,
		l->excused + poisson(m, (double)(l->requests - l->excused) * own / PPM));
	l->rejects = MIN(l->requests, poisson(m, (double)l->requests * rejects / PPM));
	l->unhealthy = course_happens(m, sick);
}

static void run_workload(struct course *m, uint32_t device, ms_t span, struct load *l)
{
	const struct scenario_group *g = m->kinds[m->v[device].kind].group;
	uint32_t slow =
		MAX(fault_amount(m, device, FAULT_SLOW), weather_amount(m, device, WEATHER_SLOW));
	uint32_t quiet = weather_amount(m, device, WEATHER_QUIET);
	uint32_t crashes = fault_amount(m, device, FAULT_CRASH_LOOP);
	double hours = (double)span / (double)MINUTE(60);

	l->requests = poisson(m, g->per_minute * hours * 60 * (quiet ? quiet / 1000.0 : 1));
	fail_some(m, device, l);
	l->ends = poisson(m, hours * (g->ends_per_day / 24.0 + crashes));
	l->score = USUAL_SCORE - fault_amount(m, device, FAULT_DRIFT) / 1000.0;
	spread_latency(m, g->latency_micro / 1e6 * (slow ? slow / 1000.0 : 1), l);
}

/* ---- what a rule sees of it ---- */

/* How many scores lie below, of a logistic distribution. */
static double below(const struct load *l, double edge)
{
	return 1 / (1 + exp((l->score - edge) / SCORE_WIDTH));
}

static void bin_scores(
	struct course *m, const struct load *l, const struct trig_rule *r, struct hist *out)
{
	double before = 0;

	out->n = r->n_edges + 1;
	for (unsigned i = 0; i <= r->n_edges; i++) {
		double until = i < r->n_edges ? below(l, r->edge[i]) : 1;

		out->le[i] = i < r->n_edges ? r->edge[i] : (double)INFINITY;
		out->count[i] = poisson(m, (double)l->requests * (until - before));
		before = until;
	}
}

static void see_metrics(
	struct course *m, const struct load *l, const struct trig_rule *r, struct sample *x)
{
	uint64_t excused = r->excused[0] ? l->excused : 0;

	switch (trig_kind(r)) {
	case TRIG_KIND_RATIO:
		x->n = l->requests - excused;
		x->bad = l->errors - excused;
		break;
	case TRIG_KIND_SHIFT:
		x->n = l->requests;
		x->bad = l->rejects;
		break;
	case TRIG_KIND_QUANTILE:
		x->hist = l->latency;
		break;
	case TRIG_KIND_DISTANCE:
		bin_scores(m, l, r, &x->hist);
		break;
	default:
		x->blind = true;
	}
}

/* What nothing here can see is blind: heat, memory, processors. */
static void see(struct course *m, const struct load *l, const struct trig_rule *r, struct sample *x)
{
	switch (trig_source(r)) {
	case TRIG_SRC_SVC:
		x->n = l->ends;
		break;
	case TRIG_SRC_HEALTH:
		x->n = 1;
		x->bad = l->unhealthy;
		break;
	case TRIG_SRC_SERVER:
		x->n = 1;
		x->bad = !l->reached;
		break;
	case TRIG_SRC_METRICS:
		see_metrics(m, l, r, x);
		break;
	default:
		x->blind = true;
	}
}

static void set_edges(struct course *m)
{
	double edge = FIRST_EDGE;

	for (unsigned i = 0; i + 1 < LIMIT_HIST_BUCKETS; i++, edge *= EDGE_STEP)
		m->edge[i] = edge;
	m->edge[LIMIT_HIST_BUCKETS - 1] = (double)INFINITY;
}

void load_look(struct course *m, uint32_t device, ms_t span, struct sample out[LIMIT_TRIGGERS])
{
	struct twin *w = &m->v[device];
	struct load l = {.unhealthy = 1, .reached = reach_is_up(m, device, m->now)};

	if (m->edge[0] == 0)
		set_edges(m);
	if (w->runs < SLOT_COUNT)
		run_workload(m, device, span, &l);
	if (w->trial)
		w->trial->ended += (uint32_t)l.ends;
	for (unsigned i = 0; i < m->sc->n_triggers; i++) {
		out[i] = (struct sample){.at = m->now};
		see(m, &l, &m->sc->triggers[i], &out[i]);
	}
	m->r.looks++;
}
