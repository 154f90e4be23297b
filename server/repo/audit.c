#include "server/repo/audit.h"

#include <string.h>

int audit_newest(struct db *db, uint64_t *out_n, struct sha256 *out_chain, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	int rc;

	*out_n = 0;
	*out_chain = (struct sha256){0};
	TRY(db_query(
		db, "SELECT n, chain FROM audit ORDER BY n DESC LIMIT 1", DB_NO_ARGS, &rows, e));
	rc = db_next(&rows, e);
	if (rc <= 0)
		return rc;
	*out_n = (uint64_t)db_col_int(&rows, 0);
	db_col_digest(&rows, 1, out_chain);
	return 0;
}

int audit_add(struct db *db, const struct audit_row *a, struct err *e)
{
	struct audit_row row = *a;
	struct sha256 chain;

	TRY(audit_newest(db, &row.n, &chain, e));
	row.n++;
	audit_row_tidy(&row);
	auditlog_chain(&chain, &row, &chain);
	return db_exec(db,
		"INSERT INTO audit (n, at_ms, who, what, campaign, device, text, policy_digest,"
		" engine, chain) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
		DB_ARGS(db_int((int64_t)row.n), db_int(row.at), db_text(row.who), db_text(row.what),
			db_text(row.campaign), db_text(row.device), db_text(row.text),
			db_digest(&row.policy), db_text(row.engine), db_digest(&chain)),
		NULL, e);
}

static void read_row(const struct db_rows *rows, struct audit_row *a, struct sha256 *chain)
{
	a->n = (uint64_t)db_col_int(rows, 0);
	a->at = db_col_int(rows, 1);
	db_col_text(rows, 2, a->who, sizeof a->who);
	db_col_text(rows, 3, a->what, sizeof a->what);
	db_col_text(rows, 4, a->campaign, sizeof a->campaign);
	db_col_text(rows, 5, a->device, sizeof a->device);
	db_col_text(rows, 6, a->text, sizeof a->text);
	db_col_digest(rows, 7, &a->policy);
	db_col_text(rows, 8, a->engine, sizeof a->engine);
	db_col_digest(rows, 9, chain);
}

#define COLUMNS                                                                                    \
	"SELECT n, at_ms, who, what, campaign, device, text, policy_digest, engine, chain"         \
	" FROM audit "

static int each_row(struct db_rows *rows, audit_each_f *each, void *ctx, struct err *e)
{
	struct sha256 chain;
	struct audit_row a;
	int rc;

	while ((rc = db_next(rows, e)) > 0) {
		read_row(rows, &a, &chain);
		TRY(each(ctx, &a, &chain, e));
	}
	return rc;
}

int audit_each(
	struct db *db, uint64_t after, unsigned limit, audit_each_f *each, void *ctx, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_query(db, COLUMNS "WHERE n > ?1 ORDER BY n LIMIT ?2",
		DB_ARGS(db_int((int64_t)after), db_int(limit)), &rows, e));
	return each_row(&rows, each, ctx, e);
}

int audit_each_of_device(struct db *db, const char *device, uint64_t after, unsigned limit,
	audit_each_f *each, void *ctx, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_query(db,
		COLUMNS "WHERE device = ?1 AND device <> '' AND n > ?2 ORDER BY n LIMIT ?3",
		DB_ARGS(db_text(device), db_int((int64_t)after), db_int(limit)), &rows, e));
	return each_row(&rows, each, ctx, e);
}

int audit_each_of_campaign(struct db *db, const char *campaign, uint64_t after, unsigned limit,
	audit_each_f *each, void *ctx, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_query(db,
		COLUMNS "WHERE campaign = ?1 AND campaign <> '' AND device = '' AND n > ?2"
			" ORDER BY n LIMIT ?3",
		DB_ARGS(db_text(campaign), db_int((int64_t)after), db_int(limit)), &rows, e));
	return each_row(&rows, each, ctx, e);
}

int audit_each_saying(struct db *db, const char *what, const char *piece, unsigned limit,
	audit_each_f *each, void *ctx, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_query(db,
		COLUMNS "WHERE what = ?1 AND device = '' AND campaign = '' AND instr(text, ?2) > 0"
			" ORDER BY n LIMIT ?3",
		DB_ARGS(db_text(what), db_text(piece), db_int(limit)), &rows, e));
	return each_row(&rows, each, ctx, e);
}

/* ---- rows from before the chain ---- */

struct chaining {
	struct db *db;
	struct sha256 chain;
};

static int chain_row(
	void *ctx, const struct audit_row *a, const struct sha256 *none UNUSED, struct err *e)
{
	struct chaining *c = ctx;

	auditlog_chain(&c->chain, a, &c->chain);
	return db_exec(c->db, "UPDATE audit SET chain = ?2 WHERE n = ?1",
		DB_ARGS(db_int((int64_t)a->n), db_digest(&c->chain)), NULL, e);
}

static int is_any_chained(struct db *db, bool *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db, "SELECT EXISTS (SELECT 1 FROM audit WHERE chain IS NOT NULL)", DB_NO_ARGS,
		"audit", &rows, e));
	*out = db_col_int(&rows, 0) != 0;
	return 0;
}

int audit_chain_old(struct db *db, struct err *e)
{
	struct chaining c = {.db = db};
	bool chained;

	TRY(is_any_chained(db, &chained, e));
	return chained ? 0 : audit_each(db, 0, UINT32_MAX, chain_row, &c, e);
}
