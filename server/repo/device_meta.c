#include "server/repo/device_meta.h"

#include <string.h>

static void read_row(const struct db_rows *rows, struct meta_row *m)
{
	struct str bytes = db_col_str(rows, 4);

	memset(m, 0, sizeof *m);
	m->version = (uint64_t)db_col_int(rows, 0);
	m->expires_s = db_col_int(rows, 1);
	m->refresh_s = db_col_int(rows, 2);
	db_col_text(rows, 3, m->etag, sizeof m->etag);
	buf_add(&m->bytes, bytes.p, bytes.n);
}

int device_meta_get(
	struct db *db, const char *device, const char *role, struct meta_row *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db,
		"SELECT version, expires_s, refresh_s, etag, bytes FROM director"
		" WHERE device = ?1 AND role = ?2",
		DB_ARGS(db_text(device), db_text(role)), role, &rows, e));
	read_row(&rows, out);
	return 0;
}

int device_meta_put(
	struct db *db, const char *device, const char *role, struct meta_row *m, struct err *e)
{
	meta_row_tag(m);
	return db_exec(db, "INSERT OR REPLACE INTO director VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
		DB_ARGS(db_text(device), db_text(role), db_int((int64_t)m->version),
			db_int(m->expires_s), db_int(m->refresh_s), db_text(m->etag),
			db_bytes(buf_str(&m->bytes))),
		NULL, e);
}

int device_meta_refresh(struct db *db, struct err *e)
{
	return db_exec(db, "UPDATE director SET refresh_s = 0", DB_NO_ARGS, NULL, e);
}
