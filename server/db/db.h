/* The store as the server sees it: SQL text, values in, rows out, one transaction at a time.
 * Drivers are sqlite (db_sqlite.c) and fault (db_fault.c), a wrapper that fails at call N for the
 * tests.
 *
 * What was committed is on the disk when db_commit returns. A write outside of a transaction is a
 * programming mistake. Errors: ERR_IO, ERR_NO_SPACE, ERR_BUSY, ERR_CONFLICT when a unique row is
 * there already; after an error inside a transaction the caller aborts it. */
#ifndef SERVER_DB_DB_H
#define SERVER_DB_DB_H

#include "lib/buf.h"
#include "lib/id.h"

enum db_type { DB_NULL, DB_INT, DB_TEXT, DB_BLOB };

struct db_val {
	enum db_type type;
	int64_t i;
	struct str s; /* TEXT, BLOB: borrowed for the call */
};

struct db_val db_null(void);
struct db_val db_int(int64_t i);
struct db_val db_text(const char *s);
struct db_val db_bytes(struct str s);
/* NULL for "", and for the zero digest. */
struct db_val db_text_or_null(const char *s);
struct db_val db_digest(const struct sha256 *d);

/* The arguments ?1, ?2, ... of a statement. */
#define DB_ARGS(...)                                                                               \
	(const struct db_val[]){__VA_ARGS__},                                                      \
		sizeof((const struct db_val[]){__VA_ARGS__}) / sizeof(struct db_val)
#define DB_NO_ARGS NULL, 0

struct db {
	const struct db_ops *ops;
	void *self;
	bool in_transaction;
	struct {
		bool on, open, lost;
	} group; /* db_group_begin */
};

/* A query under way. db_rows_fini may be called at any time, also twice. */
struct db_rows {
	struct db *db;
	void *at;
};
#define DB_ROWS_AUTO CLEANUP(db_rows_fini) struct db_rows

struct db_ops {
	int (*begin)(struct db *, struct err *);
	int (*commit)(struct db *, struct err *);
	void (*abort)(struct db *);
	int (*exec)(struct db *, const char *sql, const struct db_val *args, size_t n,
		uint64_t *out_changed, struct err *);
	int (*query)(struct db *, const char *sql, const struct db_val *args, size_t n, void **out,
		struct err *);
	int (*next)(struct db *, void *at, struct err *);
	void (*done)(struct db *, void *at);
	int64_t (*col_int)(void *at, int col);
	struct str (*col_str)(void *at, int col);
	int (*script)(struct db *, const char *sql, struct err *);
	void (*close)(struct db *);
};

/* ---- drivers ---- */

/* Opens or makes the file, in WAL with full sync, and brings it to the newest schema
 * (db_migrate). */
int db_sqlite_open(const char *path, struct db *out, struct err *e) MUST_CHECK;
/* The same for a store of another program, which brings its own migrations: NULL-terminated, each
 * a script, never edited once released. */
int db_sqlite_open_by(
	const char *path, const char *const *migrations, struct db *out, struct err *e) MUST_CHECK;

/* Wraps `inner`, which must outlive it and is not closed with it. Call number `fail_at` of begin,
 * commit, exec, query and next (counted from 1; 0: never) fails with ERR_IO and does nothing. */
struct db_fault {
	struct db_ops ops;
	struct db *inner;
	uint64_t calls, fail_at;
};
void db_fault_open(struct db_fault *fault, struct db *inner, struct db *out);

void db_close(struct db *db);

/* Applies the migrations that are missing, each in a transaction. ERR_CONFLICT when the store was
 * written by a newer program. */
int db_migrate(struct db *db, struct err *e) MUST_CHECK;
int db_migrate_by(struct db *db, const char *const *migrations, struct err *e) MUST_CHECK;
unsigned db_schema_version(void);

/* ---- use ---- */

int db_begin(struct db *db, struct err *e) MUST_CHECK;
int db_commit(struct db *db, struct err *e) MUST_CHECK;
/* Harmless without a transaction. */
void db_abort(struct db *db);
/* Ends a transaction by what happened: commits when rc >= 0, else aborts and hands rc up. */
int db_end(struct db *db, int rc, struct err *e) MUST_CHECK;

/* From db_group_begin on, transactions are made durable together: db_commit keeps what one has
 * changed, the next ones see it, and one that is aborted takes nothing of the others with it. Only
 * db_group_end makes all of them durable, with one sync; when it fails none is, so nobody may have
 * been told before. db_group_is_open: something waits for that. */
void db_group_begin(struct db *db);
bool db_group_is_open(const struct db *db);
int db_group_end(struct db *db, struct err *e) MUST_CHECK;

/* `sql` is a literal: statements are kept by its address. *out_changed may be NULL. */
int db_exec(struct db *db, const char *sql, const struct db_val *args, size_t n,
	uint64_t *out_changed, struct err *e) MUST_CHECK;
int db_query(struct db *db, const char *sql, const struct db_val *args, size_t n,
	struct db_rows *out, struct err *e) MUST_CHECK;
/* 1: a row is there, 0: no more. */
int db_next(struct db_rows *rows, struct err *e) MUST_CHECK;
/* db_query and db_next for one row: ERR_NOT_FOUND with `what` when there is none. */
int db_one(struct db *db, const char *sql, const struct db_val *args, size_t n, const char *what,
	struct db_rows *out, struct err *e) MUST_CHECK;
void db_rows_fini(struct db_rows *rows);

/* Columns of the present row, from 0; views are good until the next db_next. NULL reads as 0 and as
 * empty. */
int64_t db_col_int(const struct db_rows *rows, int col);
struct str db_col_str(const struct db_rows *rows, int col);
/* Into a fixed array, cut if it does not fit (what is written was bounded). */
void db_col_text(const struct db_rows *rows, int col, char *dst, size_t cap);
void db_col_digest(const struct db_rows *rows, int col, struct sha256 *out);

#endif
