/* backstay hook ..., backstay drift ... */
#include <stdio.h>

#include "proto/wire/time.h"
#include "server/cli/cli.h"
#include "server/cli/table.h"

#define DAY_MS (24LL * 3600 * 1000)

int cmd_HOOK_ADD(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = NULL, *body = NULL;
	const char *url = cli_value(c, CLI_OPT_URL, NULL);
	bool is_alerts = cli_flag(c, CLI_OPT_ALERTMANAGER);

	if (!url)
		return err_set(e, ERR_USAGE, "--url is needed: where is it told?");
	body = json_pack("{s:s, s:s, s:s, s:s}", "name", c->args[0], "kind",
		is_alerts ? "alertmanager" : "webhook", "url", url, "events",
		cli_value(c, CLI_OPT_EVENTS, "*"));
	TRY(cli_ask(c, ROUTE_HOOK_ADD, NULL, NULL, body, &answer, e));
	if (cli_json(c, answer))
		return 0;
	if (is_alerts) {
		printf("%s is sent alerts from now on.\n", c->args[0]);
		return 0;
	}
	puts(cli_text(answer, "secret"));
	fprintf(stderr,
		"This is told once: with it %s checks that letters come from here (Standard "
		"Webhooks). `backstay hook test %s` sends one.\n",
		c->args[0], c->args[0]);
	return 0;
}

static void add_row(struct table *t, const json_t *h)
{
	char ok[32], failed[32];

	cli_ago(cli_int(h, "delivered_ms"), ok, sizeof ok);
	cli_ago(cli_int(h, "failed_ms"), failed, sizeof failed);
	table_cell(t, "%s", cli_text(h, "name"));
	table_cell(t, "%s", cli_text(h, "kind"));
	table_cell(t, "%s", cli_text(h, "events"));
	table_cell(t, "%lld", (long long)cli_int(h, "letters"));
	table_cell(t, "%lld", (long long)cli_int(h, "delivered"));
	table_cell(t, "%lld", (long long)cli_int(h, "dropped"));
	table_cell(t, "%s", ok);
	table_cell(t, "%s", failed);
	table_cell(t, "%s", cli_text(h, "url"));
	table_cell(t, "%s", cli_text(h, "why"));
}

int cmd_HOOK_LIST(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = NULL;
	struct table t;
	json_t *h;
	size_t i;

	TRY(cli_ask(c, ROUTE_HOOKS, NULL, NULL, NULL, &answer, e));
	if (cli_json(c, answer))
		return 0;
	table_init(
		&t, "HOOK|KIND|EVENTS|LETTERS|DELIVERED|DROPPED|DELIVERED AGO|FAILED AGO|URL|WHY");
	json_array_foreach (json_object_get(answer, "hooks"), i, h)
		add_row(&t, h);
	table_print(&t);
	table_fini(&t);
	return 0;
}

static void say_rotated(const struct cli *c, const json_t *answer)
{
	char until[21];

	if (cli_flag(c, CLI_OPT_END)) {
		printf("%s is signed with its newest secret alone from now on.\n", c->args[0]);
		return;
	}
	time_format(cli_int(answer, "old_secret_until_ms") / 1000, until);
	puts(cli_text(answer, "secret"));
	fprintf(stderr,
		"This is told once. Letters to %s are signed with it and with the old one until %s, "
		"or until `backstay hook rotate %s --end`.\n",
		c->args[0], until, c->args[0]);
}

int cmd_HOOK_ROTATE(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = NULL, *body = json_object();
	uint64_t days;

	TRY(cli_number(c, CLI_OPT_DAYS, 1, LIMIT_HOOK_KEEP_MS / DAY_MS, 7, &days, e));
	if (cli_flag(c, CLI_OPT_END))
		json_object_set_new(body, "end", json_true());
	else
		json_object_set_new(body, "keep_ms", json_integer((json_int_t)(days * DAY_MS)));
	TRY(cli_ask(c, ROUTE_HOOK_ROTATE, c->args, NULL, body, &answer, e));
	if (!cli_json(c, answer))
		say_rotated(c, answer);
	return 0;
}

int cmd_HOOK_TEST(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = NULL, *body = json_object();

	TRY(cli_ask(c, ROUTE_HOOK_TEST, c->args, NULL, body, &answer, e));
	if (!cli_json(c, answer))
		printf("Event %lld is on its way to %s; `backstay hook list` says whether it has arrived.\n",
			(long long)cli_int(answer, "event"), c->args[0]);
	return 0;
}

int cmd_HOOK_REMOVE(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = NULL, *body = json_object();

	TRY(cli_ask(c, ROUTE_HOOK_REMOVE, c->args, NULL, body, &answer, e));
	if (!cli_json(c, answer))
		printf("%s is told nothing any more.\n", c->args[0]);
	return 0;
}

int cmd_HOOK_DEAD(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = NULL;
	struct table t;
	json_t *l;
	size_t i;

	TRY(cli_ask(c, ROUTE_HOOK_DEAD, c->args, NULL, NULL, &answer, e));
	if (cli_json(c, answer))
		return 0;
	table_init(&t, "EVENT|TYPE|GIVEN UP|TRIES|STATUS|ABOUT|SENTENCE|WHY");
	json_array_foreach (json_object_get(answer, "dead"), i, l) {
		char ago[32];

		cli_ago(cli_int(l, "dead_ms"), ago, sizeof ago);
		table_cell(&t, "%lld", (long long)cli_int(l, "event"));
		table_cell(&t, "%s", cli_text(l, "type"));
		table_cell(&t, "%s ago", ago);
		table_cell(&t, "%lld", (long long)cli_int(l, "tries"));
		table_cell(&t, "%lld", (long long)cli_int(l, "status"));
		table_cell(&t, "%s",
			*cli_text(l, "device") ? cli_text(l, "device") : cli_text(l, "campaign"));
		table_cell(&t, "%s", cli_text(l, "text"));
		table_cell(&t, "%s", cli_text(l, "why"));
	}
	table_print(&t);
	table_fini(&t);
	return 0;
}

int cmd_HOOK_RESEND(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = NULL, *body = json_object();
	uint64_t event;

	TRY(cli_number(c, CLI_OPT_EVENT, 1, INT64_MAX, 0, &event, e));
	if (event)
		json_object_set_new(body, "event", json_integer((json_int_t)event));
	TRY(cli_ask(c, ROUTE_HOOK_RESEND, c->args, NULL, body, &answer, e));
	if (!cli_json(c, answer))
		printf("%lld letters are on their way to %s again.\n",
			(long long)cli_int(answer, "resent"), c->args[0]);
	return 0;
}

/* ---- drift ---- */

static void thousandths(struct table *t, json_int_t milli)
{
	table_cell(t, "%lld.%03lld", (long long)milli / 1000, (long long)milli % 1000);
}

int cmd_DRIFT_LIST(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = NULL;
	char query[32];
	struct table t;
	json_t *d;
	size_t i;

	TRY(cli_last(c, 50, query, e));
	TRY(cli_ask(c, ROUTE_DRIFTS, NULL, query, NULL, &answer, e));
	if (cli_json(c, answer))
		return 0;
	table_init(&t, "DRIFT|RELEASE|METRIC|VALUE|THRESHOLD|DEVICES|SAMPLES|BEGAN|TOLD|STATE");
	json_array_foreach (json_object_get(answer, "drifts"), i, d) {
		char began[32], told[32];

		cli_ago(cli_int(d, "opened_ms"), began, sizeof began);
		cli_ago(cli_int(d, "told_ms"), told, sizeof told);
		table_cell(&t, "%lld", (long long)cli_int(d, "drift"));
		table_cell(&t, "%s", *cli_text(d, "release") ? cli_text(d, "release") : "unknown");
		table_cell(&t, "%s", cli_text(d, "metric"));
		thousandths(&t, cli_int(d, "value_milli"));
		thousandths(&t, cli_int(d, "threshold_milli"));
		table_cell(&t, "%lld", (long long)cli_int(d, "devices"));
		table_cell(&t, "%lld", (long long)cli_int(d, "samples"));
		table_cell(&t, "%s ago", began);
		table_cell(&t, "%s", told);
		table_cell(&t, "%s",
			json_is_true(json_object_get(d, "open")) ? "gathering" : "closed");
	}
	table_print(&t);
	table_fini(&t);
	return 0;
}
