/* Completion of the command line for bash and zsh, from the table of commands. */
#include <stdio.h>
#include <string.h>

#include "packaging/manual/pages.h"
#include "server/cli/cli.h"

#define O(id)    (1ULL << CLI_OPT_##id)
#define EXIT_0_1 (1ULL << 63)

struct command {
	const char *group, *verb, *text;
	uint64_t options;
};

/* Those of one group stand together. */
static const struct command commands[] = {
#define X(id, group, verb, args, min, max, options, text, example) {group, verb, text, options},
	CLI_COMMANDS(X)
#undef X
	/* The only command whose verbs are no rows. */
	{"tuf", "init", "trust a root", 0},
	{"tuf", "refresh", "take what is newer", 0},
	{"tuf", "download", "fetch targets", 0},
};

static const struct {
	const char *name, *arg, *text;
} options[] = {
#define X(id, name, arg, text) {name, arg, text},
	CLI_OPTIONS(X)
#undef X
};

static bool begins_group(size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(commands[k].group, commands[i].group) == 0)
			return false;
	return true;
}

static bool has_verbs(const char *group)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (commands[i].verb && strcmp(commands[i].group, group) == 0)
			return true;
	return false;
}

/* ---- bash ---- */

static void bash_groups(void)
{
	printf("\t1-*) words=\"");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (begins_group(i))
			printf("%s%s", i ? " " : "", commands[i].group);
	puts("\" ;;");
}

static void bash_verbs(const char *group)
{
	const char *between = "";

	printf("\t2-%s) words=\"", group);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (!commands[i].verb || strcmp(commands[i].group, group) != 0)
			continue;
		printf("%s%s", between, commands[i].verb);
		between = " ";
	}
	puts("\" ;;");
}

static void bash_options(const struct command *c)
{
	printf("\t%s\\ %s) words=\"--help", c->group, c->verb ? c->verb : "*");
	for (unsigned o = 0; o < CLI_OPT_MAX; o++)
		if (c->options >> o & 1)
			printf(" --%s", options[o].name);
	puts("\" ;;");
}

void manual_bash(void)
{
	puts("# bash completion for backstay; made from the table of commands.\n"
	     "_backstay() {\n"
	     "\tlocal cur=${COMP_WORDS[COMP_CWORD]} words=\n"
	     "\tcase $COMP_CWORD-${COMP_WORDS[1]} in");
	bash_groups();
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (begins_group(i) && has_verbs(commands[i].group))
			bash_verbs(commands[i].group);
	puts("\tesac\n\t[[ $cur != -* ]] || case \"${COMP_WORDS[1]} ${COMP_WORDS[2]}\" in");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (commands[i].options)
			bash_options(&commands[i]);
	puts("\tesac\n"
	     "\t[ -z \"$words\" ] || mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
	     "}\n"
	     "complete -o default -F _backstay backstay");
}

/* ---- zsh ---- */

/* Within single quotes; `special` is what the reader of the text takes for itself. */
static void zsh_text(const char *s, const char *special)
{
	for (; *s; s++) {
		if (*s == '\'')
			printf("'\\'");
		else if (str_has_char(special, *s))
			putchar('\\');
		putchar(*s);
	}
}

static void zsh_described(const char *name, const char *text)
{
	printf(" '%s:", name);
	zsh_text(text, "");
	putchar('\'');
}

static void zsh_groups(void)
{
	printf("\t\tall=(");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (begins_group(i) && has_verbs(commands[i].group))
			printf(" %s", commands[i].group);
		else if (begins_group(i))
			zsh_described(commands[i].group, commands[i].text);
	puts(" )");
}

static void zsh_verbs(const char *group)
{
	printf("\t3-%s) all=(", group);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (commands[i].verb && strcmp(commands[i].group, group) == 0)
			zsh_described(commands[i].verb, commands[i].text);
	puts(" ) ;;");
}

static void zsh_option(unsigned o)
{
	bool files = options[o].arg &&
		     (strcmp(options[o].arg, "FILE") == 0 || strcmp(options[o].arg, "DIR") == 0 ||
			     strcmp(options[o].arg, "PATH") == 0);

	printf(" '--%s%s[", options[o].name, options[o].arg ? "=" : "");
	zsh_text(options[o].text, "[]:\\");
	printf("]");
	if (options[o].arg)
		printf(":%s:%s", options[o].arg, files ? "_files" : "");
	putchar('\'');
}

static void zsh_options(const struct command *c)
{
	printf("\t%s\\ %s) _arguments '--help[explain]'", c->group, c->verb ? c->verb : "*");
	for (unsigned o = 0; o < CLI_OPT_MAX; o++)
		if (c->options >> o & 1)
			zsh_option(o);
	puts(" '*:file:_files' ;;");
}

void manual_zsh(void)
{
	puts("#compdef backstay\n"
	     "# Made from the table of commands.\n"
	     "_backstay() {\n"
	     "\tlocal -a all\n"
	     "\tcase $CURRENT-$words[2] in\n"
	     "\t2-*)");
	zsh_groups();
	puts("\t\t;;");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (begins_group(i) && has_verbs(commands[i].group))
			zsh_verbs(commands[i].group);
	puts("\tesac\n"
	     "\tif (( $#all )) && [[ $words[CURRENT] != -* ]]; then\n"
	     "\t\t_describe 'command' all\n"
	     "\t\treturn\n"
	     "\tfi\n"
	     "\tcase \"$words[2] $words[3]\" in");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (commands[i].options)
			zsh_options(&commands[i]);
	puts("\tesac\n}\n_backstay \"$@\"");
}
