/* backstay campaign plan: what a policy finds, and what it cannot. */
#include <time.h>

#include "proto/wire/policy.h"
#include "server/cli/cli.h"
#include "server/cli/planned.h"

#define RUNS    200
#define MINUTES 30
#define SILENT  100000     /* of those that fail: not heard of again */
#define SPAN    MINUTE(60) /* the longest span of a steady watch */

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
		.watch = MIN(SPAN, MINUTE(minutes)),
		.silent = SILENT,
		.usual = p->policy.judge.on ? p->policy.judge.base : 0,
		.seed = seed,
	};
	p->control = wave_control_size(&p->policy, (uint32_t)devices);
	return 0;
}

static int simulate(struct plan *p, struct err *e)
{
	struct sim_conf sim = p->sim;

	p->v = mem_new(PLAN_RATES * p->runs * sizeof *p->v);
	for (size_t k = 0; k < PLAN_RATES; k++)
		for (uint32_t i = 0; i < p->runs; i++) {
			sim.fail = plan_rates[k];
			sim.seed = hash64(p->sim.seed, (uint64_t[2]){k, i}, 2 * sizeof(uint64_t));
			TRY(sim_campaign(&sim, &p->v[k * p->runs + i], e));
		}
	return 0;
}

/* The policy's rules, with one wave of n devices, and the control group behind it. */
static void one_wave(const struct plan *p, uint32_t n, struct policy *out)
{
	struct policy_wave *w = out->waves;

	*out = p->policy;
	out->n_freezes = 0;
	w[0].count = n;
	w[0].permille = 0;
	w[0].approval = false;
	w[0].labels[0] = '\0';
	w[0].floor = (struct policy_floor){0};
	w[1] = w[0];
	w[1].count = p->control;
	out->n_waves = p->control ? 2 : 1;
	out->control =
		p->control ? (struct policy_control){1, p->control} : (struct policy_control){0};
}

/* What a wave of each size finds that has no other wave before or behind it. */
static int simulate_alone(struct plan *p, struct err *e)
{
	struct policy policy;
	struct sim_conf sim = p->sim;
	struct sim_result r;

	sim.policy = &policy;
	sim.until_wave = 1;
	for (size_t n = 0; n < PLAN_SIZES; n++) {
		one_wave(p, plan_sizes[n], &policy);
		sim.devices = plan_sizes[n] + p->control;
		for (size_t k = 0; k < PLAN_RATES; k++)
			for (uint32_t i = 0; i < p->runs; i++) {
				sim.fail = plan_rates[k];
				sim.seed = hash64(
					p->sim.seed, (uint64_t[3]){n, k, i}, 3 * sizeof(uint64_t));
				TRY(sim_campaign(&sim, &r, e));
				p->alone[n][k][PLAN_ABORTS] += r.end == SIM_ABORTED;
				p->alone[n][k][PLAN_PROMOTES] +=
					r.end == SIM_DONE && r.by == JUDGE_BY_PROMOTE;
				p->alone[n][k][PLAN_ASKS] += r.end == SIM_ASKS;
			}
	}
	return 0;
}

int cmd_CAMPAIGN_PLAN(const struct cli *c, struct err *e)
{
	struct plan p CLEANUP(plan_fini) = {0};
	const char *policy = cli_value(c, CLI_OPT_POLICY, NULL);

	if (!policy)
		return err_set(e, ERR_USAGE, "--policy FILE is needed");
	TRY(cli_policy(policy, &p.policy, NULL, e));
	TRY(read_options(c, &p, e));
	TRY(simulate(&p, e));
	TRY(simulate_alone(&p, e));
	plan_say(c, &p);
	return 0;
}
