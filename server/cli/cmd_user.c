/* backstay user ... */
#include <stdio.h>

#include "lib/sys/clock.h"
#include "server/cli/cli.h"
#include "server/cli/table.h"

#define DAY_MS (24LL * 3600 * 1000)

int cmd_USER_ADD(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = NULL;
	JSON_AUTO *body = json_pack("{s:s, s:s}", "name", c->args[0], "role", c->args[1]);
	uint64_t days;

	TRY(cli_number(c, CLI_OPT_DAYS, 1, LIMIT_TOKEN_LIFE_MS / DAY_MS, 0, &days, e));
	if (days)
		json_object_set_new(body, "life_ms", json_integer((json_int_t)days * DAY_MS));
	TRY(cli_ask(c, ROUTE_USER_ADD, NULL, NULL, body, &answer, e));
	if (cli_json(c, answer))
		return 0;
	puts(cli_text(answer, "token"));
	fprintf(stderr,
		"This is the token of %s, who is %s. The server keeps only its digest: hand it over now.\n",
		cli_text(answer, "name"), cli_text(answer, "role"));
	return 0;
}

static const char *standing(const json_t *u)
{
	ms_t expires = cli_int(u, "expires_ms");

	if (cli_int(u, "revoked_ms"))
		return "revoked";
	return expires && expires <= clock_system.wall(NULL) ? "expired" : "good";
}

static void add_row(struct table *t, const json_t *u)
{
	ms_t expires = cli_int(u, "expires_ms");
	char used[32], made[32];

	cli_ago(cli_int(u, "used_ms"), used, sizeof used);
	cli_ago(cli_int(u, "created_ms"), made, sizeof made);
	table_cell(t, "%s", cli_text(u, "name"));
	table_cell(t, "%s", cli_text(u, "role"));
	table_cell(t, "%s", standing(u));
	if (expires)
		table_cell(t, "%lld d", (long long)((expires - clock_system.wall(NULL)) / DAY_MS));
	else
		table_cell(t, "never");
	table_cell(t, "%s%s", used, cli_int(u, "used_ms") ? " ago" : "");
	table_cell(t, "%s ago", made);
	table_cell(t, "%s", cli_text(u, "created_by"));
}

int cmd_USER_LIST(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = NULL;
	struct table t;
	json_t *u;
	size_t i;

	TRY(cli_ask(c, ROUTE_USERS, NULL, NULL, NULL, &answer, e));
	if (cli_json(c, answer))
		return 0;
	table_init(&t, "USER|ROLE|TOKEN|EXPIRES|USED|MADE|BY");
	json_array_foreach (json_object_get(answer, "users"), i, u)
		add_row(&t, u);
	table_print(&t);
	table_fini(&t);
	return 0;
}

int cmd_USER_REVOKE(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = NULL, *body = json_object();

	TRY(cli_ask(c, ROUTE_USER_REVOKE, c->args, NULL, body, &answer, e));
	if (!cli_json(c, answer))
		printf("The token of %s is refused from now on.\n", c->args[0]);
	return 0;
}
