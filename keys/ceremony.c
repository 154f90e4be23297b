#include "keys/ceremony.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "keys/repo.h"
#include "keys/witnesses.h"
#include "lib/sys/fs.h"

#define DAY_S     ((int64_t)86400)
#define YEAR      (365 * DAY_S)
#define HALF_YEAR (182 * DAY_S)

/* Roles as metadata calls them (NULL: none of TUF's), and the keys they start with. `n` of 0: one
 * key without a number. */
static const struct ceremony_row {
	const char *keys, *folder;
	const char *role;
	unsigned n, threshold;
} rows[] = {
	{"image-root", "offline", "root", 3, 2},
	{"image-timestamp", "online", "timestamp", 0, 1},
	{"image-snapshot", "online", "snapshot", 0, 1},
	{"image-targets", "offline", "targets", 3, 2},
	{"engineering", "offline", "engineering", 1, 1},
	{"safety", "offline", "safety", 1, 1},
	{"compliance", "offline", "compliance", 1, 1},
	{"director-root", "offline", "root", 3, 2},
	{"director-timestamp", "online", "timestamp", 0, 1},
	{"director-snapshot", "online", "snapshot", 0, 1},
	{"director-targets", "online", "targets", 0, 1},
	{"director-time", "online", "time", 0, 1},
	{"director-audit", "online", "audit", 0, 1},
	{"creator", "creator", NULL, 1, 0}, /* signs requests; no metadata lists it */
	{"builder", "evidence", NULL, 0, 1},
	{"lab", "evidence", NULL, 0, 1},
	{"counsel", "evidence", NULL, 0, 1},
	{WITNESS_VERIFIER, "evidence", NULL, 0, 1},
};

/* Where in the table a repository's top-level roles, the approvers, who says the time and who signs
 * the audit log begin. */
enum { IMAGE = 0, APPROVERS = 4, DIRECTOR = 7, TIME = 11, AUDIT = 12 };

struct ceremony {
	struct fs fs; /* beneath the ceremony's folder */
	const char *dir;
	struct keystore *ks;
	int64_t now_s;
	const struct sha256 *gates;
	unsigned n_gates;
};

static int make_dir(const char *path, struct err *e)
{
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_sys(e, errno, "mkdir %s", path);
	return 0;
}

static int make_keys(struct ceremony *c, const struct ceremony_row *row, struct err *e)
{
	char dir[FS_PATH_MAX], name[ID_TEXT_MAX];

	snprintf(dir, sizeof dir, "%s/%s", c->dir, row->folder);
	if (row->n == 0)
		return keystore_create(c->ks, dir, row->keys, SIG_ECDSA_P256, e);
	for (unsigned i = 1; i <= row->n; i++) {
		snprintf(name, sizeof name, "%s-%u", row->keys, i);
		TRY(keystore_create(c->ks, dir, name, SIG_ECDSA_P256, e));
	}
	return 0;
}

/* Signers of `n` rows of the table from `first` on. */
static void signers(const struct ceremony *c, unsigned first, unsigned n, struct repo_role roles[],
	const struct sign_key *keys[][LIMIT_KEYS])
{
	for (unsigned i = 0; i < n; i++) {
		const struct ceremony_row *row = &rows[first + i];

		roles[i] = (struct repo_role){row->role, row->threshold,
			keystore_find(c->ks, row->keys, keys[i]), keys[i]};
	}
}

static int write_signed(
	struct ceremony *c, const char *file, const json_t *part, const char *role, struct err *e)
{
	const struct sign_key *keys[LIMIT_KEYS];
	unsigned n = keystore_find(c->ks, role, keys);
	BUF_AUTO bytes = {0};

	TRY(sign_meta(part, keys, n, &bytes, e));
	return fs_write_file(&c->fs, file, bytes.p, bytes.n, 0644, e);
}

static int write_root(struct ceremony *c, unsigned first, const char *file, struct err *e)
{
	const struct sign_key *keys[ROLE_KIND_MAX][LIMIT_KEYS];
	struct repo_head head = {1, c->now_s + YEAR};
	struct repo_role roles[ROLE_KIND_MAX], extra;
	const struct sign_key *extra_keys[1][LIMIT_KEYS];
	JSON_AUTO *root = NULL;

	signers(c, first, ROLE_KIND_MAX, roles, keys);
	root = repo_root(head, roles, first == IMAGE);
	if (first == IMAGE && c->n_gates)
		repo_demand_evidence(root);
	if (first == DIRECTOR) {
		signers(c, TIME, 1, &extra, extra_keys);
		repo_root_add_time(root, &extra);
		signers(c, AUDIT, 1, &extra, extra_keys);
		repo_root_add_audit(root, &extra);
	}
	return write_signed(c, file, root, rows[first].keys, e);
}

static int write_targets(struct ceremony *c, struct err *e)
{
	const struct sign_key *keys[DIRECTOR_MINIMUM][LIMIT_KEYS];
	struct repo_head head = {1, c->now_s + YEAR};
	struct repo_role roles[DIRECTOR_MINIMUM];
	JSON_AUTO *targets = NULL;

	signers(c, APPROVERS, DIRECTOR_MINIMUM, roles, keys);
	targets = repo_delegating(head, roles, DIRECTOR_MINIMUM);
	witnesses_set(targets, c->ks, c->gates, c->n_gates);
	return write_signed(c, "repo/image/1.targets.json", targets, "image-targets", e);
}

static int write_approvers(struct ceremony *c, struct err *e)
{
	struct repo_head head = {1, c->now_s + HALF_YEAR};
	JSON_AUTO *empty = repo_targets(head);
	char file[96];

	for (unsigned i = 0; i < DIRECTOR_MINIMUM; i++) {
		const char *role = rows[APPROVERS + i].role;

		snprintf(file, sizeof file, "repo/image/1.%s.json", role);
		TRY(write_signed(c, file, empty, role, e));
	}
	return 0;
}

/* Looked at before anything is made, so that a folder in use is left as it is. */
static int is_fresh(struct ceremony *c, struct err *e)
{
	static const char *const made[] = {"offline", "online", "creator", "evidence", "repo"};
	struct fs_stat st;

	for (size_t i = 0; i < ARRAY_LEN(made); i++) {
		TRY(c->fs.ops->stat(&c->fs, made[i], &st, e));
		if (st.kind != FS_NONE)
			return err_set(e, ERR_CONFLICT, "%s/%s exists, and no key is ever replaced",
				c->dir, made[i]);
	}
	return 0;
}

static int make_folders(struct ceremony *c, struct err *e)
{
	TRY(c->fs.ops->mkdir(&c->fs, "offline", 0700, e));
	TRY(c->fs.ops->mkdir(&c->fs, "online", 0700, e));
	TRY(c->fs.ops->mkdir(&c->fs, "creator", 0700, e));
	TRY(c->fs.ops->mkdir(&c->fs, "evidence", 0700, e));
	TRY(fs_make_dirs(&c->fs, "repo/image", e));
	TRY(fs_make_dirs(&c->fs, "repo/director", e));
	return c->fs.ops->sync_dir(&c->fs, "", e);
}

static int run(struct ceremony *c, struct err *e)
{
	TRY(is_fresh(c, e));
	TRY(make_folders(c, e));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		TRY(make_keys(c, &rows[i], e));
	TRY(write_root(c, IMAGE, "repo/image/1.root.json", e));
	TRY(write_root(c, DIRECTOR, "repo/director/1.root.json", e));
	TRY(write_targets(c, e));
	return write_approvers(c, e);
}

int ceremony_init_gated(
	const char *dir, const struct sha256 *gates, unsigned n_gates, int64_t now_s, struct err *e)
{
	CLEANUP(keystore_free) struct keystore *ks = keystore_new();
	struct ceremony c = {
		.dir = dir, .ks = ks, .now_s = now_s, .gates = gates, .n_gates = n_gates};
	int rc;

	TRY(make_dir(dir, e));
	TRY(fs_posix_open(dir, &c.fs, e));
	rc = run(&c, e);
	fs_posix_close(&c.fs);
	return rc;
}

int ceremony_init(const char *dir, int64_t now_s, struct err *e)
{
	return ceremony_init_gated(dir, NULL, 0, now_s, e);
}
