#include "server/signd/store.h"

#include <stdio.h>
#include <string.h>

static const char first[] =
	"CREATE TABLE devices ("
	" id TEXT PRIMARY KEY,"
	" targets INTEGER NOT NULL, snapshot INTEGER NOT NULL, timestamp INTEGER NOT NULL,"
	" budget_full_at_us INTEGER NOT NULL,"
	/* what the last targets say */
	" campaign TEXT NOT NULL, ordered TEXT NOT NULL, offline INTEGER NOT NULL,"
	" path TEXT NOT NULL, digest BLOB,"
	/* the release that it was ordered last */
	" counter INTEGER NOT NULL, release BLOB, rollback_to TEXT NOT NULL) WITHOUT ROWID;"

	/* device '': the image repository */
	"CREATE TABLE files ("
	" device TEXT NOT NULL, role TEXT NOT NULL, version INTEGER NOT NULL,"
	" expires_s INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (device, role))"
	" WITHOUT ROWID;"

	"CREATE TABLE budgets ("
	" name TEXT PRIMARY KEY, full_at_us INTEGER NOT NULL) WITHOUT ROWID;"

	"CREATE TABLE log (only INTEGER PRIMARY KEY, n INTEGER NOT NULL,"
	" size INTEGER NOT NULL, last BLOB NOT NULL);";

static const char *const migrations[] = {first, NULL};

int store_open(const char *path, struct db *out, struct err *e)
{
	return db_sqlite_open_by(path, migrations, out, e);
}

/* ---- devices ---- */

static enum desired_order order_of(const char *name)
{
	for (enum desired_order o = 0; o < DESIRED_ORDER_MAX; o++)
		if (strcmp(name, desired_order_name(o)) == 0)
			return o;
	return DESIRED_NOTHING;
}

/* In the form that custom.match has. */
static void write_ways_back(const struct sign_device *d, struct buf *out)
{
	JSON_AUTO *o = json_object();
	json_t *list = json_array();

	for (unsigned i = 0; i < d->n_rollback_to; i++) {
		char hex[SHA256_TEXT];

		sha256_format(&d->rollback_to[i].hash, hex);
		json_array_append_new(list,
			json_pack("{s:s, s:s}", "path", d->rollback_to[i].path, "sha256", hex));
	}
	json_object_set_new(o, "rollbackTo", list);
	json_write(o, out);
}

static int read_ways_back(struct str text, struct sign_device *d, struct err *e)
{
	JSON_AUTO *o = NULL;

	TRY(json_read(text, LIMIT_JSON_DEPTH * 1024, &o, e));
	return director_rollback_to(o, d->rollback_to, &d->n_rollback_to, e);
}

static int read_device(const struct db_rows *rows, struct sign_device *d, struct err *e)
{
	char order[ID_TEXT_MAX];

	for (enum sign_file f = 0; f < SIGN_FILE_MAX; f++)
		d->version[f] = (uint64_t)db_col_int(rows, (int)f);
	d->bucket.full_at_us = db_col_int(rows, 3);
	db_col_text(rows, 4, d->campaign.s, sizeof d->campaign.s);
	db_col_text(rows, 5, order, sizeof order);
	d->order = order_of(order);
	d->offline = db_col_int(rows, 6) != 0;
	db_col_text(rows, 7, d->path, sizeof d->path);
	db_col_digest(rows, 8, &d->digest);
	d->counter = (uint64_t)db_col_int(rows, 9);
	db_col_digest(rows, 10, &d->release);
	d->is_known = true;
	return read_ways_back(db_col_str(rows, 11), d, e);
}

int store_device(struct db *db, const char *id, struct sign_device *out, struct err *e)
{
	struct sign_device d = {.is_known = false};
	DB_ROWS_AUTO rows = {0};
	int rc;

	TRY(db_query(db,
		"SELECT targets, snapshot, timestamp, budget_full_at_us, campaign, ordered,"
		" offline, path, digest, counter, release, rollback_to FROM devices WHERE id = ?1",
		DB_ARGS(db_text(id)), &rows, e));
	rc = db_next(&rows, e);
	TRY(rc);
	if (rc)
		TRY(read_device(&rows, &d, e));
	*out = d;
	return 0;
}

int store_put_device(struct db *db, const char *id, const struct sign_device *d, struct err *e)
{
	BUF_AUTO back = {0};

	write_ways_back(d, &back);
	return db_exec(db,
		"INSERT OR REPLACE INTO devices VALUES"
		" (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
		DB_ARGS(db_text(id), db_int((int64_t)d->version[SIGN_TARGETS]),
			db_int((int64_t)d->version[SIGN_SNAPSHOT]),
			db_int((int64_t)d->version[SIGN_TIMESTAMP]), db_int(d->bucket.full_at_us),
			db_text(d->campaign.s), db_text(desired_order_name(d->order)),
			db_int(d->offline), db_text(d->path), db_digest(&d->digest),
			db_int((int64_t)d->counter), db_digest(&d->release),
			db_text(buf_cstr(&back))),
		NULL, e);
}

/* ---- files ---- */

static void read_file(const struct db_rows *rows, struct signed_file *f)
{
	struct str bytes = db_col_str(rows, 3);

	*f = (struct signed_file){
		.version = (uint64_t)db_col_int(rows, 1), .expires_s = db_col_int(rows, 2)};
	db_col_text(rows, 0, f->role, sizeof f->role);
	buf_add(&f->bytes, bytes.p, bytes.n);
}

int store_file(
	struct db *db, const char *device, const char *role, struct signed_file *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db,
		"SELECT role, version, expires_s, bytes FROM files WHERE device = ?1 AND role = ?2",
		DB_ARGS(db_text(device), db_text(role)), role, &rows, e));
	read_file(&rows, out);
	return 0;
}

int store_put_file(struct db *db, const char *device, const struct signed_file *f, struct err *e)
{
	return db_exec(db, "INSERT OR REPLACE INTO files VALUES (?1, ?2, ?3, ?4, ?5)",
		DB_ARGS(db_text(device), db_text(f->role), db_int((int64_t)f->version),
			db_int(f->expires_s), db_bytes(buf_str(&f->bytes))),
		NULL, e);
}

/* ---- the image repository ---- */

static enum sign_file file_of(const char *role)
{
	enum sign_file f = SIGN_SNAPSHOT;

	while (f < SIGN_FILE_MAX && strcmp(role, sign_file_name(f)) != 0)
		f++;
	return f;
}

/* Takes over the file's bytes. */
static void put_in_place(struct shown *im, struct signed_file *f)
{
	enum sign_file file = file_of(f->role);

	if (strcmp(f->role, "root") == 0)
		im->root = f->bytes;
	else if (file < SIGN_FILE_MAX)
		im->files[file] = *f;
	else {
		struct shown_role *r = &im->roles[im->n++];

		snprintf(r->name, sizeof r->name, "%s", f->role);
		r->version = f->version;
		r->bytes = f->bytes;
	}
}

int store_image(struct db *db, struct shown *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	int rc;

	TRY(db_query(db,
		"SELECT role, version, expires_s, bytes FROM files WHERE device = ''"
		" ORDER BY role",
		DB_NO_ARGS, &rows, e));
	while ((rc = db_next(&rows, e)) > 0) {
		struct signed_file f;

		if (out->n == LIMIT_ROLES)
			return err_set(e, ERR_TOO_LARGE, "more than %d roles", LIMIT_ROLES);
		read_file(&rows, &f);
		put_in_place(out, &f);
	}
	return rc;
}

static int put(
	struct db *db, const char *role, uint64_t version, const struct buf *bytes, struct err *e)
{
	struct signed_file f = {.version = version, .bytes = *bytes};

	snprintf(f.role, sizeof f.role, "%s", role);
	return store_put_file(db, "", &f, e);
}

int store_put_image(struct db *db, const struct shown *im, struct err *e)
{
	TRY(put(db, "root", im->trusted.root.version, &im->root, e));
	for (unsigned i = 0; i < im->n; i++)
		TRY(put(db, im->roles[i].name, im->roles[i].version, &im->roles[i].bytes, e));
	for (enum sign_file f = SIGN_SNAPSHOT; f < SIGN_FILE_MAX; f++)
		if (im->files[f].version)
			TRY(store_put_file(db, "", &im->files[f], e));
	return 0;
}

/* ---- budgets and the log's end ---- */

static struct bucket *budget_of(struct sign_budgets *b, const char *name)
{
	if (strcmp(name, "newcomers") == 0)
		return &b->newcomers;
	if (strcmp(name, "time") == 0)
		return &b->time;
	if (strcmp(name, "audit") == 0)
		return &b->audit;
	return strcmp(name, "total") == 0 ? &b->total : &b->image;
}

static int read_budgets(struct db *db, struct sign_budgets *b, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	char name[ID_TEXT_MAX];
	int rc;

	TRY(db_query(db, "SELECT name, full_at_us FROM budgets", DB_NO_ARGS, &rows, e));
	while ((rc = db_next(&rows, e)) > 0) {
		db_col_text(&rows, 0, name, sizeof name);
		budget_of(b, name)->full_at_us = db_col_int(&rows, 1);
	}
	return rc;
}

int store_state(struct db *db, struct sign_budgets *out, struct chain *out_log, struct err *e)
{
	struct sign_budgets b = {.total = {0}};
	struct chain log = {.n = 0};
	DB_ROWS_AUTO rows = {0};
	int rc;

	TRY(read_budgets(db, &b, e));
	TRY(db_query(db, "SELECT n, size, last FROM log", DB_NO_ARGS, &rows, e));
	rc = db_next(&rows, e);
	TRY(rc);
	if (rc) {
		log.n = (uint64_t)db_col_int(&rows, 0);
		log.size = (uint64_t)db_col_int(&rows, 1);
		db_col_digest(&rows, 2, &log.last);
	}
	*out = b;
	*out_log = log;
	return 0;
}

static int put_budget(struct db *db, const char *name, const struct bucket *b, struct err *e)
{
	return db_exec(db, "INSERT OR REPLACE INTO budgets VALUES (?1, ?2)",
		DB_ARGS(db_text(name), db_int(b->full_at_us)), NULL, e);
}

int store_put_state(
	struct db *db, const struct sign_budgets *b, const struct chain *log, struct err *e)
{
	TRY(put_budget(db, "newcomers", &b->newcomers, e));
	TRY(put_budget(db, "total", &b->total, e));
	TRY(put_budget(db, "image", &b->image, e));
	TRY(put_budget(db, "time", &b->time, e));
	TRY(put_budget(db, "audit", &b->audit, e));
	return db_exec(db, "INSERT OR REPLACE INTO log VALUES (1, ?1, ?2, ?3)",
		DB_ARGS(db_int((int64_t)log->n), db_int((int64_t)log->size), db_digest(&log->last)),
		NULL, e);
}
