#include "server/repo/aggregates.h"

#include <string.h>

_Static_assert(
	TELEMETRY_LAYER_DEVICE == 0 && TELEMETRY_LAYER_INFERENCE == 1 && TELEMETRY_LAYER_MODEL == 2,
	"the store holds layers by these numbers");

static const char *const part_names[] = {
#define X(id, name, text) name,
	AGG_PART_TABLE(X)
#undef X
};

const char *agg_part_name(enum agg_part p)
{
	return part_names[p];
}

enum agg_part agg_part_by_name(const char *name)
{
	unsigned p = 0;

	while (p < AGG_PART_MAX && strcmp(name, part_names[p]) != 0)
		p++;
	return (enum agg_part)p;
}

bool agg_key_eq(const struct agg_key *a, const struct agg_key *b)
{
	return sha256_eq(&a->release, &b->release) && a->part == b->part && a->layer == b->layer &&
	       a->span == b->span && a->at == b->at && strcmp(a->key, b->key) == 0;
}

/* Zero too: a NULL would be no key. */
static struct db_val digest_of(const struct sha256 *d)
{
	return db_bytes((struct str){(const char *)d->b, sizeof d->b});
}

#define KEY_ARGS(k)                                                                                \
	digest_of(&(k)->release), db_int((k)->part), db_text((k)->key), db_int((k)->layer),        \
		db_int((k)->span), db_int((k)->at)
#define BY_KEY                                                                                     \
	" WHERE release = ?1 AND part = ?2 AND key = ?3 AND layer = ?4 AND span_ms = ?5"           \
	" AND at_ms = ?6"

int aggregates_get(struct db *db, const struct agg_key *k, struct aggregate *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	int rc;

	TRY(db_query(db, "SELECT data FROM aggregates" BY_KEY, DB_ARGS(KEY_ARGS(k)), &rows, e));
	rc = db_next(&rows, e);
	if (rc > 0 && aggregate_decode(db_col_str(&rows, 0), out, e) < 0)
		return err_set(e, ERR_IO, "an aggregate in the store cannot be read");
	if (rc == 0)
		aggregate_init(out);
	return MIN(rc, 0);
}

int aggregates_put(struct db *db, const struct agg_key *k, const struct aggregate *a, struct err *e)
{
	BUF_AUTO text = {0};

	aggregate_encode(a, &text);
	return db_exec(db,
		"INSERT INTO aggregates (release, part, key, layer, span_ms, at_ms, data)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET data = ?7",
		DB_ARGS(KEY_ARGS(k), db_bytes(buf_str(&text))), NULL, e);
}

int aggregates_remove(struct db *db, const struct agg_key *k, struct err *e)
{
	return db_exec(db, "DELETE FROM aggregates" BY_KEY, DB_ARGS(KEY_ARGS(k)), NULL, e);
}

int aggregates_keys(
	struct db *db, const struct agg_key *k, bool *out_has, unsigned *out_n, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db,
		"SELECT count(DISTINCT key), total(key = ?3) FROM aggregates"
		" WHERE release = ?1 AND part = ?2 AND span_ms = ?4 AND at_ms = ?5",
		DB_ARGS(digest_of(&k->release), db_int(k->part), db_text(k->key), db_int(k->span),
			db_int(k->at)),
		"keys", &rows, e));
	*out_n = (unsigned)db_col_int(&rows, 0);
	*out_has = db_col_int(&rows, 1) > 0;
	return 0;
}

static int read_key(const struct db_rows *rows, struct agg_key *k, struct err *e)
{
	int64_t part = db_col_int(rows, 1), layer = db_col_int(rows, 3);

	memset(k, 0, sizeof *k);
	if (part < 0 || part >= AGG_PART_MAX || layer < 0 || layer >= TELEMETRY_LAYER_MAX)
		return err_set(e, ERR_IO, "an aggregate in the store is of no known part");
	db_col_digest(rows, 0, &k->release);
	k->part = (enum agg_part)part;
	db_col_text(rows, 2, k->key, sizeof k->key);
	k->layer = (enum telemetry_layer)layer;
	k->span = db_col_int(rows, 4);
	k->at = db_col_int(rows, 5);
	return 0;
}

static int read_one(const struct db_rows *rows, aggregates_each_f *each, void *ctx, struct err *e)
{
	AGGREGATE_AUTO a = {0};
	struct agg_key k;

	TRY(read_key(rows, &k, e));
	if (aggregate_decode(db_col_str(rows, 6), &a, e) < 0)
		return err_set(e, ERR_IO, "an aggregate in the store cannot be read");
	return each(ctx, &k, &a, e);
}

#define SELECT "SELECT release, part, key, layer, span_ms, at_ms, data FROM aggregates "

int aggregates_each(struct db *db, const struct sha256 *release, enum agg_part part, ms_t from,
	ms_t to, aggregates_each_f *each, void *ctx, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	int rc;

	TRY(db_query(db,
		SELECT "WHERE release = ?1 AND part = ?2 AND at_ms >= ?3 AND at_ms < ?4"
		       " ORDER BY key, layer, at_ms",
		DB_ARGS(digest_of(release), db_int(part), db_int(from), db_int(to)), &rows, e));
	while ((rc = db_next(&rows, e)) > 0)
		TRY(read_one(&rows, each, ctx, e));
	return rc;
}

int aggregates_oldest(struct db *db, ms_t span, ms_t before, struct agg_key *out, unsigned max,
	unsigned *out_n, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	int rc;

	*out_n = 0;
	TRY(db_query(db, SELECT "WHERE span_ms = ?1 AND at_ms < ?2 ORDER BY at_ms LIMIT ?3",
		DB_ARGS(db_int(span), db_int(before), db_int(max)), &rows, e));
	while ((rc = db_next(&rows, e)) > 0)
		TRY(read_key(&rows, &out[(*out_n)++], e));
	return rc;
}
