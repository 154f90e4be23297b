#include "server/repo/releases.h"

#include <string.h>

#define SELECT                                                                                     \
	"SELECT path, id, digest, length(document), product, version, notes, counter, match, "     \
	"published_ms FROM releases "

void release_row_fini(struct release_row *r)
{
	buf_fini(&r->match);
}

int releases_add(struct db *db, const struct release_row *r, struct str document, struct err *e)
{
	if (db_exec(db,
		    "INSERT INTO releases (path, id, digest, product, version, notes, counter,"
		    " match, document, published_ms)"
		    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
		    DB_ARGS(db_text(r->path), db_text(r->id.s), db_digest(&r->digest),
			    db_text(r->product), db_text(r->version), db_text(r->notes),
			    db_int((int64_t)r->counter), db_bytes(buf_str(&r->match)),
			    db_bytes(document), db_int(r->published)),
		    NULL, e) < 0)
		return err_wrap(e, "release %s", r->path);
	return 0;
}

static void read_row(const struct db_rows *rows, struct release_row *r)
{
	struct str match = db_col_str(rows, 8);

	memset(r, 0, sizeof *r);
	db_col_text(rows, 0, r->path, sizeof r->path);
	db_col_text(rows, 1, r->id.s, sizeof r->id.s);
	db_col_digest(rows, 2, &r->digest);
	r->length = (uint64_t)db_col_int(rows, 3);
	db_col_text(rows, 4, r->product, sizeof r->product);
	db_col_text(rows, 5, r->version, sizeof r->version);
	db_col_text(rows, 6, r->notes, sizeof r->notes);
	r->counter = (uint64_t)db_col_int(rows, 7);
	buf_add(&r->match, match.p, match.n);
	r->published = db_col_int(rows, 9);
}

int releases_get(struct db *db, const char *name, struct release_row *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(
		db, SELECT "WHERE path = ?1 OR id = ?1", DB_ARGS(db_text(name)), name, &rows, e));
	read_row(&rows, out);
	return 0;
}

int releases_by_digest(
	struct db *db, const struct sha256 *digest, struct release_row *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db, SELECT "WHERE digest = ?1", DB_ARGS(db_digest(digest)),
		"release of that digest", &rows, e));
	read_row(&rows, out);
	return 0;
}

int releases_document(struct db *db, const struct sha256 *digest, struct buf *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	struct str document;

	TRY(db_one(db, "SELECT document FROM releases WHERE digest = ?1",
		DB_ARGS(db_digest(digest)), "release document", &rows, e));
	document = db_col_str(&rows, 0);
	buf_add(out, document.p, document.n);
	return 0;
}

int releases_each(struct db *db, releases_each_f *each, void *ctx, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	int rc;

	TRY(db_query(db, SELECT "ORDER BY published_ms, path", DB_NO_ARGS, &rows, e));
	while ((rc = db_next(&rows, e)) > 0) {
		RELEASE_ROW_AUTO r;

		read_row(&rows, &r);
		TRY(each(ctx, &r, e));
	}
	return rc;
}
