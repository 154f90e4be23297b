#include "server/repo/excluded.h"

int excluded_add(
	struct db *db, const char *campaign, const char *device, const char *verdict, struct err *e)
{
	return db_exec(db, "INSERT INTO excluded VALUES (?1, ?2, ?3)",
		DB_ARGS(db_text(campaign), db_text(device), db_text(verdict)), NULL, e);
}

int excluded_each(
	struct db *db, const char *campaign, excluded_each_f *each, void *ctx, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	char device[ID_TEXT_MAX], verdict[LIMIT_TEXT];
	int rc;

	TRY(db_query(db, "SELECT device, verdict FROM excluded WHERE campaign = ?1 ORDER BY device",
		DB_ARGS(db_text(campaign)), &rows, e));
	while ((rc = db_next(&rows, e)) > 0) {
		db_col_text(&rows, 0, device, sizeof device);
		db_col_text(&rows, 1, verdict, sizeof verdict);
		TRY(each(ctx, device, verdict, e));
	}
	return rc;
}

int excluded_each_of(
	struct db *db, const char *device, excluded_each_f *each, void *ctx, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	char campaign[ID_TEXT_MAX], verdict[LIMIT_TEXT];
	int rc;

	TRY(db_query(db, "SELECT campaign, verdict FROM excluded WHERE device = ?1",
		DB_ARGS(db_text(device)), &rows, e));
	while ((rc = db_next(&rows, e)) > 0) {
		db_col_text(&rows, 0, campaign, sizeof campaign);
		db_col_text(&rows, 1, verdict, sizeof verdict);
		TRY(each(ctx, campaign, verdict, e));
	}
	return rc;
}
