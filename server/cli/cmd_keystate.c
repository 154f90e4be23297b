/* backstay keys status, keys publish: what a copy of the repositories says, and handing it to the
 * server. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys/keylife.h"
#include "lib/sys/clock.h"
#include "server/cli/cli.h"
#include "server/cli/table.h"

#define DAY_S     ((int64_t)86400)
#define SOON_DAYS 30

static int open_repo(const struct cli *c, const char *repo, struct fs *out, struct err *e)
{
	char path[512];

	snprintf(path, sizeof path, "%s/%s", c->args[0], repo);
	return fs_posix_open(path, out, e);
}

/* ---- status ---- */

struct status {
	const char *repo; /* "image" */
	struct fs fs;
	int64_t now_s;
	json_t *rows;
};

/* When the file of a role expires, if there is one in this copy; else 0. */
static int64_t expires_of(struct status *s, const char *role)
{
	CLEANUP(meta_fini) struct meta m = {0};
	uint64_t lowest, newest;

	if (folder_span(&s->fs, role, &lowest, &newest, NULL) < 0 ||
		folder_meta(&s->fs, role, newest, &m, NULL) < 0)
		return 0;
	return m.expires_s;
}

static const char *risk_of(size_t keys, json_int_t threshold, int64_t left_s, bool has_file)
{
	if (has_file && left_s <= 0)
		return "EXPIRED: devices refuse it; renew it now";
	if (has_file && left_s < SOON_DAYS * DAY_S)
		return "expires soon: renew it";
	if ((json_int_t)keys == threshold)
		return "no spare key: one lost stops it";
	return "";
}

/* The schemes of a role's keys, and how their ids begin. */
static void describe_keys(
	const json_t *listed, const json_t *signers, struct buf *schemes, json_t *ids)
{
	const json_t *one;
	size_t i;

	json_array_foreach (json_object_get(signers, "keyids"), i, one) {
		const json_t *key = json_object_get(listed, json_string_value(one));
		const char *scheme = cli_text(key, "scheme");

		json_array_append(ids, (json_t *)one);
		if (!strstr(buf_cstr(schemes), scheme))
			buf_addf(schemes, "%s%s", schemes->n ? " " : "", scheme);
	}
}

static void add_row(struct status *s, const json_t *part, const char *role)
{
	const json_t *signers = role_signers(part, role);
	json_int_t threshold = json_integer_value(json_object_get(signers, "threshold"));
	size_t keys = json_array_size(json_object_get(signers, "keyids"));
	int64_t expires = expires_of(s, role);
	json_t *ids = json_array();
	BUF_AUTO schemes = {0};
	char name[96], when[21] = "";

	if (json_object_get(part, "roles"))
		snprintf(name, sizeof name, "%s-%s", s->repo, role);
	else
		snprintf(name, sizeof name, "%s", role);
	if (expires)
		time_format(expires, when);
	describe_keys(role_keys(part, role), signers, &schemes, ids);
	json_array_append_new(s->rows,
		json_pack("{s:s, s:I, s:o, s:s, s:s, s:s}", "role", name, "threshold", threshold,
			"keys", ids, "schemes", buf_cstr(&schemes), "expires", when, "risk",
			risk_of(keys, threshold, expires - s->now_s, expires != 0)));
}

static int add_root_rows(struct status *s, struct err *e)
{
	struct trusted_set t CLEANUP(trusted_fini);
	const json_t *part;

	trusted_init(&t, s->now_s);
	TRY(folder_load_roots(&s->fs, &t, e));
	part = t.root.signed_part;
	for (enum role_kind k = 0; k < ROLE_KIND_MAX; k++)
		add_row(s, part, role_kind_name(k));
	for (size_t i = 0; i < ROLES_BESIDE; i++)
		if (role_signers(part, roles_beside[i].role))
			add_row(s, part, roles_beside[i].role);
	return 0;
}

static void add_named_rows(struct status *s, const json_t *part, const char *lister)
{
	const json_t *one;
	size_t i;

	json_array_foreach (json_object_get(json_object_get(part, lister), "roles"), i, one)
		add_row(s, part, cli_text(one, "name"));
}

/* Whom targets name: who approves, and who witnesses. */
static int add_delegated_rows(struct status *s, struct err *e)
{
	CLEANUP(meta_fini) struct meta m = {0};
	uint64_t lowest, newest;
	int rc = folder_span(&s->fs, "targets", &lowest, &newest, e);

	if (rc == -ERR_NOT_FOUND)
		return 0;
	TRY(rc);
	TRY(folder_meta(&s->fs, "targets", newest, &m, e));
	add_named_rows(s, m.signed_part, "delegations");
	add_named_rows(s, m.signed_part, "x-backstay-evidence");
	return 0;
}

static int see_waiting(void *ctx, const char *name, enum fs_kind kind, struct err *e UNUSED)
{
	struct status *s = ctx;

	if (kind == FS_FILE && name[0] != '.')
		json_array_append_new(
			s->rows, json_pack("{s:s, s:s, s:s}", "repo", s->repo, "waiting", name,
					 "risk", "waits for signatures"));
	return 0;
}

static int add_repo(const struct cli *c, const char *repo, json_t *rows, struct err *e)
{
	struct status s = {.repo = repo, .now_s = clock_system.wall(NULL) / 1000, .rows = rows};
	struct fs_stat st;
	int rc;

	TRY(open_repo(c, repo, &s.fs, e));
	rc = add_root_rows(&s, e);
	if (rc == 0)
		rc = add_delegated_rows(&s, e);
	if (rc == 0)
		rc = s.fs.ops->stat(&s.fs, "waiting", &st, e);
	if (rc == 0 && st.kind == FS_DIR)
		rc = s.fs.ops->list(&s.fs, "waiting", see_waiting, &s, e);
	fs_posix_close(&s.fs);
	return rc < 0 ? err_wrap(e, "%s", repo) : 0;
}

static void print_row(struct table *t, const json_t *row)
{
	const json_t *ids = json_object_get(row, "keys"), *one;
	BUF_AUTO shown = {0};
	size_t i;

	if (*cli_text(row, "waiting")) {
		table_cell(t, "%s/waiting/%s", cli_text(row, "repo"), cli_text(row, "waiting"));
		table_cell(t, "%s", "");
		table_cell(t, "%s", "");
		table_cell(t, "%s", "");
		table_cell(t, "%s", "");
	} else {
		table_cell(t, "%s", cli_text(row, "role"));
		table_cell(t, "%lld of %zu", (long long)cli_int(row, "threshold"),
			json_array_size(ids));
		json_array_foreach (ids, i, one)
			buf_addf(&shown, "%s%.8s", i ? " " : "", json_string_value(one));
		table_cell(t, "%s", buf_cstr(&shown));
		table_cell(t, "%s", cli_text(row, "schemes"));
		table_cell(t, "%.10s", cli_text(row, "expires"));
	}
	table_cell(t, "%s", cli_text(row, "risk"));
}

int cmd_KEYS_STATUS(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = json_pack("{s:[]}", "roles");
	json_t *rows = json_object_get(answer, "roles"), *row;
	struct table t;
	size_t i;

	TRY(add_repo(c, "image", rows, e));
	TRY(add_repo(c, "director", rows, e));
	if (cli_json(c, answer))
		return 0;
	table_init(&t, "ROLE|NEEDS|KEYS|SCHEMES|EXPIRES|AT RISK");
	json_array_foreach (rows, i, row)
		print_row(&t, row);
	table_print(&t);
	table_fini(&t);
	return 0;
}

/* ---- publish ---- */

static int gather_roots(struct fs *fs, json_t *out, struct err *e)
{
	uint64_t lowest, highest;

	TRY(folder_span(fs, "root", &lowest, &highest, e));
	if (highest - lowest >= LIMIT_ROOT_ROTATIONS)
		lowest = highest - LIMIT_ROOT_ROTATIONS + 1;
	for (uint64_t v = lowest; v <= highest; v++) {
		BUF_AUTO bytes = {0};

		TRY(folder_read(fs, "root", v, &bytes, e));
		json_array_append_new(out, json_stringn((const char *)bytes.p, bytes.n));
	}
	return 0;
}

static int gather_newest(struct fs *fs, const char *role, json_t *out, struct err *e)
{
	uint64_t lowest, newest;
	BUF_AUTO bytes = {0};
	int rc = folder_span(fs, role, &lowest, &newest, e);

	if (rc == -ERR_NOT_FOUND)
		return 0;
	TRY(rc);
	TRY(folder_read(fs, role, newest, &bytes, e));
	json_object_set_new(out, role, json_stringn((const char *)bytes.p, bytes.n));
	return 0;
}

static int gather_roles(struct fs *fs, json_t *out, struct err *e)
{
	CLEANUP(meta_fini) struct meta m = {0};
	uint64_t lowest, newest;
	const json_t *one;
	size_t i;

	TRY(gather_newest(fs, "targets", out, e));
	if (!json_object_size(out))
		return 0;
	TRY(folder_span(fs, "targets", &lowest, &newest, e));
	TRY(folder_meta(fs, "targets", newest, &m, e));
	json_array_foreach (
		json_object_get(json_object_get(m.signed_part, "delegations"), "roles"), i, one)
		TRY(gather_newest(fs, cli_text(one, "name"), out, e));
	return 0;
}

static int publish_repo(const struct cli *c, const char *repo, json_int_t *io_stored, struct err *e)
{
	JSON_AUTO *body = json_pack("{s:s, s:[], s:{}}", "repo", repo, "roots", "roles");
	JSON_AUTO *answer = NULL;
	struct fs fs;
	int rc;

	TRY(open_repo(c, repo, &fs, e));
	rc = gather_roots(&fs, json_object_get(body, "roots"), e);
	if (rc == 0)
		rc = gather_roles(&fs, json_object_get(body, "roles"), e);
	fs_posix_close(&fs);
	TRY(rc);
	if (cli_ask(c, ROUTE_METADATA_ADOPT, NULL, NULL, body, &answer, e) < 0)
		return err_wrap(e, "%s", repo);
	*io_stored += cli_int(answer, "stored");
	return 0;
}

int cmd_KEYS_PUBLISH(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = NULL;
	json_int_t stored = 0;

	TRY(publish_repo(c, "image", &stored, e));
	TRY(publish_repo(c, "director", &stored, e));
	answer = json_pack("{s:I}", "stored", stored);
	if (!cli_json(c, answer))
		printf("The server has taken %lld new files; devices follow at their next poll.\n",
			(long long)stored);
	return 0;
}
