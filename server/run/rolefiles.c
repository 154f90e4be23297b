#include "server/run/rolefiles.h"

#include <string.h>

#include "server/repo/metadata.h"
#include "server/run/run_priv.h"

int rolefiles_put(struct run *r, const char *repo, const char *role, const struct meta *m,
	struct str bytes, unsigned *io_stored, struct err *e)
{
	META_ROW_AUTO there = {0}, row = {0};
	int rc = metadata_get(r->c.db, repo, role, m->version, &there, e);

	if (rc == 0 && str_eq(buf_str(&there.bytes), bytes))
		return 0;
	if (rc == 0)
		return err_set(e, ERR_CONFLICT, "%s.json: version %llu is another file here", role,
			(unsigned long long)m->version);
	if (rc != -ERR_NOT_FOUND)
		return rc;
	row.version = m->version;
	row.expires_s = row.refresh_s = m->expires_s;
	buf_add(&row.bytes, bytes.p, bytes.n);
	++*io_stored;
	return metadata_add(r->c.db, repo, role, &row, e);
}

static int check_file(struct run *r, const struct role_file *f, const struct meta *m,
	const struct meta *delegator, struct err *e)
{
	META_ROW_AUTO newest = {0};
	int rc = metadata_get(r->c.db, REPO_IMAGE, f->role, 0, &newest, e);

	if (rc < 0 && rc != -ERR_NOT_FOUND)
		return rc;
	if (rc == 0 && m->version < newest.version)
		return err_set(e, ERR_ROLLED_BACK, "version %llu, %llu is published",
			(unsigned long long)m->version, (unsigned long long)newest.version);
	TRY(meta_check_signatures(m, delegator, f->role, e));
	return meta_check_expiry(m, f->role, run_now_s(r), e);
}

static int add_one(struct run *r, const struct role_file *f, const struct meta *delegator,
	unsigned *io_stored, struct err *e)
{
	struct meta m;
	int rc;

	if (meta_parse(f->bytes, ROLE_TARGETS, LIMIT_TARGETS_BYTES, &m, e) < 0)
		return err_wrap(e, "%s.json", f->role);
	rc = check_file(r, f, &m, delegator, e);
	if (rc < 0)
		rc = err_wrap(e, "%s.json", f->role);
	else
		rc = rolefiles_put(r, REPO_IMAGE, f->role, &m, f->bytes, io_stored, e);
	meta_fini(&m);
	return rc;
}

int rolefiles_add(struct run *r, const struct meta *root, const struct role_file *files, unsigned n,
	unsigned *io_stored, struct err *e)
{
	META_ROW_AUTO stored = {0};
	struct meta targets CLEANUP(meta_fini);

	meta_init(&targets);
	for (unsigned i = 0; i < n; i++)
		if (strcmp(files[i].role, "targets") == 0)
			TRY(add_one(r, &files[i], root, io_stored, e));
	TRY(metadata_get(r->c.db, REPO_IMAGE, "targets", 0, &stored, e));
	TRY(meta_parse(buf_str(&stored.bytes), ROLE_TARGETS, LIMIT_TARGETS_BYTES, &targets, e));
	for (unsigned i = 0; i < n; i++)
		if (strcmp(files[i].role, "targets") != 0)
			TRY(add_one(r, &files[i], &targets, io_stored, e));
	return 0;
}
