/* backstay release ... */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keys/release_sign.h"
#include "lib/sys/clock.h"
#include "server/cli/cli.h"
#include "server/cli/table.h"
#include "server/pack/pack.h"

static const char *const parties[] = {"engineering", "safety", "compliance"};

static double mib(uint64_t bytes)
{
	return (double)bytes / 1048576.0;
}

/* ---- create
 * --------------------------------------------------------------------------------------- */

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
	struct pack_result r;
	char digest[SHA256_TEXT];
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
	sha256_format(&r.document, digest);
	answer = json_pack("{s:s, s:s, s:s, s:I, s:I}", "id", r.id.s, "product", r.product,
		"document", digest, "artifact_bytes", (json_int_t)r.artifact_bytes, "content_bytes",
		(json_int_t)r.content_bytes);
	if (!cli_json(c, answer))
		printf("%s: %.1f MiB on a device, %.1f MiB to transfer, document %.12s\nNext: backstay release sign %s --keys KEYS --hardware ID --counter N\n",
			r.id.s, mib(r.content_bytes), mib(r.artifact_bytes), digest, spec.out_dir);
	return 0;
}

/* ---- the packed folder
 * ------------------------------------------------------------------------------- */

/* The one document that `release create` left in a folder. */
static int find_document(const char *dir, char out[512], struct err *e)
{
	struct dirent *entry;
	unsigned n = 0;
	DIR *d = opendir(dir);

	if (!d)
		return err_set(e, ERR_NOT_FOUND,
			"%s: no such folder; `backstay release create` makes one", dir);
	while ((entry = readdir(d))) {
		size_t len = strlen(entry->d_name);

		if (len > 5 && strcmp(entry->d_name + len - 5, ".json") == 0) {
			snprintf(out, 512, "%s/%s", dir, entry->d_name);
			n++;
		}
	}
	closedir(d);
	if (n != 1)
		return err_set(
			e, ERR_BAD_INPUT, "%s: holds %u release documents, expected one", dir, n);
	return 0;
}

static int load_document(const char *path, struct buf *text, struct release **out, struct err *e)
{
	struct release *r = mem_new(sizeof *r);
	int rc = cli_read(path, LIMIT_RELEASE_BYTES, text, e);

	if (rc == 0)
		rc = release_parse(buf_str(text), r, e);
	if (rc < 0) {
		free(r);
		return err_wrap(e, "%s", path);
	}
	*out = r;
	return 0;
}

static const char *repo_dir(const struct cli *c, char out[512])
{
	const char *keys = cli_value(c, CLI_OPT_KEYS, NULL);

	snprintf(out, 512, "%s/repo/image", keys ? keys : ".");
	return cli_value(c, CLI_OPT_REPO, out);
}

/* ---- sign
 * ------------------------------------------------------------------------------------------- */

static int read_terms(const struct cli *c, struct release_terms *out, struct err *e)
{
	*out = (struct release_terms){0};
	TRY(cli_number(c, CLI_OPT_COUNTER, 1, INT64_MAX, 0, &out->counter, e));
	if (out->counter == 0 || c->n_values[CLI_OPT_HARDWARE] == 0)
		return err_set(e, ERR_USAGE,
			"--hardware ID and --counter N are needed: every party signs them");
	if (c->n_values[CLI_OPT_HARDWARE] > LIMIT_HARDWARE_IDS ||
		c->n_values[CLI_OPT_ROLLBACK_TO] > LIMIT_ROLLBACK_TO)
		return err_set(e, ERR_USAGE, "at most %d of --hardware and %d of --rollback-to",
			LIMIT_HARDWARE_IDS, LIMIT_ROLLBACK_TO);
	for (unsigned i = 0; i < c->n_values[CLI_OPT_HARDWARE]; i++)
		TRY(id_parse(str_of(c->values[CLI_OPT_HARDWARE][i]), "--hardware",
			out->hardware[out->n_hardware++], e));
	for (unsigned i = 0; i < c->n_values[CLI_OPT_ROLLBACK_TO]; i++)
		TRY(id_parse(str_of(c->values[CLI_OPT_ROLLBACK_TO][i]), "--rollback-to",
			out->rollback_to[out->n_rollback_to++].s, e));
	return 0;
}

static int sign_as(const struct cli *c, const struct keystore *ks, const char *role,
	const char *document, const struct release_terms *terms, json_t *rows, struct err *e)
{
	char repo[512];
	struct release_signed s;
	char digest[SHA256_TEXT];

	if (release_sign(repo_dir(c, repo), ks, role, document, terms,
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
	struct release_terms terms;
	char dir[512], document[512];

	if (!keys)
		return err_set(e, ERR_USAGE,
			"--keys DIR is needed: the folder that `backstay keys init` made");
	TRY(read_terms(c, &terms, e));
	TRY(find_document(c->args[0], document, e));
	snprintf(dir, sizeof dir, "%s/offline", keys);
	TRY(keystore_load(ks, dir, e));
	for (unsigned i = 0; i < (n ? n : ARRAY_LEN(parties)); i++)
		TRY(sign_as(c, ks, n ? c->values[CLI_OPT_ROLE][i] : parties[i], document, &terms,
			json_object_get(answer, "signed"), e));
	if (!cli_json(c, answer))
		printf("Next: backstay release publish %s --keys %s\n", c->args[0], keys);
	return 0;
}

/* ---- publish
 * ---------------------------------------------------------------------------------------- */

/* The newest N.ROLE.json of a repository copy. */
static int newest(const char *dir, const char *role, struct buf *out, struct err *e)
{
	char suffix[96], path[1024];
	uint64_t best = 0, version;
	struct dirent *entry;
	DIR *d = opendir(dir);

	if (!d)
		return err_set(
			e, ERR_NOT_FOUND, "%s: no such folder; --repo or --keys names it", dir);
	snprintf(suffix, sizeof suffix, ".%s.json", role);
	while ((entry = readdir(d))) {
		const char *dot = strchr(entry->d_name, '.');

		if (dot && strcmp(dot, suffix) == 0 &&
			str_to_u64((struct str){entry->d_name, (size_t)(dot - entry->d_name)}, 1,
				INT64_MAX, &version, NULL) == 0)
			best = MAX(best, version);
	}
	closedir(d);
	if (best == 0)
		return err_set(e, ERR_NOT_FOUND, "%s: no file of the role %s", dir, role);
	snprintf(path, sizeof path, "%s/%llu%s", dir, (unsigned long long)best, suffix);
	return cli_read(path, LIMIT_TARGETS_BYTES, out, e);
}

static int gather_roles(const char *dir, json_t *roles, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(parties); i++) {
		BUF_AUTO text = {0};

		TRY(newest(dir, parties[i], &text, e));
		json_object_set_new(roles, parties[i], json_stringn((const char *)text.p, text.n));
	}
	return 0;
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

int cmd_RELEASE_PUBLISH(const struct cli *c, struct err *e)
{
	CLEANUP(mem_free) struct release *r = NULL;
	JSON_AUTO *body = NULL, *answer = NULL, *roles = json_object();
	char repo[512], document[512], path[LIMIT_TARGET_NAME];
	BUF_AUTO text = {0};

	TRY(find_document(c->args[0], document, e));
	TRY(load_document(document, &text, &r, e));
	TRY(gather_roles(repo_dir(c, repo), roles, e));
	TRY(upload_artifacts(c, r, e));
	snprintf(path, sizeof path, "%s/%s.json", r->product, r->id.s);
	body = json_pack(
		"{s:s, s:s#, s:O}", "path", path, "document", text.p, text.n, "roles", roles);
	TRY(cli_ask(c, ROUTE_RELEASE_PUBLISH, NULL, NULL, body, &answer, e));
	if (!cli_json(c, answer))
		printf("%s is published. Next: backstay campaign create NAME --release %s --policy FILE\n",
			path, r->id.s);
	return 0;
}

/* ---- list and show
 * ------------------------------------------------------------------------------------ */

int cmd_RELEASE_LIST(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = NULL;
	struct table t;
	json_t *row;
	size_t i;

	TRY(cli_ask(c, ROUTE_RELEASES, NULL, NULL, NULL, &answer, e));
	if (cli_json(c, answer))
		return 0;
	table_init(&t, "RELEASE|PATH|COUNTER|DOCUMENT|PUBLISHED");
	json_array_foreach (json_object_get(answer, "releases"), i, row) {
		char ago[32];

		cli_ago(cli_int(row, "published_ms"), ago, sizeof ago);
		table_cell(&t, "%s", cli_text(row, "id"));
		table_cell(&t, "%s", cli_text(row, "path"));
		table_cell(&t, "%lld", (long long)cli_int(row, "counter"));
		table_cell(&t, "%.12s", cli_text(row, "digest"));
		table_cell(&t, "%s ago", ago);
	}
	table_print(&t);
	table_fini(&t);
	return 0;
}

static const char *unit_text(const struct trig_rule *r)
{
	static const char *const units[] = {[TRIG_UNIT_COUNT] = " times",
		[TRIG_UNIT_SHARE] = " of all",
		[TRIG_UNIT_SECONDS] = " s"};

	return r->comparator == TRIG_CMP_BASELINE ? " x the device's own value before the swap"
						  : units[trig_type_unit(r->type)];
}

static void print_rule(const struct trig_rule *r)
{
	printf("  %-14s %s\n", trig_type_name(r->type), trig_type_text(r->type));
	if (trig_type_unit(r->type) == TRIG_UNIT_NONE)
		return;
	printf("  %-14s ", "");
	if (r->metric[0])
		printf("%s%s%s", r->metric, r->total[0] ? " of " : "", r->total);
	if (r->type == TRIG_LATENCY)
		printf(", quantile %g", (double)r->quantile / 1000.0);
	printf("%slimit %g%s, windows of %g s, %u of %u bad, at least %llu samples in each\n",
		r->metric[0] ? ": " : "", r->threshold, unit_text(r), (double)r->window / 1000.0,
		r->hold_k, r->hold_m, (unsigned long long)r->min_samples);
}

static void print_release(const struct release *r)
{
	struct table t;

	printf("%s (%s %s)\n%s\n\n", r->id.s, r->product, r->version, r->notes);
	table_init(&t, "COMPONENT|KIND|PLACE|TRANSFER|ON DEVICE|ARTIFACT");
	for (unsigned i = 0; i < r->n_components; i++) {
		const struct component *k = &r->components[i];
		char digest[SHA256_TEXT];

		sha256_format(&k->artifact.digest, digest);
		table_cell(&t, "%s", k->name);
		table_cell(&t, "%s", component_kind_name(k->kind));
		table_cell(&t, "%s", k->path);
		table_cell(&t, "%.1f MiB", mib(k->artifact.length));
		table_cell(&t, "%.1f MiB", mib(k->artifact.content_length));
		table_cell(&t, "%.12s", digest);
	}
	table_print(&t);
	table_fini(&t);
	printf("\nActivated by %s, %lld s to start, %lld s of soak\n",
		activation_name(r->activation), (long long)r->start_timeout / 1000,
		(long long)r->soak / 1000);
	for (unsigned i = 0; i < r->n_smoke; i++)
		printf("Smoke test %s: %s %s\n", r->smoke[i].name,
			r->smoke[i].kind == SMOKE_EXEC ? "runs" : "starts", r->smoke[i].argv[0]);
	puts("Taken back when:");
	for (unsigned i = 0; i < r->n_triggers; i++)
		print_rule(&r->triggers[i]);
}

/* A packed folder, or a release of the server. */
static int show_text(const struct cli *c, struct buf *out, struct err *e)
{
	JSON_AUTO *answer = NULL;
	char document[512];

	if (access(c->args[0], F_OK) == 0) {
		TRY(find_document(c->args[0], document, e));
		return cli_read(document, LIMIT_RELEASE_BYTES, out, e);
	}
	TRY(cli_ask(c, ROUTE_RELEASE, c->args, NULL, NULL, &answer, e));
	buf_add_str(out, cli_text(answer, "document"));
	return 0;
}

int cmd_RELEASE_SHOW(const struct cli *c, struct err *e)
{
	CLEANUP(mem_free) struct release *r = mem_new(sizeof *r);
	JSON_AUTO *document = NULL;
	BUF_AUTO text = {0};

	TRY(show_text(c, &text, e));
	TRY(release_parse(buf_str(&text), r, e));
	TRY(json_read(buf_str(&text), LIMIT_RELEASE_BYTES, &document, e));
	if (!cli_json(c, document))
		print_release(r);
	return 0;
}
