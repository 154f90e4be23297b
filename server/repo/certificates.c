#include "server/repo/certificates.h"

#include <string.h>

#define COLUMNS "digest, device, key, until_s, issued_ms, revoked_ms, why"

static void read_row(const struct db_rows *r, struct certificate_row *c)
{
	memset(c, 0, sizeof *c);
	db_col_digest(r, 0, &c->digest);
	db_col_text(r, 1, c->device.s, sizeof c->device.s);
	db_col_digest(r, 2, &c->key);
	c->until_s = db_col_int(r, 3);
	c->issued = db_col_int(r, 4);
	c->revoked = db_col_int(r, 5);
	db_col_text(r, 6, c->why, sizeof c->why);
}

int certificates_get(
	struct db *db, const struct sha256 *digest, struct certificate_row *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db, "SELECT " COLUMNS " FROM certificates WHERE digest = ?1",
		DB_ARGS(db_digest(digest)), "certificate", &rows, e));
	read_row(&rows, out);
	return 0;
}

int certificates_newest(
	struct db *db, const char *device, struct certificate_row *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db,
		"SELECT " COLUMNS " FROM certificates WHERE device = ?1 ORDER BY n DESC LIMIT 1",
		DB_ARGS(db_text(device)), device, &rows, e));
	read_row(&rows, out);
	return 0;
}

int certificates_bytes(
	struct db *db, const char *device, const struct sha256 *key, struct buf *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	struct str bytes;

	TRY(db_one(db,
		"SELECT bytes FROM certificates WHERE device = ?1 AND key = ?2"
		" AND revoked_ms = 0 ORDER BY n DESC LIMIT 1",
		DB_ARGS(db_text(device), db_digest(key)), device, &rows, e));
	bytes = db_col_str(&rows, 0);
	buf_add(out, bytes.p, bytes.n);
	return 0;
}

int certificates_add(
	struct db *db, const struct certificate_row *c, struct str bytes, struct err *e)
{
	return db_exec(db,
		"INSERT INTO certificates (" COLUMNS ", bytes)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
		DB_ARGS(db_digest(&c->digest), db_text(c->device.s), db_digest(&c->key),
			db_int(c->until_s), db_int(c->issued), db_int(c->revoked), db_text(c->why),
			db_bytes(bytes)),
		NULL, e);
}

int certificates_revoke(struct db *db, const char *device, const struct sha256 *but, ms_t now,
	const char *why, struct err *e)
{
	return db_exec(db,
		"UPDATE certificates SET revoked_ms = ?2, why = ?3"
		" WHERE device = ?1 AND revoked_ms = 0 AND (?4 IS NULL OR digest <> ?4)",
		DB_ARGS(db_text(device), db_int(now), db_text(why),
			but ? db_digest(but) : db_null()),
		NULL, e);
}

int certificates_prune(struct db *db, const char *device, int64_t before_s, struct err *e)
{
	return db_exec(db,
		"DELETE FROM certificates WHERE device = ?1 AND until_s < ?2"
		" AND n < (SELECT max(n) FROM certificates WHERE device = ?1)",
		DB_ARGS(db_text(device), db_int(before_s)), NULL, e);
}

int certificates_each_ending(
	struct db *db, int64_t now_s, certificates_each_f *each, void *ctx, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	struct certificate_row c;
	int rc;

	TRY(db_query(db,
		"SELECT " COLUMNS " FROM certificates AS c WHERE revoked_ms = 0 AND until_s > ?1"
		" AND (until_s - ?1) * 6 < until_s - issued_ms / 1000"
		" AND n = (SELECT max(n) FROM certificates WHERE device = c.device)",
		DB_ARGS(db_int(now_s)), &rows, e));
	while ((rc = db_next(&rows, e)) > 0) {
		read_row(&rows, &c);
		TRY(each(ctx, &c, e));
	}
	return rc;
}
