#include "server/repo/leases.h"

#include <string.h>

#define COLUMNS "device, grp, campaign, document, since_ms, until_ms"

static void read_row(const struct db_rows *rows, struct lease_row *l)
{
	memset(l, 0, sizeof *l);
	db_col_text(rows, 0, l->device.s, sizeof l->device.s);
	db_col_text(rows, 1, l->group, sizeof l->group);
	db_col_text(rows, 2, l->campaign.s, sizeof l->campaign.s);
	db_col_digest(rows, 3, &l->document);
	l->since = db_col_int(rows, 4);
	l->until = db_col_int(rows, 5);
}

int leases_get(struct db *db, const char *device, struct lease_row *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db, "SELECT " COLUMNS " FROM leases WHERE device = ?1", DB_ARGS(db_text(device)),
		device, &rows, e));
	read_row(&rows, out);
	return 0;
}

int leases_put(struct db *db, const struct lease_row *l, struct err *e)
{
	return db_exec(db,
		"INSERT OR REPLACE INTO leases (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
		DB_ARGS(db_text(l->device.s), db_text(l->group), db_text(l->campaign.s),
			db_digest(&l->document), db_int(l->since), db_int(l->until)),
		NULL, e);
}

int leases_remove(struct db *db, const char *device, struct err *e)
{
	return db_exec(
		db, "DELETE FROM leases WHERE device = ?1", DB_ARGS(db_text(device)), NULL, e);
}

/* By the index on group and end: the first rows are those that end first. */
int leases_taken(struct db *db, const char *group, const char *but, ms_t now, uint32_t most,
	uint32_t *out_n, ms_t *out_first, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db,
		"SELECT count(*), min(until_ms) FROM (SELECT until_ms FROM leases"
		" WHERE grp = ?1 AND until_ms > ?2 AND device <> ?3 ORDER BY until_ms LIMIT ?4)",
		DB_ARGS(db_text(group), db_int(now), db_text(but), db_int(most)), group, &rows, e));
	*out_n = (uint32_t)db_col_int(&rows, 0);
	*out_first = db_col_int(&rows, 1);
	return 0;
}

int leases_due(struct db *db, ms_t now, struct lease_row *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db,
		"SELECT " COLUMNS " FROM leases WHERE until_ms <= ?1 ORDER BY until_ms LIMIT 1",
		DB_ARGS(db_int(now)), "lease", &rows, e));
	read_row(&rows, out);
	return 0;
}
