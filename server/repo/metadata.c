#include "server/repo/metadata.h"

#include <stdio.h>
#include <string.h>

#include "lib/prng.h"
#include "proto/wire/limits.h"

void meta_row_fini(struct meta_row *m)
{
	buf_fini(&m->bytes);
}

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

int metadata_get(struct db *db, const char *repo, const char *role, uint64_t version,
	struct meta_row *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db,
		"SELECT version, expires_s, refresh_s, etag, bytes FROM metadata"
		" WHERE repo = ?1 AND role = ?2 AND (?3 = 0 OR version = ?3)"
		" ORDER BY version DESC LIMIT 1",
		DB_ARGS(db_text(repo), db_text(role), db_int((int64_t)version)), role, &rows, e));
	read_row(&rows, out);
	return 0;
}

int metadata_each(struct db *db, const char *repo, metadata_each_f *each, void *ctx, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	char role[LIMIT_ROLE_NAME];
	int rc;

	TRY(db_query(db,
		"SELECT version, expires_s, refresh_s, etag, bytes, role FROM metadata m"
		" WHERE repo = ?1 AND version = (SELECT max(version) FROM metadata"
		" WHERE repo = ?1 AND role = m.role) ORDER BY role",
		DB_ARGS(db_text(repo)), &rows, e));
	while ((rc = db_next(&rows, e)) > 0) {
		META_ROW_AUTO m = {0};

		read_row(&rows, &m);
		db_col_text(&rows, 5, role, sizeof role);
		TRY(each(ctx, role, &m, e));
	}
	return rc;
}

/* Random enough for an ETag: a version has one content, and a store that was made anew must not
 * answer with the tags of its predecessor. */
void meta_row_tag(struct meta_row *m)
{
	snprintf(m->etag, sizeof m->etag, "%llx-%llx-%016llx", (unsigned long long)m->version,
		(unsigned long long)m->expires_s,
		(unsigned long long)hash64(m->version, m->bytes.p, m->bytes.n));
}

int metadata_add(
	struct db *db, const char *repo, const char *role, struct meta_row *m, struct err *e)
{
	meta_row_tag(m);
	return db_exec(db, "INSERT INTO metadata VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
		DB_ARGS(db_text(repo), db_text(role), db_int((int64_t)m->version),
			db_int(m->expires_s), db_int(m->refresh_s), db_text(m->etag),
			db_bytes(buf_str(&m->bytes))),
		NULL, e);
}

int metadata_prune(struct db *db, const char *repo, const char *role, unsigned keep, struct err *e)
{
	return db_exec(db,
		"DELETE FROM metadata WHERE repo = ?1 AND role = ?2 AND version <="
		" (SELECT version FROM metadata WHERE repo = ?1 AND role = ?2"
		" ORDER BY version DESC LIMIT 1 OFFSET ?3)",
		DB_ARGS(db_text(repo), db_text(role), db_int(keep)), NULL, e);
}
