/* manual: lists its pages, NAME.SECTION a line. manual NAME.SECTION [DATE]: prints one of them in
 * mdoc(7), from the tables that the programs are made of, or from a page of manifests/schema.
 * manual catalog|bash|zsh: the journal's
 * catalog, and completion of the command line. */
#include <stdio.h>
#include <string.h>

#include "lib/buf.h"
#include "packaging/manual/pages.h"

#define SCHEMA_MAX 65536

struct page {
	const char *name;
	int section;
	const char *what;
	void (*print)(void);
	const struct manual_program *program;
	const char *schema;
};

static const struct page pages[] = {
	{"backstay", 1, "sign releases, send them through a fleet, and tell what devices do",
		manual_commands, NULL, NULL},
	{"backstay-agent.conf", 5, "configuration of the agent", manual_agent_conf, NULL, NULL},
	{"backstay-server.conf", 5, "configuration of the server", manual_server_conf, NULL, NULL},
	{"backstay-signer.conf", 5, "configuration of the signer", manual_signer_conf, NULL, NULL},
	{"backstay-release", 5, "the release document", NULL, NULL, "manifests/schema/release.md"},
	{"backstay-policy", 5, "how a campaign goes through the fleet", NULL, NULL,
		"manifests/schema/policy.md"},
	{"backstay-gate", 5, "which evidence a release needs", NULL, NULL,
		"manifests/schema/gate.md"},
	{"backstay-scenario", 5, "what a simulated campaign meets", NULL, NULL,
		"manifests/schema/scenario.md"},
	{"backstay-triggers", 7, "what takes a bad release back", manual_triggers, NULL, NULL},
	{"backstay-preconditions", 7, "what an update waits for", manual_preconditions, NULL, NULL},
	{"backstay-hooks", 7, "what the server tells others of", manual_hooks, NULL, NULL},
	{"backstay-states", 7, "where an update is", manual_states, NULL, NULL},
	{"backstay-events", 7, "what the programs log", manual_events, NULL, NULL},
	{"backstay-errors", 7, "kinds of failure", manual_errors, NULL, NULL},
	{"backstay-dbus", 7, "the agent on the message bus", manual_dbus, NULL, NULL},
	{"backstay-deadman", 8, "restart a machine on trial that nobody decides about",
		manual_deadman, NULL, NULL},
	{"backstay-agent", 8, NULL, NULL, &manual_agent, NULL},
	{"backstay-server", 8, NULL, NULL, &manual_server, NULL},
	{"backstay-signer", 8, NULL, NULL, &manual_signer, NULL},
};

static const struct {
	const char *name;
	void (*print)(void);
} others[] = {
	{"catalog", manual_catalog},
	{"bash", manual_bash},
	{"zsh", manual_zsh},
};

static int print_schema(const struct page *p)
{
	FILE *f = fopen(p->schema, "re");
	BUF_AUTO text = {0};

	if (!f) {
		perror(p->schema);
		return 66;
	}
	text.n = fread(buf_reserve(&text, SCHEMA_MAX), 1, SCHEMA_MAX, f);
	fclose(f);
	mdoc_markdown(buf_str(&text));
	manual_see("backstay 1 backstay-preconditions 7 backstay-triggers 7");
	return 0;
}

static int print_page(const struct page *p, const char *date)
{
	char what[256];

	snprintf(what, sizeof what, "%s", p->what ? p->what : "");
	if (p->program)
		manual_what(p->program, what, sizeof what);
	puts(".\\\" Made from Backstay's tables; not written by hand.");
	mdoc_head(p->name, p->section, date, what);
	if (p->program)
		manual_program_print(p->program);
	else if (p->print)
		p->print();
	else
		return print_schema(p);
	return 0;
}

int main(int argc, char **argv)
{
	char name[64];

	for (size_t i = 0; argc > 1 && i < ARRAY_LEN(others); i++) {
		if (strcmp(argv[1], others[i].name) == 0) {
			others[i].print();
			return 0;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		snprintf(name, sizeof name, "%s.%d", pages[i].name, pages[i].section);
		if (argc == 1)
			puts(name);
		else if (strcmp(argv[1], name) == 0)
			return print_page(&pages[i], argc > 2 ? argv[2] : "January 1, 2026");
	}
	return argc == 1 ? 0 : 64;
}
