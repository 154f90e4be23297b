#include "server/run/approval.h"

#include <stdio.h>
#include <string.h>

#include "proto/trust/director.h"
#include "server/repo/approvals.h"
#include "server/run/imagerepo.h"
#include "server/run/run_priv.h"

static int check_role(const struct trusted_set *t, const struct approval_in *in, struct err *e)
{
	char roles[LIMIT_DELEGATIONS][LIMIT_ROLE_NAME];
	unsigned n;

	TRY(director_quorum(t, in->path, roles, &n, e));
	for (unsigned i = 0; i < n; i++)
		if (strcmp(roles[i], in->role) == 0)
			return 0;
	return err_set(
		e, ERR_NOT_FOUND, "%s: none of those who must approve %s", in->role, in->path);
}

static int check_file(const struct trusted_set *t, const struct approval_in *in, struct err *e)
{
	struct meta m CLEANUP(meta_fini);
	struct target target;

	meta_init(&m);
	TRY(meta_parse(in->file, ROLE_TARGETS, LIMIT_TARGETS_BYTES, &m, e));
	TRY(meta_check_signatures(&m, &t->targets, in->role, e));
	TRY(meta_check_expiry(&m, in->role, t->now_s, e));
	TRY(meta_target(&m, in->path, &target, e));
	if (!sha256_eq(&target.hash, &in->document))
		return err_set(
			e, ERR_ALTERED, "%s: role %s signed another document", in->path, in->role);
	return 0;
}

static int check_who(struct run *r, const struct approval_in *in, struct err *e)
{
	char role[LIMIT_ROLE_NAME];
	int rc = approvals_role(r->c.db, in->path, in->who, role, e);

	if (rc == -ERR_NOT_FOUND || (rc == 0 && strcmp(role, in->role) == 0))
		return 0;
	TRY(rc);
	return err_set(e, ERR_DENIED, "%s has approved %s as %s: another must do it as %s", in->who,
		in->path, role, in->role);
}

static int record(struct run *r, struct trusted_set *t, const struct approval_in *in, struct err *e)
{
	struct approval_row row = {.document = in->document, .at = run_now(r)};
	char text[2 * LIMIT_TEXT];

	TRY(imagerepo_load(r, t, e));
	TRY(check_role(t, in, e));
	TRY(check_file(t, in, e));
	TRY(check_who(r, in, e));
	snprintf(row.path, sizeof row.path, "%s", in->path);
	snprintf(row.role, sizeof row.role, "%s", in->role);
	snprintf(row.who, sizeof row.who, "%s", in->who);
	TRY(approvals_put(r->c.db, &row, e));
	snprintf(text, sizeof text, "%s approved %s as %s", in->who, in->path, in->role);
	return run_audit(r, NULL, in->who, "approve", "", text, e);
}

int approval_record(struct run *r, const struct approval_in *in, struct err *e)
{
	struct trusted_set t CLEANUP(trusted_fini);

	trusted_init(&t, run_now_s(r));
	TRY(run_begin(r, e));
	return run_end(r, record(r, &t, in, e), e);
}

int approval_check(struct run *r, const struct trusted_set *image, const char *path,
	const struct sha256 *document, const char *publisher, struct err *e)
{
	char roles[LIMIT_DELEGATIONS][LIMIT_ROLE_NAME];
	uint64_t approvers;
	unsigned n;

	if (!r->c.four_eyes)
		return 0;
	TRY(director_quorum(image, path, roles, &n, e));
	for (unsigned i = 0; i < n; i++) {
		TRY(approvals_count(r->c.db, path, roles[i], document, publisher, &approvers, e));
		if (approvers == 0)
			return err_set(e, ERR_DENIED,
				"%s: nobody but the publisher has approved it as %s: "
				"`backstay release approve --submit`, under one's own name",
				path, roles[i]);
	}
	return 0;
}
