/* backstay campaign plan: what a policy finds, and what it cannot. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "proto/wire/policy.h"
#include "server/cli/cli.h"
#include "server/cli/table.h"
#include "server/sim/sim.h"

/* Shares of devices on which the release fails, in millionths. */
static const uint32_t rates[] = {0, 5000, 20000, 50000, 100000, 200000, 500000};
#define RATES   ARRAY_LEN(rates)
#define RUNS    200
#define MINUTES 30
#define SILENT  100000 /* of those that fail: not heard of again */

/* Sizes of a wave that is looked at by itself. */
static const uint32_t sizes[] = {5, 20, 100};
#define SIZES ARRAY_LEN(sizes)

struct alone {
	uint32_t found, promoted; /* of the runs */
};

struct plan {
	struct policy policy;
	struct sim_conf sim;
	uint32_t runs;
	struct sim_result *v; /* RATES * runs, owned */
	struct alone alone[SIZES][RATES];
};

static void plan_fini(struct plan *p)
{
	mem_free(&p->v);
}

/* How many devices the server knows. */
static int ask_devices(const struct cli *c, uint64_t *out, struct err *e)
{
	JSON_AUTO *answer = NULL;

	if (cli_ask(c, ROUTE_DEVICES, NULL, NULL, NULL, &answer, e) < 0)
		return err_wrap(e, "the server's devices (or say --devices N)");
	*out = json_array_size(json_object_get(answer, "devices"));
	if (!*out)
		return err_set(e, ERR_NOT_FOUND, "the server has no devices; say --devices N");
	return 0;
}

static int read_options(const struct cli *c, struct plan *p, struct err *e)
{
	uint64_t devices = 0, runs, minutes, seed;

	TRY(cli_number(c, CLI_OPT_DEVICES, 1, 1000000, 0, &devices, e));
	TRY(cli_number(c, CLI_OPT_RUNS, 10, 100000, RUNS, &runs, e));
	TRY(cli_number(c, CLI_OPT_MINUTES, 1, 60 * 24 * 30, MINUTES, &minutes, e));
	TRY(cli_number(c, CLI_OPT_SEED, 0, UINT64_MAX >> 12, 1, &seed, e));
	if (!devices)
		TRY(ask_devices(c, &devices, e));
	p->runs = (uint32_t)runs;
	p->sim = (struct sim_conf){
		.policy = &p->policy,
		.devices = (uint32_t)devices,
		.begin = SEC(time(NULL)),
		.poll = MINUTE(5),
		.update_min = MINUTE(minutes),
		.update_max = MINUTE(2 * (ms_t)minutes),
		.silent = SILENT,
		.seed = seed,
	};
	return 0;
}

static int simulate(struct plan *p, struct err *e)
{
	struct sim_conf sim = p->sim;

	p->v = mem_new(RATES * p->runs * sizeof *p->v);
	for (size_t k = 0; k < RATES; k++)
		for (uint32_t i = 0; i < p->runs; i++) {
			sim.fail = rates[k];
			sim.seed = hash64(p->sim.seed, (uint64_t[2]){k, i}, 2 * sizeof(uint64_t));
			TRY(sim_campaign(&sim, &p->v[k * p->runs + i], e));
		}
	return 0;
}

/* The policy's rules, with one wave of n devices and no more: nobody is left to compare with. */
static void one_wave(const struct policy *p, uint32_t n, struct policy *out)
{
	*out = *p;
	out->n_waves = 1;
	out->n_freezes = 0;
	out->control.share = 0;
	out->waves[0].count = n;
	out->waves[0].permille = 0;
	out->waves[0].approval = false;
	out->waves[0].labels[0] = '\0';
	out->waves[0].floor = (struct policy_floor){0};
}

/* What a wave of each size finds that has no other wave before or behind it. */
static int simulate_alone(struct plan *p, struct err *e)
{
	struct policy policy;
	struct sim_conf sim = p->sim;
	struct sim_result r;

	sim.policy = &policy;
	for (size_t n = 0; n < SIZES; n++) {
		one_wave(&p->policy, sizes[n], &policy);
		sim.devices = sizes[n];
		for (size_t k = 0; k < RATES; k++)
			for (uint32_t i = 0; i < p->runs; i++) {
				sim.fail = rates[k];
				sim.seed = hash64(
					p->sim.seed, (uint64_t[3]){n, k, i}, 3 * sizeof(uint64_t));
				TRY(sim_campaign(&sim, &r, e));
				p->alone[n][k].found += r.end == SIM_ABORTED;
				p->alone[n][k].promoted +=
					r.end == SIM_DONE && r.by == JUDGE_BY_PROMOTE;
			}
	}
	return 0;
}

/* ---- what came out ---- */

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
	for (size_t k = 0; k < RATES; k++) {
		table_cell(&t, "%g %%", rates[k] / 1e4);
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
		for (size_t k = 1; k < RATES; k++)
			table_cell(&t, "%.1f %%", percent(p, count_found(p, k, w)));
		before = end;
	}
	table_print(&t);
	table_fini(&t);
}

static void print_alone(const struct plan *p)
{
	struct table t;

	table_init(&t, "ONE WAVE OF|IT|0 %|0.5 %|2 %|5 %|10 %|20 %|50 %");
	for (size_t n = 0; n < SIZES; n++) {
		table_cell(&t, "%u devices", sizes[n]);
		table_cell(&t, "aborts");
		for (size_t k = 0; k < RATES; k++)
			table_cell(&t, "%.1f %%", percent(p, p->alone[n][k].found));
		table_cell(&t, "%s", "");
		table_cell(&t, "promotes");
		for (size_t k = 0; k < RATES; k++)
			table_cell(&t, "%.1f %%", percent(p, p->alone[n][k].promoted));
	}
	table_print(&t);
	table_fini(&t);
	if (!p->policy.judge.on)
		puts("\nThis policy has no judge: a release that does not fail too often is finished, never shown to be good.");
}

static void print_plan(const struct plan *p)
{
	printf("Policy %s, %u devices, %u simulated campaigns of each kind, seed %llu; one update takes %lld to "
	       "%lld min, one device in ten that fails is not heard of again.\n\n",
		p->policy.name, p->sim.devices, p->runs, (unsigned long long)p->sim.seed,
		(long long)(p->sim.update_min / MINUTE(1)),
		(long long)(p->sim.update_max / MINUTE(1)));
	print_ends(p);
	puts("\nHow often it is found out by the end of each wave, when so many devices fail:\n");
	print_waves(p);
	puts("\nWhat one wave by itself, of this or that size, can find under the same rules, and what it can show to be good:\n");
	print_alone(p);
}

static json_t *json_of_alone(const struct plan *p)
{
	json_t *list = json_array();

	for (size_t n = 0; n < SIZES; n++)
		for (size_t k = 0; k < RATES; k++)
			json_array_append_new(list,
				json_pack("{s:I, s:I, s:I, s:I}", "devices", (json_int_t)sizes[n],
					"fail_ppm", (json_int_t)rates[k], "aborted",
					(json_int_t)p->alone[n][k].found, "promoted",
					(json_int_t)p->alone[n][k].promoted));
	return list;
}

static json_t *json_of(const struct plan *p)
{
	json_t *list = json_array(),
	       *o = json_pack("{s:s, s:I, s:I, s:I, s:o}", "policy", p->policy.name, "devices",
		       (json_int_t)p->sim.devices, "runs", (json_int_t)p->runs, "seed",
		       (json_int_t)p->sim.seed, "rates", list);

	for (size_t k = 0; k < RATES; k++) {
		json_t *row = json_object(), *found = json_array();

		json_object_set_new(row, "fail_ppm", json_integer(rates[k]));
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

int cmd_CAMPAIGN_PLAN(const struct cli *c, struct err *e)
{
	struct plan p CLEANUP(plan_fini) = {0};
	const char *policy = cli_value(c, CLI_OPT_POLICY, NULL);
	JSON_AUTO *answer = NULL;

	if (!policy)
		return err_set(e, ERR_USAGE, "--policy FILE is needed");
	TRY(cli_policy(policy, &p.policy, NULL, e));
	TRY(read_options(c, &p, e));
	TRY(simulate(&p, e));
	TRY(simulate_alone(&p, e));
	answer = json_of(&p);
	if (!cli_json(c, answer))
		print_plan(&p);
	return 0;
}
