#include "server/db/db.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "server/db/schema.h"

/* Statements by the address of their text. A power of two, well above the number of statements in
 * the program. */
#define STATEMENTS 512

struct statement {
	const char *sql;
	sqlite3_stmt *st;
};

struct sqlite {
	sqlite3 *h;
	struct statement cache[STATEMENTS];
};

static int fail(struct sqlite *s, const char *what, struct err *e)
{
	int rc = sqlite3_extended_errcode(s->h);
	enum err_code code = ERR_IO;

	switch (rc & 0xff) {
	case SQLITE_FULL:
		code = ERR_NO_SPACE;
		break;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		code = ERR_BUSY;
		break;
	case SQLITE_CONSTRAINT:
		code = ERR_CONFLICT;
		break;
	}
	return err_set(e, code, "store: %.60s: %s", what, sqlite3_errmsg(s->h));
}

/* ---- statements ---- */

static struct statement *slot_of(struct sqlite *s, const char *sql)
{
	size_t at = ((uintptr_t)sql >> 3) * 0x9e3779b1U % STATEMENTS;

	for (size_t i = 0; i < STATEMENTS; i++, at = (at + 1) % STATEMENTS)
		if (!s->cache[at].sql || s->cache[at].sql == sql)
			return &s->cache[at];
	assert(false && "more statements than the cache has room for");
	return NULL;
}

static int prepare(struct sqlite *s, const char *sql, sqlite3_stmt **out, struct err *e)
{
	struct statement *slot = slot_of(s, sql);

	if (!slot->sql) {
		if (sqlite3_prepare_v3(s->h, sql, -1, SQLITE_PREPARE_PERSISTENT, &slot->st, NULL) !=
			SQLITE_OK)
			return fail(s, sql, e);
		slot->sql = sql;
	}
	assert(!sqlite3_stmt_busy(slot->st));
	*out = slot->st;
	return 0;
}

static int bind_one(sqlite3_stmt *st, int at, const struct db_val *v)
{
	switch (v->type) {
	case DB_NULL:
		return sqlite3_bind_null(st, at);
	case DB_INT:
		return sqlite3_bind_int64(st, at, v->i);
	case DB_TEXT:
		return sqlite3_bind_text(st, at, v->s.p, (int)v->s.n, SQLITE_TRANSIENT);
	case DB_BLOB:
		return sqlite3_bind_blob(
			st, at, v->s.n ? v->s.p : "", (int)v->s.n, SQLITE_TRANSIENT);
	}
	return SQLITE_MISUSE;
}

static void finish(sqlite3_stmt *st)
{
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
}

static int start(struct sqlite *s, const char *sql, const struct db_val *args, size_t n,
	sqlite3_stmt **out, struct err *e)
{
	TRY(prepare(s, sql, out, e));
	assert((size_t)sqlite3_bind_parameter_count(*out) == n);
	for (size_t i = 0; i < n; i++)
		if (bind_one(*out, (int)i + 1, &args[i]) != SQLITE_OK) {
			finish(*out);
			return fail(s, sql, e);
		}
	return 0;
}

/* ---- the interface ---- */

static int sqlite_exec(struct db *db, const char *sql, const struct db_val *args, size_t n,
	uint64_t *out_changed, struct err *e)
{
	struct sqlite *s = db->self;
	sqlite3_stmt *st = NULL;
	int rc;

	TRY(start(s, sql, args, n, &st, e));
	do
		rc = sqlite3_step(st);
	while (rc == SQLITE_ROW);
	rc = rc == SQLITE_DONE ? 0 : fail(s, sql, e);
	finish(st);
	if (rc == 0 && out_changed)
		*out_changed = (uint64_t)sqlite3_changes64(s->h);
	return rc;
}

static int sqlite_query(struct db *db, const char *sql, const struct db_val *args, size_t n,
	void **out, struct err *e)
{
	sqlite3_stmt *st = NULL;

	TRY(start(db->self, sql, args, n, &st, e));
	*out = st;
	return 0;
}

static int sqlite_next(struct db *db, void *at, struct err *e)
{
	int rc = sqlite3_step(at);

	if (rc == SQLITE_ROW)
		return 1;
	return rc == SQLITE_DONE ? 0 : fail(db->self, sqlite3_sql(at), e);
}

static void sqlite_done(struct db *db UNUSED, void *at)
{
	finish(at);
}

static int64_t sqlite_col_int(void *at, int col)
{
	return sqlite3_column_int64(at, col);
}

static struct str sqlite_col_str(void *at, int col)
{
	const char *p = sqlite3_column_blob(at, col);

	return (struct str){p ? p : "", (size_t)sqlite3_column_bytes(at, col)};
}

static int sqlite_script(struct db *db, const char *sql, struct err *e)
{
	struct sqlite *s = db->self;

	return sqlite3_exec(s->h, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : fail(s, sql, e);
}

static int sqlite_begin(struct db *db, struct err *e)
{
	return sqlite_exec(db, "BEGIN IMMEDIATE", DB_NO_ARGS, NULL, e);
}

static int sqlite_commit(struct db *db, struct err *e)
{
	return sqlite_exec(db, "COMMIT", DB_NO_ARGS, NULL, e);
}

/* SQLite has rolled back by itself after some errors; then there is nothing to do. */
static void sqlite_abort(struct db *db)
{
	struct sqlite *s = db->self;

	if (!sqlite3_get_autocommit(s->h))
		(void)sqlite_exec(db, "ROLLBACK", DB_NO_ARGS, NULL, NULL);
}

static void sqlite_close(struct db *db)
{
	struct sqlite *s = db->self;

	for (size_t i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(s->cache[i].st);
	sqlite3_close(s->h);
	free(s);
}

static const struct db_ops ops = {
	.begin = sqlite_begin,
	.commit = sqlite_commit,
	.abort = sqlite_abort,
	.exec = sqlite_exec,
	.query = sqlite_query,
	.next = sqlite_next,
	.done = sqlite_done,
	.col_int = sqlite_col_int,
	.col_str = sqlite_col_str,
	.script = sqlite_script,
	.close = sqlite_close,
};

/* The lock is held as long as the server lives: two servers on one store would each believe to be
 * the only one that decides. */
static const char settings[] = "PRAGMA locking_mode = EXCLUSIVE;"
			       "PRAGMA journal_mode = WAL;"
			       "PRAGMA synchronous = FULL;"
			       "PRAGMA foreign_keys = ON;"
			       "PRAGMA trusted_schema = OFF;"
			       "PRAGMA cache_size = -16384;"
			       "PRAGMA journal_size_limit = 67108864;";

static int open_file(struct sqlite *s, const char *path, const char *const *migrations,
	struct db *db, struct err *e)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;

	if (sqlite3_open_v2(path, &s->h, flags, NULL) != SQLITE_OK)
		return s->h ? fail(s, path, e) : err_set(e, ERR_IO, "%s: out of memory", path);
	sqlite3_extended_result_codes(s->h, 1);
	if (sqlite_script(db, settings, e) < 0 || db_migrate_by(db, migrations, e) < 0)
		return err_wrap(e, "%s", path);
	return 0;
}

int db_sqlite_open_by(
	const char *path, const char *const *migrations, struct db *out, struct err *e)
{
	struct sqlite *s = mem_new(sizeof *s);
	struct db db = {.ops = &ops, .self = s};
	int rc;

	memset(s, 0, sizeof *s);
	rc = open_file(s, path, migrations, &db, e);
	if (rc < 0)
		sqlite_close(&db);
	else
		*out = db;
	return rc;
}

int db_sqlite_open(const char *path, struct db *out, struct err *e)
{
	return db_sqlite_open_by(path, schema_migrations, out, e);
}
