#include "server/repo/devices.h"

#include <string.h>

#define COLUMNS                                                                                    \
	"id, hardware, labels, agent, running, running_digest, slot, state, target, done, total, " \
	"code, cause, text, epoch, seq, registered_ms, reported_ms, desired_path, "                \
	"desired_digest, desired_order, desired_campaign, director_version, ordered_back, "        \
	"campaign, position"

#define SELECT                                                                                     \
	"SELECT " COLUMNS ", contacts.at_ms FROM devices "                                         \
	"LEFT JOIN contacts ON contacts.device = devices.id "

static void read_said(const struct db_rows *r, struct device_row *d)
{
	char code[32];

	db_col_text(r, 4, d->running.s, sizeof d->running.s);
	db_col_digest(r, 5, &d->running_digest);
	db_col_text(r, 6, d->slot, sizeof d->slot);
	db_col_text(r, 7, d->state, sizeof d->state);
	db_col_text(r, 8, d->target.s, sizeof d->target.s);
	d->done = (uint64_t)db_col_int(r, 9);
	d->total = (uint64_t)db_col_int(r, 10);
	db_col_text(r, 11, code, sizeof code);
	d->code = err_by_name(code);
	db_col_text(r, 12, d->cause, sizeof d->cause);
	db_col_text(r, 13, d->text, sizeof d->text);
	d->epoch = (uint64_t)db_col_int(r, 14);
	d->seq = (uint64_t)db_col_int(r, 15);
}

static void read_desired(const struct db_rows *r, struct desired_row *d)
{
	db_col_text(r, 18, d->path, sizeof d->path);
	db_col_digest(r, 19, &d->digest);
	db_col_text(r, 20, d->order, sizeof d->order);
	db_col_text(r, 21, d->campaign.s, sizeof d->campaign.s);
	d->version = (uint64_t)db_col_int(r, 22);
}

static void read_row(const struct db_rows *r, struct device_row *d)
{
	memset(d, 0, sizeof *d);
	db_col_text(r, 0, d->id.s, sizeof d->id.s);
	db_col_text(r, 1, d->hardware, sizeof d->hardware);
	db_col_text(r, 2, d->labels, sizeof d->labels);
	db_col_text(r, 3, d->agent, sizeof d->agent);
	read_said(r, d);
	d->registered = db_col_int(r, 16);
	d->reported = db_col_int(r, 17);
	read_desired(r, &d->desired);
	d->ordered_back = db_col_int(r, 23) != 0;
	db_col_text(r, 24, d->campaign.s, sizeof d->campaign.s);
	d->position = (uint32_t)db_col_int(r, 25);
	d->contact = db_col_int(r, 26);
}

int devices_get(struct db *db, const char *id, struct device_row *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db, SELECT "WHERE id = ?1", DB_ARGS(db_text(id)), id, &rows, e));
	read_row(&rows, out);
	return 0;
}

int devices_each(struct db *db, devices_each_f *each, void *ctx, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	struct device_row d;
	int rc;

	TRY(db_query(db, SELECT "ORDER BY id", DB_NO_ARGS, &rows, e));
	while ((rc = db_next(&rows, e)) > 0) {
		int ended;

		read_row(&rows, &d);
		ended = each(ctx, &d, e);
		if (ended)
			return ended;
	}
	return rc;
}

int devices_put(struct db *db, const struct device_row *d, struct err *e)
{
	return db_exec(db,
		"INSERT OR REPLACE INTO devices (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, "
		"?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, "
		"?24, ?25, ?26)",
		DB_ARGS(db_text(d->id.s), db_text(d->hardware), db_text(d->labels),
			db_text(d->agent), db_text(d->running.s), db_digest(&d->running_digest),
			db_text(d->slot), db_text(d->state), db_text(d->target.s),
			db_int((int64_t)d->done), db_int((int64_t)d->total),
			db_text(err_name(d->code)), db_text(d->cause), db_text(d->text),
			db_int((int64_t)d->epoch), db_int((int64_t)d->seq), db_int(d->registered),
			db_int(d->reported), db_text_or_null(d->desired.path),
			db_digest(&d->desired.digest), db_text(d->desired.order),
			db_text(d->desired.campaign.s), db_int((int64_t)d->desired.version),
			db_int(d->ordered_back), db_text_or_null(d->campaign.s),
			db_int(d->position)),
		NULL, e);
}

bool device_is_settled(const char *state)
{
	static const char *const settled[] = {"", "idle", "committed", "reverted", "failed"};

	for (size_t i = 0; i < ARRAY_LEN(settled); i++)
		if (strcmp(state, settled[i]) == 0)
			return true;
	return false;
}

static void read_poll(const struct db_rows *r, struct device_poll *p)
{
	char state[16];

	memset(p, 0, sizeof *p);
	p->version = (uint64_t)db_col_int(r, 0);
	db_col_text(r, 1, p->campaign.s, sizeof p->campaign.s);
	p->position = (uint32_t)db_col_int(r, 2);
	db_col_text(r, 3, state, sizeof state);
	p->settled = device_is_settled(state);
	p->may_be_back = p->settled && db_col_int(r, 4) != 0;
	p->signed_version = (uint64_t)db_col_int(r, 5);
	db_col_text(r, 6, p->etag, sizeof p->etag);
	p->refresh_s = db_col_int(r, 7);
	p->waiting = db_col_int(r, 8) != 0;
	p->freed = db_col_int(r, 9) != 0;
}

int devices_poll(struct db *db, const char *id, struct device_poll *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db,
		"SELECT d.director_version, d.campaign, d.position, d.state,"
		" d.ordered_back AND d.running_digest = d.desired_digest,"
		" g.version, t.etag, t.refresh_s, r.state = 'waiting', d.freed FROM devices d"
		" LEFT JOIN director g ON g.device = d.id AND g.role = 'targets'"
		" LEFT JOIN director t ON t.device = d.id AND t.role = 'timestamp'"
		" LEFT JOIN recipients r ON r.campaign = d.campaign AND r.device = d.id"
		" WHERE d.id = ?1",
		DB_ARGS(db_text(id)), id, &rows, e));
	read_poll(&rows, out);
	return 0;
}

int devices_join(
	struct db *db, const char *id, const char *campaign, uint32_t position, struct err *e)
{
	return db_exec(db, "UPDATE devices SET campaign = ?2, position = ?3 WHERE id = ?1",
		DB_ARGS(db_text(id), db_text(campaign), db_int(position)), NULL, e);
}

int devices_leave(struct db *db, const char *campaign, struct err *e)
{
	return db_exec(db,
		"UPDATE devices SET campaign = NULL, freed = 1 WHERE campaign = ?1 AND id IN"
		" (SELECT device FROM recipients WHERE recipients.campaign = ?1)",
		DB_ARGS(db_text(campaign)), NULL, e);
}

int devices_note_free(struct db *db, const char *id, struct err *e)
{
	return db_exec(
		db, "UPDATE devices SET freed = 0 WHERE id = ?1", DB_ARGS(db_text(id)), NULL, e);
}

int devices_touch(struct db *db, const char *id, ms_t at, struct err *e)
{
	return db_exec(db, "INSERT OR REPLACE INTO contacts (device, at_ms) VALUES (?1, ?2)",
		DB_ARGS(db_text(id), db_int(at)), NULL, e);
}

int devices_progress(struct db *db, const char *id, uint64_t done, uint64_t total, struct err *e)
{
	return db_exec(db, "UPDATE devices SET done = ?2, total = ?3 WHERE id = ?1",
		DB_ARGS(db_text(id), db_int((int64_t)done), db_int((int64_t)total)), NULL, e);
}

int devices_contact(struct db *db, const char *id, ms_t *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	int rc;

	TRY(db_query(db, "SELECT at_ms FROM contacts WHERE device = ?1", DB_ARGS(db_text(id)),
		&rows, e));
	rc = db_next(&rows, e);
	if (rc >= 0)
		*out = rc > 0 ? db_col_int(&rows, 0) : 0;
	return MIN(rc, 0);
}

int devices_count(struct db *db, uint64_t *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db, "SELECT count(*) FROM devices", DB_NO_ARGS, "count", &rows, e));
	*out = (uint64_t)db_col_int(&rows, 0);
	return 0;
}

int devices_tally(
	struct db *db, enum devices_by by, devices_tally_f *each, void *ctx, struct err *e)
{
	static const char *const sql[] = {
		[DEVICES_BY_STATE] = "SELECT state, count(*) FROM devices GROUP BY state",
		[DEVICES_BY_RUNNING] = "SELECT running, count(*) FROM devices GROUP BY running",
	};
	DB_ROWS_AUTO rows = {0};
	char what[ID_TEXT_MAX];
	int rc;

	TRY(db_query(db, sql[by], DB_NO_ARGS, &rows, e));
	while ((rc = db_next(&rows, e)) > 0) {
		db_col_text(&rows, 0, what, sizeof what);
		TRY(each(ctx, what, (uint64_t)db_col_int(&rows, 1), e));
	}
	return rc;
}
