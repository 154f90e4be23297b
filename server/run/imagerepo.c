#include "server/run/imagerepo.h"

#include <stdio.h>
#include <string.h>

#include "lib/sys/log.h"
#include "server/run/meta_name.h"
#include "server/run/run_priv.h"
#include "server/repo/metadata.h"

#define SNAPSHOTS_KEPT 8

/* ---- signing ---- */

struct pins {
	struct repo_pin v[LIMIT_ROLES];
	unsigned n;
};

static int add_pin(void *ctx, const char *role, const struct meta_row *m, struct err *e)
{
	struct pins *pins = ctx;
	char file[LIMIT_ROLE_NAME + 8];

	if (strcmp(role, "root") == 0 || strcmp(role, "snapshot") == 0 ||
		strcmp(role, "timestamp") == 0)
		return 0;
	if (pins->n == ARRAY_LEN(pins->v))
		return err_set(e, ERR_TOO_LARGE, "more than %d roles", LIMIT_ROLES);
	snprintf(file, sizeof file, "%s.json", role);
	repo_pin_of(file, m->version, buf_str(&m->bytes), &pins->v[pins->n++]);
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

static void begin_file(
	const struct run *r, const struct meta_row *before, ms_t life, struct meta_row *m)
{
	int64_t now = run_now_s(r);

	*m = (struct meta_row){
		.version = before->version + 1,
		.expires_s = now + life / 1000,
		.refresh_s = now + life / 2000,
	};
}

static int store_file(struct run *r, const char *role, struct meta_row *m, struct err *e)
{
	TRY(metadata_add(r->c.db, REPO_IMAGE, role, m, e));
	log_ev(LOG_ID_SIGNED, "repo=image role=%s version=%llu", role,
		(unsigned long long)m->version);
	return metadata_prune(r->c.db, REPO_IMAGE, role, SNAPSHOTS_KEPT, e);
}

static int sign_snapshot(struct run *r, struct err *e)
{
	META_ROW_AUTO before = {0}, m = {0};
	struct pins pins = {.n = 0};

	TRY(metadata_each(r->c.db, REPO_IMAGE, add_pin, &pins, e));
	TRY(newest(r, "snapshot", &before, e));
	begin_file(r, &before, r->c.snapshot_life, &m);
	TRY(signer_image_snapshot(r->c.signer, (struct repo_head){m.version, m.expires_s}, pins.v,
		pins.n, &m.bytes, e));
	return store_file(r, "snapshot", &m, e);
}

static int sign_timestamp(struct run *r, struct err *e)
{
	META_ROW_AUTO before = {0}, snapshot = {0}, m = {0};
	struct repo_pin pin;

	TRY(newest(r, "timestamp", &before, e));
	TRY(metadata_get(r->c.db, REPO_IMAGE, "snapshot", 0, &snapshot, e));
	repo_pin_of("snapshot.json", snapshot.version, buf_str(&snapshot.bytes), &pin);
	begin_file(r, &before, r->c.timestamp_life, &m);
	m.refresh_s = MIN(m.refresh_s, snapshot.refresh_s);
	TRY(signer_image_timestamp(
		r->c.signer, (struct repo_head){m.version, m.expires_s}, &pin, &m.bytes, e));
	return store_file(r, "timestamp", &m, e);
}

int imagerepo_sign(struct run *r, bool snapshot_too, struct err *e)
{
	r->image_refresh_s = 0;
	if (snapshot_too)
		TRY(sign_snapshot(r, e));
	return sign_timestamp(r, e);
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

int imagerepo_sign_due(struct run *r, struct err *e)
{
	META_ROW_AUTO timestamp = {0}, snapshot = {0};

	TRY(newest(r, "timestamp", &timestamp, e));
	r->image_refresh_s = timestamp.refresh_s;
	if (run_now_s(r) < timestamp.refresh_s)
		return 0;
	TRY(newest(r, "snapshot", &snapshot, e));
	return imagerepo_sign(r, snapshot.refresh_s <= run_now_s(r), e);
}

int imagerepo_refresh(struct run *r, struct err *e)
{
	if (run_now_s(r) < r->image_refresh_s)
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
