/* backstay: the operator's and the device engineer's command line. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/cli/cli.h"

#define O(id)         (1ULL << CLI_OPT_##id)
#define EXIT_0_1      (1ULL << 63)
#define OPTION_KEY(o) (256 + (int)(o))

struct command {
	const char *group, *verb, *args;
	unsigned min_args, max_args;
	uint64_t options;
	const char *text, *example;
	cli_command_f *run;
};

static const struct command commands[] = {
#define X(id, group, verb, args, min, max, options, text, example)                                 \
	{group, verb, args, min, max, options, text, example, cmd_##id},
	CLI_COMMANDS(X)
#undef X
};

static const struct {
	const char *name, *arg, *text;
} options[] = {
#define X(id, name, arg, text) {name, arg, text},
	CLI_OPTIONS(X)
#undef X
};

static const char *heading(const struct command *c)
{
	if (c->verb)
		return c->group;
	return c->options & O(SOCKET) ? "on a device" : "any TUF repository";
}

static void print_commands(FILE *to)
{
	const char *last = "";

	fputs("Usage: backstay COMMAND [ARGUMENT...] [OPTION...]\n"
	      "       backstay COMMAND --help\n\n"
	      "Signs releases, sends them through a fleet in waves, and tells what devices do.\n",
		to);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		const struct command *c = &commands[i];
		char name[64];

		if (strcmp(last, heading(c)) != 0)
			fprintf(to, "\n%s\n", heading(c));
		last = heading(c);
		snprintf(name, sizeof name, "%s%s%s %s", c->group, c->verb ? " " : "",
			c->verb ? c->verb : "", c->args);
		fprintf(to, "  %-30s %s\n", name, c->text);
	}
	fputs("\nExit status: 0 done; 64 wrong usage; 65 refused input or signature; 66 no such thing; 69 not supported there;\n"
	      "70 a person must look; 73 contradicts the present state, or no room; 74 storage failed; 75 try again later;\n"
	      "76 the other side cannot prove who it is; 77 not allowed; 78 wrong configuration.\n",
		to);
}

static int exit_of(const struct command *cmd, enum err_code code)
{
	return cmd->options & EXIT_0_1 ? 1 : err_exit(code);
}

static error_t take(int key, char *arg, struct argp_state *state)
{
	struct cli *c = state->input;

	if (key >= OPTION_KEY(0) && key < OPTION_KEY(CLI_OPT_MAX)) {
		unsigned o = (unsigned)(key - OPTION_KEY(0));

		if (c->n_values[o] == CLI_VALUES_MAX)
			argp_error(state, "--%s is given too often", options[o].name);
		c->values[o][c->n_values[o]++] = arg ? arg : "";
		return 0;
	}
	if (key == ARGP_KEY_ARG) {
		if (c->n_args == ARRAY_LEN(c->args))
			argp_error(state, "too many arguments");
		c->args[c->n_args++] = arg;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static void argp_options(uint64_t wanted, struct argp_option out[CLI_OPT_MAX + 1])
{
	unsigned n = 0;

	memset(out, 0, (CLI_OPT_MAX + 1) * sizeof *out);
	for (unsigned o = 0; o < CLI_OPT_MAX; o++)
		if (wanted >> o & 1)
			out[n++] = (struct argp_option){.name = options[o].name,
				.key = OPTION_KEY(o),
				.arg = options[o].arg,
				.doc = options[o].text};
}

static void parse(const struct command *cmd, int argc, char **argv, struct cli *out)
{
	struct argp_option rows[CLI_OPT_MAX + 1];
	char name[64], doc[512];
	struct argp argp = {.options = rows, .parser = take, .args_doc = cmd->args, .doc = doc};

	argp_options(cmd->options, rows);
	snprintf(name, sizeof name, "backstay %s%s%s", cmd->group, cmd->verb ? " " : "",
		cmd->verb ? cmd->verb : "");
	snprintf(doc, sizeof doc, "Purpose: %s.\vExample:\n  %s\n", cmd->text, cmd->example);
	argv[0] = name;
	argp_err_exit_status = exit_of(cmd, ERR_USAGE);
	argp_parse(&argp, argc, argv, 0, NULL, out);
	if (out->n_args < cmd->min_args || out->n_args > cmd->max_args) {
		fprintf(stderr, "%s: expected %s; for example: %s\n", name,
			cmd->max_args ? cmd->args : "no argument", cmd->example);
		exit(exit_of(cmd, ERR_USAGE));
	}
}

static const struct command *find(int argc, char **argv, int *out_words)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		const struct command *c = &commands[i];

		if (argc < 2 || strcmp(argv[1], c->group) != 0)
			continue;
		if (c->verb && (argc < 3 || strcmp(argv[2], c->verb) != 0))
			continue;
		*out_words = c->verb ? 2 : 1;
		return c;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	const struct command *cmd;
	struct cli c = {0};
	struct err e = {0};
	int words;

	cmd = find(argc, argv, &words);
	if (!cmd) {
		bool asked = argc > 1 &&
			     (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0);

		print_commands(asked ? stdout : stderr);
		return asked ? 0 : err_exit(ERR_USAGE);
	}
	parse(cmd, argc - words, argv + words, &c);
	if (cmd->run(&c, &e) == 0)
		return 0;
	if (cli_flag(&c, CLI_OPT_JSON))
		printf("{\"error\":\"%s\"}\n", err_name(e.code));
	fprintf(stderr, "backstay: %s\n", e.text);
	return exit_of(cmd, e.code);
}
