#include "server/repo/recipients.h"

#include <string.h>

#define COLUMNS                                                                                    \
	"campaign, device, position, state, moved_ms, deadline_ms, before_path, before_digest, "   \
	"text, stratum, watched, tries, grp"
#define SELECT "SELECT " COLUMNS " FROM recipients "

static struct db_val deadline_of(const struct recipient_row *r)
{
	return r->deadline ? db_int(r->deadline) : db_null();
}

int recipients_add(struct db *db, const struct recipient_row *r, struct err *e)
{
	return db_exec(db,
		"INSERT INTO recipients (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
		" ?10, ?11, ?12, ?13)",
		DB_ARGS(db_text(r->campaign.s), db_text(r->device.s), db_int(r->position),
			db_text(recipient_state_name(r->state)), db_int(r->moved), deadline_of(r),
			db_text_or_null(r->before_path), db_digest(&r->before_digest),
			db_text(r->text), db_int(r->stratum), db_int(r->watched), db_int(r->tries),
			db_text(r->group)),
		NULL, e);
}

static int read_row(const struct db_rows *rows, struct recipient_row *r, struct err *e)
{
	char state[24];

	memset(r, 0, sizeof *r);
	db_col_text(rows, 0, r->campaign.s, sizeof r->campaign.s);
	db_col_text(rows, 1, r->device.s, sizeof r->device.s);
	r->position = (uint32_t)db_col_int(rows, 2);
	db_col_text(rows, 3, state, sizeof state);
	r->state = recipient_state_by_name(state);
	if (r->state == RECIPIENT_STATE_MAX)
		return err_set(
			e, ERR_IO, "recipient %s is in the unknown state %s", r->device.s, state);
	r->moved = db_col_int(rows, 4);
	r->deadline = db_col_int(rows, 5);
	db_col_text(rows, 6, r->before_path, sizeof r->before_path);
	db_col_digest(rows, 7, &r->before_digest);
	db_col_text(rows, 8, r->text, sizeof r->text);
	r->stratum = (unsigned)db_col_int(rows, 9);
	r->watched = (unsigned)db_col_int(rows, 10);
	r->tries = (uint32_t)db_col_int(rows, 11);
	db_col_text(rows, 12, r->group, sizeof r->group);
	return 0;
}

int recipients_get(struct db *db, const char *campaign, const char *device,
	struct recipient_row *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db, SELECT "WHERE campaign = ?1 AND device = ?2",
		DB_ARGS(db_text(campaign), db_text(device)), device, &rows, e));
	return read_row(&rows, out, e);
}

int recipients_save(struct db *db, const struct recipient_row *r, struct err *e)
{
	return db_exec(db,
		"UPDATE recipients SET state = ?3, moved_ms = ?4, deadline_ms = ?5,"
		" before_path = ?6, before_digest = ?7, text = ?8, watched = ?9, tries = ?10"
		" WHERE campaign = ?1 AND device = ?2",
		DB_ARGS(db_text(r->campaign.s), db_text(r->device.s),
			db_text(recipient_state_name(r->state)), db_int(r->moved), deadline_of(r),
			db_text_or_null(r->before_path), db_digest(&r->before_digest),
			db_text(r->text), db_int(r->watched), db_int(r->tries)),
		NULL, e);
}

int recipients_each_waiting(struct db *db, const char *campaign, uint32_t from, uint32_t to,
	unsigned limit, recipients_each_f *each, void *ctx, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	struct recipient_row r;
	int rc;

	TRY(db_query(db,
		SELECT "WHERE campaign = ?1 AND position >= ?2 AND position < ?3 AND state = ?4"
		       " ORDER BY position LIMIT ?5",
		DB_ARGS(db_text(campaign), db_int(from), db_int(to),
			db_text(recipient_state_name(RECIPIENT_WAITING)), db_int(limit)),
		&rows, e));
	while ((rc = db_next(&rows, e)) > 0) {
		TRY(read_row(&rows, &r, e));
		TRY(each(ctx, &r, e));
	}
	return rc;
}

/* By the index on the position, so that a save within the walk does not move the row in it. */
int recipients_each(
	struct db *db, const char *campaign, recipients_each_f *each, void *ctx, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	struct recipient_row r;
	int rc;

	TRY(db_query(db, SELECT "WHERE campaign = ?1 ORDER BY position", DB_ARGS(db_text(campaign)),
		&rows, e));
	while ((rc = db_next(&rows, e)) > 0) {
		TRY(read_row(&rows, &r, e));
		TRY(each(ctx, &r, e));
	}
	return rc;
}

int recipients_each_of(
	struct db *db, const char *device, recipients_each_f *each, void *ctx, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	struct recipient_row r;
	int rc;

	TRY(db_query(db, SELECT "WHERE device = ?1", DB_ARGS(db_text(device)), &rows, e));
	while ((rc = db_next(&rows, e)) > 0) {
		TRY(read_row(&rows, &r, e));
		TRY(each(ctx, &r, e));
	}
	return rc;
}

int recipients_count(struct db *db, const char *campaign, uint32_t from, uint32_t to,
	struct wave_counts *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	struct wave_counts c = {{0}};
	char state[24];
	int rc;

	TRY(db_query(db,
		"SELECT state, count(*) FROM recipients"
		" WHERE campaign = ?1 AND position >= ?2 AND position < ?3 GROUP BY state",
		DB_ARGS(db_text(campaign), db_int(from), db_int(to)), &rows, e));
	while ((rc = db_next(&rows, e)) > 0) {
		enum recipient_state s;

		db_col_text(&rows, 0, state, sizeof state);
		s = recipient_state_by_name(state);
		if (s < RECIPIENT_STATE_MAX)
			c.n[s] = (uint32_t)db_col_int(&rows, 1);
	}
	if (rc == 0)
		*out = c;
	return rc;
}

int recipients_busy(struct db *db, const char *group, uint32_t most, uint32_t *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db,
		"SELECT count(*) FROM (SELECT 1 FROM recipients WHERE grp = ?1 AND grp <> ''"
		" AND state = 'admitted' LIMIT ?2)",
		DB_ARGS(db_text(group), db_int(most)), group, &rows, e));
	*out = (uint32_t)db_col_int(&rows, 0);
	return 0;
}

int recipients_due(struct db *db, ms_t now, struct recipient_row *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db, SELECT "WHERE deadline_ms <= ?1 ORDER BY deadline_ms LIMIT 1",
		DB_ARGS(db_int(now)), "due recipient", &rows, e));
	return read_row(&rows, out, e);
}
