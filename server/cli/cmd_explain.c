/* backstay campaign explain: where a campaign stands, in sentences. */
#include <stdio.h>
#include <string.h>

#include "proto/wire/policy.h"
#include "proto/wire/time.h"
#include "server/cli/cli.h"
#include "server/core/wave.h"

/* What the phase's own row of the table says. */
static const char *phase_text(const char *phase)
{
	static const struct {
		const char *name, *text;
	} phases[] = {
#define X(id, label, text) {label, text},
		WAVE_PHASE_TABLE(X)
#undef X
	};

	for (size_t i = 0; i < ARRAY_LEN(phases); i++)
		if (strcmp(phases[i].name, phase) == 0)
			return phases[i].text;
	return "";
}

static const char *rung_text(const char *rung)
{
	static const char *const texts[POLICY_RUNG_MAX] = {
#define X(id, label, text) [POLICY_RUNG_##id] = text,
		POLICY_RUNG_TABLE(X)
#undef X
	};

	for (enum policy_rung r = 0; r < POLICY_RUNG_MAX; r++)
		if (strcmp(policy_rung_names[r], rung) == 0)
			return texts[r];
	return "";
}

static void explain_hold(const json_t *o)
{
	const char *hold = cli_text(o, "hold"), *agreed = cli_text(o, "agreed");

	if (!*hold)
		return;
	if (strcmp(hold, wave_hold_name(WAVE_HOLD_APPROVAL)) == 0)
		puts("It waits for a person: backstay campaign approve.");
	else if (*agreed)
		printf("A guardrail fails (%s). %s wants to go on; a second person must agree.\n",
			hold, agreed);
	else
		printf("A guardrail fails (%s): two people must agree to go on.\n", hold);
}

static void explain_control(const json_t *control)
{
	long long n = (long long)(cli_int(control, "to") - cli_int(control, "from"));

	if (!control)
		puts("There is no control group: failures are held against the rate that the policy calls usual.");
	else if (json_is_true(json_object_get(control, "released")))
		printf("The %lld devices of the control group are let in, and nobody is left to compare with: only the guard, max_failures, "
		       "the ladder and people end it from here on.\n",
			n);
	else
		printf("%lld devices are the control group and keep what they run until everybody else has ended; %lld of them were heard in this wave. "
		       "Of the outcomes in this wave %.3g %% are expected from canaries. A canary that cannot be reached fails after a time; "
		       "of these, one that cannot says nothing.\n",
			n, (long long)cli_int(control, "heard"),
			(double)cli_int(control, "canary_share_ppm") / 1e4);
}

static void explain(const json_t *o)
{
	char when[21];

	printf("%s is %s: %s.\n%s.\n", cli_text(o, "id"), cli_text(o, "phase"),
		phase_text(cli_text(o, "phase")), cli_text(o, "why"));
	explain_hold(o);
	if (cli_int(o, "wake_at_ms")) {
		time_format(cli_int(o, "wake_at_ms") / 1000, when);
		printf("Unless a device says something, nothing changes before %s.\n", when);
	}
	if (json_object_get(o, "judge")) {
		printf("The judge says %s.\n", cli_text(json_object_get(o, "judge"), "text"));
		explain_control(json_object_get(o, "control"));
	}
	printf("Ladder: %s (%s).\n", cli_text(o, "rung"), rung_text(cli_text(o, "rung")));
}

int cmd_CAMPAIGN_EXPLAIN(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = NULL;

	TRY(cli_ask(c, ROUTE_CAMPAIGN, c->args, NULL, NULL, &answer, e));
	if (!cli_json(c, answer))
		explain(answer);
	return 0;
}
