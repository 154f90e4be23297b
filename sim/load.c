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

struct load {
	uint64_t requests, errors, checks, unhealthy, ends;
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

static uint32_t amount(const struct course *m, uint32_t device, enum scenario_fault_kind fault,
	enum scenario_weather_kind weather)
{
	uint32_t of_release = twin_runs_new(&m->v[device]) ? fault_amount(m, device, fault) : 0;

	return MAX(of_release, m->weather ? weather_amount(m, device, weather) : 0);
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

static void run_workload(struct course *m, uint32_t device, ms_t span, struct load *l)
{
	const struct scenario_group *g = m->kinds[m->v[device].kind].group;
	uint32_t slow = amount(m, device, FAULT_SLOW, WEATHER_SLOW);
	uint32_t quiet = m->weather ? weather_amount(m, device, WEATHER_QUIET) : 0;
	uint32_t errors = MAX(g->errors, amount(m, device, FAULT_ERRORS, WEATHER_ERRORS));
	uint32_t sick = MAX(g->unhealthy, amount(m, device, FAULT_HEALTH, WEATHER_HEALTH));
	double hours = (double)span / (double)MINUTE(60);

	l->requests = poisson(m, g->per_minute * hours * 60 * (quiet ? quiet / 1000.0 : 1));
	l->errors = MIN(l->requests, poisson(m, (double)l->requests * errors / PPM));
	l->checks = 1;
	l->unhealthy = course_happens(m, sick);
	l->ends = poisson(
		m, hours * (g->ends_per_day / 24.0 +
				   (twin_runs_new(&m->v[device])
						   ? fault_amount(m, device, FAULT_CRASH_LOOP)
						   : 0)));
	spread_latency(m, g->latency_micro / 1e6 * (slow ? slow / 1000.0 : 1), l);
}

/* What nothing here can see is blind. */
static void sample_of(const struct load *l, const struct trig_rule *r, struct sample *x)
{
	switch (r->type) {
	case TRIG_CRASH_LOOP:
		x->n = l->ends;
		break;
	case TRIG_HEALTH_FAILED:
		x->n = l->checks;
		x->bad = l->unhealthy;
		break;
	case TRIG_ERROR_RATE:
		x->n = l->requests;
		x->bad = l->errors;
		break;
	case TRIG_LATENCY:
		x->hist = l->latency;
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
	struct load l = {0};

	if (!m->edge[0])
		set_edges(m);
	if (w->runs < SLOT_COUNT)
		run_workload(m, device, span, &l);
	w->trial->ended += (uint32_t)l.ends;
	for (unsigned i = 0; i < m->sc->n_triggers; i++) {
		out[i] = (struct sample){.at = m->now};
		sample_of(&l, &m->sc->triggers[i], &out[i]);
	}
	m->r.looks++;
}
