/* backstay evidence ...: what is said of a packed release, by whom, and whether it may be believed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys/attest.h"
#include "keys/witnesses.h"
#include "lib/sys/fs.h"
#include "proto/trust/dsse.h"
#include "server/cli/packed_evidence.h"
#include "server/cli/table.h"
#include "server/cli/trusted.h"

/* ---- create ---- */

static int write_beside(const char *path, const struct buf *bytes, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char dir[512];
	struct fs fs;
	int rc;

	fs_dirname(path, dir, sizeof dir);
	TRY(fs_posix_open(dir[0] ? dir : ".", &fs, e));
	rc = fs_write_file(&fs, slash ? slash + 1 : path, bytes->p, bytes->n, 0644, e);
	fs_posix_close(&fs);
	return rc;
}

/* The release document first, then every artifact of it. */
static unsigned subjects_of(const struct release *r, const struct buf *document,
	struct attest_subject out[1 + LIMIT_COMPONENTS])
{
	unsigned n = 0;

	snprintf(out[n].name, sizeof out[n].name, "%s/%s.json", r->product, r->id.s);
	digest_of(document->p, document->n, &out[n++].digest);
	for (unsigned i = 0; i < r->n_components; i++, n++) {
		snprintf(out[n].name, sizeof out[n].name, "%s", r->components[i].name);
		out[n].digest = r->components[i].artifact.digest;
	}
	return n;
}

static int type_of(const struct cli *c, enum predicate *out, struct err *e)
{
	const char *name = cli_value(c, CLI_OPT_KIND, "");
	enum predicate p = predicate_by_name(name);

	if (p == PREDICATE_MAX)
		p = predicate_by_type(str_of(name));
	if (p == PREDICATE_MAX)
		return err_set(e, ERR_USAGE,
			"--kind is needed: provenance, test-result, dataset-card, model-card, "
			"licence-matrix, sbom, consent, update-record, or a predicateType (an sbom in CycloneDX: %s)",
			predicate_type(PREDICATE_SBOM_CYCLONEDX));
	*out = p;
	return 0;
}

static int make_statement(const struct cli *c, enum predicate kind, struct buf *out, struct err *e)
{
	const char *file = cli_value(c, CLI_OPT_PREDICATE, NULL), *type;
	struct attest_subject subjects[1 + LIMIT_COMPONENTS];
	CLEANUP(mem_free) struct release *r = NULL;
	BUF_AUTO text = {0}, predicate = {0};
	char document[512];

	if (!file)
		return err_set(e, ERR_USAGE, "--predicate FILE is needed: what is stated, in JSON");
	TRY(packed_document(c->args[0], document, e));
	TRY(packed_load(document, &text, &r, e));
	TRY(cli_read(file, LIMIT_ENVELOPE_BYTES / 2, &predicate, e));
	type = cli_value(c, CLI_OPT_KIND, "");
	if (predicate_by_type(str_of(type)) == PREDICATE_MAX)
		type = predicate_type(kind);
	if (attest_write(type, subjects, subjects_of(r, &text, subjects), buf_str(&predicate), out,
		    e) < 0)
		return err_wrap(e, "%s", file);
	return 0;
}

int cmd_EVIDENCE_CREATE(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = NULL;
	BUF_AUTO statement = {0};
	char name[ID_TEXT_MAX], path[700], dir[600];
	enum predicate kind;

	TRY(type_of(c, &kind, e));
	TRY(id_parse(str_of(cli_value(c, CLI_OPT_NAME, predicate_name(kind))), "--name", name, e));
	TRY(make_statement(c, kind, &statement, e));
	snprintf(dir, sizeof dir, "%s/" EVIDENCE_FOLDER, c->args[0]);
	(void)!mkdir(dir, 0755);
	snprintf(path, sizeof path, "%s/%s.json", dir, name);
	TRY(write_beside(path, &statement, e));
	answer = json_pack("{s:s, s:s}", "file", path, "type", predicate_type(kind));
	if (!cli_json(c, answer))
		printf("%s: %s\nNext: backstay evidence sign %s --keys KEYS (by %s)\n", path,
			predicate_text(kind), path, witnesses_of(kind));
	return 0;
}

/* ---- sign ---- */

/* "hil.json" becomes "hil.dsse.json". */
static int envelope_path(const char *file, char out[700], struct err *e)
{
	size_t n = strlen(file);

	if (n <= 5 || strcmp(file + n - 5, ".json") != 0 ||
		(n > 10 && strcmp(file + n - 10, EVIDENCE_ENVELOPE) == 0) || n > 600)
		return err_set(e, ERR_USAGE, "%s: a statement NAME.json is wanted", file);
	snprintf(out, 700, "%.*s" EVIDENCE_ENVELOPE, (int)n - 5, file);
	return 0;
}

/* An envelope around the same statement gets further signatures; around another one it is replaced:
 * what it said no longer stands beside it. */
static int put_in_envelope(const char *path, struct str statement,
	const struct sign_key *const *keys, unsigned n, struct buf *out, struct err *e)
{
	BUF_AUTO there = {0};
	DSSE_AUTO d = {.n = 0};

	if (access(path, F_OK) == 0 && cli_read(path, LIMIT_ENVELOPE_BYTES, &there, NULL) == 0 &&
		dsse_parse(buf_str(&there), LIMIT_ENVELOPE_BYTES, &d, NULL) == 0 &&
		str_eq(buf_str(&d.payload), statement))
		return attest_sign_more(buf_str(&there), keys, n, out, e);
	return attest_sign(statement, keys, n, out, e);
}

int cmd_EVIDENCE_SIGN(const struct cli *c, struct err *e)
{
	CLEANUP(keystore_free) struct keystore *ks = keystore_new();
	const struct sign_key *keys[LIMIT_KEYS];
	STATEMENT_AUTO s = {.n_subjects = 0};
	BUF_AUTO text = {0}, envelope = {0};
	JSON_AUTO *answer = NULL;
	const char *role;
	char path[700];
	unsigned n;

	TRY(envelope_path(c->args[0], path, e));
	TRY(cli_read(c->args[0], LIMIT_ENVELOPE_BYTES, &text, e));
	if (statement_parse(buf_str(&text), &s, e) < 0)
		return err_wrap(e, "%s", c->args[0]);
	role = cli_value(c, CLI_OPT_ROLE, witnesses_of(s.kind));
	TRY(packed_keys(ks, c, EVIDENCE_FOLDER, e));
	n = keystore_find(ks, role, keys);
	if (n == 0)
		return err_set(e, ERR_NOT_FOUND, "no key of %s here, who attests %s", role,
			predicate_name(s.kind));
	TRY(put_in_envelope(path, buf_str(&text), keys, n, &envelope, e));
	TRY(write_beside(path, &envelope, e));
	answer = json_pack("{s:s, s:s, s:s}", "file", path, "type", s.type, "by", role);
	if (!cli_json(c, answer))
		printf("%s: signed by %s\n", path, role);
	return 0;
}

/* ---- verify ---- */

struct verifying {
	struct trusted_set set;
	struct sha256 document;
	json_t *rows;
	unsigned failed;
	struct err first;
};

static void verify_one(struct verifying *v, const struct packed_evidence *ev, unsigned i)
{
	STATEMENT_AUTO s = {.n_subjects = 0};
	struct err why = {0};
	int rc = evidence_read_named(
		&v->set.targets, &ev->refs.v[i], buf_str(&ev->bytes[i]), &v->document, &s, &why);

	if (rc < 0 && v->failed++ == 0)
		v->first = why;
	json_array_append_new(v->rows,
		json_pack("{s:s, s:s, s:b, s:s}", "file", ev->name[i], "type", ev->refs.v[i].type,
			"verified", rc == 0, "why", rc < 0 ? why.text : ""));
}

static void print_verified(const json_t *rows)
{
	struct table t;
	json_t *row;
	size_t i;

	table_init(&t, " |FILE|TYPE|");
	json_array_foreach (rows, i, row) {
		bool ok = json_is_true(json_object_get(row, "verified"));

		table_cell(&t, "%s", ok ? "\u2713" : "\u2717");
		table_cell(&t, "%s", cli_text(row, "file"));
		table_cell(&t, "%s", cli_text(row, "type"));
		table_cell(&t, "%s", ok ? "verified" : cli_text(row, "why"));
	}
	table_print(&t);
	table_fini(&t);
}

static int verify_all(const struct cli *c, struct verifying *v, struct err *e)
{
	CLEANUP(mem_free) struct packed_evidence *ev = mem_new(sizeof *ev);
	int rc;

	TRY(trusted_document(c->args[0], NULL, &v->document, e));
	TRY(trusted_open(c, &v->set, e));
	rc = packed_evidence_load(c->args[0], ev, e);
	for (unsigned i = 0; rc == 0 && i < ev->n; i++)
		verify_one(v, ev, i);
	packed_evidence_fini(ev);
	trusted_fini(&v->set);
	return rc;
}

int cmd_EVIDENCE_VERIFY(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = json_pack("{s:[]}", "evidence");
	CLEANUP(mem_free) struct verifying *v = mem_new(sizeof *v);

	memset(v, 0, sizeof *v);
	v->rows = json_object_get(answer, "evidence");
	TRY(verify_all(c, v, e));
	if (json_array_size(v->rows) == 0)
		return err_set(e, ERR_NOT_FOUND,
			"%s: no evidence; `backstay evidence create` and "
			"`evidence sign` make some",
			c->args[0]);
	if (!cli_json(c, answer))
		print_verified(v->rows);
	return v->failed ? err_copy(e, &v->first) : 0;
}

/* ---- show ---- */

/* An envelope's payload, or the statement itself. */
static int statement_of(const char *file, struct buf *out, unsigned *out_sigs, struct err *e)
{
	BUF_AUTO text = {0};
	DSSE_AUTO d = {.n = 0};
	struct err why;

	TRY(cli_read(file, LIMIT_ENVELOPE_BYTES, &text, e));
	if (dsse_parse(buf_str(&text), LIMIT_ENVELOPE_BYTES, &d, &why) == 0)
		buf_add(out, d.payload.p, d.payload.n);
	else
		buf_add(out, text.p, text.n);
	*out_sigs = d.n;
	return 0;
}

int cmd_EVIDENCE_SHOW(const struct cli *c, struct err *e)
{
	STATEMENT_AUTO s = {.n_subjects = 0};
	BUF_AUTO text = {0};
	char hex[SHA256_TEXT], when[21] = "unknown", seen[LIMIT_TEXT], *fields;
	unsigned sigs;

	TRY(statement_of(c->args[0], &text, &sigs, e));
	if (statement_parse(buf_str(&text), &s, e) < 0)
		return err_wrap(e, "%s", c->args[0]);
	if (cli_json(c, s.doc))
		return 0;
	if (s.made_s)
		time_format(s.made_s, when);
	printf("%s: %s\ntype        %s\nmade        %s\n", predicate_name(s.kind),
		predicate_text(s.kind), s.type, when);
	for (unsigned i = 0; i < s.n_subjects; i++) {
		sha256_format(&s.subjects[i], hex);
		printf("%-11s %s\n", i ? "" : "about", hex);
	}
	if (!statement_says_yes(&s, seen, sizeof seen) || seen[0])
		printf("says        %s\n", seen);
	printf("signatures  %u, not verified here: `backstay evidence verify` does\n\n", sigs);
	fields = json_dumps(s.predicate, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	puts(fields ? fields : "");
	free(fields);
	return 0;
}
