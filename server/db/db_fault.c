#include "server/db/db.h"

static struct db_fault *fault_of(struct db *db)
{
	return db->self;
}

static int count(struct db *db, const char *what, struct err *e)
{
	struct db_fault *f = fault_of(db);

	if (++f->calls != f->fail_at)
		return 0;
	return err_set(
		e, ERR_IO, "%s: made to fail at call %llu", what, (unsigned long long)f->calls);
}

static int fault_begin(struct db *db, struct err *e)
{
	TRY(count(db, "begin", e));
	return db_begin(fault_of(db)->inner, e);
}

static int fault_commit(struct db *db, struct err *e)
{
	TRY(count(db, "commit", e));
	return db_commit(fault_of(db)->inner, e);
}

static void fault_abort(struct db *db)
{
	db_abort(fault_of(db)->inner);
}

static int fault_exec(struct db *db, const char *sql, const struct db_val *args, size_t n,
	uint64_t *out_changed, struct err *e)
{
	TRY(count(db, sql, e));
	return db_exec(fault_of(db)->inner, sql, args, n, out_changed, e);
}

static int fault_query(struct db *db, const char *sql, const struct db_val *args, size_t n,
	void **out, struct err *e)
{
	struct db *inner = fault_of(db)->inner;

	TRY(count(db, sql, e));
	return inner->ops->query(inner, sql, args, n, out, e);
}

static int fault_next(struct db *db, void *at, struct err *e)
{
	struct db *inner = fault_of(db)->inner;

	TRY(count(db, "next", e));
	return inner->ops->next(inner, at, e);
}

static void fault_done(struct db *db, void *at)
{
	struct db *inner = fault_of(db)->inner;

	inner->ops->done(inner, at);
}

static int fault_script(struct db *db, const char *sql, struct err *e)
{
	struct db *inner = fault_of(db)->inner;

	TRY(count(db, "script", e));
	return inner->ops->script(inner, sql, e);
}

static void fault_close(struct db *db UNUSED)
{
}

/* Columns are read from the inner driver's rows without a detour. */
void db_fault_open(struct db_fault *fault, struct db *inner, struct db *out)
{
	fault->ops = (struct db_ops){
		.begin = fault_begin,
		.commit = fault_commit,
		.abort = fault_abort,
		.exec = fault_exec,
		.query = fault_query,
		.next = fault_next,
		.done = fault_done,
		.col_int = inner->ops->col_int,
		.col_str = inner->ops->col_str,
		.script = fault_script,
		.close = fault_close,
	};
	fault->inner = inner;
	fault->calls = 0;
	*out = (struct db){.ops = &fault->ops, .self = fault};
}
