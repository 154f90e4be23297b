#include "keys/release_sign.h"

#include <stdio.h>
#include <string.h>

#include "keys/repo.h"
#include "lib/sys/fs.h"
#include "proto/wire/release.h"

#define HALF_YEAR ((int64_t)182 * 86400)

/* What a role's signature is worked out from. */
struct signing {
	struct fs fs; /* the image repository */
	const char *role;
	int64_t now_s;
	struct trusted_set trusted; /* its root */
	struct meta targets;        /* its top-level targets, verified */
	struct meta newest, base;   /* of the role; base is empty when newest is signed by enough */
	const struct sign_key *keys[LIMIT_KEYS];
	unsigned n_keys;
};

/* ---- the repository ---- */

struct finding {
	const char *role;
	uint64_t lowest, highest;
};

/* "12.safety.json" is version 12 of safety. */
static int look_at(void *ctx, const char *name, enum fs_kind kind, struct err *e)
{
	struct str rest = str_of(name), number;
	struct finding *f = ctx;
	uint64_t version;
	char tail[96];

	(void)e;
	snprintf(tail, sizeof tail, "%s.json", f->role);
	if (kind != FS_FILE || !str_split(&rest, '.', &number) || !rest.p || !str_is(rest, tail) ||
		str_to_u64(number, 1, UINT32_MAX, &version, NULL) < 0)
		return 0;
	f->highest = MAX(f->highest, version);
	f->lowest = f->lowest ? MIN(f->lowest, version) : version;
	return 0;
}

static int find(struct fs *fs, const char *role, struct finding *out, struct err *e)
{
	struct finding f = {.role = role};

	TRY(fs->ops->list(fs, "", look_at, &f, e));
	if (f.highest == 0)
		return err_set(e, ERR_NOT_FOUND, "no file N.%s.json", role);
	*out = f;
	return 0;
}

static int read_version(
	struct fs *fs, const char *role, uint64_t version, struct buf *out, struct err *e)
{
	char file[96];

	snprintf(file, sizeof file, "%llu.%s.json", (unsigned long long)version, role);
	return fs_read_file(fs, file, LIMIT_TARGETS_BYTES, out, e);
}

static int read_meta(
	struct signing *s, const char *role, uint64_t version, struct meta *out, struct err *e)
{
	BUF_AUTO bytes = {0};

	TRY(read_version(&s->fs, role, version, &bytes, e));
	TRY(meta_parse(buf_str(&bytes), ROLE_TARGETS, LIMIT_TARGETS_BYTES, out, e));
	if (out->version != version)
		return err_set(e, ERR_MIXED, "%llu.%s.json says it is version %llu",
			(unsigned long long)version, role, (unsigned long long)out->version);
	return 0;
}

/* From the oldest root in the folder, which came with the keys, to the newest. */
static int load_roots(struct signing *s, struct err *e)
{
	struct finding f;

	TRY(find(&s->fs, "root", &f, e));
	for (uint64_t v = f.lowest; v <= f.highest; v++) {
		BUF_AUTO bytes = {0};

		TRY(read_version(&s->fs, "root", v, &bytes, e));
		if (v == f.lowest)
			TRY(trusted_load_root(&s->trusted, buf_str(&bytes), e));
		else
			TRY(trusted_next_root(&s->trusted, buf_str(&bytes), e));
	}
	return trusted_roots_done(&s->trusted, e);
}

/* A file that is not signed by enough yet waits upon the one before, which must be. */
static int load_role(struct signing *s, struct err *e)
{
	struct finding f;

	TRY(find(&s->fs, s->role, &f, e));
	TRY(read_meta(s, s->role, f.highest, &s->newest, e));
	if (meta_check_signatures(&s->newest, &s->targets, s->role, NULL) == 0)
		return 0;
	if (f.highest == 1)
		return err_set(e, ERR_UNSIGNED, "%s: its first file is not signed by enough keys",
			s->role);
	TRY(read_meta(s, s->role, f.highest - 1, &s->base, e));
	return meta_check_signatures(&s->base, &s->targets, s->role, e);
}

static int load_repository(struct signing *s, struct err *e)
{
	struct finding f;

	TRY(load_roots(s, e));
	TRY(find(&s->fs, "targets", &f, e));
	TRY(read_meta(s, "targets", f.highest, &s->targets, e));
	TRY(meta_check_signatures(&s->targets, &s->trusted.root, "targets", e));
	return load_role(s, e);
}

/* The store's keys of the role, as far as the repository knows them. */
static int load_keys(struct signing *s, const struct keystore *ks, struct err *e)
{
	const struct sign_key *own[LIMIT_KEYS];
	struct sha256 known[LIMIT_KEYS];
	unsigned n_own = keystore_find(ks, s->role, own), n_known;

	TRY(meta_role_keys(&s->targets, s->role, known, &n_known, e));
	for (unsigned i = 0; i < n_own; i++)
		for (unsigned k = 0; k < n_known; k++)
			if (sha256_eq(&own[i]->pub.spki, &known[k]))
				s->keys[s->n_keys++] = own[i];
	if (s->n_keys == 0)
		return err_set(e, ERR_NOT_FOUND, "no private key of role %s here", s->role);
	return 0;
}

/* ---- the document and its terms ---- */

static int read_document(const char *path, struct buf *out, struct err *e)
{
	const char *base = strrchr(path, '/');
	char dir[FS_PATH_MAX];
	struct fs fs;
	int rc;

	fs_dirname(path, dir, sizeof dir);
	if (base == path)
		snprintf(dir, sizeof dir, "/");
	TRY(fs_posix_open(dir[0] ? dir : ".", &fs, e));
	rc = fs_read_file(&fs, base ? base + 1 : path, LIMIT_RELEASE_BYTES, out, e);
	fs_posix_close(&fs);
	return rc;
}

static int describe(const char *path, struct target *out, char product[ID_TEXT_MAX], struct err *e)
{
	CLEANUP(mem_free) struct release *r = mem_new(sizeof *r);
	BUF_AUTO bytes = {0};

	TRY(read_document(path, &bytes, e));
	if (release_parse(buf_str(&bytes), r, e) < 0)
		return err_wrap(e, "%s", path);
	snprintf(out->path, sizeof out->path, "%s/%s.json", r->product, r->id.s);
	out->length = bytes.n;
	digest_of(bytes.p, bytes.n, &out->hash);
	memcpy(product, r->product, ID_TEXT_MAX);
	return 0;
}

/* Releases are named by people and pinned by what the role signed under that name before. */
static int match_of(const struct release_terms *terms, const char *product,
	const struct meta *before, json_t **out, struct err *e)
{
	struct repo_match m = {.n_hardware = terms->n_hardware, .counter = terms->counter};

	if (terms->n_hardware == 0)
		return err_set(e, ERR_USAGE, "a release without hardware that it is made for");
	memcpy(m.hardware, terms->hardware, sizeof m.hardware);
	for (unsigned i = 0; i < terms->n_rollback_to; i++) {
		struct rollback_to *to = &m.rollback_to[m.n_rollback_to++];
		struct target t;

		snprintf(to->path, sizeof to->path, "%s/%s.json", product, terms->rollback_to[i].s);
		if (meta_target(before, to->path, &t, e) < 0)
			return err_wrap(e, "rollback to");
		to->hash = t.hash;
	}
	*out = repo_match(&m);
	return 0;
}

/* ---- signing ---- */

static json_t *with_target(
	const struct meta *base, uint64_t version, int64_t expires_s, const struct target *t)
{
	json_t *part = json_deep_copy(base->signed_part);
	char expires[21];

	time_format(expires_s, expires);
	json_object_set_new(part, "version", json_integer((json_int_t)version));
	json_object_set_new(part, "expires", json_string(expires));
	repo_targets_add(part, t);
	return part;
}

/* A release that the base lists already needs nothing, or is another one of the same name. */
static int look_for(
	const struct meta *base, const struct target *t, bool *out_listed, struct err *e)
{
	struct target before;

	*out_listed = meta_target(base, t->path, &before, NULL) == 0;
	if (*out_listed && !meta_target_same(&before, t))
		return err_set(e, ERR_CONFLICT, "%s was signed before with other content or terms",
			t->path);
	return 0;
}

static int sign_new(struct signing *s, const struct target *t, struct buf *out, struct err *e)
{
	JSON_AUTO *part = with_target(&s->newest, s->newest.version + 1, s->now_s + HALF_YEAR, t);

	return sign_meta(part, s->keys, s->n_keys, out, e);
}

/* Adds signatures to a file that another holder of the role began: only when it is the very file
 * that this one would have begun. */
static int sign_pending(struct signing *s, const struct target *t, struct buf *out, struct err *e)
{
	JSON_AUTO *want = with_target(&s->base, s->newest.version, s->newest.expires_s, t);

	if (!json_equal(want, s->newest.signed_part))
		return err_set(e, ERR_MIXED,
			"%llu.%s.json waits for signatures under something else",
			(unsigned long long)s->newest.version, s->role);
	if (s->newest.expires_s > s->now_s + HALF_YEAR)
		return err_set(e, ERR_MIXED, "%llu.%s.json would be valid for too long",
			(unsigned long long)s->newest.version, s->role);
	return sign_more(s->newest.doc, s->keys, s->n_keys, out, e);
}

static int store(
	struct signing *s, const struct buf *bytes, struct release_signed *done, struct err *e)
{
	CLEANUP(meta_fini) struct meta m = {0};

	TRY(meta_parse(buf_str(bytes), ROLE_TARGETS, LIMIT_TARGETS_BYTES, &m, e));
	done->complete = meta_check_signatures(&m, &s->targets, s->role, NULL) == 0;
	done->changed = !sha256_eq(&m.digest, &s->newest.digest);
	snprintf(done->file, sizeof done->file, "%llu.%s.json", (unsigned long long)m.version,
		s->role);
	return done->changed ? fs_write_file(&s->fs, done->file, bytes->p, bytes->n, 0644, e) : 0;
}

static int sign(struct signing *s, const char *document_path, const struct release_terms *terms,
	struct release_signed *done, struct err *e)
{
	bool is_pending = s->base.doc != NULL, listed;
	const struct meta *base = is_pending ? &s->base : &s->newest;
	struct target t = {.length = 0};
	char product[ID_TEXT_MAX];
	JSON_AUTO *match = NULL;
	BUF_AUTO bytes = {0};

	TRY(describe(document_path, &t, product, e));
	TRY(match_of(terms, product, base, &match, e));
	t.match = match;
	memcpy(done->path, t.path, sizeof done->path);
	done->document = t.hash;
	TRY(look_for(base, &t, &listed, e));
	if (listed) {
		snprintf(done->file, sizeof done->file, "%llu.%s.json",
			(unsigned long long)base->version, s->role);
		done->complete = true;
		return 0;
	}
	if (is_pending)
		TRY(sign_pending(s, &t, &bytes, e));
	else
		TRY(sign_new(s, &t, &bytes, e));
	return store(s, &bytes, done, e);
}

static void signing_fini(struct signing *s)
{
	trusted_fini(&s->trusted);
	meta_fini(&s->targets);
	meta_fini(&s->newest);
	meta_fini(&s->base);
	fs_posix_close(&s->fs);
}

static void signing_free(struct signing **s)
{
	mem_free(s);
}

int release_sign(const char *repo_dir, const struct keystore *ks, const char *role,
	const char *document_path, const struct release_terms *terms, int64_t now_s,
	struct release_signed *out, struct err *e)
{
	CLEANUP(signing_free) struct signing *s = mem_new(sizeof *s);
	struct release_signed done = {0};
	int rc;

	s->role = role;
	s->now_s = now_s;
	trusted_init(&s->trusted, now_s);
	TRY(fs_posix_open(repo_dir, &s->fs, e));
	rc = load_repository(s, e);
	if (rc == 0)
		rc = load_keys(s, ks, e);
	if (rc == 0)
		rc = sign(s, document_path, terms, &done, e);
	signing_fini(s);
	if (rc == 0)
		*out = done;
	return rc;
}
