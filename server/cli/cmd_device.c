/* backstay device ... */
#include <stdio.h>

#include "server/cli/cli.h"
#include "server/cli/table.h"

#define DAY_MS (24LL * 3600 * 1000)

int cmd_DEVICE_LIST(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = NULL;
	struct table t;
	json_t *d;
	size_t i;

	TRY(cli_ask(c, ROUTE_DEVICES, NULL, NULL, NULL, &answer, e));
	if (cli_json(c, answer))
		return 0;
	table_init(&t, "DEVICE|HARDWARE|RUNS|SLOT|STATE|CAMPAIGN|SEEN|SAID LAST");
	json_array_foreach (json_object_get(answer, "devices"), i, d) {
		char seen[32];

		cli_ago(cli_int(d, "last_contact_ms"), seen, sizeof seen);
		table_cell(&t, "%s", cli_text(d, "id"));
		table_cell(&t, "%s", cli_text(d, "hardware"));
		table_cell(&t, "%s", cli_text(d, "running"));
		table_cell(&t, "%s", cli_text(d, "slot"));
		table_cell(&t, "%s", cli_text(d, "state"));
		table_cell(&t, "%s", cli_text(d, "campaign"));
		table_cell(&t, "%s ago", seen);
		table_cell(&t, "%s", cli_text(d, "text"));
	}
	table_print(&t);
	table_fini(&t);
	return 0;
}

int cmd_DEVICE_INVITE(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = NULL, *body = json_object();
	uint64_t days;

	TRY(cli_number(c, CLI_OPT_DAYS, 1, LIMIT_TOKEN_LIFE_MS / DAY_MS, 0, &days, e));
	if (days)
		json_object_set_new(body, "life_ms", json_integer((json_int_t)days * DAY_MS));
	TRY(cli_ask(c, ROUTE_DEVICE_INVITE, c->args, NULL, body, &answer, e));
	if (cli_json(c, answer))
		return 0;
	puts(cli_text(answer, "token"));
	fprintf(stderr,
		"This lets %s enrol once, within %lld days: put it where its [identity] token_file says.\n",
		c->args[0], (long long)cli_int(answer, "life_ms") / DAY_MS);
	return 0;
}

int cmd_DEVICE_REVOKE(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = NULL, *body = json_object();

	TRY(cli_ask(c, ROUTE_DEVICE_REVOKE, c->args, NULL, body, &answer, e));
	if (!cli_json(c, answer))
		printf("%s is refused from now on. It keeps running what it runs; `backstay device invite` lets "
		       "it in again.\n",
			c->args[0]);
	return 0;
}

/* Every member on a line of its own; nested ones as JSON. */
static void print_members(const json_t *o)
{
	const char *key;
	json_t *v;

	json_object_foreach ((json_t *)o, key, v) {
		BUF_AUTO b = {0};

		if (json_is_string(v))
			buf_add_str(&b, json_string_value(v));
		else
			json_write(v, &b);
		printf("%-18s %s\n", key, buf_cstr(&b));
	}
}

int cmd_DEVICE_SHOW(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = NULL;

	TRY(cli_ask(c, ROUTE_DEVICE, c->args, NULL, NULL, &answer, e));
	if (!cli_json(c, answer))
		print_members(answer);
	return 0;
}

int cmd_DEVICE_HISTORY(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = NULL;
	char query[32];
	struct table t;
	json_t *r;
	size_t i;

	TRY(cli_last(c, 50, query, e));
	TRY(cli_ask(c, ROUTE_DEVICE_HISTORY, c->args, query, NULL, &answer, e));
	if (cli_json(c, answer))
		return 0;
	table_init(&t, "SEQ|AGO|KIND|STATE|RELEASE|RESULT|TEXT");
	json_array_foreach (json_object_get(answer, "reports"), i, r) {
		char ago[32];

		cli_ago(cli_int(r, "at"), ago, sizeof ago);
		table_cell(&t, "%lld", (long long)cli_int(r, "seq"));
		table_cell(&t, "%s", ago);
		table_cell(&t, "%s", cli_text(r, "kind"));
		table_cell(&t, "%s", cli_text(r, "state"));
		table_cell(&t, "%s",
			*cli_text(r, "target") ? cli_text(r, "target") : cli_text(r, "running"));
		table_cell(&t, "%s",
			*cli_text(r, "cause") ? cli_text(r, "cause") : cli_text(r, "code"));
		table_cell(&t, "%s", cli_text(r, "text"));
	}
	table_print(&t);
	table_fini(&t);
	return 0;
}
