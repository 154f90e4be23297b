/* arms [RUNS [SEED [faults]]]: how often a campaign is given up although nothing is wrong with the
 * release, when something happens to devices whatever they run; with `faults`, how often one that
 * fails on some of them is found in the same weather. Engine and judge are the server's. 1 when
 * statistics give up more good releases than the policy's alpha, by more than chance. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/sim/sim.h"

#define ALPHA  10000U /* millionths */
#define SIGMAS 3
#define DAY    MINUTE(60 * 24)

static const struct policy policy = {
	.first_alone = true,
	.max_failures = LIMIT_DEVICES,
	.silence = MINUTE(240),
	.roll_back_on_abort = true,
	.judge = {.on = true,
		.abort_alpha = ALPHA,
		.promote_alpha = 50000,
		.bad = 50000,
		.base = 5000,
		.guard_failures = 2,
		.guard_first = 5,
		.unsure = POLICY_WIDEN},
	.control = {200000, 2},
	.ratio_alpha = 1000,
	.n_waves = 3,
	.waves = {{.name = "lab", .count = 10, .soak = MINUTE(60)},
		{.name = "pilot", .permille = 100, .soak = MINUTE(60)}, {.name = "rest"}},
};

/* What happens, and whether the design promises that it is told apart from a bad release. */
static const struct weather {
	const char *name;
	bool control, bounded;
	uint32_t usual, sick;
	struct sim_trouble trouble; /* at and span: at most */
} weathers[] = {
	{"nothing", true, true, 0, 0, {0}},
	{"1 % of outcomes are bad", true, true, 10000, 0, {0}},
	{"2 % of outcomes are bad", true, true, 20000, 0, {0}},
	{"5 % of outcomes are bad", true, true, 50000, 0, {0}},
	{"5 % of devices are sick", true, true, 0, 50000, {0}},
	{"outage or load, 5 % of devices", true, true, 0, 0,
		{50000, false, MINUTE(420), MINUTE(120)}},
	{"outage or load, 20 % (a region)", true, true, 0, 0,
		{200000, false, MINUTE(420), MINUTE(120)}},
	{"outage or load, 50 %", true, true, 0, 0, {500000, false, MINUTE(420), MINUTE(120)}},
	{"no network, 20 %, under 2 h", true, true, 0, 0, {200000, true, MINUTE(420), MINUTE(120)}},
	{"no network, 20 %, up to a day", true, false, 0, 0, {200000, true, MINUTE(420), DAY}},
	{"0.5 % are bad, no control group", false, true, 5000, 0, {0}},
	{"2 % are bad, no control group", false, false, 20000, 0, {0}},
	{"outage, 20 %, no control group", false, false, 0, 0,
		{200000, false, MINUTE(420), MINUTE(120)}},
};

struct ends {
	unsigned judge, guard, asks;
};

static uint64_t first_seed = 1;
static unsigned runs = 2000;

static struct sim_conf draw(
	const struct weather *w, const struct policy *p, uint32_t fail, uint64_t run)
{
	struct prng chance = {hash64(first_seed, (uint64_t[2]){run, 1}, 2 * sizeof(uint64_t))};
	struct sim_conf c = {.policy = p,
		.devices = 1000,
		.begin = DAY,
		.poll = MINUTE(5),
		.update_min = MINUTE(30),
		.update_max = MINUTE(60),
		.watch = MINUTE(30),
		.silent = 100000,
		.fail = fail,
		.usual = w->usual,
		.sick = w->sick,
		.trouble = w->trouble,
		.seed = hash64(first_seed, (uint64_t[2]){run, 2}, 2 * sizeof(uint64_t))};

	if (c.trouble.share) {
		c.trouble.at = (ms_t)prng_below(&chance, (uint64_t)w->trouble.at);
		c.trouble.span = MINUTE(5) +
				 (ms_t)prng_below(&chance, (uint64_t)(w->trouble.span - MINUTE(5)));
	}
	return c;
}

static struct ends simulate(const struct weather *w, uint32_t fail)
{
	struct policy p = policy;
	struct ends n = {0};

	if (!w->control) {
		p.control = (struct policy_control){0};
		p.ratio_alpha = 0;
	}
	for (unsigned i = 0; i < runs; i++) {
		struct sim_conf c = draw(w, &p, fail, i);
		struct sim_result r;
		struct err e;

		if (sim_campaign(&c, &r, &e) < 0) {
			fprintf(stderr, "arms: %s\n", e.text);
			exit(2);
		}
		n.guard += r.end == SIM_ABORTED && r.by == JUDGE_BY_GUARD;
		n.judge += r.end == SIM_ABORTED && r.by != JUDGE_BY_GUARD;
		n.asks += r.end == SIM_ASKS;
	}
	return n;
}

static double percent(unsigned n)
{
	return 100.0 * n / runs;
}

static double sigma(unsigned n)
{
	double p = (n + 0.5) / (runs + 1.0);

	return 100 * sqrt(p * (1 - p) / runs);
}

static bool fits(const struct weather *w, unsigned aborts)
{
	double alpha = ALPHA / 1e6;

	return !w->bounded ||
	       aborts <= runs * alpha + SIGMAS * sqrt(runs * alpha * (1 - alpha)) + 0.5;
}

static bool print_row(const struct weather *w, bool faults)
{
	static const uint32_t rates[] = {20000, 50000, 100000, 200000};
	struct ends n = simulate(w, 0);
	bool ok = fits(w, n.judge);

	printf("| %s | %.2f ± %.2f%s | %.2f | %.2f |", w->name, percent(n.judge), sigma(n.judge),
		ok ? w->bounded ? "" : " *" : " (!)", percent(n.guard), percent(n.asks));
	for (size_t i = 0; faults && i < ARRAY_LEN(rates); i++) {
		struct ends f = simulate(w, rates[i]);

		printf(" %.1f |", percent(f.judge + f.guard));
	}
	puts("");
	fflush(stdout);
	return ok;
}

int main(int argc, char **argv)
{
	bool faults = argc > 3 && strcmp(argv[3], "faults") == 0, ok = true;

	runs = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : runs;
	first_seed = argc > 2 ? strtoull(argv[2], NULL, 10) : first_seed;
	if (runs < 10 || runs > 1000000) {
		fputs("usage: arms [RUNS [SEED [faults]]]\n", stderr);
		return 64;
	}
	printf("%u campaigns each, 1000 devices, alpha 1 %%, seed %llu; ±: a standard error; *: no promise is made.\n\n",
		runs, (unsigned long long)first_seed);
	printf("| What happens to old and new alike | falsely given up by statistics, %% | by the guard, %% | people are asked, %% |%s\n|---|---|---|---|%s\n",
		faults ? " a fault on 2 % is found, % | 5 % | 10 % | 20 % |" : "",
		faults ? "---|---|---|---|" : "");
	for (size_t i = 0; i < ARRAY_LEN(weathers); i++)
		ok &= print_row(&weathers[i], faults);
	return ok ? 0 : 1;
}
