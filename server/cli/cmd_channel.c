/* backstay channel ... */
#include <stdio.h>

#include "proto/wire/time.h"
#include "server/cli/cli.h"
#include "server/cli/table.h"

static void print_channels(const json_t *answer)
{
	struct table t;
	char at[21];
	json_t *row;
	size_t i;

	table_init(&t, "PRODUCT|FROZEN|BY|WHY");
	json_array_foreach (json_object_get(answer, "frozen"), i, row) {
		time_format(cli_int(row, "frozen_ms") / 1000, at);
		table_cell(&t, "%s", cli_text(row, "product"));
		table_cell(&t, "%s", at);
		table_cell(&t, "%s", cli_text(row, "frozen_by"));
		table_cell(&t, "%s", cli_text(row, "why"));
	}
	table_print(&t);
	table_fini(&t);
}

int cmd_CHANNEL_LIST(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = NULL;

	TRY(cli_ask(c, ROUTE_CHANNELS, NULL, NULL, NULL, &answer, e));
	if (!cli_json(c, answer))
		print_channels(answer);
	return 0;
}

static int order(const struct cli *c, enum route route, const char *done, struct err *e)
{
	const char *reason = cli_value(c, CLI_OPT_REASON, "");
	JSON_AUTO *body = NULL, *answer = NULL;

	if (!*reason)
		return err_set(e, ERR_USAGE, "--reason TEXT is needed: it stands in the audit log");
	body = json_pack("{s:s}", "reason", reason);
	TRY(cli_ask(c, route, c->args, NULL, body, &answer, e));
	if (!cli_json(c, answer))
		printf("Channel %s %s.\n", c->args[0], done);
	return 0;
}

int cmd_CHANNEL_FREEZE(const struct cli *c, struct err *e)
{
	return order(c, ROUTE_CHANNEL_FREEZE, "is frozen: no campaign for it starts", e);
}

int cmd_CHANNEL_THAW(const struct cli *c, struct err *e)
{
	return order(c, ROUTE_CHANNEL_THAW, "is open again", e);
}
