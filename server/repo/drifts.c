#include "server/repo/drifts.h"

#include <string.h>

#define COLUMNS                                                                                    \
	"n, document, metric, reference, opened_ms, from_ms, to_ms, samples, value_milli,"         \
	" threshold_milli, devices, reports, told, told_ms, closed_ms"

static void read_row(const struct db_rows *r, struct drift_row *d)
{
	memset(d, 0, sizeof *d);
	d->n = (uint64_t)db_col_int(r, 0);
	db_col_digest(r, 1, &d->document);
	db_col_text(r, 2, d->metric, sizeof d->metric);
	db_col_digest(r, 3, &d->reference);
	d->opened = db_col_int(r, 4);
	d->from = db_col_int(r, 5);
	d->to = db_col_int(r, 6);
	d->samples = (uint64_t)db_col_int(r, 7);
	d->value_milli = (uint64_t)db_col_int(r, 8);
	d->threshold_milli = (uint64_t)db_col_int(r, 9);
	d->devices = (uint64_t)db_col_int(r, 10);
	d->reports = (uint64_t)db_col_int(r, 11);
	d->told = (uint64_t)db_col_int(r, 12);
	d->told_at = db_col_int(r, 13);
	d->closed = db_col_int(r, 14);
}

/* IS, because NULL equals nothing. */
int drifts_open(
	struct db *db, const struct telemetry_drift *d, struct drift_row *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db,
		"SELECT " COLUMNS " FROM drifts"
		" WHERE closed_ms = 0 AND metric = ?1 AND document IS ?2 AND reference IS ?3",
		DB_ARGS(db_text(d->metric), db_digest(&d->release), db_digest(&d->reference)),
		"drift", &rows, e));
	read_row(&rows, out);
	return 0;
}

int drifts_count_open(struct db *db, uint64_t *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db, "SELECT count(*) FROM drifts WHERE closed_ms = 0", DB_NO_ARGS, "drifts",
		&rows, e));
	*out = (uint64_t)db_col_int(&rows, 0);
	return 0;
}

int drifts_count_alone(struct db *db, const char *device, uint64_t *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db,
		"SELECT count(*) FROM drifts JOIN drift_devices ON drift = n AND device = ?1"
		" WHERE closed_ms = 0 AND devices = 1",
		DB_ARGS(db_text(device)), "drifts", &rows, e));
	*out = (uint64_t)db_col_int(&rows, 0);
	return 0;
}

static int next_number(struct db *db, uint64_t *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db, "SELECT ifnull(max(n), 0) + 1 FROM drifts", DB_NO_ARGS, "drifts", &rows, e));
	*out = (uint64_t)db_col_int(&rows, 0);
	return 0;
}

int drifts_save(struct db *db, struct drift_row *r, struct err *e)
{
	if (!r->n)
		TRY(next_number(db, &r->n, e));
	return db_exec(db,
		"INSERT OR REPLACE INTO drifts (" COLUMNS ") VALUES"
		" (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
		DB_ARGS(db_int((int64_t)r->n), db_digest(&r->document), db_text(r->metric),
			db_digest(&r->reference), db_int(r->opened), db_int(r->from), db_int(r->to),
			db_int((int64_t)r->samples), db_int((int64_t)r->value_milli),
			db_int((int64_t)r->threshold_milli), db_int((int64_t)r->devices),
			db_int((int64_t)r->reports), db_int((int64_t)r->told), db_int(r->told_at),
			db_int(r->closed)),
		NULL, e);
}

int drifts_say(struct db *db, uint64_t drift, const char *device, ms_t now,
	const struct telemetry_drift *d, bool *out_new, struct err *e)
{
	uint64_t changed;

	TRY(db_exec(db,
		"UPDATE drift_devices SET reports = reports + 1, samples = ?4,"
		" value_milli = max(value_milli, ?3) WHERE drift = ?1 AND device = ?2",
		DB_ARGS(db_int((int64_t)drift), db_text(device), db_int((int64_t)d->value_milli),
			db_int((int64_t)d->samples)),
		&changed, e));
	*out_new = changed == 0;
	if (changed)
		return 0;
	return db_exec(db,
		"INSERT INTO drift_devices (drift, device, at_ms, value_milli, samples, reports)"
		" VALUES (?1, ?2, ?3, ?4, ?5, 1)",
		DB_ARGS(db_int((int64_t)drift), db_text(device), db_int(now),
			db_int((int64_t)d->value_milli), db_int((int64_t)d->samples)),
		NULL, e);
}

int drifts_due(struct db *db, ms_t gathered, ms_t over, struct drift_row *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db,
		"SELECT " COLUMNS " FROM drifts WHERE closed_ms = 0"
		" AND (opened_ms <= ?2 OR (told = 0 AND opened_ms <= ?1)) ORDER BY n LIMIT 1",
		DB_ARGS(db_int(gathered), db_int(over)), "drift", &rows, e));
	read_row(&rows, out);
	return 0;
}

int drifts_each(struct db *db, unsigned limit, drifts_each_f *each, void *ctx, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	struct drift_row d;
	int rc;

	TRY(db_query(db, "SELECT " COLUMNS " FROM drifts ORDER BY n DESC LIMIT ?1",
		DB_ARGS(db_int(limit)), &rows, e));
	while ((rc = db_next(&rows, e)) > 0) {
		read_row(&rows, &d);
		TRY(each(ctx, &d, e));
	}
	return rc;
}

int drifts_each_device(struct db *db, uint64_t drift, unsigned limit, drifts_device_f *each,
	void *ctx, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	char device[ID_TEXT_MAX];
	int rc;

	TRY(db_query(db,
		"SELECT device, at_ms, value_milli, samples, reports FROM drift_devices"
		" WHERE drift = ?1 ORDER BY at_ms, device LIMIT ?2",
		DB_ARGS(db_int((int64_t)drift), db_int(limit)), &rows, e));
	while ((rc = db_next(&rows, e)) > 0) {
		db_col_text(&rows, 0, device, sizeof device);
		TRY(each(ctx, device, db_col_int(&rows, 1), (uint64_t)db_col_int(&rows, 2),
			(uint64_t)db_col_int(&rows, 3), (uint64_t)db_col_int(&rows, 4), e));
	}
	return rc;
}
