/* Pages of programs. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "agent/main.tbl.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "packaging/manual/pages.h"
#include "server/cli/cli.tbl.h"
#include "server/main.tbl.h"
#include "server/signd/main.tbl.h"

#define ROW(id, name, letter, arg, text) {name, arg, text, letter},

static const struct manual_option agent_options[] = {AGENT_OPTIONS(ROW)},
				  server_options[] = {SERVER_OPTIONS(ROW)},
				  signer_options[] = {SIGND_OPTIONS(ROW)};

static const struct manual_file agent_files[] = {
	{"/etc/backstay/agent.conf",
		"Its configuration, with the same in /run/backstay and /usr/lib/backstay."},
	{"/var/lib/backstay",
		"What must survive: slots, journal, what is trusted, identity, reports."},
	{"/run/backstay/agent.sock", "The control socket, for `backstay status` and the like."},
	{"/etc/backstay/health.d",
		"Programs that a new version must pass, see backstay-agent.conf(5)."},
};
static const struct manual_file server_files[] = {
	{"/etc/backstay/server.conf",
		"Its configuration, with the same in /run/backstay and /usr/lib/backstay."},
	{"/etc/backstay/keys/repo", "The first files of both repositories."},
	{"/var/lib/backstay-server",
		"The store with the audit log, artifacts, and the first administrator's token."},
};
static const struct manual_file signer_files[] = {
	{"/etc/backstay/signer.conf",
		"Its configuration, with the same in /run/backstay and /usr/lib/backstay."},
	{"/etc/backstay/keys/online", "The private keys. Nobody else can read them."},
	{"/var/lib/backstay-signer", "What was signed last, and the log, which is a chain."},
	{"/run/backstay-signer/socket", "Where it is asked."},
};

const struct manual_program manual_agent = {AGENT_PURPOSE, AGENT_ABOUT, AGENT_STEPS, AGENT_THEN,
	AGENT_EXIT, agent_options, ARRAY_LEN(agent_options), agent_files, ARRAY_LEN(agent_files),
	"backstay 1 backstay-agent.conf 5 backstay-release 5 backstay-events 7 "
	"backstay-preconditions 7 backstay-states 7 backstay-triggers 7"};
const struct manual_program manual_server = {SERVER_PURPOSE, SERVER_ABOUT, SERVER_STEPS,
	SERVER_THEN, SERVER_EXIT, server_options, ARRAY_LEN(server_options), server_files,
	ARRAY_LEN(server_files),
	"backstay 1 backstay-policy 5 backstay-server.conf 5 backstay-events 7 backstay-signer 8"};
const struct manual_program manual_signer = {SIGND_PURPOSE, SIGND_ABOUT, SIGND_STEPS, SIGND_THEN,
	SIGND_EXIT, signer_options, ARRAY_LEN(signer_options), signer_files,
	ARRAY_LEN(signer_files),
	"backstay 1 backstay-signer.conf 5 backstay-events 7 backstay-server 8"};

void manual_what(const struct manual_program *p, char *out, size_t cap)
{
	snprintf(out, cap, "%s", p->purpose);
	out[0] = (char)tolower((unsigned char)out[0]);
	out[strlen(out) - 1] = 0;
}

static void print_option(const struct manual_option *o)
{
	printf(".It ");
	if (o->letter)
		printf("Fl %c%s%s , ", o->letter, o->arg ? " Ar " : "", o->arg ? o->arg : "");
	printf("Fl \\-%s%s%s\n", o->name, o->arg ? " Ns = Ns Ar " : "", o->arg ? o->arg : "");
	mdoc_sentence(o->text);
}

static void print_options(const struct manual_option *options, size_t n)
{
	mdoc_list_begin();
	for (size_t i = 0; i < n; i++)
		print_option(&options[i]);
	mdoc_list_end();
}

static void print_files(const struct manual_program *p)
{
	mdoc_section("files");
	mdoc_list_begin();
	for (size_t i = 0; i < p->n_files; i++) {
		printf(".It Pa %s\n", p->files[i].path);
		mdoc_say(p->files[i].text);
	}
	mdoc_list_end();
}

void manual_program_print(const struct manual_program *p)
{
	mdoc_section("synopsis");
	puts(".Nm");
	puts(".Op Ar option ...");
	mdoc_section("description");
	mdoc_say(p->about);
	mdoc_para();
	mdoc_say("The options:");
	print_options(p->options, p->n_options);
	print_files(p);
	mdoc_section("exit status");
	mdoc_say(p->exit);
	mdoc_section("examples");
	mdoc_literal(str_of(p->steps));
	mdoc_para();
	mdoc_say(p->then);
	manual_see(p->see);
}

void manual_see(const char *pages)
{
	char name[64];
	int section, n;

	mdoc_section("see also");
	while (sscanf(pages, "%63s %d%n", name, &section, &n) == 2) {
		pages += n;
		printf(".Xr %s %d%s\n", name, section, *pages ? " ," : "");
	}
}

/* ---- the command line ---- */

struct manual_command {
	const char *group, *verb, *args, *text, *example;
};

static const struct manual_command commands[] = {
#define X(id, group, verb, args, min, max, options, text, example)                                 \
	{group, verb, args, text, example},
	CLI_COMMANDS(X)
#undef X
};

static void print_commands(void)
{
	char tag[128];

	mdoc_list_begin();
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		const struct manual_command *c = &commands[i];

		snprintf(tag, sizeof tag, "%s %s %s", c->group, c->verb ? c->verb : "", c->args);
		mdoc_macro("It", tag);
		mdoc_sentence(c->text);
		mdoc_literal(str_of(c->example));
	}
	mdoc_list_end();
}

static void print_exits(void)
{
	mdoc_section("exit status");
	mdoc_say("Each kind of failure has its own. A command of a TUF client ends with 0 or 1.");
	mdoc_list_begin();
	for (int exit = 0; exit < 128; exit++) {
		BUF_AUTO kinds = {0};

		for (enum err_code c = ERR_OK; c < ERR_CODE_MAX; c++)
			if (err_exit(c) == exit)
				buf_addf(&kinds, "%s%s", kinds.n ? "; " : "", err_text(c));
		if (!kinds.n)
			continue;
		printf(".It %d\n", exit);
		mdoc_sentence(buf_cstr(&kinds));
	}
	mdoc_list_end();
}

void manual_commands(void)
{
	static const struct manual_option options[] = {
#define X(id, name, arg, text) {name, arg, text, 0},
		CLI_OPTIONS(X)
#undef X
	};
	static const struct manual_file variables[] = {
		{"BACKSTAY_SERVER", "The server, where --server is not given."},
		{"BACKSTAY_TOKEN_FILE",
			"The file with your token, where --token-file is not given."},
		{"BACKSTAY_CA_FILE", "Its certificate authority, where --ca-file is not given."},
		{"BACKSTAY_SOCKET", "The agent's control socket, where --socket is not given."},
	};

	mdoc_section("synopsis");
	puts(".Nm\n.Ar command\n.Op Ar argument ...\n.Op Ar option ...");
	mdoc_section("description");
	mdoc_say(
		"The operator's and the device engineer's command line. It signs releases, sends them through a fleet in waves, "
		"and on a device it tells what the agent does. `backstay COMMAND --help` says which options a command takes.");
	mdoc_section("commands");
	print_commands();
	mdoc_section("options");
	print_options(options, ARRAY_LEN(options));
	mdoc_section("environment");
	mdoc_list_begin();
	for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
		printf(".It Ev %s\n", variables[i].path);
		mdoc_say(variables[i].text);
	}
	mdoc_list_end();
	print_exits();
	manual_see(
		"backstay-gate 5 backstay-policy 5 backstay-release 5 backstay-scenario 5 backstay-errors 7 backstay-triggers 7 "
		"backstay-agent 8 backstay-server 8 backstay-signer 8");
}
