#include "server/run/imagerepo.h"

#include <stdio.h>
#include <string.h>

#include "lib/sys/fs.h"
#include "server/run/meta_name.h"
#include "server/run/run_priv.h"
#include "server/repo/device_meta.h"
#include "server/repo/metadata.h"

struct import {
	struct run *r;
	struct fs fs; /* on the repository's folder */
	const char *repo;
	struct meta_name lowest[LIMIT_ROLES]; /* of each role that has a file */
	unsigned n;
	unsigned taken;
};

static int see_file(void *ctx, const char *file, enum fs_kind kind, struct err *e UNUSED)
{
	struct import *im = ctx;
	struct meta_name name;

	if (kind != FS_FILE || meta_name_parse(str_of(file), &name, NULL) < 0 || !name.version)
		return 0;
	for (unsigned i = 0; i < im->n; i++)
		if (strcmp(im->lowest[i].role, name.role) == 0) {
			im->lowest[i].version = MIN(im->lowest[i].version, name.version);
			return 0;
		}
	if (im->n < ARRAY_LEN(im->lowest))
		im->lowest[im->n++] = name;
	return 0;
}

/* ERR_NOT_FOUND when there is no such version. */
static int read_version(
	struct import *im, const char *role, uint64_t version, struct buf *out, struct err *e)
{
	char file[LIMIT_ROLE_NAME + 32];

	snprintf(file, sizeof file, "%llu.%s.json", (unsigned long long)version, role);
	return fs_read_file(&im->fs, file, LIMIT_TARGETS_BYTES, out, e);
}

static int take(struct import *im, const struct meta_name *name, struct err *e)
{
	META_ROW_AUTO m = {0};
	struct meta parsed;
	bool is_root = strcmp(name->role, "root") == 0;

	TRY(read_version(im, name->role, name->version, &m.bytes, e));
	TRY(meta_parse(buf_str(&m.bytes), is_root ? ROLE_ROOT : ROLE_TARGETS, LIMIT_TARGETS_BYTES,
		&parsed, e));
	m.version = parsed.version;
	m.expires_s = m.refresh_s = parsed.expires_s;
	meta_fini(&parsed);
	im->taken++;
	return metadata_add(im->r->c.db, im->repo, name->role, &m, e);
}

/* The first file of every role that the store has nothing of. Later ones come by publishing. */
static int take_first_files(struct import *im, struct err *e)
{
	for (unsigned i = 0; i < im->n; i++) {
		META_ROW_AUTO have = {0};
		int rc = metadata_get(im->r->c.db, im->repo, im->lowest[i].role, 0, &have, e);

		if (rc == -ERR_NOT_FOUND)
			rc = take(im, &im->lowest[i], e);
		if (rc < 0)
			return err_wrap(e, "%s.json", im->lowest[i].role);
	}
	return 0;
}

/* Roots that follow on the newest one, each vouched for by the one before. */
static int take_next_roots(struct import *im, struct err *e)
{
	META_ROW_AUTO have = {0};
	struct trusted_set t CLEANUP(trusted_fini);
	int rc;

	trusted_init(&t, run_now_s(im->r));
	TRY(metadata_get(im->r->c.db, im->repo, "root", 0, &have, e));
	TRY(trusted_load_root(&t, buf_str(&have.bytes), e));
	for (uint64_t v = have.version + 1; v <= have.version + LIMIT_ROOT_ROTATIONS; v++) {
		struct meta_name next = {v, "root"};
		BUF_AUTO bytes = {0};

		rc = read_version(im, next.role, next.version, &bytes, e);
		if (rc == -ERR_NOT_FOUND)
			return 0;
		TRY(rc);
		TRY(trusted_next_root(&t, buf_str(&bytes), e));
		TRY(take(im, &next, e));
	}
	return 0;
}

static int take_repo(struct import *im, struct err *e)
{
	TRY(im->fs.ops->list(&im->fs, "", see_file, im, e));
	TRY(take_first_files(im, e));
	TRY(take_next_roots(im, e));
	if (im->taken && strcmp(im->repo, REPO_DIRECTOR) == 0)
		TRY(device_meta_refresh(im->r->c.db, e));
	return 0;
}

static int import_repo(
	struct run *r, const char *repo_dir, const char *repo, unsigned *io_taken, struct err *e)
{
	struct import im = {.r = r, .repo = repo};
	char dir[FS_PATH_MAX];
	int rc;

	snprintf(dir, sizeof dir, "%s/%s", repo_dir, repo);
	TRY(fs_posix_open(dir, &im.fs, e));
	rc = take_repo(&im, e);
	fs_posix_close(&im.fs);
	*io_taken += im.taken;
	return rc < 0 ? err_wrap(e, "%s", dir) : 0;
}

/* Signed for the first time here, or again because the roots changed, and then looked at as a
 * device would: a server that nobody can believe does not start. */
static int import_both(struct run *r, const char *repo_dir, struct err *e)
{
	struct trusted_set t CLEANUP(trusted_fini);
	unsigned taken = 0;

	trusted_init(&t, run_now_s(r));
	TRY(import_repo(r, repo_dir, REPO_IMAGE, &taken, e));
	TRY(import_repo(r, repo_dir, REPO_DIRECTOR, &taken, e));
	if (taken)
		TRY(imagerepo_sign(r, true, e));
	else
		TRY(imagerepo_sign_due(r, e));
	if (imagerepo_load(r, &t, e) < 0)
		return err_wrap(e, "the image repository does not verify");
	return 0;
}

int imagerepo_import(struct run *r, const char *repo_dir, struct err *e)
{
	TRY(run_begin(r, e));
	return run_end(r, import_both(r, repo_dir, e), e);
}
