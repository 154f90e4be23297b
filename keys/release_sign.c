#include "keys/release_sign.h"

#include <stdio.h>
#include <string.h>

#include "keys/folder.h"
#include "keys/repo.h"
#include "proto/wire/release.h"

#define HALF_YEAR ((int64_t)182 * 86400)

/* What a role's signature is worked out from. */
struct signing {
	struct fs fs;     /* the image repository */
	struct fs bundle; /* what travels; ops NULL: nothing does */
	const char *role;
	int64_t now_s;
	struct trusted_set trusted; /* its root */
	struct meta targets;        /* its top-level targets, verified */
	struct meta newest, base;   /* of the role; base is empty when newest is signed by enough */
	const struct sign_key *keys[LIMIT_KEYS];
	unsigned n_keys;
};

/* ---- the repository ---- */

/* A file that is not signed by enough yet waits upon the one before, which must be. */
static int load_role(struct signing *s, struct err *e)
{
	uint64_t lowest, newest;

	TRY(folder_span(&s->fs, s->role, &lowest, &newest, e));
	TRY(folder_meta(&s->fs, s->role, newest, &s->newest, e));
	if (meta_check_signatures(&s->newest, &s->targets, s->role, NULL) == 0)
		return 0;
	if (newest == 1)
		return err_set(e, ERR_UNSIGNED, "%s: its first file is not signed by enough keys",
			s->role);
	TRY(folder_meta(&s->fs, s->role, newest - 1, &s->base, e));
	return meta_check_signatures(&s->base, &s->targets, s->role, e);
}

/* What another holder of the role began, or went on with, and brought along. It is looked at more
 * closely before it is signed. */
static int load_travelling(struct signing *s, struct err *e)
{
	uint64_t lowest, version, want = s->newest.version + (s->base.doc ? 0 : 1);
	struct meta m;
	int rc;

	if (!s->bundle.ops)
		return 0;
	rc = folder_span(&s->bundle, s->role, &lowest, &version, e);
	if (rc == -ERR_NOT_FOUND || (rc == 0 && version != want))
		return 0;
	TRY(rc);
	TRY(folder_meta(&s->bundle, s->role, version, &m, e));
	if (s->base.doc)
		meta_fini(&s->newest);
	else
		s->base = s->newest;
	s->newest = m;
	return 0;
}

static int load_repository(struct signing *s, struct err *e)
{
	uint64_t lowest, newest;

	TRY(folder_load_roots(&s->fs, &s->trusted, e));
	TRY(trusted_roots_done(&s->trusted, e));
	TRY(folder_span(&s->fs, "targets", &lowest, &newest, e));
	TRY(folder_meta(&s->fs, "targets", newest, &s->targets, e));
	TRY(meta_check_signatures(&s->targets, &s->trusted.root, "targets", e));
	TRY(load_role(s, e));
	return load_travelling(s, e);
}

/* The store's keys of the role, as far as the repository knows them. */
static int load_keys(
	struct signing *s, const struct keystore *ks, const struct sha256 *creator, struct err *e)
{
	const struct sign_key *own[LIMIT_KEYS];
	struct sha256 known[LIMIT_KEYS];
	unsigned n_own = keystore_find(ks, s->role, own), n_known;

	TRY(meta_role_keys(&s->targets, s->role, known, &n_known, e));
	for (unsigned k = 0; k < n_known; k++)
		if (sha256_eq(&known[k], creator))
			return err_set(e, ERR_DENIED,
				"the release was made with a key of role %s: others must sign it",
				s->role);
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
	struct repo_match m = {.n_hardware = terms->n_hardware,
		.counter = terms->counter,
		.creator = terms->creator,
		.evidence = terms->evidence};

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

/* ---- evidence ---- */

struct testimony {
	unsigned n;
	struct statement v[LIMIT_EVIDENCE];
};

static int read_evidence(struct testimony *y, const struct signing *s,
	const struct release_terms *terms, const struct target *t, struct err *e)
{
	struct evidence_demand demand;

	for (; y->n < terms->evidence.n; y->n++)
		TRY(evidence_read_named(&s->targets, &terms->evidence.v[y->n],
			terms->envelopes[y->n], &t->hash, &y->v[y->n], e));
	TRY(evidence_demand(&s->trusted.root, &s->targets, t->path, &demand, e));
	return evidence_summed_up(&demand, t->path, &terms->evidence, y->v, y->n, e);
}

static int check_evidence(const struct signing *s, const struct release_terms *terms,
	const struct target *t, struct err *e)
{
	CLEANUP(mem_free) struct testimony *y = mem_new(sizeof *y);
	int rc;

	y->n = 0;
	rc = read_evidence(y, s, terms, t, e);
	for (unsigned i = 0; i < y->n; i++)
		statement_fini(&y->v[i]);
	return rc;
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
	folder_name(s->role, m.version, done->file);
	if (!done->changed && !s->bundle.ops)
		return 0; /* what travelled may be new here, though it needs nothing more */
	TRY(folder_write(&s->fs, s->role, m.version, bytes, e));
	return s->bundle.ops ? folder_write(&s->bundle, s->role, m.version, bytes, e) : 0;
}

/* Signed before: what travels gets the file as it is. */
static int hand_over(
	struct signing *s, uint64_t version, struct release_signed *done, struct err *e)
{
	BUF_AUTO bytes = {0};

	folder_name(s->role, version, done->file);
	if (!s->bundle.ops)
		return 0;
	TRY(folder_read(&s->fs, s->role, version, &bytes, e));
	return folder_write(&s->bundle, s->role, version, &bytes, e);
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
	TRY(check_evidence(s, terms, &t, e));
	memcpy(done->path, t.path, sizeof done->path);
	done->document = t.hash;
	TRY(look_for(base, &t, &listed, e));
	if (listed) {
		done->complete = true;
		return hand_over(s, base->version, done, e);
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
	if (s->bundle.ops)
		fs_posix_close(&s->bundle);
	fs_posix_close(&s->fs);
}

static void signing_free(struct signing **s)
{
	mem_free(s);
}

int release_sign(const char *repo_dir, const char *bundle_dir, const struct keystore *ks,
	const char *role, const char *document_path, const struct release_terms *terms,
	int64_t now_s, struct release_signed *out, struct err *e)
{
	CLEANUP(signing_free) struct signing *s = mem_new(sizeof *s);
	struct release_signed done = {0};
	int rc;

	s->role = role;
	s->now_s = now_s;
	trusted_init(&s->trusted, now_s);
	TRY(fs_posix_open(repo_dir, &s->fs, e));
	rc = bundle_dir ? fs_posix_open(bundle_dir, &s->bundle, e) : 0;
	if (rc == 0)
		rc = load_repository(s, e);
	if (rc == 0)
		rc = load_keys(s, ks, &terms->creator, e);
	if (rc == 0)
		rc = sign(s, document_path, terms, &done, e);
	signing_fini(s);
	if (rc == 0)
		*out = done;
	return rc;
}
