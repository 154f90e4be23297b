/* A workload as it is seen from outside: requests with their latencies and failures, decisions,
 * scores, memory, heat. */
#include <math.h>
#include <string.h>

#include "tests/sim/matrix.h"

#define NEVER_UP    INT64_MAX
#define SPREAD      0.5  /* of the logarithm of a latency */
#define BUSY        0.35 /* of the machine, at the usual rate */
#define BY_CLOUD    0.3  /* share of requests that need the cloud */
#define CLOUD_RETRY 0.2  /* seconds that one of them takes longer when it fails */
#define CRASH_MEAN  (50 * MINUTE(60))
#define LOOP_MEAN   SEC(90)
#define LEAK        0.10 /* of its memory, a minute */
#define BLIP        0.002

static const double bound[LAT_BUCKETS] = {0.01, 0.02, 0.03, 0.04, 0.06, 0.08, 0.1, 0.125, 0.15, 0.2,
	0.25, 0.3, 0.4, 0.5, 1, 2.5, (double)INFINITY};
/* Deciles of the scores of the old version. */
static const double decile[SCORE_BINS - 1] = {
	-1.2816, -0.8416, -0.5244, -0.2533, 0, 0.2533, 0.5244, 0.8416, 1.2816};

void load_init(struct load *l, struct prng *r, bool few)
{
	*l = (struct load){.r = r,
		.rush = 1,
		.link = true,
		.carrier = true,
		.cloud = true,
		.server = true,
		.up = NEVER_UP};
	l->is.rate = few ? draw_uniform(r, 3, 6) : draw_uniform(r, 20, 40);
	l->is.median = 0.04 * exp(0.2 * draw_normal(r));
	l->is.errors = draw_uniform(r, 0.0002, 0.004);
	l->is.rejects = draw_uniform(r, 0.05, 0.15);
	l->is.memory = draw_uniform(r, 200, 800);
	l->is.start = (ms_t)draw_uniform(r, 8000, 20000);
}

void load_start(struct load *l, enum fault_kind how, ms_t now)
{
	l->fault = how;
	l->born = now;
	l->up = now + l->is.start + (ms_t)draw_uniform(l->r, 0, 2000);
}

bool load_is_ready(const struct load *l, ms_t now)
{
	return now >= l->up;
}

/* Back to the mean within minutes (Ornstein and Uhlenbeck, in steps). */
static void wobble(struct prng *r, double *w, double deviation, ms_t span)
{
	double keep = exp(-(double)span / (double)MINUTE(3));

	*w = *w * keep + deviation * sqrt(1 - keep * keep) * draw_normal(r);
}

void load_pass(struct load *l, ms_t now, ms_t span, ms_t awake)
{
	double mean = (double)(l->fault == FAULT_CRASHES ? LOOP_MEAN : CRASH_MEAN);

	wobble(l->r, &l->wobble, 0.03, span);
	wobble(l->r, &l->reject_wobble, 0.003, span);
	if (!load_is_ready(l, now) || draw_uniform(l->r, 0, 1) > (double)awake / mean)
		return;
	l->ended++;
	load_start(l, l->fault, now);
}

/* ---- what a page of metrics would say ---- */

/* A queue: what is busier answers later. */
static double slowness(const struct load *l)
{
	double busy = fmin(BUSY * l->rush * (l->fault == FAULT_SLOW ? l->slower : 1), 0.95);

	return (1 - BUSY) / (1 - busy) * exp(l->wobble) * (l->fault == FAULT_SLOW ? l->slower : 1);
}

static double below(double median, double x)
{
	return x <= 0 ? 0 : normal_below(log(x / median) / SPREAD);
}

static bool has_network(const struct load *l)
{
	return l->link && l->fault != FAULT_CUT;
}

static bool is_cut_off(const struct load *l)
{
	return !has_network(l) || !l->cloud;
}

bool load_reaches(const struct load *l)
{
	return has_network(l) && l->server;
}

/* As probe_server does: a machine without a link is not asked to reach anybody. */
static void sample_server(const struct load *l, struct sample *out)
{
	out->n = 1;
	out->bad = !load_reaches(l);
	out->blind = out->bad && !l->carrier;
}

static void sample_latency(struct load *l, double n, bool excuse, struct sample *out)
{
	double median = l->is.median * slowness(l), late = is_cut_off(l) ? BY_CLOUD : 0, before = 0;

	out->hist.n = LAT_BUCKETS;
	for (unsigned i = 0; i < LAT_BUCKETS; i++) {
		double upto = i + 1 == LAT_BUCKETS
				      ? 1
				      : (1 - late) * below(median, bound[i]) +
						late * below(median, bound[i] - CLOUD_RETRY);

		out->hist.le[i] = bound[i];
		out->hist.count[i] = draw_poisson(l->r, n * (upto - before));
		before = upto;
	}
	out->n = hist_total(&out->hist);
	out->bad = excuse ? draw_poisson(l->r, n * late) : 0;
}

static void sample_errors(struct load *l, double n, bool excuse, struct sample *out)
{
	double share =
		l->is.errors * exp(2 * l->wobble) + (l->fault == FAULT_ERRORS ? l->wronger : 0);
	uint64_t others = is_cut_off(l) ? draw_poisson(l->r, n * BY_CLOUD) : 0;

	out->bad = draw_poisson(l->r, n * share);
	out->n = draw_poisson(l->r, n * (1 - share)) + out->bad;
	if (!excuse) {
		out->n += others;
		out->bad += others;
	}
}

/* One decision in two requests. */
static void sample_rejects(struct load *l, double n, struct sample *out)
{
	double share = l->is.rejects + l->reject_wobble;

	if (l->fault == FAULT_DECIDES)
		share += l->wronger > 0.5 ? 0.07 : -0.045;
	share = fmax(share, 0.001);
	out->bad = draw_poisson(l->r, n / 2 * share);
	out->n = draw_poisson(l->r, n / 2 * (1 - share)) + out->bad;
}

static void sample_scores(struct load *l, double n, const struct trig_rule *r, struct sample *out)
{
	double shift = l->fault == FAULT_DRIFT ? 0.8 : l->wobble, before = 0;

	out->hist.n = r->n_edges + 1;
	for (unsigned i = 0; i < out->hist.n; i++) {
		double upto = i < r->n_edges ? normal_below(decile[i] - shift) : 1;

		out->hist.le[i] = i < r->n_edges ? r->edge[i] : (double)INFINITY;
		out->hist.count[i] = draw_poisson(l->r, n / 4 * (upto - before));
		before = upto;
	}
	out->n = hist_total(&out->hist);
}

/* Counters go on while nobody looks, and begin anew with the process. */
static void sample_metrics(
	struct load *l, const struct trig_rule *r, bool excuse, ms_t now, struct sample *out)
{
	ms_t span = now - MAX(l->seen, l->up);
	double n = l->is.rate * l->rush * (double)span / 1000.0;

	out->blind = l->blind || !load_is_ready(l, now);
	if (out->blind)
		return;
	if (r->type == TRIG_LATENCY)
		sample_latency(l, n, excuse, out);
	else if (r->type == TRIG_ERROR_RATE)
		sample_errors(l, n, excuse, out);
	else if (r->type == TRIG_DRIFT)
		sample_scores(l, n, r, out);
	else
		sample_rejects(l, n, out);
}

/* ---- what the machine would say ---- */

static double memory_of(const struct load *l, ms_t now)
{
	double minutes = (double)(now - l->born) / (double)MINUTE(1);

	return l->is.memory * (1 + 0.02 * draw_normal(l->r) + 0.1 * (l->rush - 1)) *
	       (l->fault == FAULT_LEAK ? 1 + LEAK * minutes : 1);
}

static double pressure_of(const struct load *l)
{
	double busy = fmin(BUSY * l->rush * (l->fault == FAULT_SLOW ? l->slower : 1), 1);

	return fmin(fmax(busy * busy + 0.05 * draw_normal(l->r), 0), 1);
}

static void sample_usage(struct load *l, const struct trig_rule *r, ms_t now, struct sample *out)
{
	const char *of = trig_measure_of(r)->of;

	out->blind = l->blind || l->up == NEVER_UP;
	out->n = 1;
	out->sum = strcmp(of, "memory") == 0 ? memory_of(l, now)
		   : strcmp(of, "cpu") == 0  ? pressure_of(l)
					     : 1000;
}

static void sample_heat(struct load *l, const struct trig_rule *r, ms_t span, struct sample *out)
{
	bool hot = l->fault == FAULT_HOT;

	out->blind = l->blind;
	out->n = 1;
	if (trig_kind(r) == TRIG_KIND_SUM)
		out->sum = hot ? draw_uniform(l->r, 0.6, 1) * (double)span / 1000.0 : 0;
	else
		out->sum = 45 + 35 * BUSY * l->rush + (hot ? 30 : 0) + draw_normal(l->r);
}

/* Asked at every look, as probe_health does. */
static void sample_health(struct load *l, ms_t now, struct sample *out)
{
	double bad = l->fault == FAULT_SICK ? 0.9 : BLIP;

	out->n = 1;
	out->bad = !load_is_ready(l, now) || draw_uniform(l->r, 0, 1) < bad;
}

void load_sample(struct load *l, const struct trig_rule *r, bool excuse, ms_t now, ms_t span,
	struct sample *out)
{
	if (trig_source(r) == TRIG_SRC_METRICS)
		sample_metrics(l, r, excuse, now, out);
	else if (trig_source(r) == TRIG_SRC_USAGE)
		sample_usage(l, r, now, out);
	else if (trig_source(r) == TRIG_SRC_THERMAL)
		sample_heat(l, r, span, out);
	else if (trig_source(r) == TRIG_SRC_HEALTH)
		sample_health(l, now, out);
	else if (trig_source(r) == TRIG_SRC_SERVER)
		sample_server(l, out);
}

void load_seen(struct load *l, ms_t now)
{
	if (!l->blind && load_is_ready(l, now))
		l->seen = now;
}
