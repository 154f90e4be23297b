#include "server/repo/checkpoints.h"

int checkpoints_add(struct db *db, uint64_t n, ms_t at, struct str bytes, struct err *e)
{
	return db_exec(db, "INSERT INTO checkpoints (n, at_ms, bytes) VALUES (?1, ?2, ?3)",
		DB_ARGS(db_int((int64_t)n), db_int(at), db_bytes(bytes)), NULL, e);
}

int checkpoints_newest(struct db *db, uint64_t *out_n, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db, "SELECT max(n) FROM checkpoints", DB_NO_ARGS, "checkpoint", &rows, e));
	*out_n = (uint64_t)db_col_int(&rows, 0);
	return 0;
}

int checkpoints_each(struct db *db, uint64_t after, unsigned limit, checkpoints_each_f *each,
	void *ctx, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	int rc;

	TRY(db_query(db, "SELECT bytes FROM checkpoints WHERE n > ?1 ORDER BY n LIMIT ?2",
		DB_ARGS(db_int((int64_t)after), db_int(limit)), &rows, e));
	while ((rc = db_next(&rows, e)) > 0)
		TRY(each(ctx, db_col_str(&rows, 0), e));
	return rc;
}
