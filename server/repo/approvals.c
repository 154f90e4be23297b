#include "server/repo/approvals.h"

int approvals_put(struct db *db, const struct approval_row *a, struct err *e)
{
	return db_exec(db, "INSERT OR REPLACE INTO approvals VALUES (?1, ?2, ?3, ?4, ?5)",
		DB_ARGS(db_text(a->path), db_text(a->role), db_text(a->who),
			db_digest(&a->document), db_int(a->at)),
		NULL, e);
}

int approvals_role(
	struct db *db, const char *path, const char *who, char out[LIMIT_ROLE_NAME], struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db, "SELECT role FROM approvals WHERE path = ?1 AND who = ?2 LIMIT 1",
		DB_ARGS(db_text(path), db_text(who)), who, &rows, e));
	db_col_text(&rows, 0, out, LIMIT_ROLE_NAME);
	return 0;
}

int approvals_count(struct db *db, const char *path, const char *role,
	const struct sha256 *document, const char *but, uint64_t *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db,
		"SELECT count(*) FROM approvals"
		" WHERE path = ?1 AND role = ?2 AND document = ?3 AND who <> ?4",
		DB_ARGS(db_text(path), db_text(role), db_digest(document), db_text(but)), role,
		&rows, e));
	*out = (uint64_t)db_col_int(&rows, 0);
	return 0;
}

int approvals_each(
	struct db *db, const char *path, approvals_each_f *each, void *ctx, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	int rc;

	TRY(db_query(db,
		"SELECT path, role, who, document, at_ms FROM approvals WHERE path = ?1"
		" ORDER BY at_ms, role",
		DB_ARGS(db_text(path)), &rows, e));
	while ((rc = db_next(&rows, e)) > 0) {
		struct approval_row a = {.at = db_col_int(&rows, 4)};

		db_col_text(&rows, 0, a.path, sizeof a.path);
		db_col_text(&rows, 1, a.role, sizeof a.role);
		db_col_text(&rows, 2, a.who, sizeof a.who);
		db_col_digest(&rows, 3, &a.document);
		TRY(each(ctx, &a, e));
	}
	return rc;
}
