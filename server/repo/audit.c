#include "server/repo/audit.h"

#include <string.h>

int audit_add(struct db *db, const struct audit_row *a, struct err *e)
{
	return db_exec(db,
		"INSERT INTO audit (at_ms, who, what, campaign, device, text, policy_digest,"
		" engine) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
		DB_ARGS(db_int(a->at), db_text(a->who), db_text(a->what), db_text(a->campaign),
			db_text(a->device), db_text(a->text), db_digest(&a->policy),
			db_text(a->engine)),
		NULL, e);
}

int audit_newest(struct db *db, uint64_t *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db, "SELECT max(n) FROM audit", DB_NO_ARGS, "audit", &rows, e));
	*out = (uint64_t)db_col_int(&rows, 0);
	return 0;
}

static void read_row(const struct db_rows *rows, struct audit_row *a)
{
	a->n = (uint64_t)db_col_int(rows, 0);
	a->at = db_col_int(rows, 1);
	db_col_text(rows, 2, a->who, sizeof a->who);
	db_col_text(rows, 3, a->what, sizeof a->what);
	db_col_text(rows, 4, a->campaign, sizeof a->campaign);
	db_col_text(rows, 5, a->device, sizeof a->device);
	db_col_text(rows, 6, a->text, sizeof a->text);
	db_col_digest(rows, 7, &a->policy);
	db_col_text(rows, 8, a->engine, sizeof a->engine);
}

int audit_each(
	struct db *db, uint64_t after, unsigned limit, audit_each_f *each, void *ctx, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	struct audit_row a;
	int rc;

	TRY(db_query(db,
		"SELECT n, at_ms, who, what, campaign, device, text, policy_digest, engine"
		" FROM audit WHERE n > ?1 ORDER BY n LIMIT ?2",
		DB_ARGS(db_int((int64_t)after), db_int(limit)), &rows, e));
	while ((rc = db_next(&rows, e)) > 0) {
		read_row(&rows, &a);
		TRY(each(ctx, &a, e));
	}
	return rc;
}
