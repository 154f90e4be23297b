#include "server/run/imagerepo.h"

#include <stdio.h>
#include <string.h>

#include "lib/sys/log.h"
#include "server/run/meta_name.h"
#include "server/run/run_priv.h"
#include "server/repo/metadata.h"

#define SNAPSHOTS_KEPT 8

/* ---- signing ---- */

/* What the signer is shown. */
struct showing {
	struct run *r;
	struct ask_image ask;
	struct meta_row rows[LIMIT_SIGN_FILES]; /* what the question borrows from */
	struct meta_row snapshot, timestamp;    /* as stored */
	bool carried; /* what comes back is to be carried, and at once due again */
};

static void showing_free(struct showing **sh)
{
	for (unsigned i = 0; i < (*sh)->ask.n; i++)
		meta_row_fini(&(*sh)->rows[i]);
	meta_row_fini(&(*sh)->snapshot);
	meta_row_fini(&(*sh)->timestamp);
	mem_free(sh);
}

static struct showing *showing_new(struct run *r)
{
	struct showing *sh = mem_new(sizeof *sh);

	memset(sh, 0, sizeof *sh);
	sh->r = r;
	sh->ask.life_s = (uint64_t)r->c.snapshot_life / 1000;
	sh->ask.timestamp_life_s = (uint64_t)r->c.timestamp_life / 1000;
	return sh;
}

/* Takes over what the row owns. */
static int show_row(struct showing *sh, const char *role, struct meta_row *m, struct err *e)
{
	struct ask_file *f = &sh->ask.files[sh->ask.n];

	if (sh->ask.n == LIMIT_SIGN_FILES)
		return err_set(e, ERR_TOO_LARGE, "more than %d files", LIMIT_SIGN_FILES);
	sh->rows[sh->ask.n] = *m;
	m->bytes = (struct buf){0};
	snprintf(f->role, sizeof f->role, "%s", role);
	f->bytes = buf_str(&sh->rows[sh->ask.n++].bytes);
	return 0;
}

static bool is_from_people(const char *role)
{
	return strcmp(role, "root") != 0 && strcmp(role, "snapshot") != 0 &&
	       strcmp(role, "timestamp") != 0;
}

static int show_role(void *ctx, const char *role, const struct meta_row *m, struct err *e)
{
	struct meta_row copy = {.version = m->version};

	if (!is_from_people(role))
		return 0;
	buf_add(&copy.bytes, m->bytes.p, m->bytes.n);
	if (show_row(ctx, role, &copy, e) == 0)
		return 0;
	meta_row_fini(&copy);
	return -ERR_TOO_LARGE;
}

/* All that there are, oldest first: the signer may have been asleep. */
static int show_roots(struct showing *sh, struct err *e)
{
	META_ROW_AUTO newest = {0};
	uint64_t first;

	TRY(metadata_get(sh->r->c.db, REPO_IMAGE, "root", 0, &newest, e));
	first = newest.version > LIMIT_ROOT_ROTATIONS ? newest.version - LIMIT_ROOT_ROTATIONS : 1;
	for (uint64_t v = first; v <= newest.version; v++) {
		META_ROW_AUTO m = {0};
		int rc = metadata_get(sh->r->c.db, REPO_IMAGE, "root", v, &m, e);

		if (rc == 0)
			rc = show_row(sh, "root", &m, e);
		if (rc < 0 && rc != -ERR_NOT_FOUND)
			return rc;
	}
	return 0;
}

/* The newest of a role, or an empty row of version 0. */
static int newest(struct run *r, const char *role, struct meta_row *out, struct err *e)
{
	int rc = metadata_get(r->c.db, REPO_IMAGE, role, 0, out, e);

	if (rc != -ERR_NOT_FOUND)
		return rc;
	*out = (struct meta_row){0};
	return 0;
}

static int gather(struct showing *sh, bool snapshot_due, bool timestamp_due, struct err *e)
{
	TRY(show_roots(sh, e));
	TRY(metadata_each(sh->r->c.db, REPO_IMAGE, show_role, sh, e));
	TRY(newest(sh->r, "snapshot", &sh->snapshot, e));
	TRY(newest(sh->r, "timestamp", &sh->timestamp, e));
	sh->ask.want[SIGN_SNAPSHOT] = (struct sign_want){sh->snapshot.version, snapshot_due};
	sh->ask.want[SIGN_TIMESTAMP] = (struct sign_want){sh->timestamp.version, timestamp_due};
	return 0;
}

/* ---- what comes back ---- */

static int store_signed(struct run *r, const struct meta_row *before, int64_t not_after_s,
	const struct signed_file *f, int64_t *out_refresh_s, struct err *e)
{
	META_ROW_AUTO m = {.version = f->version, .expires_s = f->expires_s};
	int64_t now = run_now_s(r);

	*out_refresh_s = before->refresh_s;
	if (f->version == before->version)
		return 0;
	m.refresh_s = *out_refresh_s = MIN(now + (f->expires_s - now) / 2, not_after_s);
	buf_add(&m.bytes, f->bytes.p, f->bytes.n);
	TRY(metadata_add(r->c.db, REPO_IMAGE, f->role, &m, e));
	log_ev(LOG_ID_SIGNED, "repo=image role=%s version=%llu", f->role,
		(unsigned long long)f->version);
	return metadata_prune(r->c.db, REPO_IMAGE, f->role, SNAPSHOTS_KEPT, e);
}

/* A file of people that was shown to the signer and then lost here, when what was to be published
 * with it failed: it is signed for, and so it is published. */
static int store_lost(struct run *r, const struct signed_file *f, struct err *e)
{
	META_ROW_AUTO m = {.version = f->version};
	struct meta parsed CLEANUP(meta_fini);

	meta_init(&parsed);
	TRY(meta_parse(buf_str(&f->bytes), ROLE_TARGETS, LIMIT_TARGETS_BYTES, &parsed, e));
	m.expires_s = m.refresh_s = parsed.expires_s;
	buf_add(&m.bytes, f->bytes.p, f->bytes.n);
	return metadata_add(r->c.db, REPO_IMAGE, f->role, &m, e);
}

static int store_reply(const struct showing *sh, const struct reply *reply, struct err *e)
{
	const struct signed_file *snapshot = reply_find(reply, "snapshot");
	const struct signed_file *timestamp = reply_find(reply, "timestamp");
	int64_t refresh_s;

	if (!snapshot || !timestamp)
		return err_set(e, ERR_BAD_INPUT, "the signer gave other files");
	TRY(store_signed(sh->r, &sh->snapshot, sh->carried ? run_now_s(sh->r) : INT64_MAX, snapshot,
		&refresh_s, e));
	TRY(store_signed(sh->r, &sh->timestamp, refresh_s, timestamp, &refresh_s, e));
	for (unsigned i = 0; i < reply->n; i++)
		if (is_from_people(reply->files[i].role))
			TRY(store_lost(sh->r, &reply->files[i], e));
	return 0;
}

static int ask_and_store(struct showing *sh, struct err *e)
{
	CLEANUP(mem_free) struct reply *reply = mem_new(sizeof *reply);
	int rc;

	/* From here on the signer may know more than the store, until this is committed. */
	sh->r->to_be_shown = true;
	TRY(signer_image(sh->r->c.signer, &sh->ask, reply, e));
	sh->r->shown_to = signer_epoch(sh->r->c.signer);
	rc = store_reply(sh, reply, e);
	sh->r->was_shown = rc == 0;
	reply_fini(reply);
	return rc;
}

int imagerepo_sign(struct run *r, bool snapshot_due, struct err *e)
{
	CLEANUP(showing_free) struct showing *sh = showing_new(r);

	r->image_refresh_s = 0;
	TRY(gather(sh, snapshot_due, true, e));
	return ask_and_store(sh, e);
}

int imagerepo_sign_carried(struct run *r, ms_t life, struct err *e)
{
	CLEANUP(showing_free) struct showing *sh = showing_new(r);

	r->image_refresh_s = 0;
	sh->carried = true;
	sh->ask.offline = true;
	sh->ask.life_s = sh->ask.timestamp_life_s = (uint64_t)life / 1000;
	TRY(gather(sh, true, true, e));
	return ask_and_store(sh, e);
}

int imagerepo_sign_for(struct run *r, const char *path, const struct sha256 *digest, struct err *e)
{
	CLEANUP(showing_free) struct showing *sh = showing_new(r);

	r->image_refresh_s = 0;
	snprintf(sh->ask.path, sizeof sh->ask.path, "%s", path);
	sh->ask.digest = *digest;
	TRY(gather(sh, true, true, e));
	return ask_and_store(sh, e);
}

/* Nothing is due; the signer says what it has. */
static int show(struct run *r, struct err *e)
{
	CLEANUP(showing_free) struct showing *sh = showing_new(r);

	TRY(gather(sh, false, false, e));
	return ask_and_store(sh, e);
}

/* ---- verifying ---- */

static void load_stored(struct run *r, struct trusted_set *t, enum role_kind kind)
{
	META_ROW_AUTO m = {0};

	if (metadata_get(r->c.db, REPO_IMAGE, role_kind_name(kind), 0, &m, NULL) == 0)
		trusted_load_stored(t, kind, buf_str(&m.bytes));
}

int imagerepo_load_before(struct run *r, struct trusted_set *t, struct err *e)
{
	META_ROW_AUTO root = {0};

	TRY(metadata_get(r->c.db, REPO_IMAGE, "root", 0, &root, e));
	TRY(trusted_load_root(t, buf_str(&root.bytes), e));
	load_stored(r, t, ROLE_TIMESTAMP);
	load_stored(r, t, ROLE_SNAPSHOT);
	load_stored(r, t, ROLE_TARGETS);
	return 0;
}

struct loading {
	struct run *r;
	struct trusted_set *t;
};

static int load_delegated(void *ctx, const char *role, const struct meta_row *m, struct err *e)
{
	struct loading *l = ctx;

	for (enum role_kind k = 0; k < ROLE_KIND_MAX; k++)
		if (strcmp(role, role_kind_name(k)) == 0)
			return 0;
	return trusted_delegated(l->t, role, buf_str(&m->bytes), e);
}

int imagerepo_load(struct run *r, struct trusted_set *t, struct err *e)
{
	META_ROW_AUTO timestamp = {0}, snapshot = {0}, targets = {0};
	struct loading l = {r, t};
	bool changed;

	if (!t->has_root)
		TRY(imagerepo_load_before(r, t, e));
	TRY(trusted_roots_done(t, e));
	TRY(metadata_get(r->c.db, REPO_IMAGE, "timestamp", 0, &timestamp, e));
	TRY(trusted_timestamp(t, buf_str(&timestamp.bytes), &changed, e));
	TRY(metadata_get(r->c.db, REPO_IMAGE, "snapshot", 0, &snapshot, e));
	TRY(trusted_snapshot(t, buf_str(&snapshot.bytes), e));
	TRY(metadata_get(r->c.db, REPO_IMAGE, "targets", 0, &targets, e));
	TRY(trusted_targets(t, buf_str(&targets.bytes), e));
	return metadata_each(r->c.db, REPO_IMAGE, load_delegated, &l, e);
}

/* ---- keeping it fresh ---- */

static bool is_to_be_shown(const struct run *r)
{
	return r->to_be_shown || r->shown_to != signer_epoch(r->c.signer);
}

int imagerepo_sign_due(struct run *r, struct err *e)
{
	META_ROW_AUTO timestamp = {0}, snapshot = {0};

	TRY(newest(r, "timestamp", &timestamp, e));
	r->image_refresh_s = timestamp.refresh_s;
	if (run_now_s(r) < timestamp.refresh_s)
		return is_to_be_shown(r) ? show(r, e) : 0;
	TRY(newest(r, "snapshot", &snapshot, e));
	return imagerepo_sign(r, snapshot.refresh_s <= run_now_s(r), e);
}

int imagerepo_refresh(struct run *r, struct err *e)
{
	if (run_now_s(r) < r->image_refresh_s && !is_to_be_shown(r))
		return 0;
	TRY(run_begin(r, e));
	return run_end(r, imagerepo_sign_due(r, e), e);
}

int imagerepo_file(
	struct run *r, const char *repo, struct str name, struct meta_row *out, struct err *e)
{
	struct meta_name n;

	TRY(meta_name_parse(name, &n, e));
	return metadata_get(r->c.db, repo, n.role, n.version, out, e);
}
