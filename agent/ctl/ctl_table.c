#include "agent/ctl/ctl.h"

#include <string.h>

static const struct {
	const char *name;
	bool guarded;
} rows[] = {
#define X(id, name, guarded, text) [CTL_##id] = {name, guarded},
	CTL_TABLE(X)
#undef X
};

const char *ctl_cmd_name(enum ctl_cmd c)
{
	return c < CTL_CMD_MAX ? rows[c].name : "unknown";
}

bool ctl_cmd_is_guarded(enum ctl_cmd c)
{
	return c >= CTL_CMD_MAX || rows[c].guarded;
}

int ctl_parse(struct str line, enum ctl_cmd *out_cmd, json_t **out_request, struct err *e)
{
	JSON_AUTO *j = NULL;
	char name[32];

	TRY(json_read(line, CTL_REQUEST_MAX, &j, e));
	TRY(json_text(j, "request", "cmd", name, sizeof name, e));
	for (enum ctl_cmd c = 0; c < CTL_CMD_MAX; c++) {
		if (strcmp(rows[c].name, name) == 0) {
			*out_cmd = c;
			*out_request = json_incref(j);
			return 0;
		}
	}
	return err_set(e, ERR_BAD_INPUT, "request.cmd: no command is called \"%s\"", name);
}
