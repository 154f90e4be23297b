#include "server/repo/strata.h"

int strata_add(struct db *db, const char *campaign, unsigned n, const char *name, struct err *e)
{
	return db_exec(db, "INSERT INTO strata (campaign, n, name) VALUES (?1, ?2, ?3)",
		DB_ARGS(db_text(campaign), db_int(n), db_text(name)), NULL, e);
}

int strata_each(struct db *db, const char *campaign, strata_each_f *each, void *ctx, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	char name[ID_TEXT_MAX];
	int rc;

	TRY(db_query(db, "SELECT n, name FROM strata WHERE campaign = ?1 ORDER BY n",
		DB_ARGS(db_text(campaign)), &rows, e));
	while ((rc = db_next(&rows, e)) > 0) {
		db_col_text(&rows, 1, name, sizeof name);
		TRY(each(ctx, (unsigned)db_col_int(&rows, 0), name, e));
	}
	return rc;
}
