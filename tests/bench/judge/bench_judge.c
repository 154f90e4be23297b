/* bench_judge [RUNS [SEED]]: the operating characteristics of the judge by simulation, beside the
 * ones that were published for these tests. What is simulated is the server's own judge. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/prng.h"
#include "server/core/evalue.h"
#include "server/core/judge.h"

#define CAP      500U  /* canaries in which an abort is waited for */
#define LONG_CAP 2000U /* and in which a false one may come */
#define BASE     0.005 /* of the devices fail in any case */
#define SIGMAS   3     /* a difference of chance in both numbers */
#define THEIRS   3000U /* runs of a published number, at least */

static struct prng seed;
static unsigned runs = 4000, compared, differing;

static double uniform(void)
{
	return (double)(prng_next(&seed) >> 11) / 9007199254740992.0;
}

static bool happens(double p)
{
	return uniform() < p;
}

static void step(const struct judge_rule *r, struct judge_state *s, struct judge_event ev)
{
	struct err e;

	if (judge_step(r, s, &ev, s, &e) < 0) {
		fprintf(stderr, "bench_judge: %s\n", e.text);
		exit(1);
	}
}

static void outcome(const struct judge_rule *r, struct judge_state *s, enum judge_arm arm,
	int32_t n, int32_t bad)
{
	step(r, s, (struct judge_event){.kind = JEV_OUTCOME, .arm = arm, .n = n, .bad = bad});
	if (s->asked) /* nothing has changed for the control group: the same again */
		step(r, s, (struct judge_event){.kind = JEV_BEGUN});
}

/* ---- beside what was published ---- */

static const char *mark(bool fits)
{
	compared++;
	differing += !fits;
	return fits ? "" : " (!)";
}

/* Both numbers were simulated; the published one was rounded to `unit`. In per cent. */
static void print_share(unsigned hits, unsigned n, double published, double unit)
{
	double p = hits / (double)n, q = published / 100;
	double sd = 100 * sqrt(p * (1 - p) / n + q * (1 - q) / THEIRS);

	printf(" %.1f [%g]%s |", 100 * p, published,
		mark(fabs(100 * p - published) <= unit / 2 + SIGMAS * sd + 100.0 / n));
}

static int by_value(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static uint32_t at_rank(const uint32_t *v, double rank)
{
	long i = lround(rank);

	return v[i < 0 ? 0 : i >= (long)runs ? runs - 1 : (unsigned)i];
}

static void print_quantile(const uint32_t *sorted, double q, unsigned published)
{
	double wide = SIGMAS * runs * sqrt(q * (1 - q) * (1.0 / runs + 1.0 / THEIRS));
	uint32_t low = at_rank(sorted, q * runs - wide), high = at_rank(sorted, q * runs + wide);

	printf(" %u [%u]%s |", at_rank(sorted, q * runs), published,
		mark(published + 1 >= low && published <= high + 1));
}

/* ---- two arms ---- */

/* One canary after the other, and `controls` devices of the control group with each; looked at
 * after every failure. The canary at which it aborts, or cap + 1. */
static uint32_t canaries_to_abort(
	const struct judge_rule *r, unsigned controls, double rate, uint32_t cap)
{
	struct judge_state s;
	int32_t waiting = 0;

	judge_init(&s);
	step(r, &s, (struct judge_event){.kind = JEV_WAVE, .share = 1000000 / (1 + controls)});
	for (uint32_t n = 1; n <= cap; n++) {
		for (unsigned c = 0; c < controls; c++)
			if (happens(BASE))
				outcome(r, &s, JUDGE_CONTROL, 1, 1);
		waiting++;
		if (happens(rate)) {
			outcome(r, &s, JUDGE_CANARY, waiting, 1);
			waiting = 0;
		}
		if (s.verdict == JUDGE_ABORT)
			return n;
	}
	return cap + 1;
}

static unsigned count_aborts(
	const struct judge_rule *r, unsigned controls, double rate, uint32_t cap)
{
	unsigned n = 0;

	for (unsigned i = 0; i < runs; i++)
		n += canaries_to_abort(r, controls, rate, cap) <= cap;
	return n;
}

static void print_times(
	const struct judge_rule *r, unsigned controls, double rate, const unsigned published[2])
{
	uint32_t *at = calloc(runs, sizeof *at);

	for (unsigned i = 0; at && i < runs; i++)
		at[i] = canaries_to_abort(r, controls, rate, CAP);
	if (!at)
		abort();
	qsort(at, runs, sizeof *at, by_value);
	print_quantile(at, 0.5, published[0]);
	print_quantile(at, 0.9, published[1]);
	free(at);
}

static void two_arm(void)
{
	static const double rates[] = {0.05, 0.1, 0.2, 0.5};
	static const struct {
		uint32_t alpha;
		unsigned controls;
		double type_1;
		unsigned at[4][2];
		double at_2;
	} rows[] = {
		{50000, 1, 2.2, {{148, 321}, {63, 119}, {30, 52}, {12, 18}}, 41},
		{50000, 4, 2.2, {{74, 185}, {31, 68}, {15, 29}, {6, 10}}, 64},
		{50000, 9, 1.7, {{60, 170}, {23, 61}, {10, 25}, {4, 8}}, 68},
		{10000, 1, 0.5, {{206, 419}, {88, 161}, {41, 66}, {16, 23}}, 22},
		{10000, 4, 0.5, {{104, 238}, {43, 87}, {20, 36}, {8, 12}}, 44},
		{10000, 9, 0.2, {{92, 212}, {35, 74}, {15, 31}, {6, 10}}, 49},
	};

	puts("\n## Two arms: canaries until it aborts, base 0.5 %, looked at after every failure\n");
	puts("| alpha | control : canary | false aborts in 2,000, % | 5 %: median | 90 % | 10 %: median | 90 % "
	     "| 20 %: median | 90 % | 50 %: median | 90 % | finds 2 % within 500, % |\n"
	     "|---|---|---|---|---|---|---|---|---|---|---|---|");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct judge_rule r = {
			.abort_alpha = rows[i].alpha, .base = {5000}, .metrics = 1, .strata = 1};

		printf("| %.2f | %u |", rows[i].alpha / 1e6, rows[i].controls);
		print_share(count_aborts(&r, rows[i].controls, BASE, LONG_CAP), runs,
			rows[i].type_1, 0.1);
		for (size_t k = 0; k < ARRAY_LEN(rates); k++)
			print_times(&r, rows[i].controls, rates[k], rows[i].at[k]);
		print_share(count_aborts(&r, rows[i].controls, 0.02, CAP), runs, rows[i].at_2, 1);
		puts("");
		fflush(stdout);
	}
}

/* ---- one wave, three outcomes ---- */

static enum judge_verdict one_wave(const struct judge_rule *r, uint32_t canaries, double rate)
{
	struct judge_state s;

	judge_init(&s);
	step(r, &s, (struct judge_event){.kind = JEV_WAVE, .share = 100000});
	for (uint32_t n = 0; n < canaries && s.verdict == JUDGE_OPEN; n++) {
		for (unsigned c = 0; c < 9; c++)
			if (happens(BASE))
				outcome(r, &s, JUDGE_CONTROL, 1, 1);
		outcome(r, &s, JUDGE_CANARY, 1, happens(rate));
	}
	step(r, &s, (struct judge_event){.kind = JEV_END});
	return s.verdict;
}

static void three_outcomes(void)
{
	static const double rates[] = {0.005, 0.02, 0.05, 0.1, 0.2, 0.5};
	static const struct {
		uint32_t canaries;
		unsigned published[6][2]; /* abort, promote */
	} rows[] = {
		{10, {{0, 0}, {0, 0}, {1, 0}, {5, 0}, {26, 0}, {91, 0}}},
		{20, {{0, 0}, {0, 0}, {4, 0}, {23, 0}, {68, 0}, {100, 0}}},
		{50, {{0, 0}, {2, 0}, {24, 0}, {72, 0}, {99, 0}, {100, 0}}},
		{100, {{0, 69}, {8, 23}, {56, 2}, {97, 0}, {100, 0}, {100, 0}}},
		{200, {{0, 96}, {18, 42}, {87, 3}, {100, 0}, {100, 0}, {100, 0}}},
		{500, {{0, 100}, {30, 70}, {96, 4}, {100, 0}, {100, 0}, {100, 0}}},
	};
	const struct judge_rule r = {.abort_alpha = 10000,
		.promote_alpha = 50000,
		.bad = 50000,
		.base = {5000},
		.metrics = 1,
		.strata = 1};

	puts("\n## One wave, control 9 : 1: aborts and promotions, % (abort alpha 0.01, promote alpha 0.05 below 5 %)\n");
	puts("| canaries | 0.5 %: abort | promote | 2 %: abort | promote | 5 %: abort | promote | 10 %: abort | promote "
	     "| 20 %: abort | promote | 50 %: abort | promote |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		printf("| %u |", rows[i].canaries);
		for (size_t k = 0; k < ARRAY_LEN(rates); k++) {
			unsigned n[JUDGE_VERDICT_MAX] = {0};

			for (unsigned j = 0; j < runs; j++)
				n[one_wave(&r, rows[i].canaries, rates[k])]++;
			print_share(n[JUDGE_ABORT], runs, rows[i].published[k][0], 1);
			print_share(n[JUDGE_PROMOTE], runs, rows[i].published[k][1], 1);
		}
		puts("");
		fflush(stdout);
	}
}

/* ---- Wald ---- */

struct walk {
	unsigned aborts, devices;
};

static struct walk sprt_walk(double alpha, double rate)
{
	double high = evalue_sprt_abort(alpha, 0.1), low = evalue_sprt_accept(alpha, 0.1);
	struct walk w = {0};

	for (unsigned i = 0; i < runs; i++) {
		unsigned x = 0, n = 0;
		double at = 0;

		while (at < high && at > low) {
			x += happens(rate);
			at = evalue_sprt(x, ++n, 0.005, 0.05);
		}
		w.aborts += at >= high;
		w.devices += n;
	}
	return w;
}

static void sprt(void)
{
	static const double rates[] = {0.05, 0.2, 0.5, 0.005};
	static const struct {
		double alpha, type_1, power;
		unsigned devices[4];
	} rows[] = {
		{0.05, 2.3, 89.9, {45, 10, 4, 62}},
		{0.01, 0.5, 90.3, {66, 14, 5, 66}},
	};

	puts("\n## Wald's SPRT, 0.5 % against 5 %, beta 0.1\n");
	puts("| alpha | false aborts, % | power at 5 %, % | mean devices at 5 % | 20 % | 50 % | 0.5 % |\n|---|---|---|---|---|---|---|");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		printf("| %.2f |", rows[i].alpha);
		print_share(sprt_walk(rows[i].alpha, 0.005).aborts, runs, rows[i].type_1, 0.1);
		print_share(sprt_walk(rows[i].alpha, 0.05).aborts, runs, rows[i].power, 0.1);
		for (size_t k = 0; k < ARRAY_LEN(rates); k++) {
			double mean = sprt_walk(rows[i].alpha, rates[k]).devices / (double)runs;

			/* The length of a walk has about its mean as standard deviation. */
			printf(" %.1f [%u]%s |", mean, rows[i].devices[k],
				mark(fabs(mean - rows[i].devices[k]) <=
					0.5 + SIGMAS * mean * sqrt(1.0 / runs + 1.0 / THEIRS)));
		}
		puts("");
	}
}

int main(int argc, char **argv)
{
	runs = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : runs;
	seed.s = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	if (runs < 100 || runs > 10000000) {
		fputs("usage: bench_judge [RUNS [SEED]], 100 to 10000000 runs of each cell\n",
			stderr);
		return 64;
	}
	printf("# The judge's operating characteristics\n\n%u runs of each cell, seed %llu; in brackets what was published; "
	       "(!): they differ by more than %d standard errors.\n",
		runs, (unsigned long long)seed.s, SIGMAS);
	sprt();
	two_arm();
	three_outcomes();
	printf("\n%u figures compared, %u differ.\n", compared, differing);
	return differing != 0;
}
