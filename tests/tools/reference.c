/* Prints a page of docs/reference from the tables that the programs are made of, so that it cannot
 * lie. */
#include <stdio.h>
#include <string.h>

#include "agent/agent_conf.h"
#include "agent/core/update.h"
#include "agent/ctl/ctl.tbl.h"
#include "agent/priv/priv.h"
#include "lib/sys/log.h"
#include "proto/wire/precond.h"
#include "proto/wire/predicate.h"
#include "proto/wire/report.h"
#include "proto/wire/routes.h"
#include "proto/wire/trigger.h"
#include "server/cli/cli.tbl.h"
#include "server/core/hook.h"
#include "server/core/user_role.h"
#include "server/core/wave.h"
#include "server/run/record.tbl.h"
#include "server/server_conf.h"
#include "server/signd/core/ask.tbl.h"
#include "server/signd/signd_conf.h"

static void print_errors(void)
{
	static const char *const retry[] = {"never", "soon", "later", "after a person has looked"};

	puts("# Kinds of failure\n\nThe same names stand in logs, reports, API answers and exit statuses.\n\n"
	     "| Name | Meaning | Try again | HTTP | Exit |\n|---|---|---|---|---|");
	for (enum err_code c = ERR_OK; c < ERR_CODE_MAX; c++)
		printf("| `%s` | %s | %s | %d | %d |\n", err_name(c), err_text(c),
			retry[err_retry(c)], err_http(c), err_exit(c));
}

static void print_verbs(void)
{
	puts("# Verbs between installer and worker\n\nThe agent's two processes say this to each other, and nothing else (agent/DESIGN.md). What the worker says is\n"
	     "checked by the installer before anything is done with it.\n\n"
	     "| Verb | Said by | In answer to | What it carries, and what is done for it |\n|---|---|---|---|");
	for (unsigned v = 0; v < PRIV_VERB_MAX; v++) {
		bool down = priv_says(v, PRIV_INSTALLER), up = priv_says(v, PRIV_WORKER);

		printf("| `%s` | %s |", priv_name(v),
			down && up ? "both"
			: down     ? "installer"
				   : "worker");
		for (unsigned ask = 0; ask < PRIV_VERB_MAX; ask++)
			if (priv_answers(v, ask))
				printf(" `%s`", priv_name(ask));
		printf(" | %s |\n", priv_help(v));
	}
}

/* "0.5", "60000": a number of thousandths without zeros that say nothing. */
static void print_milli(uint64_t milli)
{
	printf("%g", (double)milli / 1000.0);
}

static void print_comparators(unsigned bits)
{
	const char *comma = "";

	for (unsigned c = 0; c < TRIG_CMP_MAX; c++)
		if (bits & 1U << c) {
			printf("%s`%s`", comma, trig_comparator_name(c));
			comma = ", ";
		}
}

static void print_threshold(const struct trig_measure *m)
{
	if (m->kind == TRIG_KIND_SHIFT)
		printf("%g %% away", (double)m->factor_milli / 10.0);
	else if (!m->threshold_milli)
		printf("to be stated");
	else if (m->unit == TRIG_UNIT_SHARE)
		printf("%g %%", (double)m->threshold_milli / 10.0);
	else
		printf("%g%s", (double)m->threshold_milli / 1000.0, trig_unit_suffix(m->unit));
	if (m->kind == TRIG_KIND_TALLY)
		printf(" or more");
	if (m->below)
		printf(" or less");
	if (m->comparators & 1U << TRIG_CMP_BASELINE && m->factor_least_milli == 1000)
		printf("; %g x", (double)m->factor_milli / 1000.0);
}

static void print_members(unsigned bits)
{
	static const char *const names[] = {"metric", "total", "excused", "statistic",
		"edges_micro", "zone", "sigma_milli", "busy_milli"};
	const char *comma = "";

	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		if (bits & 1U << i) {
			printf("%s`%s`", comma, names[i]);
			comma = ", ";
		}
}

static void print_measures(void)
{
	size_t n;
	const struct trig_measure *m = trig_measures(&n);

	puts("\n## Measures\n\n"
	     "| Type | `of` | Measured | Unit | Trips beyond | Window | Hold | Samples | Sigma | Compared with | Members |\n"
	     "|---|---|---|---|---|---|---|---|---|---|---|");
	for (; n > 0; n--, m++) {
		if (m->kind == TRIG_KIND_EVENT)
			continue;
		printf("| `%s` | %s | %s | %s | ", trig_type_name(m->type), m->of, m->text,
			trig_unit_name(m->unit));
		print_threshold(m);
		printf(" | %lld s | %u of %u | %llu | ", (long long)(m->window / 1000), m->hold_k,
			m->hold_m, (unsigned long long)m->min_samples);
		print_milli(m->sigma_milli);
		printf(" | ");
		print_comparators(m->comparators);
		printf(" | ");
		print_members(m->members);
		printf(" |\n");
	}
}

/* One of each, as it stands in a release; the tests read this page and parse them. */
static const char *const trigger_examples[] = {
	"{\"type\": \"crash_loop\", \"threshold_milli\": 3000, \"window_ms\": 600000}",
	"{\"type\": \"health_failed\", \"hold\": [3, 3], \"on_blind\": \"trip\"}",
	"{\"type\": \"latency\", \"metric\": \"infer_seconds\", \"statistic\": \"p99\", \"threshold_milli\": 250}",
	"{\"type\": \"latency\", \"metric\": \"infer_seconds\", \"comparator\": \"baseline\", \"threshold_milli\": 1500, \"busy_milli\": 1100}",
	"{\"type\": \"error_rate\", \"metric\": \"errors_total\", \"total\": \"requests_total\", \"excused\": \"cloud_errors_total\"}",
	"{\"type\": \"quality\", \"of\": \"rate\", \"metric\": \"rejects_total\", \"total\": \"parts_total\", \"threshold_milli\": 20, \"on_blind\": \"wait\"}",
	"{\"type\": \"quality\", \"of\": \"override\", \"metric\": \"overrides_total\", \"total\": \"parts_total\", \"claim\": \"SPI-4\"}",
	"{\"type\": \"quality\", \"of\": \"disagreement\", \"metric\": \"disagreements_total\", \"total\": \"compared_total\"}",
	"{\"type\": \"drift\", \"metric\": \"confidence\", \"statistic\": \"psi\", \"edges_micro\": [200000, 400000, 600000, 800000]}",
	"{\"type\": \"drift\", \"metric\": \"confidence\", \"statistic\": \"js\", \"comparator\": \"training\", \"edges_micro\": [500000, 900000], \"counts\": [120, 800, 4100]}",
	"{\"type\": \"resource\", \"of\": \"memory\", \"comparator\": \"baseline\", \"threshold_milli\": 1500}",
	"{\"type\": \"resource\", \"of\": \"disk\", \"threshold_milli\": 256000}",
	"{\"type\": \"resource\", \"of\": \"accelerator_memory\", \"metric\": \"gpu_memory_used_bytes\", \"threshold_milli\": 6144000}",
	"{\"type\": \"thermal\", \"of\": \"throttled\"}",
	"{\"type\": \"thermal\", \"of\": \"temperature\", \"zone\": \"soc_thermal\", \"threshold_milli\": 85000}",
	"{\"type\": \"connectivity\", \"hold\": [30, 30]}",
	"{\"type\": \"fleet\"}",
};

static void print_triggers(void)
{
	puts("# Rollback triggers\n\nA release states which of them watch it (manifests/schema/release.md). While it soaks, each is judged in\n"
	     "windows; when k of the last m were bad, the device goes back by itself. What a release does not say is as here.\n"
	     "`backstay explain` shows every trigger with its value, its limit and what it waits for.\n\n"
	     "| Type | Trips when |\n|---|---|");
#define X(id, name, text) printf("| `%s` | %s |\n", name, text);
	TRIGGER_TABLE(X)
	print_measures();
	puts("\nThresholds are stated in thousandths (`threshold_milli`) of the unit, or, compared with a baseline or a champion, of the\n"
	     "factor (`x` above); a share of 1 % is 10. A window is bad when its value is beyond the limit **and** chance is excluded with\n"
	     "`sigma_milli` (thousandths of a standard deviation, 0: not asked): 3 of 500 requests are no proof of more than 0.5 %. With a\n"
	     "baseline, windows with more than `busy_milli` (default 1100, 0: off) thousandths of its events per time do not count: a rush\n"
	     "hits the old version as it hits the new one. `excused` counts failures that were others' fault, such as a cloud that answers\n"
	     "503: they are neither good nor bad.\n\n## Comparators\n\n| Name | The value is compared with |\n|---|---|");
	TRIGGER_COMPARATOR_TABLE(X)
	puts("\n## Distances of distributions (`statistic` of drift)\n\n| Name | Meaning |\n|---|---|");
	TRIGGER_DISTANCE_TABLE(X)
	puts("\nThe alarm is at the threshold (default 0.25 for psi, 0.2 for js) or at what chance makes of n and m samples, the quantile of\n"
	     "chi-squared with B - 1 degrees of freedom times 1/n + 1/m, whichever is more. `edges_micro` are upper bounds, in millionths,\n"
	     "and must all be bounds of the workload's own histogram.\n\n"
	     "## A window without enough samples (`on_blind`)\n\n| Name | Meaning |\n|---|---|");
	TRIGGER_BLIND_TABLE(X)
#undef X
	puts("\n## Examples\n\n```json");
	for (size_t i = 0; i < sizeof trigger_examples / sizeof *trigger_examples; i++)
		puts(trigger_examples[i]);
	puts("```");
}

static void print_phases(unsigned bits)
{
	const char *comma = "";

	for (unsigned p = PRECOND_DOWNLOAD; p <= PRECOND_SWAP; p <<= 1)
		if (bits & p) {
			printf("%s`%s`", comma, precond_phase_name(p));
			comma = ", ";
		}
}

static void print_preconditions(void)
{
	puts("# Preconditions\n\nReleases state them (manifests/schema/release.md), and so does the agent's configuration ([precond] in\n"
	     "agent.conf.md); both must hold. What is not said is as here. The way back waits for none of them; an ordered rollback\n"
	     "waits for those that say so.\n\n"
	     "| Type | Holds when | Members | Before | When it cannot be seen | Holds up a rollback |\n|---|---|---|---|---|---|");
#define PLAIN    ""
#define POWER    "`mains`, `battery_percent`"
#define WINDOW   "`windows`"
#define AT_MOST  "`at_most`, `of`"
#define AT_LEAST "`at_least`"
#define BLOCK    "block"
#define PASS     "pass"
#define X(id, name, members, before, may, on_unknown, holds, min, max, text)                       \
	printf("| `%s` | %s | %s | ", name, text, members);                                        \
	print_phases(before);                                                                      \
	printf(" | `%s` | %s |\n", on_unknown, (holds) ? "yes" : "no");
	PRECOND_TABLE(X)
#undef X
	puts("\n## When they are looked at\n\n| `before` | |\n|---|---|");
#define X(id, name, text) printf("| `%s` | %s |\n", name, text);
	PRECOND_PHASE_TABLE(X)
	puts("\n## What cannot be seen (`on_unknown`)\n\n| Name | Meaning |\n|---|---|");
	PRECOND_UNKNOWN_TABLE(X)
#undef X
}

static void print_routes(void)
{
	static const char *const caller[] = {"anyone", "device", "invited device",
		"holder of a certificate", "viewer", "operator", "approver", "admin"};

	puts("# HTTP API\n\nAnswers are JSON. A refusal is `{\"error\": NAME, \"reason\": TEXT}` with a name of errors.md. Routes of\n"
	     "people need `Authorization: Bearer TOKEN`, of a user whose role opens them.\n\n"
	     "| Role | What it does |\n|---|---|");
	for (enum user_role r = 0; r < USER_ROLE_MAX; r++)
		printf("| %s | %s |\n", user_role_name(r), user_role_text(r));
	puts("\n| Method | Path | Who | Body, at most | What it does |\n|---|---|---|---|---|");
	for (enum route r = 0; r < ROUTE_MAX; r++)
		printf("| %s | `%s` | %s | %llu | %s |\n", route_method(r), route_path(r),
			caller[route_caller(r)], (unsigned long long)route_body_limit(r),
			route_text(r));
	puts("\n## What devices report\n\n| Kind | Meaning |\n|---|---|");
#define X(id, name, text) printf("| `%s` | %s |\n", name, text);
	REPORT_KIND_TABLE(X)
	puts("\n## Phases of a campaign\n\n| Phase | Meaning |\n|---|---|");
	WAVE_PHASE_TABLE(X)
	puts("\n## Where a recipient is\n\n| State | Meaning |\n|---|---|");
	RECIPIENT_STATE_TABLE(X)
#undef X
}

static void print_commands(void)
{
	puts("# The command line\n\n`backstay COMMAND --help` says the same with all options.\n\n| Command | What it does | Example |\n|---|---|---|");
#define X(id, group, verb, args, min, max, options, text, example)                                 \
	printf("| `%s%s%s%s%s` | %s | `%s` |\n", group, (verb) ? " " : "", (verb) ? (verb) : "",   \
		*(args) ? " " : "", args, text, example);
	CLI_COMMANDS(X)
#undef X
	puts("\n## Options\n\n| Option | Meaning |\n|---|---|");
#define X(id, name, arg, text)                                                                     \
	printf("| `--%s%s%s` | %s |\n", name, (arg) ? " " : "", (arg) ? (arg) : "", text);
	CLI_OPTIONS(X)
#undef X
	puts("\n## The agent's control socket\n\nOne JSON object a line, `{\"cmd\": NAME}`, and one line back.\n\n| Command | Changes something | What it does |\n|---|---|---|");
#define X(id, name, changes, text)                                                                 \
	printf("| `%s` | %s | %s |\n", name, (changes) ? "yes" : "no", text);
	CTL_TABLE(X)
#undef X
}

static void print_conf(const char *program, const char *name, const struct conf_row *rows, size_t n)
{
	static const char *const types[] = {
		"text", "number", "yes or no", "span (30s, 5min, 2h)", "size (16M)"};
	const char *section = "";

	printf("# Configuration of %s\n\n"
	       "`/etc/backstay/%s`; where there is none, that of `/run/backstay`, else that of `/usr/lib/backstay`. Then\n"
	       "`%s.d/*.conf` of all three together in order of name; of those with one name only the strongest is read, so\n"
	       "that an empty file masks the weaker one. `%s --dump-config` prints what is in force, and which file says it.\n",
		program, name, name, program);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(section, rows[i].section) != 0)
			printf("\n## [%s]\n\n| Key | Type | Default | Meaning |\n|---|---|---|---|\n",
				rows[i].section);
		section = rows[i].section;
		printf("| `%s` | %s | %s%s%s | %s |\n", rows[i].key, types[rows[i].type],
			rows[i].def && *rows[i].def ? "`" : "",
			rows[i].def ? rows[i].def : "must be given",
			rows[i].def && *rows[i].def ? "`" : "", rows[i].help);
	}
}

static void print_agent_conf(void)
{
	size_t n;
	const struct conf_row *rows = agent_conf_rows(&n);

	print_conf("backstay-agent", AGENT_CONF_NAME, rows, n);
}

static void print_server_conf(void)
{
	size_t n;
	const struct conf_row *rows = server_conf_rows(&n);

	print_conf("backstay-server", SERVER_CONF_NAME, rows, n);
}

static void print_signer_conf(void)
{
	size_t n;
	const struct conf_row *rows = signd_conf_rows(&n);

	print_conf("backstay-signer", SIGND_CONF_NAME, rows, n);
	puts("\n## What it can be asked\n\n| Ask | What it signs |\n|---|---|");
#define X(id, name, text) printf("| `%s` | %s |\n", name, text);
	ASK_TABLE(X)
#undef X
}

static void print_log(void)
{
	static const char *const priority[] = {
		"emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"};

	puts("# Log events\n\nEach field is `key=value` in a line of text, a member of an object with --log-json, and `BACKSTAY_KEY` in systemd's\n"
	     "journal. There an event has its MESSAGE_ID, too: `journalctl MESSAGE_ID=...`, `journalctl BACKSTAY_STATE=reverted`, and\n"
	     "`journalctl -x` explains it.\n\n"
	     "| Event | Priority | MESSAGE_ID | Text | Fields that it can have | What it means |\n|---|---|---|---|---|---|");
#define X(id, level, message_id, text, fields, help)                                               \
	printf("| `%s` | %s | %s | %s | %s | %s |\n", #id, priority[level], message_id, text,      \
		fields, help);
	LOG_TABLE(X)
#undef X
}

static void print_evidence(void)
{
	puts("# Kinds of evidence\n\nGates name them by their short name. \"Made\" is the field whose time counts for a gate's `max_age_ms`.\n\n| Name | predicateType | Made | What it is |\n|---|---|---|---|");
	for (enum predicate p = 0; p < PREDICATE_MAX; p++)
		printf("| `%s` | `%s` | `%s` | %s |\n", predicate_name(p), predicate_type(p),
			predicate_made_at(p), predicate_text(p));
}

static void print_hooks(void)
{
	puts("# Hooks\n\nWhat each event carries and how letters are signed stands in docs/hooks.md. A CloudEvent's type is the name behind\n"
	     "`backstay.`; an alert is named after it, too.\n\n| Event | Gravity | What has happened |\n|---|---|---|");
	for (enum hook_event ev = 0; ev < HOOK_EVENT_MAX; ev++)
		printf("| `%s` | %s | %s |\n", hook_event_name(ev),
			hook_gravity_name(hook_event_gravity(ev)), hook_event_text(ev));
	puts("\n## Kinds of hooks\n\n| Kind | What it is sent |\n|---|---|");
#define X(id, name, text) printf("| `%s` | %s |\n", name, text);
	HOOK_KIND_TABLE(X)
#undef X
}

static void print_records(void)
{
	puts("# What records hold\n\nEvery record says of each of these whether it is recorded, partly recorded or missing (docs/records.md).\n\n"
	     "| UN R156 | Asked for | Record of a | Where | How it comes to be there |\n|---|---|---|---|---|");
#define X(id, scope, paragraph, asks, at, how)                                                     \
	printf("| %s | %s | %s | `%s` | %s |\n", paragraph, asks,                                  \
		#scope[0] == 'V' ? "vehicle" : "release", at, how);
	RECORD_TABLE(X)
#undef X
}

static const struct {
	const char *name;
	void (*print)(void);
} pages[] = {
	{"errors", print_errors},
	{"triggers", print_triggers},
	{"preconditions", print_preconditions},
	{"verbs", print_verbs},
	{"api", print_routes},
	{"commands", print_commands},
	{"agent.conf", print_agent_conf},
	{"server.conf", print_server_conf},
	{"signer.conf", print_signer_conf},
	{"log", print_log},
	{"evidence", print_evidence},
	{"hooks", print_hooks},
	{"records", print_records},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		if (argc == 1)
			puts(pages[i].name);
		else if (strcmp(argv[1], pages[i].name) == 0)
			return pages[i].print(), 0;
	}
	return argc == 1 ? 0 : 64;
}
