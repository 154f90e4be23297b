#include "server/db/db.h"

#include "server/db/schema.h"

unsigned db_schema_version(void)
{
	unsigned n = 0;

	while (schema_migrations[n])
		n++;
	return n;
}

static int present_version(struct db *db, int64_t *out, struct err *e)
{
	DB_ROWS_AUTO rows = {0};

	TRY(db_one(db, "SELECT max(version) FROM schema_version", DB_NO_ARGS, "schema", &rows, e));
	*out = db_col_int(&rows, 0);
	return 0;
}

static int migrate_to(struct db *db, unsigned version, struct err *e)
{
	TRY(db->ops->script(db, schema_migrations[version - 1], e));
	return db_exec(
		db, "INSERT INTO schema_version VALUES (?1)", DB_ARGS(db_int(version)), NULL, e);
}

int db_migrate(struct db *db, struct err *e)
{
	int64_t version;

	TRY(db->ops->script(
		db, "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)", e));
	TRY(present_version(db, &version, e));
	if (version > db_schema_version())
		return err_set(e, ERR_CONFLICT,
			"the store has schema %lld, this program knows up to %u",
			(long long)version, db_schema_version());
	for (unsigned v = (unsigned)version + 1; v <= db_schema_version(); v++) {
		TRY(db_begin(db, e));
		TRY(db_end(db, migrate_to(db, v, e), e));
	}
	return 0;
}
