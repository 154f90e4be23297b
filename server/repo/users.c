#include "server/repo/users.h"

#include <string.h>

#define COLUMNS "name, role, token, created_ms, created_by, expires_ms, revoked_ms, used_ms"

static void read_row(const struct db_rows *r, struct user_row *u)
{
	char role[16];

	memset(u, 0, sizeof *u);
	db_col_text(r, 0, u->name, sizeof u->name);
	db_col_text(r, 1, role, sizeof role);
	u->role = user_role_by_name(role);
	db_col_digest(r, 2, &u->token);
	u->created = db_col_int(r, 3);
	db_col_text(r, 4, u->created_by, sizeof u->created_by);
	u->expires = db_col_int(r, 5);
	u->revoked = db_col_int(r, 6);
	u->used = db_col_int(r, 7);
}

int users_get(struct db *db, const char *name, struct user_row *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db, "SELECT " COLUMNS " FROM users WHERE name = ?1", DB_ARGS(db_text(name)),
		name, &rows, e));
	read_row(&rows, out);
	return 0;
}

int users_put(struct db *db, const struct user_row *u, struct err *e)
{
	return db_exec(db,
		"INSERT OR REPLACE INTO users (" COLUMNS ")"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
		DB_ARGS(db_text(u->name), db_text(user_role_name(u->role)), db_digest(&u->token),
			db_int(u->created), db_text(u->created_by), db_int(u->expires),
			db_int(u->revoked), db_int(u->used)),
		NULL, e);
}

int users_each(struct db *db, users_each_f *each, void *ctx, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	struct user_row u;
	int rc;

	TRY(db_query(db, "SELECT " COLUMNS " FROM users ORDER BY name", DB_NO_ARGS, &rows, e));
	while ((rc = db_next(&rows, e)) > 0) {
		read_row(&rows, &u);
		TRY(each(ctx, &u, e));
	}
	return rc;
}
