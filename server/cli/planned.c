#include "server/cli/planned.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/cli/table.h"

#define FINDS  90 /* per cent of the runs: that is relied on */
#define MISSES 50

const uint32_t plan_rates[PLAN_RATES] = {0, 5000, 20000, 50000, 100000, 200000, 500000};
const uint32_t plan_sizes[PLAN_SIZES] = {5, 20, 100};

static uint32_t count_ends(const struct plan *p, size_t rate, enum sim_end end)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->runs; i++)
		n += p->v[rate * p->runs + i].end == end;
	return n;
}

static uint32_t count_found(const struct plan *p, size_t rate, unsigned wave)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->runs; i++) {
		const struct sim_result *r = &p->v[rate * p->runs + i];

		n += r->end == SIM_ABORTED && r->wave <= wave;
	}
	return n;
}

static int by_size(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

enum quantity { HAD_IT, FAILED, TOOK };

static int64_t quantile(const struct plan *p, size_t rate, enum quantity what, unsigned percent)
{
	int64_t *v CLEANUP(mem_free) = mem_new(p->runs * sizeof *v);

	for (uint32_t i = 0; i < p->runs; i++) {
		const struct sim_result *r = &p->v[rate * p->runs + i];

		v[i] = what == TOOK ? r->took : what == HAD_IT ? r->had_it : r->failed;
	}
	qsort(v, p->runs, sizeof *v, by_size);
	return v[(uint64_t)(p->runs - 1) * percent / 100];
}

static double percent(const struct plan *p, uint32_t n)
{
	return 100.0 * n / p->runs;
}

static void span_cell(struct table *t, ms_t span)
{
	if (span < MINUTE(120))
		table_cell(t, "%lld min", (long long)(span / MINUTE(1)));
	else if (span < MINUTE(72 * 60))
		table_cell(t, "%lld h", (long long)(span / MINUTE(60)));
	else
		table_cell(t, "%lld d", (long long)(span / MINUTE(24 * 60)));
}

static void print_ends(const struct plan *p)
{
	struct table t;

	table_init(&t,
		"FAILS ON|ABORTS|FINISHES|ASKS PEOPLE|HAVE IT|9 IN 10: AT MOST|FAILED|9 IN 10: AT MOST|TAKES");
	for (size_t k = 0; k < PLAN_RATES; k++) {
		table_cell(&t, "%g %%", plan_rates[k] / 1e4);
		table_cell(&t, "%.1f %%", percent(p, count_ends(p, k, SIM_ABORTED)));
		table_cell(&t, "%.1f %%", percent(p, count_ends(p, k, SIM_DONE)));
		table_cell(&t, "%.1f %%", percent(p, count_ends(p, k, SIM_ASKS)));
		table_cell(&t, "%lld", (long long)quantile(p, k, HAD_IT, 50));
		table_cell(&t, "%lld", (long long)quantile(p, k, HAD_IT, 90));
		table_cell(&t, "%lld", (long long)quantile(p, k, FAILED, 50));
		table_cell(&t, "%lld", (long long)quantile(p, k, FAILED, 90));
		span_cell(&t, quantile(p, k, TOOK, 50));
	}
	table_print(&t);
	table_fini(&t);
}

static void print_waves(const struct plan *p)
{
	uint32_t n = p->sim.devices, before = 0;
	struct table t;

	table_init(&t, "WAVE|DEVICES|0.5 %|2 %|5 %|10 %|20 %|50 %");
	for (unsigned w = 0; w < p->policy.n_waves; w++) {
		uint32_t end = wave_end(&p->policy, n, w);

		table_cell(&t, "%s", p->policy.waves[w].name);
		table_cell(&t, "%u", end - before);
		for (size_t k = 1; k < PLAN_RATES; k++)
			table_cell(&t, "%.1f %%", percent(p, count_found(p, k, w)));
		before = end;
	}
	table_print(&t);
	table_fini(&t);
}

static bool asks_ever(const struct plan *p)
{
	for (size_t n = 0; n < PLAN_SIZES; n++)
		for (size_t k = 0; k < PLAN_RATES; k++)
			if (p->alone[n][k][PLAN_ASKS])
				return true;
	return false;
}

static void verdict_row(const struct plan *p, struct table *t, size_t n, enum plan_verdict v)
{
	static const char *const names[PLAN_VERDICTS] = {
		[PLAN_ABORTS] = "aborts",
		[PLAN_PROMOTES] = "promotes",
		[PLAN_ASKS] = "asks people",
	};

	if (v)
		table_cell(t, "%s", "");
	else
		table_cell(t, "%u devices", plan_sizes[n]);
	table_cell(t, "%s", names[v]);
	for (size_t k = 0; k < PLAN_RATES; k++)
		table_cell(t, "%.1f %%", percent(p, p->alone[n][k][v]));
}

static void print_alone(const struct plan *p)
{
	unsigned rows = asks_ever(p) ? PLAN_VERDICTS : PLAN_ASKS;
	struct table t;

	table_init(&t, "ONE WAVE OF|IT|0 %|0.5 %|2 %|5 %|10 %|20 %|50 %");
	for (size_t n = 0; n < PLAN_SIZES; n++)
		for (enum plan_verdict v = 0; v < rows; v++)
			verdict_row(p, &t, n, v);
	table_print(&t);
	table_fini(&t);
}

/* "20 devices: finds ...; mostly misses ...; cannot show ..." */
static void explain_size(const struct plan *p, size_t n)
{
	size_t finds = PLAN_RATES, misses = 0;
	double good = percent(p, p->alone[n][0][PLAN_PROMOTES]);

	for (size_t k = PLAN_RATES; k-- > 1 && percent(p, p->alone[n][k][PLAN_ABORTS]) >= FINDS;)
		finds = k;
	for (size_t k = 1; k < PLAN_RATES && percent(p, p->alone[n][k][PLAN_ABORTS]) < MISSES; k++)
		misses = k;
	printf("  %u devices:", plan_sizes[n]);
	if (finds < PLAN_RATES)
		printf(" a release that fails on %g %% of devices, or more, is found;",
			plan_rates[finds] / 1e4);
	if (misses)
		printf(" one that fails on %g %% or less is mostly missed;",
			plan_rates[misses] / 1e4);
	if (good >= FINDS)
		puts(" a good one is shown to be good.");
	else if (good >= 1)
		printf(" a good one is shown to be good %.0f times in 100.\n", good);
	else
		puts(" a good one cannot be shown to be good.");
}

/* What nobody can find, and why. */
static void explain(const struct plan *p)
{
	puts("\nIn words: \"found\" is 9 times in 10 or more, \"mostly missed\" less than every second time.");
	for (size_t n = 0; n < PLAN_SIZES; n++)
		explain_size(p, n);
	if (!p->policy.judge.on)
		puts("This policy has no judge: a release that does not fail too often is finished, never shown to be good.");
	else if (!p->control)
		printf("Nobody is compared with: whatever happens to more than the usual %g %% of devices is held against the release, "
		       "an outage, too. A \"control\" in the policy tells the two apart.\n",
			p->policy.judge.base / 1e4);
	puts("Not found by any wave: what does not trip a trigger or a smoke test on the device, and what shows later than its soak.");
}

static void print_plan(const struct plan *p)
{
	printf("Policy %s, %u devices, %u simulated campaigns of each kind, seed %llu; one update takes %lld to "
	       "%lld min, one device in ten that fails is not heard of again.\n",
		p->policy.name, p->sim.devices, p->runs, (unsigned long long)p->sim.seed,
		(long long)(p->sim.update_min / MINUTE(1)),
		(long long)(p->sim.update_max / MINUTE(1)));
	if (p->sim.usual)
		printf("Whatever devices run, %g %% of them fail by the way, which is what the policy calls usual (base_ppm).\n",
			p->sim.usual / 1e4);
	if (p->control)
		printf("The last %u devices are the control group: they keep what they run until everybody else has ended, and canaries "
		       "are compared with them. For them, at the very end, only the guard and max_failures remain.\n",
			p->control);
	puts("");
	print_ends(p);
	puts("\nHow often it is found out by the end of each wave, when so many devices fail:\n");
	print_waves(p);
	printf("\nWhat one wave by itself, of this or that size%s, can find under the same rules, and what it can show to be good:\n\n",
		p->control ? " and beside the control group" : "");
	print_alone(p);
	explain(p);
}

static json_t *json_of_size(const struct plan *p, size_t n, size_t k)
{
	const uint32_t *v = p->alone[n][k];

	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "devices", (json_int_t)plan_sizes[n],
		"fail_ppm", (json_int_t)plan_rates[k], "aborted", (json_int_t)v[PLAN_ABORTS],
		"promoted", (json_int_t)v[PLAN_PROMOTES], "asked", (json_int_t)v[PLAN_ASKS]);
}

static json_t *json_of_alone(const struct plan *p)
{
	json_t *list = json_array();

	for (size_t n = 0; n < PLAN_SIZES; n++)
		for (size_t k = 0; k < PLAN_RATES; k++)
			json_array_append_new(list, json_of_size(p, n, k));
	return list;
}

static json_t *json_of(const struct plan *p)
{
	json_t *list = json_array(),
	       *o = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:o}", "policy", p->policy.name,
		       "devices", (json_int_t)p->sim.devices, "control", (json_int_t)p->control,
		       "usual_ppm", (json_int_t)p->sim.usual, "runs", (json_int_t)p->runs, "seed",
		       (json_int_t)p->sim.seed, "rates", list);

	for (size_t k = 0; k < PLAN_RATES; k++) {
		json_t *row = json_object(), *found = json_array();

		json_object_set_new(row, "fail_ppm", json_integer(plan_rates[k]));
		for (enum sim_end end = 0; end < SIM_END_MAX; end++)
			json_object_set_new(
				row, sim_end_name(end), json_integer(count_ends(p, k, end)));
		json_object_set_new(row, "had_it_median", json_integer(quantile(p, k, HAD_IT, 50)));
		json_object_set_new(row, "had_it_p90", json_integer(quantile(p, k, HAD_IT, 90)));
		json_object_set_new(row, "failed_median", json_integer(quantile(p, k, FAILED, 50)));
		json_object_set_new(row, "failed_p90", json_integer(quantile(p, k, FAILED, 90)));
		json_object_set_new(row, "took_median_ms", json_integer(quantile(p, k, TOOK, 50)));
		for (unsigned w = 0; w < p->policy.n_waves; w++)
			json_array_append_new(found, json_integer(count_found(p, k, w)));
		json_object_set_new(row, "found_by_wave", found);
		json_array_append_new(list, row);
	}
	json_object_set_new(o, "one_wave", json_of_alone(p));
	return o;
}

void plan_say(const struct cli *c, const struct plan *p)
{
	JSON_AUTO *answer = json_of(p);

	if (!cli_json(c, answer))
		print_plan(p);
}
