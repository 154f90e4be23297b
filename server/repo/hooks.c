#include "server/repo/hooks.h"

#include <string.h>

#define COLUMNS                                                                                    \
	"name, kind, url, events, secret, created_ms, created_by, quiet_until_ms, kept,"           \
	" delivered, dropped, ok_ms, failed_ms, why, old_secrets, old_until_ms"

static void read_row(const struct db_rows *r, struct hook_row *h)
{
	struct str secret = db_col_str(r, 4), old;
	char kind[ID_TEXT_MAX];

	memset(h, 0, sizeof *h);
	db_col_text(r, 0, h->name, sizeof h->name);
	db_col_text(r, 1, kind, sizeof kind);
	h->kind = hook_kind_by_name(kind);
	db_col_text(r, 2, h->url, sizeof h->url);
	db_col_text(r, 3, h->events, sizeof h->events);
	memcpy(h->secret, secret.p, MIN(secret.n, sizeof h->secret));
	h->created = db_col_int(r, 5);
	db_col_text(r, 6, h->created_by, sizeof h->created_by);
	h->quiet_until = db_col_int(r, 7);
	h->kept = (uint64_t)db_col_int(r, 8);
	h->delivered = (uint64_t)db_col_int(r, 9);
	h->dropped = (uint64_t)db_col_int(r, 10);
	h->ok = db_col_int(r, 11);
	h->failed = db_col_int(r, 12);
	db_col_text(r, 13, h->why, sizeof h->why);
	old = db_col_str(r, 14);
	h->n_old = (unsigned)MIN(old.n, sizeof h->old) / HOOK_SECRET;
	if (h->n_old)
		memcpy(h->old, old.p, h->n_old * sizeof h->old[0]);
	h->old_until = db_col_int(r, 15);
}

int hooks_get(struct db *db, const char *name, struct hook_row *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db, "SELECT " COLUMNS " FROM hooks WHERE name = ?1", DB_ARGS(db_text(name)),
		name, &rows, e));
	read_row(&rows, out);
	return 0;
}

int hooks_put(struct db *db, const struct hook_row *h, struct err *e)
{
	return db_exec(db,
		"INSERT OR REPLACE INTO hooks (" COLUMNS ") VALUES"
		" (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
		DB_ARGS(db_text(h->name), db_text(hook_kind_name(h->kind)), db_text(h->url),
			db_text(h->events),
			db_bytes((struct str){(const char *)h->secret, sizeof h->secret}),
			db_int(h->created), db_text(h->created_by), db_int(h->quiet_until),
			db_int((int64_t)h->kept), db_int((int64_t)h->delivered),
			db_int((int64_t)h->dropped), db_int(h->ok), db_int(h->failed),
			db_text(h->why),
			db_bytes((struct str){(const char *)h->old, h->n_old * sizeof h->old[0]}),
			db_int(h->old_until)),
		NULL, e);
}

int hooks_forget_secrets(struct db *db, ms_t now, struct err *e)
{
	return db_exec(db,
		"UPDATE hooks SET old_secrets = NULL, old_until_ms = 0"
		" WHERE old_until_ms > 0 AND old_until_ms <= ?1",
		DB_ARGS(db_int(now)), NULL, e);
}

int hooks_remove(struct db *db, const char *name, struct err *e)
{
	TRY(db_exec(db, "DELETE FROM letters WHERE hook = ?1", DB_ARGS(db_text(name)), NULL, e));
	TRY(db_exec(db,
		"DELETE FROM hook_events"
		" WHERE NOT EXISTS (SELECT 1 FROM letters WHERE event = hook_events.n)",
		DB_NO_ARGS, NULL, e));
	return db_exec(db, "DELETE FROM hooks WHERE name = ?1", DB_ARGS(db_text(name)), NULL, e);
}

int hooks_count(struct db *db, uint64_t *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db, "SELECT count(*) FROM hooks", DB_NO_ARGS, "hooks", &rows, e));
	*out = (uint64_t)db_col_int(&rows, 0);
	return 0;
}

int hooks_each(struct db *db, hooks_each_f *each, void *ctx, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	struct hook_row h;
	int rc;

	TRY(db_query(db, "SELECT " COLUMNS " FROM hooks ORDER BY name", DB_NO_ARGS, &rows, e));
	while ((rc = db_next(&rows, e)) > 0) {
		read_row(&rows, &h);
		TRY(each(ctx, &h, e));
	}
	return rc;
}

/* ---- what was told once ---- */

int hooks_told(struct db *db, const char *key, ms_t now, bool *out_before, struct err *e)
{
	uint64_t changed;

	TRY(db_exec(db, "INSERT OR IGNORE INTO told (key, at_ms) VALUES (?1, ?2)",
		DB_ARGS(db_text(key), db_int(now)), &changed, e));
	*out_before = changed == 0;
	return 0;
}

int hooks_forget_told(struct db *db, ms_t before, struct err *e)
{
	return db_exec(db, "DELETE FROM told WHERE at_ms < ?1", DB_ARGS(db_int(before)), NULL, e);
}
