/* Pages of files and of tables. */
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "agent/agent_conf.h"
#include "agent/core/update.h"
#include "lib/sys/log.h"
#include "packaging/manual/pages.h"
#include "proto/wire/precond.h"
#include "proto/wire/trigger.h"
#include "server/core/hook.h"
#include "server/server_conf.h"
#include "server/signd/signd_conf.h"

/* ---- configuration ---- */

static void print_default(const char *value)
{
	BUF_AUTO text = {0};

	buf_addf(&text, "default %s", value);
	mdoc_macro("Pq", buf_cstr(&text));
}

static void print_row(const struct conf_row *r)
{
	static const char *const types[] = {
		"Text", "A number", "yes or no", "A span (30s, 5min, 2h)", "A size (16M)"};

	printf(".It Va %s\n", r->key);
	mdoc_say(r->help);
	mdoc_say(types[r->type]);
	if (!r->def)
		mdoc_say("(must be given)");
	else if (*r->def)
		print_default(r->def);
	else
		mdoc_macro("Pq", "default: empty");
}

static void print_rows(const struct conf_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool first = i == 0 || strcmp(rows[i - 1].section, rows[i].section) != 0;
		bool last = i + 1 == n || strcmp(rows[i + 1].section, rows[i].section) != 0;
		char title[64];

		snprintf(title, sizeof title, "Section %s", rows[i].section);
		if (first) {
			mdoc_subsection(title);
			mdoc_list_begin();
		}
		print_row(&rows[i]);
		if (last)
			mdoc_list_end();
	}
}

static void print_conf(const char *program, const char *name, const struct conf_row *rows, size_t n)
{
	static const char *const roots[] = {"/etc", "/run", "/usr/lib"};

	mdoc_section("synopsis");
	for (size_t i = 0; i < ARRAY_LEN(roots); i++)
		printf(".Pa %s/backstay/%s%s", roots[i], name,
			i + 1 < ARRAY_LEN(roots) ? " ,\n" : "\n");
	for (size_t i = 0; i < ARRAY_LEN(roots); i++)
		printf("%s.Pa %s/backstay/%s.d/*.conf%s", i ? "" : ".Pp\n", roots[i], name,
			i + 1 < ARRAY_LEN(roots) ? " ,\n" : "\n");
	mdoc_section("description");
	mdoc_say(
		"One main file is read: that of /etc/backstay; where there is none, that of /run/backstay, which lasts until the "
		"next boot; else the vendor's in /usr/lib/backstay. Then come the drop-ins of all three folders together, in order "
		"of their names; a later value replaces an earlier one. Of drop-ins with the same name only that of the strongest "
		"folder is read, so that an empty file, or a link to /dev/null, masks a weaker one.");
	mdoc_para();
	mdoc_say(
		"Lines are [section], key = value, or comments behind # or ; and no longer than 190 bytes. A key that is not known "
		"is a mistake, and so is one that stands twice in a file. Every mistake is told, with its file and line, and then "
		"nothing is begun.");
	mdoc_para();
	printf(".Ql %s \\-\\-dump\\-config\n", program);
	mdoc_say("prints what is in force, and for each value which file and line has said it.");
	mdoc_section("keys");
	print_rows(rows, n);
}

void manual_agent_conf(void)
{
	size_t n;
	const struct conf_row *rows = agent_conf_rows(&n);

	print_conf("backstay-agent", AGENT_CONF_NAME, rows, n);
	manual_see("backstay-agent 8");
}

void manual_server_conf(void)
{
	size_t n;
	const struct conf_row *rows = server_conf_rows(&n);

	print_conf("backstay-server", SERVER_CONF_NAME, rows, n);
	manual_see("backstay-server 8");
}

void manual_signer_conf(void)
{
	size_t n;
	const struct conf_row *rows = signd_conf_rows(&n);

	print_conf("backstay-signer", SIGND_CONF_NAME, rows, n);
	manual_see("backstay-signer 8");
}

/* ---- triggers ---- */

static void named(const char *tag, const char *text)
{
	mdoc_item(tag);
	mdoc_sentence(text);
}

static void limit_text(const struct trig_measure *m, char *out, size_t cap)
{
	bool share = m->unit == TRIG_UNIT_SHARE, shift = m->kind == TRIG_KIND_SHIFT;
	double milli = (double)(shift ? m->factor_milli : m->threshold_milli);

	if (milli <= 0)
		snprintf(out, cap, "there is no default for the threshold");
	else
		snprintf(out, cap, "by default the threshold is %g%s%s",
			milli / (share ? 10 : 1000), trig_unit_suffix(m->unit),
			shift ? " away from what was before" : "");
}

/* "rate: share of one decision; by default ..." */
static void print_measure(const struct trig_measure *m)
{
	char line[512], limit[96], of[32] = "";

	limit_text(m, limit, sizeof limit);
	if (m->of[0])
		snprintf(of, sizeof of, "Of %s: ", m->of);
	snprintf(line, sizeof line,
		"%s%s%s; %s; the window is %lld s, %u of %u windows, with at least %llu samples%s.",
		of, m->of[0] ? "" : "Measured: ", m->text, limit, (long long)(m->window / 1000),
		m->hold_k, m->hold_m, (unsigned long long)m->min_samples,
		m->below ? "; it is bad below the threshold" : "");
	mdoc_say(line);
}

static void print_trigger(enum trig_type type)
{
	size_t n;
	const struct trig_measure *m = trig_measures(&n);

	named(trig_type_name(type), trig_type_text(type));
	for (; n > 0; n--, m++)
		if (m->type == type && m->kind != TRIG_KIND_EVENT)
			print_measure(m);
}

void manual_triggers(void)
{
	mdoc_section("description");
	mdoc_say(
		"A release states which of these watch it, see backstay-release(5). While it soaks, each is judged in windows. When k "
		"of the last m windows were bad, the device goes back to the version that ran before, without asking anybody, keeps "
		"what it saw, and does not take the release again by itself. `backstay explain` shows every trigger with its present "
		"value and limit.");
	mdoc_section("types");
	mdoc_list_begin();
	for (enum trig_type t = 0; t < TRIG_TYPE_MAX; t++)
		print_trigger(t);
	mdoc_list_end();
	mdoc_section("chance");
	mdoc_say(
		"A window is bad when its value is beyond the limit and chance is excluded with sigma_milli thousandths of a standard "
		"deviation. Compared with a baseline, a window with more than busy_milli thousandths of its events per time does not "
		"count, because a rush hits the old version as it hits the new one.");
#define X(id, name, text) named(name, text);
	mdoc_section("what the value is compared with");
	mdoc_list_begin();
	TRIGGER_COMPARATOR_TABLE(X)
	mdoc_list_end();
	mdoc_section("windows without enough samples");
	mdoc_list_begin();
	TRIGGER_BLIND_TABLE(X)
	mdoc_list_end();
#undef X
	manual_see("backstay 1 backstay-release 5 backstay-states 7 backstay-agent 8");
}

/* ---- preconditions ---- */

static void print_precondition(
	const char *name, const char *text, unsigned before, bool blocks, bool holds_rollback)
{
	char line[160], phases[64] = "";
	size_t n = 0;

	for (unsigned p = PRECOND_DOWNLOAD; p <= PRECOND_SWAP; p <<= 1)
		if (before & p)
			n += (size_t)snprintf(phases + n, sizeof phases - n, "%s%s",
				n ? " and " : "", precond_phase_name(p));
	named(name, text);
	snprintf(line, sizeof line, "By default before %s; unknown, it %s%s.", phases,
		blocks ? "blocks" : "passes",
		holds_rollback ? "; it holds up an ordered rollback, too" : "");
	mdoc_say(line);
}

void manual_preconditions(void)
{
	mdoc_section("description");
	mdoc_say(
		"An update goes on only when the preconditions hold that its release states, see backstay-release(5), and those of "
		"section precond in backstay-agent.conf(5). Until then it waits; `backstay explain` shows for what, with the value "
		"that was seen and the limit. The way back waits for none of them.");
	mdoc_say(
		"In the configuration each type is a key. Its value has the members that a release would state, separated by commas; "
		"lists by plus signs, several rules by vertical bars; `yes` where there is nothing to state.");
	mdoc_section("types");
	mdoc_list_begin();
#define BLOCK true
#define PASS  false
#define X(id, name, shape, before, may, on_unknown, holds, min, max, text)                         \
	print_precondition(name, text, before, on_unknown, holds);
	PRECOND_TABLE(X)
#undef X
	mdoc_list_end();
#define X(id, name, text) named(name, text);
	mdoc_section("when they are looked at");
	mdoc_list_begin();
	PRECOND_PHASE_TABLE(X)
	mdoc_list_end();
	mdoc_section("what cannot be seen");
	mdoc_list_begin();
	PRECOND_UNKNOWN_TABLE(X)
	mdoc_list_end();
#undef X
	manual_see("backstay 1 backstay-agent.conf 5 backstay-release 5 backstay-agent 8");
}

/* ---- the update machine ---- */

static void print_state(const char *name, const char *text, const char *runs)
{
	mdoc_item(name);
	mdoc_sentence(text);
	mdoc_say(strcmp(runs, "OLD") == 0   ? "If the power goes now, the old version starts."
		 : strcmp(runs, "NEW") == 0 ? "If the power goes now, the new version starts."
					    : "If the power goes now, either can start.");
}

void manual_states(void)
{
	mdoc_section("description");
	mdoc_say(
		"An update goes through these states. Each is durable before anything is done in it, so that after a power cut the "
		"record and one look at the machine say how to go on. `backstay status` shows the present one, `backstay history` "
		"how it was reached.");
	mdoc_section("states");
	mdoc_list_begin();
#define X(id, name, runs, act, text) print_state(name, text, #runs);
	UPD_STATES(X)
#undef X
	mdoc_list_end();
	mdoc_section("events");
	mdoc_say("What moves it on.");
	mdoc_list_begin();
#define X(id, name, kind, look, text) named(name, text);
	UPD_EVENTS(X)
#undef X
	mdoc_list_end();
	manual_see("backstay 1 backstay-errors 7 backstay-triggers 7 backstay-agent 8");
}

/* ---- events of the log, and errors ---- */

void manual_events(void)
{
	static const char *const priority[] = {
		"emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"};

	mdoc_section("description");
	mdoc_say(
		"Backstay's programs log these events. In systemd's journal each has its MESSAGE_ID, which never changes, its name in "
		"BACKSTAY_EVENT, and each of its fields as BACKSTAY_ and the field's name in capitals. `journalctl -x` explains "
		"them. Elsewhere an event is a line of text, or with --log-json an object, and the fields are key=value.");
	mdoc_section("events");
	mdoc_list_begin();
#define X(id, level, message_id, text, fields, help)                                               \
	mdoc_item(#id);                                                                            \
	mdoc_sentence(text);                                                                       \
	mdoc_say(help);                                                                            \
	mdoc_macro("Pq", priority[level]);                                                         \
	printf(".Pp\n.Li MESSAGE_ID=%s\n", message_id);                                            \
	if (*(fields))                                                                             \
		mdoc_say("with " fields ".");
	LOG_TABLE(X)
#undef X
	mdoc_list_end();
	mdoc_section("examples");
	mdoc_say("How every update of this device has ended, and what went back:");
#define X(id, level, message_id, text, fields, help)                                               \
	if (LOG_ID_##id == LOG_ID_OUTCOME)                                                         \
		mdoc_literal(STR("journalctl MESSAGE_ID=" message_id                               \
				 "\njournalctl -o json BACKSTAY_STATE=reverted"));
	LOG_TABLE(X)
#undef X
	manual_see(
		"backstay-errors 7 backstay-states 7 backstay-agent 8 backstay-server 8 backstay-signer 8");
}

void manual_hooks(void)
{
	mdoc_section("description");
	mdoc_say(
		"Whom an administrator has named with `backstay hook add` is told what happens, by HTTP or HTTPS. Each event is "
		"told at least once, with an id that stays the same; what is not taken is tried again, later and later, and at "
		"last kept as a dead letter: `backstay hook dead`, `backstay hook resend`. A webhook is sent a CloudEvent whose "
		"type is backstay. and the name of the event, signed as Standard Webhooks has it: webhook-signature is v1 and "
		"HMAC-SHA256 over id, timestamp and body. An Alertmanager is sent alerts.");
	mdoc_section("events");
	mdoc_list_begin();
	for (enum hook_event ev = 0; ev < HOOK_EVENT_MAX; ev++) {
		named(hook_event_name(ev), hook_event_text(ev));
		mdoc_macro("Pq", hook_gravity_name(hook_event_gravity(ev)));
	}
	mdoc_list_end();
#define X(id, name, text) named(name, text);
	mdoc_section("kinds of hooks");
	mdoc_list_begin();
	HOOK_KIND_TABLE(X)
	mdoc_list_end();
#undef X
	manual_see("backstay 1 backstay-server.conf 5 backstay-server 8");
}

void manual_errors(void)
{
	static const char *const retry[] = {"It is not tried again.", "It is tried again soon.",
		"It is tried again later.", "It is tried again when a person has looked."};

	mdoc_section("description");
	mdoc_say(
		"The same names stand in logs, reports, answers of the server and of the agent, and each has its exit status.");
	mdoc_section("kinds");
	mdoc_list_begin();
	for (enum err_code c = ERR_OK; c < ERR_CODE_MAX; c++) {
		char line[64];

		named(err_name(c), err_text(c));
		if (c != ERR_OK)
			mdoc_say(retry[err_retry(c)]);
		snprintf(line, sizeof line, "HTTP %d, exit %d.", err_http(c), err_exit(c));
		mdoc_say(line);
	}
	mdoc_list_end();
	manual_see("backstay 1 backstay-events 7 backstay-agent 8");
}

/* The subject is what is read first; the page tells the fields. */
void manual_catalog(void)
{
#define X(id, level, message_id, text, fields, help)                                               \
	printf("-- %s\nSubject: Backstay: %s\nDefined-By: Backstay\n"                              \
	       "Documentation: man:backstay-events(7)\n\n%s\n\n",                                  \
		message_id, text, help);
	LOG_TABLE(X)
#undef X
}
