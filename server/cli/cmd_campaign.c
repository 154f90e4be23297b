/* backstay campaign ... */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/poll.h>
#include <unistd.h>

#include "proto/wire/policy.h"
#include "proto/wire/time.h"
#include "server/cli/cli.h"
#include "server/cli/table.h"
#include "server/core/wave.h"

#define WATCH_EVERY 500 /* ms */
#define WAVE_WIDTH  40U

/* ---- making ---- */

static json_t *selector_of(const struct cli *c)
{
	json_t *devices = json_array();

	for (unsigned i = 0; i < c->n_values[CLI_OPT_DEVICE]; i++)
		json_array_append_new(devices, json_string(c->values[CLI_OPT_DEVICE][i]));
	if (json_array_size(devices) > 0)
		return json_pack("{s:o}", "devices", devices);
	json_decref(devices);
	return json_pack("{s:b}", "all", 1);
}

/* The policy is checked here, too, so that a mistake is told with its file before anything is
 * asked. */
static int load_policy(const char *path, json_t **out, struct err *e)
{
	struct policy p;
	BUF_AUTO text = {0};

	TRY(cli_policy(path, &p, &text, e));
	return json_read(buf_str(&text), LIMIT_POLICY_BYTES, out, e);
}

int cmd_CAMPAIGN_CREATE(const struct cli *c, struct err *e)
{
	const char *policy = cli_value(c, CLI_OPT_POLICY, NULL);
	const char *release = cli_value(c, CLI_OPT_RELEASE, NULL);
	JSON_AUTO *body = NULL, *rules = NULL, *answer = NULL;

	if (!policy || !release)
		return err_set(e, ERR_USAGE,
			"--release and --policy are needed; see backstay campaign create --help");
	TRY(load_policy(policy, &rules, e));
	body = json_pack("{s:s, s:s, s:o, s:O}", "id", c->args[0], "release", release, "selector",
		selector_of(c), "policy", rules);
	TRY(cli_ask(c, ROUTE_CAMPAIGN_CREATE, NULL, NULL, body, &answer, e));
	if (!cli_json(c, answer))
		printf("Campaign %s is made. Next: backstay campaign start %s --watch\n",
			c->args[0], c->args[0]);
	return 0;
}

/* ---- looking ---- */

int cmd_CAMPAIGN_LIST(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = NULL;
	struct table t;
	json_t *row;
	size_t i;

	TRY(cli_ask(c, ROUTE_CAMPAIGNS, NULL, NULL, NULL, &answer, e));
	if (cli_json(c, answer))
		return 0;
	table_init(&t, "CAMPAIGN|RELEASE|PHASE|RECIPIENTS|COMMITTED|WHY");
	json_array_foreach (json_object_get(answer, "campaigns"), i, row) {
		table_cell(&t, "%s", cli_text(row, "id"));
		table_cell(&t, "%s", cli_text(row, "release"));
		table_cell(&t, "%s%s", cli_text(row, "phase"),
			json_is_true(json_object_get(row, "paused")) ? " (paused)" : "");
		table_cell(&t, "%lld", (long long)cli_int(row, "recipients"));
		table_cell(&t, "%lld",
			(long long)cli_int(json_object_get(row, "counts"), "committed"));
		table_cell(&t, "%s", cli_text(row, "why"));
	}
	table_print(&t);
	table_fini(&t);
	return 0;
}

/* One character per recipient (or per equal share of them), worst last, so that trouble stands at
 * the end of the bar. */
static const struct {
	const char *state;
	char picture;
} pictures[] = {
	{"committed", '#'},
	{"admitted", '>'},
	{"waiting", '.'},
	{"back", '<'},
	{"ordered_back", '<'},
	{"silent", '?'},
	{"failed", 'x'},
	{"reverted", 'x'},
};

static void wave_picture(const json_t *counts, uint64_t n, struct buf *out)
{
	unsigned width = (unsigned)MIN(n, WAVE_WIDTH);

	buf_add_char(out, '[');
	for (size_t i = 0; i < ARRAY_LEN(pictures); i++) {
		uint64_t k = (uint64_t)cli_int(counts, pictures[i].state);
		uint64_t chars = n ? (k * width + n - 1) / n : 0;

		while (chars--)
			buf_add_char(out, pictures[i].picture);
	}
	buf_add_char(out, ']');
}

static void print_waves(const json_t *campaign)
{
	struct table t;
	json_t *w;
	size_t i;

	table_init(&t, "WAVE|DEVICES|COMMITTED|BAD|PICTURE");
	json_array_foreach (json_object_get(campaign, "waves"), i, w) {
		const json_t *counts = json_object_get(w, "counts");
		uint64_t n = (uint64_t)(cli_int(w, "to") - cli_int(w, "from"));
		BUF_AUTO picture = {0};

		wave_picture(counts, n, &picture);
		table_cell(&t, "%s%s", (size_t)cli_int(campaign, "wave") == i ? "> " : "  ",
			cli_text(w, "name"));
		table_cell(&t, "%llu", (unsigned long long)n);
		table_cell(&t, "%lld", (long long)cli_int(counts, "committed"));
		table_cell(&t, "%lld",
			(long long)(cli_int(counts, "reverted") + cli_int(counts, "failed") +
				    cli_int(counts, "silent")));
		table_cell(&t, "%s", buf_cstr(&picture));
	}
	table_print(&t);
	table_fini(&t);
}

static void print_recipients(const json_t *devices)
{
	struct table t;
	json_t *d;
	size_t i;

	table_init(&t, "DEVICE|POSITION|STATE|RUNS|DOING|SAID LAST");
	json_array_foreach (json_object_get(devices, "devices"), i, d) {
		table_cell(&t, "%s", cli_text(d, "id"));
		table_cell(&t, "%lld", (long long)cli_int(d, "position"));
		table_cell(&t, "%s", cli_text(d, "state"));
		table_cell(&t, "%s", cli_text(d, "running"));
		table_cell(&t, "%s", cli_text(d, "device_state"));
		table_cell(&t, "%s", cli_text(d, "text"));
	}
	table_print(&t);
	table_fini(&t);
}

static void print_frozen(const json_t *frozen)
{
	char until[21];

	if (!frozen)
		return;
	time_format(cli_int(frozen, "until_ms") / 1000, until);
	printf("frozen by %s until %s: nobody is admitted\n", cli_text(frozen, "name"), until);
}

static void print_control(const json_t *control)
{
	long long n = (long long)(cli_int(control, "to") - cli_int(control, "from"));

	if (!control)
		return;
	if (json_is_true(json_object_get(control, "released")))
		printf("control group: %lld devices, released\n", n);
	else
		printf("control group: %lld devices, %lld heard in this wave; the canary's share of the exposure is %.3g %%\n",
			n, (long long)cli_int(control, "heard"),
			(double)cli_int(control, "canary_share_ppm") / 1e4);
}

/* Which rung of the ladder it stands on, and what it is on hold for. */
static void print_guard(const json_t *campaign)
{
	const char *rung = cli_text(campaign, "rung"), *hold = cli_text(campaign, "hold");

	if (*rung && strcmp(rung, "none") != 0)
		printf("ladder: %s\n", rung);
	if (*hold)
		printf("on hold: %s%s%s\n", hold,
			strcmp(hold, "approval") == 0 ? "" : "; two people must agree to go on",
			*cli_text(campaign, "agreed") ? ", one has" : "");
}

static void print_campaign(const json_t *campaign, const json_t *devices)
{
	printf("%s: %s, %s%s\n", cli_text(campaign, "id"), cli_text(campaign, "release"),
		cli_text(campaign, "phase"),
		json_is_true(json_object_get(campaign, "paused")) ? ", paused" : "");
	if (*cli_text(campaign, "why"))
		printf("%s\n", cli_text(campaign, "why"));
	if (json_object_get(campaign, "judge"))
		printf("judge: %s\n", cli_text(json_object_get(campaign, "judge"), "text"));
	print_control(json_object_get(campaign, "control"));
	print_guard(campaign);
	print_frozen(json_object_get(campaign, "frozen"));
	puts("");
	print_waves(campaign);
	puts("  # committed   > under way   . waiting   < back or going back   x went back by itself or failed   ? silent\n");
	print_recipients(devices);
}

static bool is_over(const json_t *campaign)
{
	for (enum wave_phase p = 0; p < WAVE_PHASE_MAX; p++)
		if (strcmp(cli_text(campaign, "phase"), wave_phase_name(p)) == 0)
			return wave_is_over(p);
	return false;
}

/* Prints once, or again and again until the campaign ends. On a terminal the picture stays in
 * place; elsewhere every change is a new picture. */
static int show(const struct cli *c, struct err *e)
{
	bool watch = cli_flag(c, CLI_OPT_WATCH), terminal = isatty(STDOUT_FILENO);
	json_int_t seen = -1;

	for (;;) {
		JSON_AUTO *campaign = NULL, *devices = NULL;

		TRY(cli_ask(c, ROUTE_CAMPAIGN, c->args, NULL, NULL, &campaign, e));
		TRY(cli_ask(c, ROUTE_CAMPAIGN_DEVICES, c->args, NULL, NULL, &devices, e));
		json_object_set(campaign, "devices", json_object_get(devices, "devices"));
		if ((!watch || is_over(campaign)) && cli_json(c, campaign))
			return 0;
		if (!cli_flag(c, CLI_OPT_JSON) && (terminal || cli_int(campaign, "rev") != seen)) {
			if (watch && terminal)
				fputs("\033[H\033[2J", stdout);
			print_campaign(campaign, devices);
			fflush(stdout);
		}
		seen = cli_int(campaign, "rev");
		if (!watch || is_over(campaign))
			return 0;
		poll(NULL, 0, WATCH_EVERY);
	}
}

int cmd_CAMPAIGN_STATUS(const struct cli *c, struct err *e)
{
	return show(c, e);
}

/* ---- ordering ---- */

static int order(
	const struct cli *c, const char *what, bool needs_reason, const char *done, struct err *e)
{
	const char *reason = cli_value(c, CLI_OPT_REASON, "");
	JSON_AUTO *body = NULL, *answer = NULL;

	if (needs_reason && !*reason)
		return err_set(e, ERR_USAGE, "--reason TEXT is needed: it stands in the audit log");
	body = json_pack("{s:s, s:s}", "order", what, "reason", reason);
	TRY(cli_ask(c, ROUTE_CAMPAIGN_ORDER, c->args, NULL, body, &answer, e));
	if (cli_flag(c, CLI_OPT_WATCH))
		return show(c, e);
	if (!cli_json(c, answer))
		printf("Campaign %s %s.\n", c->args[0], done);
	return 0;
}

int cmd_CAMPAIGN_START(const struct cli *c, struct err *e)
{
	return order(c, "start", false, "has begun with its first device", e);
}

int cmd_CAMPAIGN_PAUSE(const struct cli *c, struct err *e)
{
	return order(c, "pause", false, "admits nobody for now", e);
}

int cmd_CAMPAIGN_RESUME(const struct cli *c, struct err *e)
{
	return order(c, "resume", false, "goes on", e);
}

int cmd_CAMPAIGN_HALT(const struct cli *c, struct err *e)
{
	return order(c, "halt", true, "is halted; devices stay where they are", e);
}

int cmd_CAMPAIGN_ROLLBACK(const struct cli *c, struct err *e)
{
	return order(c, "rollback", true, "is rolling back", e);
}

int cmd_CAMPAIGN_BREAK_GLASS(const struct cli *c, struct err *e)
{
	return order(c, "break_glass", true, "admits devices in spite of this freeze", e);
}

int cmd_CAMPAIGN_REVOKE(const struct cli *c, struct err *e)
{
	return order(c, "revoke", true, "is halted; who has not switched stays as it is", e);
}

int cmd_CAMPAIGN_RECALL(const struct cli *c, struct err *e)
{
	return order(c, "rollback_all", true, "and all others of this release roll back", e);
}

int cmd_CAMPAIGN_PROMOTE(const struct cli *c, struct err *e)
{
	return order(c, "promote", true, "goes on when a second person has promoted it, too", e);
}

int cmd_CAMPAIGN_APPROVE(const struct cli *c, struct err *e)
{
	JSON_AUTO *body = json_pack("{s:s}", "reason", cli_value(c, CLI_OPT_REASON, ""));
	JSON_AUTO *answer = NULL;

	TRY(cli_ask(c, ROUTE_CAMPAIGN_APPROVE, c->args, NULL, body, &answer, e));
	if (cli_json(c, answer))
		return 0;
	if (*cli_text(answer, "agreed"))
		printf("Noted: a second person must approve campaign %s, too.\n", c->args[0]);
	else
		printf("Campaign %s goes on: %s.\n", c->args[0], cli_text(answer, "why"));
	return 0;
}
