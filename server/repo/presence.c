#include "server/repo/presence.h"

int presence_put(struct db *db, const char *device, bool online, ms_t now, struct err *e)
{
	return db_exec(db,
		"INSERT INTO presence (device, online, at_ms)"
		" SELECT id, ?2, ?3 FROM devices WHERE id = ?1"
		" ON CONFLICT DO UPDATE SET online = ?2, at_ms = ?3 WHERE online <> ?2",
		DB_ARGS(db_text(device), db_int(online), db_int(now)), NULL, e);
}

int presence_get(
	struct db *db, const char *device, bool *out_online, ms_t *out_since, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	int rc;

	TRY(db_query(db, "SELECT online, at_ms FROM presence WHERE device = ?1",
		DB_ARGS(db_text(device)), &rows, e));
	rc = db_next(&rows, e);
	if (rc >= 0) {
		*out_online = rc > 0 && db_col_int(&rows, 0) != 0;
		*out_since = rc > 0 ? db_col_int(&rows, 1) : 0;
	}
	return MIN(rc, 0);
}

int presence_count(struct db *db, uint64_t *out_online, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db, "SELECT count(*) FROM presence WHERE online <> 0", DB_NO_ARGS, "presence",
		&rows, e));
	*out_online = (uint64_t)db_col_int(&rows, 0);
	return 0;
}
