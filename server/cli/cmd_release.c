/* backstay release ... */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keys/folder.h"
#include "keys/release_sign.h"
#include "lib/sys/clock.h"
#include "server/cli/cli.h"
#include "server/cli/packed_evidence.h"
#include "server/cli/table.h"
#include "server/pack/pack.h"

/* ---- create ---- */

static void show_packing(void *ctx UNUSED, const char *component, uint64_t done, uint64_t total)
{
	BUF_AUTO b = {0};

	bar_format(done, total, 30, &b);
	fprintf(stderr, "\r\033[K  %-16s %s %5.1f %%", component, buf_cstr(&b),
		total ? 100.0 * (double)done / (double)total : 100.0);
}

int cmd_RELEASE_CREATE(const struct cli *c, struct err *e)
{
	bool terminal = isatty(STDERR_FILENO);
	struct pack_spec spec = {.template_path = c->args[0],
		.out_dir = cli_value(c, CLI_OPT_OUT, NULL),
		.progress = terminal ? show_packing : NULL};
	JSON_AUTO *answer = NULL;
	CLEANUP(mem_free) struct release *packed = NULL;
	struct pack_result r;
	char digest[SHA256_TEXT], document[512];
	BUF_AUTO text = {0};
	uint64_t level;
	int rc;

	if (!spec.out_dir)
		return err_set(e, ERR_USAGE, "--out DIR is needed: where the packed release goes");
	TRY(cli_number(c, CLI_OPT_LEVEL, 1, 19, 9, &level, e));
	spec.level = (int)level;
	rc = pack_release(&spec, &r, e);
	if (terminal)
		fputs("\r\033[K", stderr);
	TRY(rc);
	snprintf(document, sizeof document, "%s/%s.json", spec.out_dir, r.id.s);
	TRY(packed_vet(document, &text, &packed, e));
	sha256_format(&r.document, digest);
	answer = json_pack("{s:s, s:s, s:s, s:I, s:I}", "id", r.id.s, "product", r.product,
		"document", digest, "artifact_bytes", (json_int_t)r.artifact_bytes, "content_bytes",
		(json_int_t)r.content_bytes);
	if (!cli_json(c, answer))
		printf("%s: %.1f MiB on a device, %.1f MiB to transfer, document %.12s\nNext: backstay release propose %s --keys KEYS --hardware ID --counter N\n",
			r.id.s, packed_mib(r.content_bytes), packed_mib(r.artifact_bytes), digest,
			spec.out_dir);
	return 0;
}

/* ---- sign ---- */

static int sign_as(const struct cli *c, const struct keystore *ks, const char *role,
	const char *document, const struct release_terms *terms, json_t *rows, struct err *e)
{
	char repo[512];
	struct release_signed s;
	char digest[SHA256_TEXT];

	if (release_sign(packed_repo(c, repo), NULL, ks, role, document, terms,
		    clock_system.wall(NULL) / 1000, &s, e) < 0)
		return err_wrap(e, "%s", role);
	sha256_format(&s.document, digest);
	json_array_append_new(rows,
		json_pack("{s:s, s:s, s:s, s:s, s:b, s:b}", "role", role, "file", s.file, "path",
			s.path, "document", digest, "changed", s.changed, "complete", s.complete));
	if (!cli_flag(c, CLI_OPT_JSON))
		printf("%-12s %s %s in %s%s\n", role, s.changed ? "signed" : "had signed", s.path,
			s.file, s.complete ? "" : " (more signatures of this role are needed)");
	return 0;
}

int cmd_RELEASE_SIGN(const struct cli *c, struct err *e)
{
	const char *keys = cli_value(c, CLI_OPT_KEYS, NULL);
	JSON_AUTO *answer = json_pack("{s:[]}", "signed");
	CLEANUP(keystore_free) struct keystore *ks = keystore_new();
	unsigned n = c->n_values[CLI_OPT_ROLE];
	CLEANUP(packed_evidence_drop) struct packed_evidence *ev = mem_new(sizeof *ev);
	CLEANUP(mem_free) struct release *r = NULL;
	struct release_terms terms;
	char dir[512], document[512];
	BUF_AUTO text = {0};

	memset(ev, 0, sizeof *ev);
	if (!keys)
		return err_set(e, ERR_USAGE,
			"--keys DIR is needed: the folder that `backstay keys init` made");
	TRY(packed_terms(c, &terms, e));
	TRY(packed_evidence_load(c->args[0], ev, e));
	packed_evidence_all(ev, &terms);
	TRY(packed_document(c->args[0], document, e));
	TRY(packed_vet(document, &text, &r, e));
	snprintf(dir, sizeof dir, "%s/offline", keys);
	TRY(keystore_load(ks, dir, e));
	for (unsigned i = 0; i < (n ? n : DIRECTOR_MINIMUM); i++)
		TRY(sign_as(c, ks, n ? c->values[CLI_OPT_ROLE][i] : director_minimum[i], document,
			&terms, json_object_get(answer, "signed"), e));
	if (!cli_json(c, answer))
		printf("Next: backstay release publish %s --keys %s\n", c->args[0], keys);
	return 0;
}

/* ---- publish ---- */

/* What the approvers gave back, or else what `release sign` left in the repository's copy. */
static const char *signed_dir(const struct cli *c, char buf[512])
{
	snprintf(buf, 512, "%s/approval", c->args[0]);
	return access(buf, F_OK) == 0 ? buf : packed_repo(c, buf);
}

static int gather_roles(const char *dir, json_t *roles, struct err *e)
{
	for (size_t i = 0; i < DIRECTOR_MINIMUM; i++) {
		BUF_AUTO text = {0};

		TRY(packed_newest(dir, director_minimum[i], &text, e));
		json_object_set_new(
			roles, director_minimum[i], json_stringn((const char *)text.p, text.n));
	}
	return 0;
}

/* What is published now is what the next request is made from. */
static int keep_copy(const struct cli *c, struct err *e)
{
	char buf[512], approval[512];
	const char *repo = packed_repo(c, buf);
	struct fs own, from;
	unsigned taken;
	int rc;

	snprintf(approval, sizeof approval, "%s/approval", c->args[0]);
	if (access(approval, F_OK) < 0 || access(repo, F_OK) < 0)
		return 0;
	TRY(fs_posix_open(repo, &own, e));
	rc = fs_posix_open(approval, &from, e);
	if (rc == 0) {
		rc = folder_update(&own, &from, &taken, e);
		fs_posix_close(&from);
	}
	fs_posix_close(&own);
	return rc;
}

static int upload_artifacts(const struct cli *c, const struct release *r, struct err *e)
{
	for (unsigned i = 0; i < r->n_components; i++) {
		char digest[SHA256_TEXT], path[1024];
		const char *args[] = {digest};

		sha256_format(&r->components[i].artifact.digest, digest);
		snprintf(path, sizeof path, "%s/artifacts/%s", c->args[0], digest);
		if (cli_upload(c, ROUTE_ARTIFACT_PUT, args, path, e) < 0)
			return err_wrap(e, "component %s", r->components[i].name);
	}
	return 0;
}

struct upload {
	const struct cli *c;
};

/* Evidence and gates are served like artifacts: named by their digest. */
static int upload_file(void *ctx, const char *path, const char *name UNUSED, struct err *e)
{
	const struct upload *u = ctx;
	char digest[SHA256_TEXT];
	const char *args[] = {digest};
	struct sha256 hash;
	BUF_AUTO bytes = {0};

	TRY(cli_read(path, LIMIT_ENVELOPE_BYTES, &bytes, e));
	digest_of(bytes.p, bytes.n, &hash);
	sha256_format(&hash, digest);
	if (cli_upload(u->c, ROUTE_ARTIFACT_PUT, args, path, e) < 0)
		return err_wrap(e, "%s", path);
	return 0;
}

static int upload_evidence(const struct cli *c, struct err *e)
{
	struct upload u = {c};

	TRY(packed_evidence_each(c->args[0], EVIDENCE_ENVELOPE, upload_file, &u, e));
	return packed_evidence_each(c->args[0], EVIDENCE_GATE, upload_file, &u, e);
}

int cmd_RELEASE_PUBLISH(const struct cli *c, struct err *e)
{
	CLEANUP(mem_free) struct release *r = NULL;
	JSON_AUTO *body = NULL, *answer = NULL, *roles = json_object();
	char repo[512], document[512], path[LIMIT_TARGET_NAME];
	BUF_AUTO text = {0};

	TRY(packed_document(c->args[0], document, e));
	TRY(packed_load(document, &text, &r, e));
	TRY(gather_roles(signed_dir(c, repo), roles, e));
	TRY(upload_artifacts(c, r, e));
	TRY(upload_evidence(c, e));
	snprintf(path, sizeof path, "%s/%s.json", r->product, r->id.s);
	body = json_pack(
		"{s:s, s:s#, s:O}", "path", path, "document", text.p, text.n, "roles", roles);
	TRY(cli_ask(c, ROUTE_RELEASE_PUBLISH, NULL, NULL, body, &answer, e));
	TRY(keep_copy(c, e));
	if (!cli_json(c, answer))
		printf("%s is published. Next: backstay campaign create NAME --release %s --policy FILE\n",
			path, r->id.s);
	return 0;
}

/* ---- list and show ---- */

/* "1 of 2 met", "-" where none is demanded. */
static void gates_cell(struct table *t, const json_t *gates)
{
	size_t i, met = 0;
	json_t *gate;

	json_array_foreach (gates, i, gate) {
		met += json_is_true(json_object_get(gate, "met"));
	}
	if (json_array_size(gates))
		table_cell(t, "%zu of %zu met", met, json_array_size(gates));
	else
		table_cell(t, "-");
}

static void print_gates(const json_t *gates)
{
	json_t *gate;
	size_t i;

	json_array_foreach (gates, i, gate) {
		bool met = json_is_true(json_object_get(gate, "met"));
		char ago[32];

		cli_ago(cli_int(gate, "judged_ms"), ago, sizeof ago);
		printf("%s gate %s, %s ago%s%s\n", met ? "\u2713 passed" : "\u2717 does not pass",
			cli_text(gate, "name"), ago, met ? "" : ": ", cli_text(gate, "missing"));
	}
}

int cmd_RELEASE_LIST(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = NULL;
	struct table t;
	json_t *row;
	size_t i;

	TRY(cli_ask(c, ROUTE_RELEASES, NULL, NULL, NULL, &answer, e));
	if (cli_json(c, answer))
		return 0;
	table_init(&t, "RELEASE|PATH|COUNTER|DOCUMENT|GATES|PUBLISHED");
	json_array_foreach (json_object_get(answer, "releases"), i, row) {
		char ago[32];

		cli_ago(cli_int(row, "published_ms"), ago, sizeof ago);
		table_cell(&t, "%s", cli_text(row, "id"));
		table_cell(&t, "%s", cli_text(row, "path"));
		table_cell(&t, "%lld", (long long)cli_int(row, "counter"));
		table_cell(&t, "%.12s", cli_text(row, "digest"));
		gates_cell(&t, json_object_get(row, "gates"));
		table_cell(&t, "%s ago", ago);
	}
	table_print(&t);
	table_fini(&t);
	return 0;
}

/* A packed folder, or a release of the server. */
static int show_text(const struct cli *c, struct buf *out, json_t **out_gates, struct err *e)
{
	JSON_AUTO *answer = NULL;
	char document[512];

	if (access(c->args[0], F_OK) == 0) {
		TRY(packed_document(c->args[0], document, e));
		return cli_read(document, LIMIT_RELEASE_BYTES, out, e);
	}
	TRY(cli_ask(c, ROUTE_RELEASE, c->args, NULL, NULL, &answer, e));
	buf_add_str(out, cli_text(answer, "document"));
	*out_gates = json_incref(json_object_get(answer, "gates"));
	return 0;
}

int cmd_RELEASE_SHOW(const struct cli *c, struct err *e)
{
	CLEANUP(mem_free) struct release *r = mem_new(sizeof *r);
	JSON_AUTO *document = NULL, *gates = NULL;
	BUF_AUTO text = {0};

	TRY(show_text(c, &text, &gates, e));
	TRY(release_parse(buf_str(&text), r, e));
	TRY(json_read(buf_str(&text), LIMIT_RELEASE_BYTES, &document, e));
	if (cli_json(c, document))
		return 0;
	packed_print(r);
	print_gates(gates);
	return 0;
}
