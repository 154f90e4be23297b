#include "server/repo/campaigns.h"

#include <string.h>

#include "server/repo/events.h"

#define COLUMNS                                                                                    \
	"id, release_path, release_digest, release_id, selector, policy, policy_digest, "          \
	"created_ms, created_by, rev, phase, paused, wave, recipients, open_to, "                  \
	"committed_before, since_ms, quiet_since_ms, wake_at_ms, why, counts, "                    \
	"hold, agreed, extended, next_at_ms, thawed_ms, judge, more"
#define SELECT "SELECT " COLUMNS " FROM campaigns "

void campaign_row_fini(struct campaign_row *c)
{
	buf_fini(&c->selector);
}

/* Counts in the order of the states' table, separated by blanks. */
static void encode_counts(const struct wave_counts *c, struct buf *out)
{
	for (size_t i = 0; i < RECIPIENT_STATE_MAX; i++)
		buf_addf(out, "%s%u", i ? " " : "", c->n[i]);
}

static int decode_counts(struct str text, struct wave_counts *out, struct err *e)
{
	struct str field;
	uint64_t v;

	for (size_t i = 0; i < RECIPIENT_STATE_MAX; i++) {
		if (!str_split(&text, ' ', &field))
			return err_set(e, ERR_IO, "counts of a campaign are cut short");
		TRY(str_to_u64(field, 0, UINT32_MAX, &v, e));
		out->n[i] = (uint32_t)v;
	}
	return 0;
}

/* A campaign without a judge, or one that was not started, has none to remember. */
static int read_judge(const struct policy *p, struct str line, struct wave_state *w, struct err *e)
{
	struct judge_rule r;

	if (!line.n)
		return 0;
	wave_judge_rule(p, w, &r);
	return judge_decode(&r, line, &w->judge, e);
}

static void encode_judge(const struct policy *p, const struct wave_state *w, struct buf *out)
{
	struct judge_rule r;

	wave_judge_rule(p, w, &r);
	if (p->judge.on && w->phase != WAVE_DRAFT)
		judge_encode(&r, &w->judge, out);
}

static int read_wave(
	const struct db_rows *rows, const struct policy *p, struct wave_state *w, struct err *e)
{
	char phase[16];

	w->rev = (uint64_t)db_col_int(rows, 9);
	db_col_text(rows, 10, phase, sizeof phase);
	w->phase = wave_phase_by_name(phase);
	if (w->phase == WAVE_PHASE_MAX)
		return err_set(e, ERR_IO, "a campaign in the unknown phase %s", phase);
	w->paused = db_col_int(rows, 11) != 0;
	w->wave = (unsigned)db_col_int(rows, 12);
	w->recipients = (uint32_t)db_col_int(rows, 13);
	w->open_to = (uint32_t)db_col_int(rows, 14);
	w->committed_before = (uint32_t)db_col_int(rows, 15);
	w->since = db_col_int(rows, 16);
	w->quiet_since = db_col_int(rows, 17);
	w->wake_at = db_col_int(rows, 18);
	db_col_text(rows, 19, w->why, sizeof w->why);
	TRY(decode_counts(db_col_str(rows, 20), &w->all, e));
	w->hold = (unsigned)db_col_int(rows, 21);
	db_col_text(rows, 22, w->agreed, sizeof w->agreed);
	w->extended = (uint32_t)db_col_int(rows, 23);
	w->next_at = db_col_int(rows, 24);
	w->thawed = db_col_int(rows, 25);
	TRY(wave_more_decode(p, db_col_str(rows, 27), w, e));
	return read_judge(p, db_col_str(rows, 26), w, e);
}

static int read_row(const struct db_rows *rows, struct campaign_row *c, struct err *e)
{
	struct str selector = db_col_str(rows, 4);

	memset(c, 0, sizeof *c);
	db_col_text(rows, 0, c->id.s, sizeof c->id.s);
	db_col_text(rows, 1, c->release_path, sizeof c->release_path);
	db_col_digest(rows, 2, &c->release_digest);
	db_col_text(rows, 3, c->release.s, sizeof c->release.s);
	TRY(policy_parse(db_col_str(rows, 5), &c->policy, e));
	db_col_digest(rows, 6, &c->policy_digest);
	c->created = db_col_int(rows, 7);
	db_col_text(rows, 8, c->created_by, sizeof c->created_by);
	TRY(read_wave(rows, &c->policy, &c->wave, e));
	buf_add(&c->selector, selector.p, selector.n);
	return 0;
}

int campaigns_get(struct db *db, const char *id, struct campaign_row *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db, SELECT "WHERE id = ?1", DB_ARGS(db_text(id)), id, &rows, e));
	return read_row(&rows, out, e);
}

int campaigns_add(struct db *db, const struct campaign_row *c, struct err *e)
{
	BUF_AUTO policy = {0}, counts = {0};

	policy_encode(&c->policy, &policy);
	encode_counts(&c->wave.all, &counts);
	return db_exec(db,
		"INSERT INTO campaigns (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "
		"0, 'draft', 0, 0, 0, 0, 0, 0, 0, 0, '', ?10, 0, '', 0, 0, 0, '', '')",
		DB_ARGS(db_text(c->id.s), db_text(c->release_path), db_digest(&c->release_digest),
			db_text(c->release.s), db_bytes(buf_str(&c->selector)),
			db_bytes(buf_str(&policy)), db_digest(&c->policy_digest),
			db_int(c->created), db_text(c->created_by), db_bytes(buf_str(&counts))),
		NULL, e);
}

static int save_wave(struct db *db, const struct campaign_row *c, uint64_t rev, struct err *e)
{
	const struct wave_state *w = &c->wave;
	BUF_AUTO counts = {0}, judge = {0}, more = {0};
	uint64_t changed;

	encode_counts(&w->all, &counts);
	encode_judge(&c->policy, w, &judge);
	wave_more_encode(&c->policy, w, &more);
	TRY(db_exec(db,
		"UPDATE campaigns SET rev = ?3, phase = ?4, paused = ?5, wave = ?6,"
		" recipients = ?7, open_to = ?8, committed_before = ?9, since_ms = ?10,"
		" quiet_since_ms = ?11, wake_at_ms = ?12, why = ?13, counts = ?14, hold = ?15,"
		" agreed = ?16, extended = ?17, next_at_ms = ?18, thawed_ms = ?19, judge = ?20,"
		" more = ?21"
		" WHERE id = ?1 AND rev = ?2",
		DB_ARGS(db_text(c->id.s), db_int((int64_t)rev), db_int((int64_t)w->rev),
			db_text(wave_phase_name(w->phase)), db_int(w->paused), db_int(w->wave),
			db_int(w->recipients), db_int(w->open_to), db_int(w->committed_before),
			db_int(w->since), db_int(w->quiet_since), db_int(w->wake_at),
			db_text(w->why), db_bytes(buf_str(&counts)), db_int(w->hold),
			db_text(w->agreed), db_int(w->extended), db_int(w->next_at),
			db_int(w->thawed), db_bytes(buf_str(&judge)), db_bytes(buf_str(&more))),
		&changed, e));
	if (changed != 1)
		return err_set(e, ERR_BUG, "campaign %s is no longer at revision %llu", c->id.s,
			(unsigned long long)rev);
	return 0;
}

int campaigns_step(struct db *db, const struct campaign_row *c, uint64_t rev,
	const struct wave_event *ev, struct err *e)
{
	TRY(save_wave(db, c, rev, e));
	return events_add(db, c->id.s, c->wave.rev, ev, e);
}

static int each_row(struct db_rows *rows, campaigns_each_f *each, void *ctx, struct err *e)
{
	int rc;

	while ((rc = db_next(rows, e)) > 0) {
		CAMPAIGN_ROW_AUTO c = {0};

		TRY(read_row(rows, &c, e));
		TRY(each(ctx, &c, e));
	}
	return rc;
}

int campaigns_each(struct db *db, campaigns_each_f *each, void *ctx, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_query(db, SELECT "ORDER BY created_ms, id", DB_NO_ARGS, &rows, e));
	return each_row(&rows, each, ctx, e);
}

int campaigns_each_active(struct db *db, campaigns_each_f *each, void *ctx, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_query(db,
		SELECT "WHERE phase NOT IN ('draft', 'halted', 'done') ORDER BY created_ms, id",
		DB_NO_ARGS, &rows, e));
	return each_row(&rows, each, ctx, e);
}

int campaigns_due(struct db *db, ms_t now, struct camp_id *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db,
		"SELECT id FROM campaigns WHERE wake_at_ms > 0 AND wake_at_ms <= ?1"
		" ORDER BY wake_at_ms LIMIT 1",
		DB_ARGS(db_int(now)), "due campaign", &rows, e));
	db_col_text(&rows, 0, out->s, sizeof out->s);
	return 0;
}
