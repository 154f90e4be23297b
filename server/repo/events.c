#include "server/repo/events.h"

#include <string.h>

/* Of a START: in how many strata devices are judged, and where waves end. */
static void encode_plan(const struct wave_event *ev, struct buf *out)
{
	if (ev->kind != WEV_START)
		return;
	buf_addf(out, "%u", ev->strata);
	for (unsigned i = 0; i < ev->n_ends; i++)
		buf_addf(out, " %u", ev->end[i]);
}

static int decode_plan(struct str text, struct wave_event *ev, struct err *e)
{
	struct str field;
	uint64_t v;

	if (!text.n || !str_split(&text, ' ', &field))
		return 0;
	TRY(str_to_u64(field, 0, JUDGE_STRATA, &v, e));
	ev->strata = (unsigned)v;
	while (str_split(&text, ' ', &field)) {
		if (ev->n_ends == LIMIT_WAVES)
			return err_set(e, ERR_IO, "an event with too many waves");
		TRY(str_to_u64(field, 0, UINT32_MAX, &v, e));
		ev->end[ev->n_ends++] = (uint32_t)v;
	}
	return 0;
}

int events_add(struct db *db, const char *campaign, uint64_t rev, const struct wave_event *ev,
	struct err *e)
{
	BUF_AUTO plan = {0};

	encode_plan(ev, &plan);
	return db_exec(db,
		"INSERT INTO events (campaign, rev, kind, now_ms, recipients, position, was,"
		" is_now, who, text, stratum, bad, plan)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
		DB_ARGS(db_text(campaign), db_int((int64_t)rev), db_text(wave_event_name(ev->kind)),
			db_int(ev->now), db_int(ev->recipients), db_int(ev->position),
			db_text(recipient_state_name(ev->was)),
			db_text(recipient_state_name(ev->is)), db_text(ev->who), db_text(ev->text),
			db_int(ev->stratum), db_int(ev->bad), db_text(buf_cstr(&plan))),
		NULL, e);
}

static int read_event(const struct db_rows *rows, struct wave_event *ev, struct err *e)
{
	char name[24];

	memset(ev, 0, sizeof *ev);
	db_col_text(rows, 0, name, sizeof name);
	ev->kind = wave_event_by_name(name);
	if (ev->kind == WEV_MAX)
		return err_set(e, ERR_IO, "an unknown event %s", name);
	ev->now = db_col_int(rows, 1);
	ev->recipients = (uint32_t)db_col_int(rows, 2);
	ev->position = (uint32_t)db_col_int(rows, 3);
	db_col_text(rows, 4, name, sizeof name);
	ev->was = recipient_state_by_name(name);
	db_col_text(rows, 5, name, sizeof name);
	ev->is = recipient_state_by_name(name);
	db_col_text(rows, 6, ev->who, sizeof ev->who);
	db_col_text(rows, 7, ev->text, sizeof ev->text);
	ev->stratum = (unsigned)db_col_int(rows, 9);
	ev->bad = db_col_int(rows, 10) != 0;
	return decode_plan(db_col_str(rows, 11), ev, e);
}

int events_each(struct db *db, const char *campaign, uint64_t after, unsigned limit,
	events_each_f *each, void *ctx, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	struct wave_event ev;
	int rc;

	TRY(db_query(db,
		"SELECT kind, now_ms, recipients, position, was, is_now, who, text, rev, stratum,"
		" bad, plan FROM events WHERE campaign = ?1 AND rev > ?2 ORDER BY rev LIMIT ?3",
		DB_ARGS(db_text(campaign), db_int((int64_t)after), db_int(limit)), &rows, e));
	while ((rc = db_next(&rows, e)) > 0) {
		if (read_event(&rows, &ev, e) < 0)
			return err_wrap(e, "campaign %s", campaign);
		TRY(each(ctx, (uint64_t)db_col_int(&rows, 8), &ev, e));
	}
	return rc;
}
