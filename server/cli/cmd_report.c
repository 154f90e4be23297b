/* backstay report ... */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proto/trust/auditlog.h"
#include "proto/trust/digest.h"
#include "server/cli/cli.h"
#include "server/cli/page.h"
#include "server/cli/roots.h"

#define RECORD_MAX (64U << 20)

/* ---- getting one ---- */

/* Under another name until it is whole. */
static int write_file(const char *path, const struct buf *text, struct err *e)
{
	char part[1024];
	bool wrong;
	FILE *f;

	if ((size_t)snprintf(part, sizeof part, "%s.part", path) >= sizeof part)
		return err_set(e, ERR_USAGE, "--output: the name is too long");
	f = fopen(part, "w");
	if (!f)
		return err_sys(e, errno, "%s", part);
	wrong = fwrite(text->p, 1, text->n, f) != text->n;
	wrong |= fclose(f) != 0;
	if (!wrong && rename(part, path) == 0)
		return 0;
	err_sys(e, errno, "%s", path);
	remove(part);
	return -(int)e->code;
}

static int format_is_html(const struct cli *c, bool *out, struct err *e)
{
	const char *format = cli_value(c, CLI_OPT_FORMAT, "json");

	*out = strcmp(format, "html") == 0;
	if (*out || strcmp(format, "json") == 0)
		return 0;
	return err_set(e, ERR_USAGE, "--format is json or html, not %s", format);
}

static int get_record(const struct cli *c, enum route r, struct err *e)
{
	const char *path = cli_value(c, CLI_OPT_OUTPUT, NULL);
	JSON_AUTO *answer = NULL, *body = json_object();
	BUF_AUTO text = {0};
	bool is_html;

	TRY(format_is_html(c, &is_html, e));
	TRY(cli_ask(c, r, c->args, NULL, body, &answer, e));
	if (is_html) {
		page_format(answer, &text);
	} else {
		json_write(answer, &text);
		buf_add_char(&text, '\n');
	}
	if (path)
		return write_file(path, &text, e);
	if (fwrite(text.p, 1, text.n, stdout) != text.n || fflush(stdout) != 0)
		return err_sys(e, errno, "the terminal");
	return 0;
}

int cmd_REPORT_VEHICLE(const struct cli *c, struct err *e)
{
	return get_record(c, ROUTE_VEHICLE_RECORD, e);
}

int cmd_REPORT_RELEASE(const struct cli *c, struct err *e)
{
	return get_record(c, ROUTE_RELEASE_RECORD, e);
}

/* ---- verifying one ---- */

/* Rows that a record shows, by number, and the one that names it. */
struct proof {
	json_t *shown; /* number as text: the row as the record has it, borrowed */
	uint64_t row;  /* that names it */
	char digest[SHA256_TEXT];
	unsigned found;
	bool is_named;
};

/* Whatever has a number and a chain's value is a row. */
static void collect(const json_t *at, struct proof *p)
{
	const char *key;
	json_t *one;
	size_t i;
	char n[24];

	if (json_is_object(at) && json_object_get(at, "chain") && json_object_get(at, "n")) {
		snprintf(n, sizeof n, "%lld", (long long)cli_int(at, "n"));
		json_object_set(p->shown, n, (json_t *)at);
	}
	json_array_foreach (at, i, one)
		collect(one, p);
	json_object_foreach ((json_t *)at, key, one)
		collect(one, p);
}

static int read_record(const char *path, json_t **out, struct proof *p, struct err *e)
{
	BUF_AUTO text = {0}, bytes = {0};
	JSON_AUTO *whole = NULL;
	const json_t *record, *anchor;
	struct sha256 digest;

	TRY(cli_read(path, RECORD_MAX, &text, e));
	if (json_read(buf_str(&text), RECORD_MAX, &whole, e) < 0)
		return err_wrap(e, "%s", path);
	TRY(json_obj(whole, path, "record", &record, e));
	TRY(json_obj(whole, path, "anchor", &anchor, e));
	TRY(json_u64(anchor, "anchor", "row", 1, INT64_MAX, &p->row, e));
	json_canonical(record, &bytes);
	digest_of(bytes.p, bytes.n, &digest);
	sha256_format(&digest, p->digest);
	if (strcmp(cli_text(anchor, "digest"), p->digest) != 0)
		return err_set(e, ERR_ALTERED,
			"%s: the record was altered: it is %s, and was %.64s", path, p->digest,
			cli_text(anchor, "digest"));
	collect(record, p);
	*out = json_incref(whole);
	return 0;
}

/* A row of the log, that the record may show or be named by. */
static int compare_row(struct proof *p, const json_t *row, const char *chain, struct err *e)
{
	JSON_AUTO *as_shown = NULL;
	const json_t *shown;
	char n[24];

	snprintf(n, sizeof n, "%lld", (long long)cli_int(row, "n"));
	if ((uint64_t)cli_int(row, "n") == p->row)
		p->is_named = strcmp(cli_text(row, "what"), "record") == 0 &&
			      strstr(cli_text(row, "text"), p->digest) != NULL;
	shown = json_object_get(p->shown, n);
	if (!shown)
		return 0;
	as_shown = json_copy((json_t *)shown);
	json_object_del(as_shown, "chain");
	if (!json_equal(as_shown, row) || strcmp(cli_text(shown, "chain"), chain) != 0)
		return err_set(e, ERR_ALTERED, "row %s is another one in the log", n);
	p->found++;
	return 0;
}

static int check_line(struct auditlog_check *check, struct proof *p, struct str line, struct err *e)
{
	JSON_AUTO *o = NULL;
	const json_t *row;

	TRY(auditlog_check_line(check, line, e));
	TRY(json_read(line, LIMIT_AUDIT_LINE, &o, e));
	row = json_object_get(o, "row");
	return row ? compare_row(p, row, cli_text(o, "chain"), e) : 0;
}

static int check_log(const char *path, const struct roots *roots, struct proof *p, struct err *e)
{
	struct auditlog_check check;
	BUF_AUTO text = {0};
	struct str rest, line;

	TRY(cli_read(path, SIZE_MAX / 2, &text, e));
	auditlog_check_init(&check, roots->v, roots->n);
	rest = buf_str(&text);
	while (rest.n && str_split(&rest, '\n', &line))
		TRY(check_line(&check, p, line, e));
	return auditlog_check_end(&check, e);
}

static int judge(const struct proof *p, const char *path, struct err *e)
{
	if (!p->is_named)
		return err_set(e, ERR_ALTERED, "%s: row %llu of the log does not name this record",
			path, (unsigned long long)p->row);
	if (p->found != json_object_size(p->shown))
		return err_set(e, ERR_ALTERED,
			"%s: %zu of the rows that it shows are not in the log", path,
			json_object_size(p->shown) - p->found);
	return 0;
}

int cmd_REPORT_VERIFY(const struct cli *c, struct err *e)
{
	CLEANUP(roots_fini) struct roots roots = {0};
	const char *repo = cli_value(c, CLI_OPT_REPO, NULL);
	JSON_AUTO *whole = NULL, *shown = json_object(), *answer = NULL;
	struct proof p = {.shown = shown};

	if (!repo)
		return err_set(e, ERR_USAGE,
			"--repo DIR is needed: the director's roots that you trust, DIR/1.root.json and on");
	TRY(roots_load(repo, &roots, e));
	TRY(read_record(c->args[0], &whole, &p, e));
	if (check_log(c->args[1], &roots, &p, e) < 0)
		return err_wrap(e, "%s", c->args[1]);
	TRY(judge(&p, c->args[0], e));
	answer = json_pack("{s:b, s:s, s:I, s:i}", "verified", 1, "digest", p.digest, "row",
		(json_int_t)p.row, "rows", (int)p.found);
	if (!cli_json(c, answer))
		printf("%s: the record that row %llu of the log names; all %u rows that it shows are in the log as they are shown\n",
			c->args[0], (unsigned long long)p.row, p.found);
	return 0;
}
