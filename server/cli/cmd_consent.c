/* The command by which a person at a device agrees to an update. */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/cli/cli.h"

#define MONTH_MS (30ULL * 24 * 3600 * 1000)

/* "45s", "30min", "2h", "3d". */
static int span_parse(const char *text, uint64_t *out_ms, struct err *e)
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = {{"s", 1000}, {"min", 60000}, {"h", 3600000}, {"d", 24 * 3600000}};
	size_t digits = strspn(text, "0123456789");
	uint64_t n;

	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (strcmp(text + digits, units[i].unit) == 0 &&
			str_to_u64((struct str){text, digits}, 1, MONTH_MS / units[i].ms, &n,
				NULL) == 0) {
			*out_ms = n * units[i].ms;
			return 0;
		}
	return err_set(e, ERR_USAGE, "--later: a span such as 30min, 2h or 3d is wanted");
}

/* Whoever has become root by sudo is still himself. */
static const char *caller(const struct cli *c)
{
	const char *sudo = getenv("SUDO_USER");
	const struct passwd *p = getpwuid(getuid());

	return cli_value(c, CLI_OPT_WHO, sudo && *sudo ? sudo : (p ? p->pw_name : "nobody"));
}

static int read_answer(const struct cli *c, json_t *ask, struct err *e)
{
	const char *later = cli_value(c, CLI_OPT_LATER, NULL);
	bool yes = cli_flag(c, CLI_OPT_YES), no = cli_flag(c, CLI_OPT_NO);
	uint64_t span;

	if (no && (yes || later))
		return err_set(e, ERR_USAGE, "--no stands alone");
	json_object_set_new(ask, "answer", json_string(yes ? "yes" : no ? "no" : "later"));
	json_object_set_new(ask, "who", json_string(caller(c)));
	if (!later)
		return 0;
	TRY(span_parse(later, &span, e));
	json_object_set_new(ask, "span_ms", json_integer((json_int_t)span));
	return 0;
}

static void print_waiting(const json_t *consent)
{
	const char *answer = cli_text(consent, "answer");

	if (!json_is_object(consent)) {
		puts("No update waits for anybody.");
		return;
	}
	printf("%s\n%s\ndocument %s\n", cli_text(consent, "release"), cli_text(consent, "notes"),
		cli_text(consent, "document"));
	if (*answer)
		printf("%s, by %s\n", answer, cli_text(consent, "who"));
	else
		puts("Nobody has answered yet: backstay consent --yes, --no or --later 2h");
}

static int show(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = NULL;
	const json_t *consent;

	TRY(cli_local(c, CTL_STATUS, NULL, &answer, e));
	consent = json_object_get(answer, "consent");
	if (!cli_json(c, consent))
		print_waiting(consent);
	return 0;
}

int cmd_CONSENT(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = NULL, *ask = NULL;

	if (!cli_flag(c, CLI_OPT_YES) && !cli_flag(c, CLI_OPT_NO) &&
		!cli_value(c, CLI_OPT_LATER, NULL))
		return show(c, e);
	ask = json_object();
	TRY(read_answer(c, ask, e));
	TRY(cli_local(c, CTL_CONSENT, json_incref(ask), &answer, e));
	if (!cli_json(c, answer))
		puts("Noted. Next: backstay status --watch");
	return 0;
}
