#include "server/repo/letters.h"

#include <string.h>

#define EVENT_COLUMNS "id, type, at_ms, campaign, device, text, data, audit"
#define COLUMNS       "hook, event, due_ms, tries, dead_ms, status, why"

/* ---- events ---- */

void hook_event_row_fini(struct hook_event_row *ev)
{
	buf_fini(&ev->data);
}

int letters_add_event(
	struct db *db, const struct hook_event_row *ev, uint64_t *out_n, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_exec(db,
		"INSERT INTO hook_events (" EVENT_COLUMNS ")"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
		DB_ARGS(db_text(ev->id), db_text(hook_event_name(ev->type)), db_int(ev->at),
			db_text(ev->campaign), db_text(ev->device), db_text(ev->text),
			db_bytes(buf_str(&ev->data)), db_int((int64_t)ev->audit)),
		NULL, e));
	TRY(db_one(db, "SELECT max(n) FROM hook_events", DB_NO_ARGS, "event", &rows, e));
	*out_n = (uint64_t)db_col_int(&rows, 0);
	return 0;
}

int letters_event(struct db *db, uint64_t n, struct hook_event_row *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	char type[64];
	struct str data;

	TRY(db_one(db, "SELECT " EVENT_COLUMNS " FROM hook_events WHERE n = ?1",
		DB_ARGS(db_int((int64_t)n)), "event", &rows, e));
	*out = (struct hook_event_row){.n = n};
	db_col_text(&rows, 0, out->id, sizeof out->id);
	db_col_text(&rows, 1, type, sizeof type);
	out->type = hook_event_by_name(type);
	out->at = db_col_int(&rows, 2);
	db_col_text(&rows, 3, out->campaign, sizeof out->campaign);
	db_col_text(&rows, 4, out->device, sizeof out->device);
	db_col_text(&rows, 5, out->text, sizeof out->text);
	data = db_col_str(&rows, 6);
	buf_add(&out->data, data.p, data.n);
	out->audit = (uint64_t)db_col_int(&rows, 7);
	return 0;
}

static int drop_event_if_unused(struct db *db, uint64_t n, struct err *e)
{
	return db_exec(db,
		"DELETE FROM hook_events"
		" WHERE n = ?1 AND NOT EXISTS (SELECT 1 FROM letters WHERE event = ?1)",
		DB_ARGS(db_int((int64_t)n)), NULL, e);
}

/* ---- letters ---- */

static void read_row(const struct db_rows *r, struct letter *l)
{
	memset(l, 0, sizeof *l);
	db_col_text(r, 0, l->hook, sizeof l->hook);
	l->event = (uint64_t)db_col_int(r, 1);
	l->due = db_col_int(r, 2);
	l->tries = (unsigned)db_col_int(r, 3);
	l->dead = db_col_int(r, 4);
	l->status = (int)db_col_int(r, 5);
	db_col_text(r, 6, l->why, sizeof l->why);
}

int letters_put(struct db *db, const struct letter *l, struct err *e)
{
	return db_exec(db,
		"INSERT OR REPLACE INTO letters (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
		DB_ARGS(db_text(l->hook), db_int((int64_t)l->event), db_int(l->due),
			db_int(l->tries), db_int(l->dead), db_int(l->status), db_text(l->why)),
		NULL, e);
}

int letters_get(struct db *db, const char *hook, uint64_t event, struct letter *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db, "SELECT " COLUMNS " FROM letters WHERE hook = ?1 AND event = ?2",
		DB_ARGS(db_text(hook), db_int((int64_t)event)), "letter", &rows, e));
	read_row(&rows, out);
	return 0;
}

int letters_due(struct db *db, const char *hook, ms_t now, struct letter *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db,
		"SELECT " COLUMNS " FROM letters WHERE hook = ?1 AND dead_ms = 0 AND due_ms <= ?2"
		" ORDER BY due_ms, event LIMIT 1",
		DB_ARGS(db_text(hook), db_int(now)), "letter", &rows, e));
	read_row(&rows, out);
	return 0;
}

int letters_remove(struct db *db, const char *hook, uint64_t event, struct err *e)
{
	uint64_t changed;

	TRY(db_exec(db, "DELETE FROM letters WHERE hook = ?1 AND event = ?2",
		DB_ARGS(db_text(hook), db_int((int64_t)event)), &changed, e));
	if (!changed)
		return err_set(e, ERR_NOT_FOUND, "letter");
	return drop_event_if_unused(db, event, e);
}

static int oldest(struct db *db, const char *hook, uint64_t *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db,
		"SELECT event FROM letters WHERE hook = ?1 ORDER BY dead_ms = 0, event LIMIT 1",
		DB_ARGS(db_text(hook)), "letter", &rows, e));
	*out = (uint64_t)db_col_int(&rows, 0);
	return 0;
}

int letters_drop_one(struct db *db, const char *hook, struct err *e)
{
	uint64_t event;

	TRY(oldest(db, hook, &event, e));
	return letters_remove(db, hook, event, e);
}

int letters_each_dead(struct db *db, const char *hook, uint64_t after, unsigned limit,
	letters_each_f *each, void *ctx, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	struct letter l;
	int rc;

	TRY(db_query(db,
		"SELECT " COLUMNS " FROM letters"
		" WHERE dead_ms > 0 AND (?1 = '' OR hook = ?1) AND event > ?2"
		" ORDER BY event, hook LIMIT ?3",
		DB_ARGS(db_text(hook), db_int((int64_t)after), db_int(limit)), &rows, e));
	while ((rc = db_next(&rows, e)) > 0) {
		read_row(&rows, &l);
		TRY(each(ctx, &l, e));
	}
	return rc;
}

int letters_revive(
	struct db *db, const char *hook, uint64_t event, ms_t now, uint64_t *out_n, struct err *e)
{
	return db_exec(db,
		"UPDATE letters SET dead_ms = 0, tries = 0, due_ms = ?3"
		" WHERE hook = ?1 AND dead_ms > 0 AND (?2 = 0 OR event = ?2)",
		DB_ARGS(db_text(hook), db_int((int64_t)event), db_int(now)), out_n, e);
}
