#include "server/repo/channels.h"

#include <string.h>

#define SELECT "SELECT product, frozen_ms, frozen_by, campaign, why FROM channels "

int channels_add(struct db *db, const struct channel_row *c, struct err *e)
{
	return db_exec(db, "INSERT OR IGNORE INTO channels VALUES (?1, ?2, ?3, ?4, ?5)",
		DB_ARGS(db_text(c->product), db_int(c->frozen), db_text(c->by),
			db_text(c->campaign.s), db_text(c->why)),
		NULL, e);
}

static void read_row(const struct db_rows *rows, struct channel_row *c)
{
	memset(c, 0, sizeof *c);
	db_col_text(rows, 0, c->product, sizeof c->product);
	c->frozen = db_col_int(rows, 1);
	db_col_text(rows, 2, c->by, sizeof c->by);
	db_col_text(rows, 3, c->campaign.s, sizeof c->campaign.s);
	db_col_text(rows, 4, c->why, sizeof c->why);
}

int channels_get(struct db *db, const char *product, struct channel_row *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db, SELECT "WHERE product = ?1", DB_ARGS(db_text(product)), product, &rows, e));
	read_row(&rows, out);
	return 0;
}

int channels_remove(struct db *db, const char *product, struct err *e)
{
	return db_exec(
		db, "DELETE FROM channels WHERE product = ?1", DB_ARGS(db_text(product)), NULL, e);
}

int channels_each(struct db *db, channels_each_f *each, void *ctx, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	struct channel_row c;
	int rc;

	TRY(db_query(db, SELECT "ORDER BY product", DB_NO_ARGS, &rows, e));
	while ((rc = db_next(&rows, e)) > 0) {
		read_row(&rows, &c);
		TRY(each(ctx, &c, e));
	}
	return rc;
}
