/* How far the audit log has come. The last checkpoint is kept: a log that was cut or made anew is
 * not signed again. */
#include <string.h>

#include "server/signd/signd_priv.h"

#define PLACE "#audit" /* among the files; no device can be called that */
#define ROLE  "checkpoint"

struct pointing {
	struct signing *s;
	struct signed_file last, fresh;
	struct auditlog_checkpoint cp; /* what `last` says; n 0: there is none */
	struct sign_budgets left;
};

static int load_last(struct pointing *p, struct err *e)
{
	int rc = store_file(&p->s->d->db, PLACE, ROLE, &p->last, e);

	if (rc == -ERR_NOT_FOUND)
		return 0;
	TRY(rc);
	return auditlog_checkpoint_read(buf_str(&p->last.bytes), &p->cp, e);
}

static int put(void *ctx, struct db *db, struct err *e)
{
	const struct pointing *p = ctx;

	return store_put_file(db, PLACE, &p->fresh, e);
}

static int sign(struct pointing *p, const struct ask_checkpoint *a, struct err *e)
{
	struct auditlog_checkpoint cp = {
		.n = a->n, .chain = a->chain, .time_s = MAX(p->s->now / 1000, p->cp.time_s)};

	TRY(signing_sign(p->s, "director-audit", ROLE, repo_checkpoint(&cp),
		(struct repo_head){cp.n, cp.time_s}, &p->fresh, e));
	TRY(signing_commit(p->s, &p->left, put, p, e));
	reply_add(p->s->reply, &p->fresh);
	return 0;
}

static int point(struct pointing *p, const struct ask_checkpoint *a, struct err *e)
{
	bool again;

	TRY(load_last(p, e));
	TRY(rule_checkpoint(a, &p->cp, &p->s->d->c.limits, p->s->now, &p->left, &again, e));
	if (!again)
		return sign(p, a, e);
	reply_add(p->s->reply, &p->last);
	return 0;
}

int signing_checkpoint(struct signing *s, const struct ask_checkpoint *a, struct err *e)
{
	struct pointing p = {.s = s, .left = s->d->budgets};
	const struct sign_key *keys[LIMIT_KEYS];
	int rc;

	if (!keystore_find(s->d->keys, "director-audit", keys))
		return err_set(e, ERR_NOT_FOUND, "this fleet has no key director-audit");
	rc = point(&p, a, e);
	buf_fini(&p.last.bytes);
	buf_fini(&p.fresh.bytes);
	return rc;
}
