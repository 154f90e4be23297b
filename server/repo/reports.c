#include "server/repo/reports.h"

int reports_add(struct db *db, const char *device, const struct report_row *r, struct err *e)
{
	return db_exec(db,
		"INSERT INTO reports (device, epoch, seq, kind, received_ms, body)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
		DB_ARGS(db_text(device), db_int((int64_t)r->epoch), db_int((int64_t)r->seq),
			db_text(r->kind), db_int(r->received), db_bytes(r->body)),
		NULL, e);
}

int reports_has(struct db *db, const char *device, uint64_t epoch, uint64_t seq, struct str body,
	bool *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	int rc;

	TRY(db_query(db, "SELECT body FROM reports WHERE device = ?1 AND epoch = ?2 AND seq = ?3",
		DB_ARGS(db_text(device), db_int((int64_t)epoch), db_int((int64_t)seq)), &rows, e));
	rc = db_next(&rows, e);
	if (rc >= 0)
		*out = rc > 0 && str_eq(db_col_str(&rows, 0), body);
	return MIN(rc, 0);
}

static void read_row(const struct db_rows *rows, struct report_row *r)
{
	r->n = (uint64_t)db_col_int(rows, 0);
	r->epoch = (uint64_t)db_col_int(rows, 1);
	r->seq = (uint64_t)db_col_int(rows, 2);
	db_col_text(rows, 3, r->kind, sizeof r->kind);
	r->received = db_col_int(rows, 4);
	r->body = db_col_str(rows, 5);
}

int reports_each(struct db *db, const char *device, uint64_t before, unsigned limit,
	reports_each_f *each, void *ctx, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	struct report_row r;
	int rc;

	TRY(db_query(db,
		"SELECT n, epoch, seq, kind, received_ms, body FROM reports"
		" WHERE device = ?1 AND (?2 = 0 OR n < ?2) ORDER BY epoch DESC, seq DESC LIMIT ?3",
		DB_ARGS(db_text(device), db_int((int64_t)before), db_int(limit)), &rows, e));
	while ((rc = db_next(&rows, e)) > 0) {
		read_row(&rows, &r);
		TRY(each(ctx, &r, e));
	}
	return rc;
}

int reports_prune(struct db *db, const char *device, uint64_t keep, struct err *e)
{
	return db_exec(db,
		"DELETE FROM reports WHERE device = ?1 AND kind NOT IN ('outcome', 'refused', 'consent', 'switch')"
		" AND n < (SELECT n FROM reports WHERE device = ?1"
		" ORDER BY epoch DESC, seq DESC LIMIT 1 OFFSET ?2)",
		DB_ARGS(db_text(device), db_int((int64_t)keep)), NULL, e);
}
