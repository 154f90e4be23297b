/* backstay campaign simulate: a policy meets a scenario, with the cores that decide in earnest. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/wire/release.h"
#include "proto/wire/report.h"
#include "server/cli/cli.h"
#include "server/cli/simulated.h"
#include "server/core/cohort.h"

#define RUNS 20

/* The devices of the server, in the order in which the campaign would admit them. */
struct entry {
	uint64_t key;
	char *labels; /* owned */
};

struct simulation {
	struct policy policy;
	struct scenario scenario;
	const char *policy_from;
	struct entry *fleet; /* NULL: the scenario's groups */
	const char **labels;
	uint32_t devices, runs, run;
	uint64_t seed;
	bool shows;              /* progress, on a terminal */
	struct course_result *v; /* of each run */
};

static void simulation_fini(struct simulation *s)
{
	for (uint32_t i = 0; s->fleet && i < s->devices; i++)
		mem_free(&s->fleet[i].labels);
	mem_free(&s->fleet);
	mem_free(&s->labels);
	mem_free(&s->v);
}

/* ---- what is simulated ---- */

static int read_scenario(const struct cli *c, struct simulation *s, struct err *e)
{
	const char *path = cli_value(c, CLI_OPT_SCENARIO, NULL);
	BUF_AUTO text = {0};

	if (!path)
		return err_set(e, ERR_USAGE, "--scenario FILE is needed");
	TRY(cli_read(path, LIMIT_SCENARIO_BYTES, &text, e));
	if (scenario_parse(buf_str(&text), &s->scenario, e) < 0)
		return err_wrap(e, "%s", path);
	return 0;
}

/* What the release is watched for in earnest takes the place of what the scenario supposes. */
static int take_release(
	const struct cli *c, const json_t *campaign, struct simulation *s, struct err *e)
{
	struct release *r CLEANUP(mem_free) = mem_new(sizeof *r);
	const char *args[] = {cli_text(campaign, "release")};
	JSON_AUTO *answer = NULL;

	TRY(cli_ask(c, ROUTE_RELEASE, args, NULL, NULL, &answer, e));
	if (release_parse(str_of(cli_text(answer, "document")), r, e) < 0)
		return err_wrap(e, "the campaign's release");
	s->scenario.n_triggers = r->n_triggers;
	memcpy(s->scenario.triggers, r->triggers, sizeof r->triggers);
	s->scenario.soak = r->soak;
	s->scenario.start_timeout = r->start_timeout;
	s->scenario.baseline_wait = r->baseline_wait;
	s->scenario.bytes = MAX(1, release_artifact_bytes(r));
	return 0;
}

static int take_campaign(
	const struct cli *c, const json_t *campaign, struct simulation *s, struct err *e)
{
	BUF_AUTO text = {0};

	json_canonical(json_object_get(campaign, "policy"), &text);
	if (policy_parse(buf_str(&text), &s->policy, e) < 0)
		return err_wrap(e, "the campaign's policy");
	s->policy_from = "the campaign's";
	return take_release(c, campaign, s, e);
}

/* The file given, else the campaign's, else the scenario's own. */
static int read_policy(
	const struct cli *c, const json_t *campaign, struct simulation *s, struct err *e)
{
	const char *path = cli_value(c, CLI_OPT_POLICY, NULL);

	if (campaign)
		TRY(take_campaign(c, campaign, s, e));
	if (path) {
		s->policy_from = path;
		return cli_policy(path, &s->policy, NULL, e);
	}
	if (campaign)
		return 0;
	if (!s->scenario.has_policy)
		return err_set(e, ERR_USAGE,
			"CAMPAIGN or --policy FILE is needed: the scenario has no policy");
	s->policy = s->scenario.policy;
	s->policy_from = "the scenario's";
	return 0;
}

/* ---- the fleet ---- */

static bool selects(const json_t *campaign, const char *id, const char *labels)
{
	const json_t *selector = json_object_get(campaign, "selector");
	const json_t *want = json_object_get(selector, "labels"), *one;
	const json_t *devices = json_object_get(selector, "devices");
	const char *name;
	struct str value;
	size_t i;

	json_object_foreach ((json_t *)(uintptr_t)want, name, one)
		if (!labels_find(str_of(labels), str_of(name), &value) ||
			!str_is(value, json_string_value(one)))
			return false;
	json_array_foreach (devices, i, one)
		if (strcmp(json_string_value(one), id) == 0)
			return true;
	return !devices;
}

static void add_device(struct simulation *s, const char *campaign, const json_t *device)
{
	struct entry *x = &s->fleet[s->devices++];
	struct camp_id camp = {{0}};
	struct dev_id id = {{0}};

	snprintf(camp.s, sizeof camp.s, "%s", campaign);
	snprintf(id.s, sizeof id.s, "%s", cli_text(device, "id"));
	x->key = cohort_key(&camp, &id);
	x->labels = mem_strdup(cli_text(device, "labels"));
}

static int by_key(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

static int ask_fleet(
	const struct cli *c, const json_t *campaign, struct simulation *s, struct err *e)
{
	JSON_AUTO *answer = NULL;
	const json_t *list, *device;
	size_t i;

	if (cli_ask(c, ROUTE_DEVICES, NULL, NULL, NULL, &answer, e) < 0)
		return err_wrap(e, "the server's devices (or say --devices N)");
	list = json_object_get(answer, "devices");
	s->fleet = mem_new((json_array_size(list) + 1) * sizeof *s->fleet);
	json_array_foreach (list, i, device)
		if (selects(campaign, cli_text(device, "id"), cli_text(device, "labels")))
			add_device(s, cli_text(campaign, "id"), device);
	if (!s->devices)
		return err_set(e, ERR_NOT_FOUND, "no device is selected; say --devices N");
	qsort(s->fleet, s->devices, sizeof *s->fleet, by_key);
	s->labels = mem_new(s->devices * sizeof *s->labels);
	for (uint32_t k = 0; k < s->devices; k++)
		s->labels[k] = s->fleet[k].labels;
	return 0;
}

static int read_fleet(
	const struct cli *c, const json_t *campaign, struct simulation *s, struct err *e)
{
	uint64_t devices = 0, runs, seed;

	TRY(cli_number(c, CLI_OPT_DEVICES, 1, LIMIT_SCENARIO_DEVICES, 0, &devices, e));
	TRY(cli_number(c, CLI_OPT_RUNS, 1, 10000, RUNS, &runs, e));
	TRY(cli_number(c, CLI_OPT_SEED, 0, UINT64_MAX >> 12, 1, &seed, e));
	s->runs = (uint32_t)runs;
	s->seed = seed;
	if (devices) {
		s->devices = (uint32_t)devices;
		return 0;
	}
	return ask_fleet(c, campaign, s, e);
}

/* ---- simulating ---- */

static void show_progress(void *ctx, uint32_t ended, uint32_t devices, ms_t took)
{
	const struct simulation *s = ctx;

	if (s->shows)
		fprintf(stderr, "\rrun %u of %u: %u of %u devices have ended, day %lld   ",
			s->run + 1, s->runs, ended, devices, (long long)(took / MINUTE(60 * 24)));
}

static int simulate(struct simulation *s, struct err *e)
{
	struct course_conf conf = {.scenario = &s->scenario,
		.policy = &s->policy,
		.devices = s->devices,
		.labels = s->labels,
		.tick = show_progress,
		.ctx = s};

	s->shows = isatty(STDERR_FILENO);
	s->v = mem_new(s->runs * sizeof *s->v);
	for (s->run = 0; s->run < s->runs; s->run++) {
		conf.seed = s->seed + s->run;
		TRY(course_run(&conf, &s->v[s->run], e));
	}
	if (s->shows)
		fprintf(stderr, "\r%60s\r", "");
	return 0;
}

int cmd_CAMPAIGN_SIMULATE(const struct cli *c, struct err *e)
{
	struct simulation *s CLEANUP(mem_free) = mem_new(sizeof *s);
	JSON_AUTO *campaign = NULL;
	int rc;

	memset(s, 0, sizeof *s);
	TRY(read_scenario(c, s, e));
	if (c->n_args)
		TRY(cli_ask(c, ROUTE_CAMPAIGN, c->args, NULL, NULL, &campaign, e));
	TRY(read_policy(c, campaign, s, e));
	rc = read_fleet(c, campaign, s, e);
	if (rc == 0)
		rc = simulate(s, e);
	if (rc == 0)
		rc = simulate_say(c,
			&(struct simulated){&s->scenario, &s->policy, s->policy_from, s->devices,
				s->runs, s->seed, s->labels != NULL, s->v},
			e);
	simulation_fini(s);
	return rc;
}
