#include "keys/keylife.h"

#include <stdio.h>
#include <string.h>

#include "keys/review.h"

#define DAY_S     ((int64_t)86400)
#define YEAR      (365 * DAY_S)
#define HALF_YEAR (182 * DAY_S)
#define WAITING   "waiting"

void keylife_role(const char *name, struct keylife_role *out)
{
	static const struct {
		const char *name;
		struct keylife_role role;
	} rows[] = {
		{"image-root", {"image", "root", "root"}},
		{"image-targets", {"image", "root", "targets"}},
		{"image-snapshot", {"image", "root", "snapshot"}},
		{"image-timestamp", {"image", "root", "timestamp"}},
		{"director-root", {"director", "root", "root"}},
		{"director-targets", {"director", "root", "targets"}},
		{"director-snapshot", {"director", "root", "snapshot"}},
		{"director-timestamp", {"director", "root", "timestamp"}},
		{"director-time", {"director", "root", "time"}},
		{"director-audit", {"director", "root", "audit"}},
	};

	*out = (struct keylife_role){"image", "targets", name};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].name, name) == 0)
			*out = rows[i].role;
}

void keylife_done_fini(struct keylife_done *d)
{
	buf_fini(&d->review);
}

/* ---- what a file builds upon ---- */

struct life {
	struct fs fs;
	const char *role; /* of the file: "root", "targets", "safety" */
	int64_t now_s;
	struct trusted_set trusted; /* its roots */
	struct meta delegator;      /* the newest that says who signs the file; not for a root */
	struct meta base;           /* its newest version that is signed by enough */
};

static bool is_root(const struct life *l)
{
	return strcmp(l->role, "root") == 0;
}

static const char *delegator_of(const struct life *l)
{
	return strcmp(l->role, "targets") == 0 ? "root" : "targets";
}

static int load_delegator(struct life *l, struct err *e)
{
	uint64_t lowest, newest;

	TRY(folder_span(&l->fs, delegator_of(l), &lowest, &newest, e));
	TRY(folder_meta(&l->fs, delegator_of(l), newest, &l->delegator, e));
	if (strcmp(delegator_of(l), "root") == 0)
		return 0; /* it is in the chain */
	return meta_check_signatures(&l->delegator, &l->trusted.root, "targets", e);
}

/* Vouched for by the newest delegator, or by an earlier one of this folder, whose keys have been
 * replaced since: the file was taken when they counted. */
static int check_base(struct life *l, struct err *e)
{
	uint64_t lowest, newest;
	struct err first;

	if (meta_check_signatures(&l->base, &l->delegator, l->role, &first) == 0)
		return 0;
	TRY(folder_span(&l->fs, delegator_of(l), &lowest, &newest, e));
	for (uint64_t v = newest - 1; v >= lowest && v > 0; v--) {
		CLEANUP(meta_fini) struct meta before = {0};

		if (folder_meta(&l->fs, delegator_of(l), v, &before, NULL) == 0 &&
			meta_check_signatures(&l->base, &before, l->role, NULL) == 0)
			return 0;
	}
	return err_copy(e, &first);
}

static int load(struct life *l, struct err *e)
{
	uint64_t lowest, newest;

	TRY(folder_load_roots(&l->fs, &l->trusted, e));
	TRY(folder_span(&l->fs, l->role, &lowest, &newest, e));
	TRY(folder_meta(&l->fs, l->role, newest, &l->base, e));
	if (is_root(l))
		return 0;
	TRY(load_delegator(l, e));
	return check_base(l, e);
}

static int life_open(
	struct life *l, const char *repo_dir, const char *role, int64_t now_s, struct err *e)
{
	*l = (struct life){.role = role, .now_s = now_s};
	trusted_init(&l->trusted, now_s);
	return fs_posix_open(repo_dir, &l->fs, e);
}

static void life_fini(struct life *l)
{
	trusted_fini(&l->trusted);
	meta_fini(&l->delegator);
	meta_fini(&l->base);
	if (l->fs.ops)
		fs_posix_close(&l->fs);
}

static int64_t longest_life(const struct life *l)
{
	return is_root(l) || strcmp(l->role, "targets") == 0 ? YEAR : HALF_YEAR;
}

/* ---- signing ---- */

struct signers {
	struct sha256 spki[2 * LIMIT_KEYS];
	unsigned n;
};

static int add_signers(
	struct signers *s, const struct meta *delegator, const char *role, struct err *e)
{
	unsigned n;

	TRY(meta_role_keys(delegator, role, s->spki + s->n, &n, e));
	s->n += n;
	return 0;
}

/* Whose signatures count: of a root, those of the one before and its own. */
static int find_signers(
	const struct life *l, const struct meta *next, struct signers *out, struct err *e)
{
	out->n = 0;
	if (!is_root(l))
		return add_signers(out, &l->delegator, l->role, e);
	TRY(add_signers(out, &l->base, "root", e));
	return add_signers(out, next, "root", e);
}

static unsigned choose(const struct keystore *ks, const struct signers *s,
	const struct sign_key *out[2 * LIMIT_KEYS])
{
	unsigned n = 0;

	for (unsigned i = 0; i < keystore_count(ks); i++)
		for (unsigned k = 0; k < s->n && n < 2 * LIMIT_KEYS; k++)
			if (sha256_eq(&keystore_at(ks, i)->pub.spki, &s->spki[k])) {
				out[n++] = keystore_at(ks, i);
				break;
			}
	return n;
}

static bool is_complete(const struct life *l, const struct meta *next)
{
	if (!is_root(l))
		return meta_check_signatures(next, &l->delegator, l->role, NULL) == 0;
	return meta_check_signatures(next, &l->base, "root", NULL) == 0 &&
	       meta_check_signatures(next, next, "root", NULL) == 0;
}

static int parse_next(const struct life *l, struct str bytes, struct meta *out, struct err *e)
{
	return meta_parse(bytes, is_root(l) ? ROLE_ROOT : ROLE_TARGETS,
		is_root(l) ? LIMIT_ROOT_BYTES : LIMIT_TARGETS_BYTES, out, e);
}

static size_t count_signatures(const json_t *file)
{
	return json_array_size(json_object_get(file, "signatures"));
}

/* Adds what signatures there can be to a file; the result is in `out`. */
static int sign_file(const struct life *l, const json_t *file, const struct keystore *ks,
	struct buf *out, struct keylife_done *done, struct err *e)
{
	const struct sign_key *keys[2 * LIMIT_KEYS];
	CLEANUP(meta_fini) struct meta before = {0}, after = {0};
	BUF_AUTO text = {0};
	struct signers s;
	unsigned n;

	json_write(file, &text);
	TRY(parse_next(l, buf_str(&text), &before, e));
	TRY(find_signers(l, &before, &s, e));
	n = choose(ks, &s, keys);
	TRY(sign_more(file, keys, n, out, e));
	TRY(parse_next(l, buf_str(out), &after, e));
	folder_name(l->role, after.version, done->file);
	done->complete = is_complete(l, &after);
	done->added = (unsigned)(count_signatures(after.doc) - count_signatures(file));
	review_format(l->base.signed_part, after.signed_part, &done->review);
	return n == 0 ? 1 : 0;
}

/* ---- a next version ---- */

static int check_nothing_waits(struct life *l, struct err *e)
{
	char path[FOLDER_NAME + 16], file[FOLDER_NAME];
	struct fs_stat st;

	folder_name(l->role, l->base.version + 1, file);
	snprintf(path, sizeof path, WAITING "/%s", file);
	TRY(l->fs.ops->stat(&l->fs, path, &st, e));
	if (st.kind != FS_NONE)
		return err_set(e, ERR_CONFLICT,
			"%s waits for signatures: `backstay keys sign` it, or remove it", path);
	return 0;
}

/* {"signatures": [], "signed": the base with the next version and a fresh expiry} */
static json_t *next_of(const struct life *l)
{
	json_t *part = json_deep_copy(l->base.signed_part);
	char expires[21];

	time_format(l->now_s + longest_life(l), expires);
	json_object_set_new(part, "version", json_integer((json_int_t)l->base.version + 1));
	json_object_set_new(part, "expires", json_string(expires));
	return json_pack("{s:[], s:o}", "signatures", "signed", part);
}

static int store(
	struct life *l, const struct buf *bytes, const struct keylife_done *done, struct err *e)
{
	char path[FOLDER_NAME + 16];

	if (done->complete)
		return fs_write_file(&l->fs, done->file, bytes->p, bytes->n, 0644, e);
	snprintf(path, sizeof path, WAITING "/%s", done->file);
	TRY(fs_make_dirs(&l->fs, WAITING, e));
	return fs_write_file(&l->fs, path, bytes->p, bytes->n, 0644, e);
}

static int make_next(struct life *l, keylife_edit_f *edit, const void *ctx,
	const struct keystore *ks, struct keylife_done *done, struct err *e)
{
	JSON_AUTO *file = NULL;
	BUF_AUTO bytes = {0};

	TRY(load(l, e));
	TRY(check_nothing_waits(l, e));
	file = next_of(l);
	TRY(edit(json_object_get(file, "signed"), ctx, e));
	TRY(sign_file(l, file, ks, &bytes, done, e));
	return store(l, &bytes, done, e);
}

static int finish(int rc, struct keylife_done *done, struct keylife_done *out)
{
	if (rc < 0)
		keylife_done_fini(done);
	else
		*out = *done;
	return rc < 0 ? rc : 0;
}

int keylife_edit(const char *repo_dir, const char *lister, keylife_edit_f *edit, const void *ctx,
	const struct keystore *ks, int64_t now_s, struct keylife_done *out, struct err *e)
{
	CLEANUP(life_fini) struct life l;
	struct keylife_done done = {.added = 0};
	int rc = life_open(&l, repo_dir, lister, now_s, e);

	if (rc == 0)
		rc = make_next(&l, edit, ctx, ks, &done, e);
	return finish(rc, &done, out);
}

static int change_role(json_t *part, const void *ctx, struct err *e)
{
	return role_change_apply(part, ctx, e);
}

static int change_nothing(json_t *part, const void *ctx, struct err *e)
{
	(void)part, (void)ctx, (void)e;
	return 0;
}

int keylife_change(const char *repo_dir, const char *lister, const struct role_change *c,
	const struct keystore *ks, int64_t now_s, struct keylife_done *out, struct err *e)
{
	return keylife_edit(
		repo_dir, lister, c ? change_role : change_nothing, c, ks, now_s, out, e);
}

int keylife_renew(const char *repo_dir, const char *role, const struct keystore *ks, int64_t now_s,
	struct keylife_done *out, struct err *e)
{
	return keylife_edit(repo_dir, role, change_nothing, NULL, ks, now_s, out, e);
}

/* ---- a file from elsewhere ---- */

/* "DIR/3.root.json": the folder, and what is said by the name. */
static int split(const char *file, char dir[FS_PATH_MAX], char role[FOLDER_NAME], struct err *e)
{
	const char *base = strrchr(file, '/');
	struct str rest = str_of(base ? base + 1 : file), number, name;

	if (rest.n <= 5 || !str_is((struct str){rest.p + rest.n - 5, 5}, ".json") ||
		!str_split(&rest, '.', &number) || !str_split(&rest, '.', &name) ||
		!str_is(rest, "json"))
		return err_set(
			e, ERR_USAGE, "%s: named like 3.root.json, a file would be signed", file);
	TRY(str_copy(name, role, FOLDER_NAME, e));
	fs_dirname(file, dir, FS_PATH_MAX);
	if (!dir[0])
		snprintf(dir, FS_PATH_MAX, "%s", base ? "/" : ".");
	return 0;
}

/* Does it follow on what is here, and no longer than usual? */
static int check_follows(const struct life *l, const struct meta *m, struct err *e)
{
	if (m->version != l->base.version + 1)
		return err_set(e, ERR_MIXED, "version %llu does not follow on %llu",
			(unsigned long long)m->version, (unsigned long long)l->base.version);
	if (m->expires_s > l->now_s + longest_life(l))
		return err_set(e, ERR_MIXED, "it would be valid for longer than %lld days",
			(long long)(longest_life(l) / DAY_S));
	return 0;
}

static int read_next(
	struct life *l, struct fs *from, const char *file, struct meta *out, struct err *e)
{
	const char *base = strrchr(file, '/');
	BUF_AUTO bytes = {0};

	TRY(fs_read_file(from, base ? base + 1 : file, LIMIT_TARGETS_BYTES, &bytes, e));
	TRY(parse_next(l, buf_str(&bytes), out, e));
	return check_follows(l, out, e);
}

/* With `ks` NULL nothing is signed or written. */
static int sign_found(struct life *l, struct fs *from, const char *file, const struct keystore *ks,
	struct keylife_done *done, struct err *e)
{
	CLEANUP(meta_fini) struct meta m = {0};
	BUF_AUTO bytes = {0};
	int rc;

	TRY(load(l, e));
	TRY(read_next(l, from, file, &m, e));
	if (!ks) {
		folder_name(l->role, m.version, done->file);
		done->complete = is_complete(l, &m);
		review_format(l->base.signed_part, m.signed_part, &done->review);
		return 0;
	}
	rc = sign_file(l, m.doc, ks, &bytes, done, e);
	if (rc == 1 && !done->complete)
		return err_set(e, ERR_NOT_FOUND, "no private key here may sign it");
	TRY(rc);
	TRY(fs_write_file(from, done->file, bytes.p, bytes.n, 0644, e));
	return done->complete ? store(l, &bytes, done, e) : 0;
}

static int visit(const char *repo_dir, const char *file, const struct keystore *ks, int64_t now_s,
	struct keylife_done *out, struct err *e)
{
	CLEANUP(life_fini) struct life l = {.role = ""};
	struct keylife_done done = {.added = 0};
	char dir[FS_PATH_MAX], role[FOLDER_NAME];
	struct fs from;
	int rc;

	TRY(split(file, dir, role, e));
	TRY(life_open(&l, repo_dir, role, now_s, e));
	TRY(fs_posix_open(dir, &from, e));
	rc = sign_found(&l, &from, file, ks, &done, e);
	fs_posix_close(&from);
	return finish(rc, &done, out);
}

int keylife_look(const char *repo_dir, const char *file, int64_t now_s, struct keylife_done *out,
	struct err *e)
{
	return visit(repo_dir, file, NULL, now_s, out, e);
}

int keylife_sign(const char *repo_dir, const char *file, const struct keystore *ks, int64_t now_s,
	struct keylife_done *out, struct err *e)
{
	return visit(repo_dir, file, ks, now_s, out, e);
}
