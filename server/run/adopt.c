#include "server/run/adopt.h"

#include <stdio.h>
#include <string.h>

#include "proto/trust/verify.h"
#include "server/repo/device_meta.h"
#include "server/repo/metadata.h"
#include "server/run/desired.h"
#include "server/run/imagerepo.h"
#include "server/run/run_priv.h"

struct adopting {
	struct run *r;
	const struct adopt_in *in;
	struct trusted_set t;
	unsigned stored;
};

/* ---- roots ---- */

/* What is here is passed over, with more signatures too; another file of the same version is not:
 * one of the two was signed by mistake, or by a thief. */
static int is_as_here(struct adopting *a, const char *role, enum role_kind kind,
	const struct meta *m, struct err *e)
{
	META_ROW_AUTO have = {0};
	struct meta here CLEANUP(meta_fini);
	int rc = metadata_get(a->r->c.db, a->in->repo, role, m->version, &have, e);

	meta_init(&here);
	if (rc == -ERR_NOT_FOUND)
		return 0;
	TRY(rc);
	TRY(meta_parse(buf_str(&have.bytes), kind, have.bytes.n, &here, e));
	if (!str_eq(buf_str(&here.signed_bytes), buf_str(&m->signed_bytes)))
		return err_set(e, ERR_CONFLICT, "another version %llu of %s.json is here",
			(unsigned long long)m->version, role);
	return 0;
}

static int add_root(struct adopting *a, struct str bytes, struct err *e)
{
	struct meta m CLEANUP(meta_fini);

	meta_init(&m);
	TRY(meta_parse(bytes, ROLE_ROOT, LIMIT_ROOT_BYTES, &m, e));
	if (m.version <= a->t.root.version)
		return is_as_here(a, "root", ROLE_ROOT, &m, e);
	if (trusted_next_root(&a->t, bytes, e) < 0)
		return err_wrap(e, "%llu.root.json", (unsigned long long)m.version);
	return rolefiles_put(a->r, a->in->repo, "root", &a->t.root, bytes, &a->stored, e);
}

static int add_roots(struct adopting *a, struct err *e)
{
	META_ROW_AUTO root = {0};

	TRY(metadata_get(a->r->c.db, a->in->repo, "root", 0, &root, e));
	TRY(trusted_load_root(&a->t, buf_str(&root.bytes), e));
	for (unsigned i = 0; i < a->in->n_roots; i++)
		TRY(add_root(a, a->in->roots[i], e));
	return trusted_roots_done(&a->t, e);
}

/* ---- the image repository ---- */

/* Is there nothing newer than this here? A copy that lags behind what parties have published is no
 * mistake. */
static int is_newer(struct adopting *a, const struct role_file *f, bool *out, struct err *e)
{
	META_ROW_AUTO have = {0};
	struct meta m CLEANUP(meta_fini);
	int rc = metadata_get(a->r->c.db, REPO_IMAGE, f->role, 0, &have, e);

	meta_init(&m);
	if (rc < 0 && rc != -ERR_NOT_FOUND)
		return rc;
	if (meta_parse(f->bytes, ROLE_TARGETS, LIMIT_TARGETS_BYTES, &m, e) < 0)
		return err_wrap(e, "%s.json", f->role);
	*out = rc == -ERR_NOT_FOUND || m.version > have.version;
	return *out ? 0 : is_as_here(a, f->role, ROLE_TARGETS, &m, e);
}

static int add_roles(struct adopting *a, struct err *e)
{
	struct role_file newer[LIMIT_ROLES];
	unsigned n = 0;
	bool is;

	for (unsigned i = 0; i < a->in->n_roles; i++) {
		TRY(is_newer(a, &a->in->roles[i], &is, e));
		if (is)
			newer[n++] = a->in->roles[i];
	}
	return rolefiles_add(a->r, &a->t.root, newer, n, &a->stored, e);
}

static int adopt_image(struct adopting *a, struct err *e)
{
	TRY(add_roles(a, e));
	if (!a->stored)
		return 0;
	TRY(imagerepo_sign(a->r, true, e));
	return imagerepo_load(a->r, &a->t, e);
}

/* ---- the director's ---- */

static int stop_at_first(void *ctx, const struct device_row *d, struct err *e UNUSED)
{
	*(struct dev_id *)ctx = d->id;
	return 1;
}

static int load_file(struct adopting *a, const char *device, enum sign_file f, struct err *e)
{
	META_ROW_AUTO m = {0};
	bool changed;

	TRY(device_meta_get(a->r->c.db, device, sign_file_name(f), &m, e));
	switch (f) {
	case SIGN_TIMESTAMP:
		return trusted_timestamp(&a->t, buf_str(&m.bytes), &changed, e);
	case SIGN_SNAPSHOT:
		return trusted_snapshot(&a->t, buf_str(&m.bytes), e);
	default:
		return trusted_targets(&a->t, buf_str(&m.bytes), e);
	}
}

/* Signs for one device, and looks at that as the device would: a root that leaves out the keys
 * that sign here would lock out the whole fleet. */
static int check_own_keys(struct adopting *a, struct err *e)
{
	struct dev_id device = {""};
	int rc = devices_each(a->r->c.db, stop_at_first, &device, e);

	if (rc <= 0)
		return rc;
	TRY(desired_renew(a->r, device.s, e));
	TRY(load_file(a, device.s, SIGN_TIMESTAMP, e));
	TRY(load_file(a, device.s, SIGN_SNAPSHOT, e));
	return load_file(a, device.s, SIGN_TARGETS, e);
}

static int adopt_director(struct adopting *a, struct err *e)
{
	if (a->in->n_roles)
		return err_set(e, ERR_BAD_INPUT, "the director has no role files but its root");
	if (!a->stored)
		return 0;
	TRY(device_meta_refresh(a->r->c.db, e));
	if (check_own_keys(a, e) < 0)
		return err_wrap(e, "with the keys that sign here");
	return 0;
}

/* ---- the whole ---- */

static int adopt(struct adopting *a, struct err *e)
{
	bool is_image = strcmp(a->in->repo, REPO_IMAGE) == 0;
	char text[LIMIT_TEXT];

	TRY(add_roots(a, e));
	TRY(is_image ? adopt_image(a, e) : adopt_director(a, e));
	if (!a->stored)
		return 0;
	snprintf(text, sizeof text, "%s brought %u new files of the %s repository, root %llu",
		a->in->who, a->stored, a->in->repo, (unsigned long long)a->t.root.version);
	return run_audit(a->r, NULL, a->in->who, "keys", "", text, e);
}

int adopt_metadata(struct run *r, const struct adopt_in *in, unsigned *out_stored, struct err *e)
{
	struct adopting a = {.r = r, .in = in};
	int rc;

	trusted_init(&a.t, run_now_s(r));
	rc = run_begin(r, e);
	if (rc == 0)
		rc = run_end(r, adopt(&a, e), e);
	trusted_fini(&a.t);
	if (rc < 0)
		return rc;
	*out_stored = a.stored;
	return 0;
}
