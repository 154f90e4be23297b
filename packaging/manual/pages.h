/* The pages that are made from tables. Each prints what comes behind its NAME. */
#ifndef PACKAGING_MANUAL_PAGES_H
#define PACKAGING_MANUAL_PAGES_H

#include "packaging/manual/mdoc.h"

/* A program, from its main.tbl.h. */
struct manual_option {
	const char *name, *arg, *text;
	char letter;
};
struct manual_file {
	const char *path, *text;
};
struct manual_program {
	const char *purpose, *about, *steps, *then, *exit;
	const struct manual_option *options;
	size_t n_options;
	const struct manual_file *files;
	size_t n_files;
	const char *see; /* names of pages, with blanks between */
};
extern const struct manual_program manual_agent, manual_server, manual_signer;
void manual_program_print(const struct manual_program *p);

/* "Keeps it." as the line of NAME has it: "keeps it" */
void manual_what(const struct manual_program *p, char *out, size_t cap);

void manual_commands(void);
void manual_agent_conf(void);
void manual_server_conf(void);
void manual_signer_conf(void);
void manual_triggers(void);
void manual_preconditions(void);
void manual_states(void);
void manual_events(void);
void manual_errors(void);
void manual_hooks(void);
void manual_deadman(void);
void manual_dbus(void);

/* "backstay-errors 7 backstay 1" as SEE ALSO. */
void manual_see(const char *pages);

/* Not pages: completion of the command line, and the journal's catalog of the log's events. */
void manual_catalog(void);
void manual_bash(void);
void manual_zsh(void);

#endif
