#include "server/db/db.h"

#include "server/db/schema.h"

static unsigned newest(const char *const *migrations)
{
	unsigned n = 0;

	while (migrations[n])
		n++;
	return n;
}

unsigned db_schema_version(void)
{
	return newest(schema_migrations);
}

static int present_version(struct db *db, int64_t *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db, "SELECT max(version) FROM schema_version", DB_NO_ARGS, "schema", &rows, e));
	*out = db_col_int(&rows, 0);
	return 0;
}

static int migrate_one(struct db *db, const char *script, unsigned version, struct err *e)
{
	TRY(db->ops->script(db, script, e));
	return db_exec(
		db, "INSERT INTO schema_version VALUES (?1)", DB_ARGS(db_int(version)), NULL, e);
}

int db_migrate_by(struct db *db, const char *const *migrations, struct err *e)
{
	unsigned last = newest(migrations);
	int64_t version;

	TRY(db->ops->script(
		db, "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)", e));
	TRY(present_version(db, &version, e));
	if (version > last)
		return err_set(e, ERR_CONFLICT,
			"the store has schema %lld, this program knows up to %u",
			(long long)version, last);
	for (unsigned v = (unsigned)version + 1; v <= last; v++) {
		TRY(db_begin(db, e));
		TRY(db_end(db, migrate_one(db, migrations[v - 1], v, e), e));
	}
	return 0;
}

int db_migrate(struct db *db, struct err *e)
{
	return db_migrate_by(db, schema_migrations, e);
}
