#include "server/repo/gates.h"

#include <string.h>

int gates_put(struct db *db, const char *release_path, const struct gate_verdict *v, unsigned n,
	struct err *e)
{
	TRY(db_exec(db, "DELETE FROM gates WHERE release = ?1", DB_ARGS(db_text(release_path)),
		NULL, e));
	for (unsigned i = 0; i < n; i++)
		TRY(db_exec(db,
			"INSERT INTO gates (release, n, policy, name, met, missing, judged_ms)"
			" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
			DB_ARGS(db_text(release_path), db_int(i), db_digest(&v[i].policy),
				db_text(v[i].name), db_int(v[i].met), db_text(v[i].missing),
				db_int(v[i].judged)),
			NULL, e));
	return 0;
}

int gates_each(
	struct db *db, const char *release_path, gates_each_f *each, void *ctx, struct err *e)
{
	DB_ROWS_AUTO rows = {0};
	int rc;

	TRY(db_query(db,
		"SELECT name, policy, met, missing, judged_ms FROM gates WHERE release = ?1"
		" ORDER BY n",
		DB_ARGS(db_text(release_path)), &rows, e));
	while ((rc = db_next(&rows, e)) > 0) {
		struct gate_verdict v = {.met = db_col_int(&rows, 2) != 0};

		db_col_text(&rows, 0, v.name, sizeof v.name);
		db_col_digest(&rows, 1, &v.policy);
		db_col_text(&rows, 3, v.missing, sizeof v.missing);
		v.judged = db_col_int(&rows, 4);
		TRY(each(ctx, &v, e));
	}
	return rc;
}
