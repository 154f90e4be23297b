#include "server/repo/configurations.h"

#include <string.h>

#define COLUMNS                                                                                    \
	"device, at_ms, source, epoch, seq, hardware, agent, labels, slot, running,"               \
	" running_digest, audit"
#define SELECT "SELECT " COLUMNS ", n FROM configurations "

static void read_row(const struct db_rows *r, struct configuration_row *c)
{
	memset(c, 0, sizeof *c);
	db_col_text(r, 0, c->device.s, sizeof c->device.s);
	c->at = db_col_int(r, 1);
	db_col_text(r, 2, c->source, sizeof c->source);
	c->epoch = (uint64_t)db_col_int(r, 3);
	c->seq = (uint64_t)db_col_int(r, 4);
	db_col_text(r, 5, c->hardware, sizeof c->hardware);
	db_col_text(r, 6, c->agent, sizeof c->agent);
	db_col_text(r, 7, c->labels, sizeof c->labels);
	db_col_text(r, 8, c->slot, sizeof c->slot);
	db_col_text(r, 9, c->running.s, sizeof c->running.s);
	db_col_digest(r, 10, &c->running_digest);
	c->audit = (uint64_t)db_col_int(r, 11);
	c->n = (uint64_t)db_col_int(r, 12);
}

int configurations_add(struct db *db, const struct configuration_row *c, struct err *e)
{
	return db_exec(db,
		"INSERT INTO configurations (" COLUMNS ")"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
		DB_ARGS(db_text(c->device.s), db_int(c->at), db_text(c->source),
			db_int((int64_t)c->epoch), db_int((int64_t)c->seq), db_text(c->hardware),
			db_text(c->agent), db_text(c->labels), db_text(c->slot),
			db_text(c->running.s), db_digest(&c->running_digest),
			db_int((int64_t)c->audit)),
		NULL, e);
}

int configurations_at(
	struct db *db, const char *device, ms_t at, struct configuration_row *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db,
		SELECT "WHERE device = ?1 AND at_ms <= ?2 ORDER BY at_ms DESC, n DESC LIMIT 1",
		DB_ARGS(db_text(device), db_int(at)), device, &rows, e));
	read_row(&rows, out);
	return 0;
}

int configurations_each(struct db *db, const char *device, uint64_t after, unsigned limit,
	configurations_each_f *each, void *ctx, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	struct configuration_row c;
	int rc;

	TRY(db_query(db, SELECT "WHERE device = ?1 AND n > ?2 ORDER BY n LIMIT ?3",
		DB_ARGS(db_text(device), db_int((int64_t)after), db_int(limit)), &rows, e));
	while ((rc = db_next(&rows, e)) > 0) {
		read_row(&rows, &c);
		TRY(each(ctx, &c, e));
	}
	return rc;
}
