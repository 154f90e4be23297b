/* backstay audit ... */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/trust/auditlog.h"
#include "server/cli/cli.h"
#include "server/cli/roots.h"
#include "server/cli/table.h"

int cmd_AUDIT_LIST(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = NULL;
	char query[32];
	struct table t;
	json_t *r;
	size_t i;

	TRY(cli_last(c, 50, query, e));
	TRY(cli_ask(c, ROUTE_AUDIT, NULL, query, NULL, &answer, e));
	if (cli_json(c, answer))
		return 0;
	table_init(&t, "N|AGO|WHO|WHAT|CAMPAIGN|SENTENCE");
	json_array_foreach (json_object_get(answer, "rows"), i, r) {
		char ago[32];

		cli_ago(cli_int(r, "at"), ago, sizeof ago);
		table_cell(&t, "%lld", (long long)cli_int(r, "n"));
		table_cell(&t, "%s", ago);
		table_cell(&t, "%s", cli_text(r, "who"));
		table_cell(&t, "%s", cli_text(r, "what"));
		table_cell(&t, "%s", cli_text(r, "campaign"));
		table_cell(&t, "%s", cli_text(r, "text"));
	}
	table_print(&t);
	table_fini(&t);
	return 0;
}

/* ---- one row ---- */

static void print_time(const char *name, json_int_t s)
{
	char text[21];

	time_format(s, text);
	printf("%-11s %s\n", name, text);
}

int cmd_AUDIT_SHOW(const struct cli *c, struct err *e)
{
	static const char *const shown[] = {
		"n", "who", "what", "campaign", "device", "text", "policy", "engine", "chain"};
	JSON_AUTO *answer = NULL;
	char query[64];
	uint64_t n;
	json_t *row;

	if (str_to_u64(str_of(c->args[0]), 1, INT64_MAX, &n, e) < 0)
		return err_set(e, ERR_USAGE, "%s: the number of a row is wanted", c->args[0]);
	TRY(cli_ask(c, ROUTE_AUDIT, NULL, cli_behind(n - 1, "limit=1", query), NULL, &answer, e));
	row = json_array_get(json_object_get(answer, "rows"), 0);
	if (!row || (uint64_t)cli_int(row, "n") != n)
		return err_set(e, ERR_NOT_FOUND, "there is no row %llu", (unsigned long long)n);
	if (cli_json(c, row))
		return 0;
	print_time("at", cli_int(row, "at") / 1000);
	for (size_t i = 1; i < ARRAY_LEN(shown); i++)
		if (*cli_text(row, shown[i]))
			printf("%-11s %s\n", shown[i], cli_text(row, shown[i]));
	return 0;
}

/* ---- export ---- */

struct export
{
	const struct cli *c;
	FILE *f;
	json_t *checkpoints; /* all, oldest first */
	size_t next;         /* of them */
	uint64_t rows, last; /* written; the newest that a checkpoint is about */
};

/* Takes over `line`. */
static void put(struct export *x, json_t *line)
{
	BUF_AUTO b = {0};

	json_write(line, &b);
	fprintf(x->f, "%s\n", buf_cstr(&b));
	json_decref(line);
}

static uint64_t about(const json_t *checkpoint)
{
	return (uint64_t)cli_int(json_object_get(checkpoint, "signed"), "n");
}

static void put_checkpoints(struct export *x)
{
	json_t *p;

	while ((p = json_array_get(x->checkpoints, x->next)) && about(p) <= x->rows) {
		put(x, json_pack("{s:O}", "checkpoint", p));
		x->next++;
	}
}

static int get_checkpoints(struct export *x, struct err *e)
{
	json_t *list;
	char query[64];

	do {
		JSON_AUTO *answer = NULL;

		TRY(cli_ask(x->c, ROUTE_AUDIT_CHECKPOINTS, NULL, cli_behind(x->last, "", query),
			NULL, &answer, e));
		list = json_object_get(answer, "checkpoints");
		if (!json_array_size(list))
			return 0;
		json_array_extend(x->checkpoints, list);
		x->last = about(json_array_get(list, json_array_size(list) - 1));
	} while (true);
}

static void put_row(struct export *x, json_t *row)
{
	json_t *chain = json_incref(json_object_get(row, "chain"));

	json_object_del(row, "chain");
	put(x, json_pack("{s:O, s:o}", "row", row, "chain", chain ? chain : json_string("")));
	x->rows++;
	put_checkpoints(x);
}

static int put_rows(struct export *x, struct err *e)
{
	char query[64];
	json_t *row;
	size_t i;

	while (x->rows < x->last) {
		JSON_AUTO *answer = NULL;
		uint64_t before = x->rows;

		TRY(cli_ask(
			x->c, ROUTE_AUDIT, NULL, cli_behind(x->rows, "", query), NULL, &answer, e));
		json_array_foreach (json_object_get(answer, "rows"), i, row)
			if (x->rows < x->last)
				put_row(x, row);
		if (x->rows == before)
			return err_set(e, ERR_ALTERED, "the server has no rows behind %llu of %llu",
				(unsigned long long)x->rows, (unsigned long long)x->last);
	}
	return 0;
}

static int export(struct export *x, struct err *e)
{
	TRY(get_checkpoints(x, e));
	if (!x->last)
		return err_set(e, ERR_NOT_FOUND,
			"the server has signed no checkpoint: its log is empty, or it has no key director-audit");
	put(x, json_pack("{s:i, s:s}", "format", 1, "kind", "backstay-audit"));
	return put_rows(x, e);
}

/* Under another name until it is whole: a file of the right name is an export of everything. */
static int export_to(struct export *x, const char *path, struct err *e)
{
	char part[1024];
	bool wrong;
	int rc;

	snprintf(part, sizeof part, "%s.part", path);
	x->f = fopen(part, "w");
	if (!x->f)
		return err_sys(e, errno, "%s", part);
	rc = export(x, e);
	wrong = ferror(x->f) != 0;
	wrong |= fclose(x->f) != 0;
	if (rc == 0 && (wrong || rename(part, path) < 0))
		rc = err_sys(e, errno, "%s", path);
	if (rc < 0)
		remove(part);
	return rc;
}

int cmd_AUDIT_EXPORT(const struct cli *c, struct err *e)
{
	JSON_AUTO *checkpoints = json_array(), *answer = NULL;
	struct export x = {.c = c, .checkpoints = checkpoints};

	TRY(export_to(&x, c->args[0], e));
	answer = json_pack("{s:I, s:I}", "rows", (json_int_t)x.rows, "checkpoints",
		(json_int_t)json_array_size(checkpoints));
	if (!cli_json(c, answer))
		printf("%s: %llu rows, %zu checkpoints. Verify it with: backstay audit verify %s "
		       "--repo DIR\n",
			c->args[0], (unsigned long long)x.rows, json_array_size(checkpoints),
			c->args[0]);
	return 0;
}

/* ---- verify ---- */

static int check_file(struct auditlog_check *check, FILE *f, struct err *e)
{
	char line[LIMIT_AUDIT_LINE + 2];

	while (fgets(line, sizeof line, f)) {
		size_t n = strlen(line);

		if (n == 0 || line[n - 1] != '\n')
			return err_set(e, ERR_BAD_INPUT,
				"line %llu, behind row %llu: it is cut off, or too long",
				(unsigned long long)check->lines + 1,
				(unsigned long long)check->rows);
		TRY(auditlog_check_line(check, (struct str){line, n - 1}, e));
	}
	if (ferror(f))
		return err_sys(e, errno, "reading");
	return auditlog_check_end(check, e);
}

static int check_path(
	const char *path, const struct roots *roots, struct auditlog_check *check, struct err *e)
{
	FILE *f = fopen(path, "r");
	int rc;

	if (!f)
		return err_sys(e, errno, "%s", path);
	auditlog_check_init(check, roots->v, roots->n);
	rc = check_file(check, f, e);
	fclose(f);
	return rc < 0 ? err_wrap(e, "%s", path) : 0;
}

int cmd_AUDIT_VERIFY(const struct cli *c, struct err *e)
{
	CLEANUP(roots_fini) struct roots roots = {0};
	const char *repo = cli_value(c, CLI_OPT_REPO, NULL);
	struct auditlog_check check;
	JSON_AUTO *answer = NULL;
	char chain[SHA256_TEXT], time[21];

	if (!repo)
		return err_set(e, ERR_USAGE,
			"--repo DIR is needed: the director's roots that you trust, DIR/1.root.json and on");
	TRY(roots_load(repo, &roots, e));
	TRY(check_path(c->args[0], &roots, &check, e));
	sha256_format(&check.chain, chain);
	time_format(check.last.time_s, time);
	answer = json_pack("{s:b, s:I, s:I, s:s, s:s}", "verified", true, "rows",
		(json_int_t)check.rows, "checkpoints", (json_int_t)check.checkpoints, "chain",
		chain, "signed", time);
	if (!cli_json(c, answer))
		printf("%s: %llu rows, none altered, missing or moved; %llu checkpoints, the last signed at %s\n",
			c->args[0], (unsigned long long)check.rows,
			(unsigned long long)check.checkpoints, time);
	return 0;
}
