#include "server/repo/invites.h"

#include <string.h>

#define COLUMNS "device, token, created_ms, expires_ms, created_by, used_ms, used_key"

int invites_get(struct db *db, const char *device, struct invite_row *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db, "SELECT " COLUMNS " FROM invites WHERE device = ?1",
		DB_ARGS(db_text(device)), device, &rows, e));
	memset(out, 0, sizeof *out);
	db_col_text(&rows, 0, out->device.s, sizeof out->device.s);
	db_col_digest(&rows, 1, &out->token);
	out->created = db_col_int(&rows, 2);
	out->expires = db_col_int(&rows, 3);
	db_col_text(&rows, 4, out->created_by, sizeof out->created_by);
	out->used = db_col_int(&rows, 5);
	db_col_digest(&rows, 6, &out->used_key);
	return 0;
}

int invites_put(struct db *db, const struct invite_row *i, struct err *e)
{
	return db_exec(db,
		"INSERT OR REPLACE INTO invites (" COLUMNS ")"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
		DB_ARGS(db_text(i->device.s), db_digest(&i->token), db_int(i->created),
			db_int(i->expires), db_text(i->created_by), db_int(i->used),
			db_digest(&i->used_key)),
		NULL, e);
}

int invites_remove(struct db *db, const char *device, struct err *e)
{
	return db_exec(
		db, "DELETE FROM invites WHERE device = ?1", DB_ARGS(db_text(device)), NULL, e);
}
