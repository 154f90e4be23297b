#include "server/db/db.h"

#include <assert.h>
#include <string.h>

struct db_val db_null(void)
{
	return (struct db_val){.type = DB_NULL};
}

struct db_val db_int(int64_t i)
{
	return (struct db_val){.type = DB_INT, .i = i};
}

struct db_val db_text(const char *s)
{
	return (struct db_val){.type = DB_TEXT, .s = str_of(s)};
}

struct db_val db_bytes(struct str s)
{
	return (struct db_val){.type = DB_BLOB, .s = s};
}

struct db_val db_text_or_null(const char *s)
{
	return *s ? db_text(s) : db_null();
}

struct db_val db_digest(const struct sha256 *d)
{
	if (sha256_is_zero(d))
		return db_null();
	return db_bytes((struct str){(const char *)d->b, sizeof d->b});
}

/* ---- a group of transactions: one of the store, with a savepoint for each ---- */

void db_group_begin(struct db *db)
{
	assert(!db->in_transaction && !db->group.on);
	db->group.on = true;
}

bool db_group_is_open(const struct db *db)
{
	return db->group.open || db->group.lost;
}

static int refuse_lost(struct err *e)
{
	return err_set(e, ERR_IO, "store: what was to be kept together with this was lost");
}

int db_group_end(struct db *db, struct err *e)
{
	bool was_open = db->group.open, was_lost = db->group.lost;
	int rc = 0;

	assert(!db->in_transaction);
	memset(&db->group, 0, sizeof db->group);
	if (was_open)
		rc = db->ops->commit(db, e);
	if (rc < 0)
		db->ops->abort(db);
	return rc == 0 && was_lost ? refuse_lost(e) : rc;
}

static int begin_in_group(struct db *db, struct err *e)
{
	if (db->group.lost)
		return refuse_lost(e);
	if (!db->group.open)
		TRY(db->ops->begin(db, e));
	db->group.open = true;
	return db->ops->exec(db, "SAVEPOINT one", DB_NO_ARGS, NULL, e);
}

/* The store takes all back by itself after some failures, and the savepoint is gone then. */
static void abort_in_group(struct db *db)
{
	if (db->ops->exec(db, "ROLLBACK TO one", DB_NO_ARGS, NULL, NULL) == 0 &&
		db->ops->exec(db, "RELEASE one", DB_NO_ARGS, NULL, NULL) == 0)
		return;
	db->ops->abort(db);
	db->group.open = false;
	db->group.lost = true;
}

/* ---- one transaction ---- */

int db_begin(struct db *db, struct err *e)
{
	assert(!db->in_transaction);
	TRY(db->group.on ? begin_in_group(db, e) : db->ops->begin(db, e));
	db->in_transaction = true;
	return 0;
}

int db_commit(struct db *db, struct err *e)
{
	assert(db->in_transaction);
	TRY(db->group.on ? db->ops->exec(db, "RELEASE one", DB_NO_ARGS, NULL, e)
			 : db->ops->commit(db, e));
	db->in_transaction = false;
	return 0;
}

void db_abort(struct db *db)
{
	if (!db->in_transaction)
		return;
	if (db->group.on)
		abort_in_group(db);
	else
		db->ops->abort(db);
	db->in_transaction = false;
}

int db_end(struct db *db, int rc, struct err *e)
{
	if (rc >= 0)
		rc = db_commit(db, e);
	if (rc < 0)
		db_abort(db);
	return rc;
}

int db_exec(struct db *db, const char *sql, const struct db_val *args, size_t n,
	uint64_t *out_changed, struct err *e)
{
	assert(db->in_transaction);
	return db->ops->exec(db, sql, args, n, out_changed, e);
}

int db_query(struct db *db, const char *sql, const struct db_val *args, size_t n,
	struct db_rows *out, struct err *e)
{
	void *at;

	TRY(db->ops->query(db, sql, args, n, &at, e));
	*out = (struct db_rows){db, at};
	return 0;
}

int db_next(struct db_rows *rows, struct err *e)
{
	return rows->db->ops->next(rows->db, rows->at, e);
}

int db_one(struct db *db, const char *sql, const struct db_val *args, size_t n, const char *what,
	struct db_rows *out, struct err *e)
{
	struct db_rows rows;
	int rc;

	TRY(db_query(db, sql, args, n, &rows, e));
	rc = db_next(&rows, e);
	if (rc == 0)
		rc = err_set(e, ERR_NOT_FOUND, "%s: there is none", what);
	if (rc < 0)
		db_rows_fini(&rows);
	else
		*out = rows;
	return rc < 0 ? rc : 0;
}

void db_rows_fini(struct db_rows *rows)
{
	if (rows->at)
		rows->db->ops->done(rows->db, rows->at);
	rows->at = NULL;
}

int64_t db_col_int(const struct db_rows *rows, int col)
{
	return rows->db->ops->col_int(rows->at, col);
}

struct str db_col_str(const struct db_rows *rows, int col)
{
	return rows->db->ops->col_str(rows->at, col);
}

void db_col_text(const struct db_rows *rows, int col, char *dst, size_t cap)
{
	struct str s = db_col_str(rows, col);
	size_t n = MIN(s.n, cap - 1);

	memset(dst, 0, cap);
	if (n)
		memcpy(dst, s.p, n);
}

void db_col_digest(const struct db_rows *rows, int col, struct sha256 *out)
{
	struct str s = db_col_str(rows, col);

	memset(out, 0, sizeof *out);
	if (s.n == sizeof out->b)
		memcpy(out->b, s.p, s.n);
}

void db_close(struct db *db)
{
	if (db->ops)
		db->ops->close(db);
	*db = (struct db){0};
}
