/* backstay keys add, revoke, rotate, renew, sign, take, public: the life of keys, on the machine of
 * whoever holds them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keys/keylife.h"
#include "keys/repo.h"
#include "keys/witnesses.h"
#include "lib/sys/clock.h"
#include "server/cli/cli.h"
#include "server/cli/trusted.h"

static int64_t now_s(void)
{
	return clock_system.wall(NULL) / 1000;
}

/* Every --keys folder, and its offline/ when it has one. */
static int load_keys(const struct cli *c, struct keystore *ks, struct err *e)
{
	for (unsigned i = 0; i < c->n_values[CLI_OPT_KEYS]; i++) {
		char offline[512];

		snprintf(offline, sizeof offline, "%s/offline", c->values[CLI_OPT_KEYS][i]);
		TRY(keystore_load(
			ks, access(offline, F_OK) == 0 ? offline : c->values[CLI_OPT_KEYS][i], e));
	}
	return 0;
}

/* ---- changes of who may sign ---- */

struct publics {
	unsigned n;
	struct pub_file v[CLI_VALUES_MAX];
};

static void publics_fini(struct publics *p)
{
	while (p->n)
		pub_file_fini(&p->v[--p->n]);
}

static int load_publics(const struct cli *c, struct publics *out, struct err *e)
{
	for (unsigned i = 0; i < c->n_values[CLI_OPT_PUBLIC]; i++) {
		const char *path = c->values[CLI_OPT_PUBLIC][i];
		BUF_AUTO text = {0};

		TRY(cli_read(path, LIMIT_PUB_FILE_BYTES, &text, e));
		if (pub_file_parse(buf_str(&text), &out->v[out->n], e) < 0)
			return err_wrap(e, "%s", path);
		out->n++;
	}
	return 0;
}

static int print_done(const struct cli *c, const char *repo, struct keylife_done *d)
{
	JSON_AUTO *answer = json_pack("{s:s, s:b, s:i, s:s}", "file", d->file, "complete",
		d->complete, "signatures", (int)d->added, "review", buf_cstr(&d->review));

	if (cli_json(c, answer))
		return 0;
	printf("%s\n%s", d->file, buf_cstr(&d->review));
	if (d->complete)
		printf("Signed by enough; it is in %s. Next: backstay keys publish REPO\n", repo);
	else
		printf("%u signatures made here, more are needed: it waits in %s/waiting.\n"
		       "Next, on the machine of another holder: backstay keys sign FILE ITS-REPO --keys ITS-KEYS\n",
			d->added, repo);
	return 0;
}

static int change(
	const struct cli *c, const struct keylife_role *role, struct role_change *ch, struct err *e)
{
	CLEANUP(keylife_done_fini) struct keylife_done done = {.added = 0};
	CLEANUP(keystore_free) struct keystore *ks = keystore_new();
	char repo[512];
	uint64_t threshold;

	TRY(cli_number(c, CLI_OPT_THRESHOLD, 1, LIMIT_KEYS, 0, &threshold, e));
	ch->role = role->role;
	ch->threshold = (unsigned)threshold;
	ch->n_drop = c->n_values[CLI_OPT_KEY];
	ch->drop = c->values[CLI_OPT_KEY];
	snprintf(repo, sizeof repo, "%s/%s", c->args[1], role->repo);
	TRY(load_keys(c, ks, e));
	TRY(keylife_change(repo, role->lister, ch, ks, now_s(), &done, e));
	return print_done(c, repo, &done);
}

static int change_with(const struct cli *c, bool only_added, struct err *e)
{
	CLEANUP(publics_fini) struct publics add = {.n = 0};
	struct role_change ch = {.only_added = only_added};
	struct keylife_role role;

	TRY(load_publics(c, &add, e));
	if (add.n == 0)
		return err_set(e, ERR_USAGE,
			"--public FILE is needed: `backstay keys public` on "
			"the machine of the new key's holder makes it");
	keylife_role(c->args[0], &role);
	ch.add = add.v;
	ch.n_add = add.n;
	return change(c, &role, &ch, e);
}

/* ---- gates ---- */

struct gates {
	unsigned n;
	struct sha256 v[LIMIT_GATES];
	enum predicate kind; /* PREDICATE_MAX: none is added */
	const char *who;     /* who may attest it from now on */
};

static int demand(json_t *part, const void *ctx, struct err *e)
{
	(void)ctx, (void)e;
	repo_demand_evidence(part);
	return 0;
}

static int set_gates(json_t *part, const void *ctx, struct err *e)
{
	const struct gates *g = ctx;

	if (g->kind != PREDICATE_MAX)
		TRY(repo_let_attest(part, g->who, g->kind, e));
	return g->n ? repo_set_gates(part, g->v, g->n, e) : 0;
}

/* --kind: a kind of evidence that the keys were founded without. */
static int read_kind(const struct cli *c, struct gates *g, struct err *e)
{
	const char *kind = cli_value(c, CLI_OPT_KIND, "");

	g->kind = *kind ? predicate_by_name(kind) : PREDICATE_MAX;
	if (!*kind)
		return 0;
	if (g->kind == PREDICATE_MAX)
		return err_set(e, ERR_USAGE, "--kind %s: there is no such kind of evidence", kind);
	g->who = witnesses_of(g->kind);
	return 0;
}

/* Root says that evidence is demanded, targets which gates must be passed. */
int cmd_KEYS_GATE(const struct cli *c, struct err *e)
{
	CLEANUP(keylife_done_fini) struct keylife_done done = {.added = 0};
	CLEANUP(keystore_free) struct keystore *ks = keystore_new();
	bool is_root = strcmp(c->args[0], "image-root") == 0;
	struct gates g = {.n = 0};
	char repo[512];

	if (!is_root && strcmp(c->args[0], "image-targets") != 0)
		return err_set(e, ERR_USAGE,
			"image-root demands evidence, image-targets name the gates; not %s",
			c->args[0]);
	TRY(trusted_gates(c, g.v, &g.n, e));
	TRY(read_kind(c, &g, e));
	if (is_root == (g.n > 0 || g.kind != PREDICATE_MAX))
		return err_set(e, ERR_USAGE,
			is_root ? "--gate and --kind are named by image-targets"
				: "--gate FILE is needed, once for each gate, or --kind KIND");
	snprintf(repo, sizeof repo, "%s/image", c->args[1]);
	TRY(load_keys(c, ks, e));
	TRY(keylife_edit(repo, is_root ? "root" : "targets", is_root ? demand : set_gates, &g, ks,
		now_s(), &done, e));
	return print_done(c, repo, &done);
}

int cmd_KEYS_ADD(const struct cli *c, struct err *e)
{
	return change_with(c, false, e);
}

int cmd_KEYS_ROTATE(const struct cli *c, struct err *e)
{
	return change_with(c, c->n_values[CLI_OPT_KEY] == 0, e);
}

int cmd_KEYS_REVOKE(const struct cli *c, struct err *e)
{
	struct role_change ch = {.only_added = false};
	struct keylife_role role;

	if (c->n_values[CLI_OPT_KEY] == 0)
		return err_set(
			e, ERR_USAGE, "--key ID is needed; `backstay keys status` shows the ids");
	keylife_role(c->args[0], &role);
	return change(c, &role, &ch, e);
}

/* ---- files ---- */

/* "image-root" is the root's own file in image/, "safety" safety's. */
int cmd_KEYS_RENEW(const struct cli *c, struct err *e)
{
	CLEANUP(keylife_done_fini) struct keylife_done done = {.added = 0};
	CLEANUP(keystore_free) struct keystore *ks = keystore_new();
	struct keylife_role role;
	char repo[512];

	keylife_role(c->args[0], &role);
	if (strcmp(role.role, "snapshot") == 0 || strcmp(role.role, "timestamp") == 0 ||
		(strcmp(role.repo, "director") == 0 && strcmp(role.role, "root") != 0))
		return err_set(
			e, ERR_USAGE, "%s: the server signs that file by itself", c->args[0]);
	snprintf(repo, sizeof repo, "%s/%s", c->args[1], role.repo);
	TRY(load_keys(c, ks, e));
	TRY(keylife_renew(repo, role.role, ks, now_s(), &done, e));
	return print_done(c, repo, &done);
}

static int ask(const struct cli *c, struct err *e)
{
	char line[16];

	if (cli_flag(c, CLI_OPT_YES))
		return 0;
	if (!isatty(STDIN_FILENO))
		return err_set(
			e, ERR_USAGE, "--yes is needed where nobody can be asked on a terminal");
	printf("Sign this? [y/N] ");
	fflush(stdout);
	if (!fgets(line, sizeof line, stdin) || (line[0] != 'y' && line[0] != 'Y'))
		return err_set(e, ERR_CANCELLED, "not signed");
	return 0;
}

int cmd_KEYS_SIGN(const struct cli *c, struct err *e)
{
	CLEANUP(keylife_done_fini) struct keylife_done seen = {.added = 0}, done = {.added = 0};
	CLEANUP(keystore_free) struct keystore *ks = keystore_new();

	TRY(keylife_look(c->args[1], c->args[0], now_s(), &seen, e));
	if (!cli_flag(c, CLI_OPT_JSON))
		printf("%s\n%s", seen.file, buf_cstr(&seen.review));
	TRY(ask(c, e));
	TRY(load_keys(c, ks, e));
	TRY(keylife_sign(c->args[1], c->args[0], ks, now_s(), &done, e));
	return print_done(c, c->args[1], &done);
}

static int take(const char *from_dir, const char *repo_dir, const char *repo, unsigned *io_taken,
	struct err *e)
{
	char from_path[512], to_path[512];
	struct fs from, to;
	unsigned taken = 0;
	int rc;

	snprintf(from_path, sizeof from_path, "%s/%s", from_dir, repo);
	snprintf(to_path, sizeof to_path, "%s/%s", repo_dir, repo);
	TRY(fs_posix_open(from_path, &from, e));
	rc = fs_posix_open(to_path, &to, e);
	if (rc == 0) {
		rc = folder_update(&to, &from, &taken, e);
		fs_posix_close(&to);
	}
	fs_posix_close(&from);
	*io_taken += taken;
	return rc < 0 ? err_wrap(e, "%s", from_path) : 0;
}

int cmd_KEYS_TAKE(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = NULL;
	unsigned taken = 0;

	TRY(take(c->args[0], c->args[1], "image", &taken, e));
	TRY(take(c->args[0], c->args[1], "director", &taken, e));
	answer = json_pack("{s:i}", "taken", (int)taken);
	if (!cli_json(c, answer))
		printf("%u files taken\n", taken);
	return 0;
}

int cmd_KEYS_PUBLIC(const struct cli *c, struct err *e)
{
	CLEANUP(keystore_free) struct keystore *ks = keystore_new();
	JSON_AUTO *answer = json_pack("{s:[]}", "keys");

	TRY(keystore_load(ks, c->args[0], e));
	TRY(keystore_put_public(ks, c->args[0], e));
	for (unsigned i = 0; i < keystore_count(ks); i++) {
		const struct sign_key *k = keystore_at(ks, i);

		json_array_append_new(json_object_get(answer, "keys"),
			json_pack("{s:s, s:s, s:s}", "name", k->name, "keyid", k->keyid, "scheme",
				sig_scheme_name(k->pub.scheme)));
		if (!cli_flag(c, CLI_OPT_JSON))
			printf("%s/%s.pub  %s  %s\n", c->args[0], k->name,
				sig_scheme_name(k->pub.scheme), k->keyid);
	}
	cli_json(c, answer);
	return 0;
}
