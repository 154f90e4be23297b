#include "server/repo/items.h"

/* ---- how far ---- */

int items_seq(struct db *db, const char *device, uint64_t epoch, uint64_t *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	int rc;

	TRY(db_query(db, "SELECT seq FROM tele_epochs WHERE device = ?1 AND epoch = ?2",
		DB_ARGS(db_text(device), db_int((int64_t)epoch)), &rows, e));
	rc = db_next(&rows, e);
	if (rc >= 0)
		*out = rc > 0 ? (uint64_t)db_col_int(&rows, 0) : 0;
	return MIN(rc, 0);
}

int items_seq_put(
	struct db *db, const char *device, uint64_t epoch, uint64_t seq, ms_t now, struct err *e)
{
	uint64_t changed;

	TRY(db_exec(db,
		"UPDATE tele_epochs SET seq = ?3, at_ms = ?4"
		" WHERE device = ?1 AND epoch = ?2",
		DB_ARGS(db_text(device), db_int((int64_t)epoch), db_int((int64_t)seq), db_int(now)),
		&changed, e));
	if (changed)
		return 0;
	TRY(db_exec(db,
		"INSERT INTO tele_epochs (device, epoch, seq, at_ms)"
		" VALUES (?1, ?2, ?3, ?4)",
		DB_ARGS(db_text(device), db_int((int64_t)epoch), db_int((int64_t)seq), db_int(now)),
		NULL, e));
	return db_exec(db,
		"DELETE FROM tele_epochs WHERE device = ?1 AND epoch <> ?2 AND epoch NOT IN"
		" (SELECT epoch FROM tele_epochs WHERE device = ?1 AND epoch <> ?2"
		" ORDER BY at_ms DESC LIMIT ?3)",
		DB_ARGS(db_text(device), db_int((int64_t)epoch), db_int(ITEMS_EPOCHS - 1)), NULL,
		e);
}

/* ---- the items ---- */

/* One statement for each shelf. */
#define ON_SHELF(before, after)                                                                    \
	{                                                                                          \
		[ITEMS_WINDOWS] = before "tele_windows" after, [ITEMS_EVENTS] =                    \
								       before "tele_events" after  \
	}

int items_add(struct db *db, enum items_shelf shelf, const struct item_row *row, struct err *e)
{
	static const char *const sql[] = ON_SHELF("INSERT INTO ",
		" (device, epoch, seq, received_ms, body) VALUES (?1, ?2, ?3, ?4, ?5)");

	return db_exec(db, sql[shelf],
		DB_ARGS(db_text(row->device.s), db_int((int64_t)row->epoch),
			db_int((int64_t)row->seq), db_int(row->received), db_bytes(row->body)),
		NULL, e);
}

static void read_row(const struct db_rows *rows, struct item_row *out)
{
	out->n = (uint64_t)db_col_int(rows, 0);
	db_col_text(rows, 1, out->device.s, sizeof out->device.s);
	out->epoch = (uint64_t)db_col_int(rows, 2);
	out->seq = (uint64_t)db_col_int(rows, 3);
	out->received = db_col_int(rows, 4);
	out->body = db_col_str(rows, 5);
}

#define SELECT "SELECT n, device, epoch, seq, received_ms, body FROM "

static int query(struct db *db, enum items_shelf shelf, const char *device, unsigned limit,
	struct db_rows *out, struct err *e)
{
	static const char *const all[] = ON_SHELF(SELECT, " ORDER BY n DESC LIMIT ?1");
	static const char *const one[] =
		ON_SHELF(SELECT, " WHERE device = ?1 ORDER BY n DESC LIMIT ?2");

	if (*device)
		return db_query(db, one[shelf], DB_ARGS(db_text(device), db_int(limit)), out, e);
	return db_query(db, all[shelf], DB_ARGS(db_int(limit)), out, e);
}

int items_each(struct db *db, enum items_shelf shelf, const char *device, unsigned limit,
	items_each_f *each, void *ctx, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	struct item_row row;
	int rc;

	TRY(query(db, shelf, device, limit, &rows, e));
	while ((rc = db_next(&rows, e)) > 0) {
		read_row(&rows, &row);
		TRY(each(ctx, &row, e));
	}
	return rc;
}

/* ---- what is forgotten ---- */

int items_look(struct db *db, enum items_shelf shelf, struct items_shelf_view *out, struct err *e)
{
	static const char *const newest[] = ON_SHELF("SELECT max(n) FROM ", "");
	static const char *const oldest[] =
		ON_SHELF("SELECT n, received_ms FROM ", " ORDER BY n LIMIT 1");
	DB_ROWS_AUTO last = {0}, first = {0};
	struct items_shelf_view v = {0};
	int rc;

	TRY(db_query(db, newest[shelf], DB_NO_ARGS, &last, e));
	TRY(db_next(&last, e));
	TRY(db_query(db, oldest[shelf], DB_NO_ARGS, &first, e));
	rc = db_next(&first, e);
	if (rc > 0) {
		v.rows = (uint64_t)(db_col_int(&last, 0) - db_col_int(&first, 0)) + 1;
		v.oldest = db_col_int(&first, 1);
	}
	if (rc >= 0)
		*out = v;
	return MIN(rc, 0);
}

int items_prune(struct db *db, enum items_shelf shelf, ms_t before, uint64_t keep, unsigned limit,
	struct err *e)
{
	static const char *const sql[] = {
		[ITEMS_WINDOWS] = "DELETE FROM tele_windows WHERE n IN (SELECT n FROM"
				  " (SELECT n, received_ms FROM tele_windows ORDER BY n LIMIT ?3)"
				  " WHERE received_ms < ?1"
				  " OR n <= (SELECT max(n) FROM tele_windows) - ?2)",
		[ITEMS_EVENTS] = "DELETE FROM tele_events WHERE n IN (SELECT n FROM"
				 " (SELECT n, received_ms FROM tele_events ORDER BY n LIMIT ?3)"
				 " WHERE received_ms < ?1"
				 " OR n <= (SELECT max(n) FROM tele_events) - ?2)",
	};

	return db_exec(db, sql[shelf],
		DB_ARGS(db_int(before), db_int((int64_t)keep), db_int(limit)), NULL, e);
}
