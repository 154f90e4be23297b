#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "server/db/db.h"

static int open_store(void **state)
{
	static struct db db;
	struct err e;

	unlink("store.db");
	unlink("store.db-wal");
	if (db_sqlite_open("store.db", &db, &e) < 0) {
		print_error("%s\n", e.text);
		return -1;
	}
	*state = &db;
	return 0;
}

static int close_store(void **state)
{
	db_close(*state);
	return 0;
}

static void put(struct db *db, const char *device, int64_t at, int want)
{
	struct err e = {0};

	assert_int_equal(db_exec(db, "INSERT INTO contacts VALUES (?1, ?2)",
				 DB_ARGS(db_text(device), db_int(at)), NULL, &e),
		want);
}

static int64_t count(struct db *db)
{
	DB_ROWS_AUTO rows = {0};
	struct err e = {0};

	assert_int_equal(
		db_one(db, "SELECT count(*) FROM contacts", DB_NO_ARGS, "count", &rows, &e), 0);
	return db_col_int(&rows, 0);
}

static void what_is_committed_is_there_after_reopening(void **state)
{
	struct db *db = *state;
	struct err e = {0};

	assert_int_equal(db_begin(db, &e), 0);
	put(db, "a", 1, 0);
	assert_int_equal(db_commit(db, &e), 0);
	assert_int_equal(db_begin(db, &e), 0);
	put(db, "b", 2, 0);
	db_abort(db);
	db_abort(db);
	assert_int_equal(count(db), 1);
	db_close(db);
	assert_int_equal(db_sqlite_open("store.db", db, &e), 0);
	assert_int_equal(count(db), 1);
}

static void a_row_that_is_there_is_a_conflict(void **state)
{
	struct db *db = *state;
	struct err e = {0};

	assert_int_equal(db_begin(db, &e), 0);
	put(db, "a", 1, 0);
	put(db, "a", 2, -ERR_CONFLICT);
	assert_int_equal(db_end(db, -ERR_CONFLICT, &e), -ERR_CONFLICT);
	assert_int_equal(count(db), 0);
}

static void values_come_back_as_they_went_in(void **state)
{
	struct db *db = *state;
	struct sha256 digest = {{1, 2, 3}}, back;
	DB_ROWS_AUTO rows = {0};
	struct err e = {0};
	char text[4];

	assert_int_equal(db_query(db, "SELECT ?1, ?2, ?3, ?4, ?5",
				 DB_ARGS(db_int(INT64_MIN), db_text("text"), db_digest(&digest),
					 db_text_or_null(""), db_bytes((struct str){"\0x", 2})),
				 &rows, &e),
		0);
	assert_int_equal(db_next(&rows, &e), 1);
	assert_true(db_col_int(&rows, 0) == INT64_MIN);
	assert_true(str_is(db_col_str(&rows, 1), "text"));
	db_col_text(&rows, 1, text, sizeof text);
	assert_string_equal(text, "tex");
	db_col_digest(&rows, 2, &back);
	assert_true(sha256_eq(&digest, &back));
	assert_int_equal(db_col_str(&rows, 3).n, 0);
	assert_memory_equal(db_col_str(&rows, 4).p, "\0x", 2);
	assert_int_equal(db_next(&rows, &e), 0);
	db_rows_fini(&rows);
	db_rows_fini(&rows);
}

static void a_missing_row_is_named(void **state)
{
	DB_ROWS_AUTO rows = {0};
	struct err e = {0};

	assert_int_equal(db_one(*state, "SELECT 1 WHERE 0", DB_NO_ARGS, "device x", &rows, &e),
		-ERR_NOT_FOUND);
	assert_string_equal(e.text, "device x: there is none");
}

static void one_store_has_one_server(void **state)
{
	struct db second;
	struct err e = {0};

	(void)state;
	assert_int_equal(db_sqlite_open("store.db", &second, &e), -ERR_BUSY);
}

static void a_newer_schema_is_left_alone(void **state)
{
	struct db *db = *state;
	struct err e = {0};

	assert_int_equal(db_begin(db, &e), 0);
	assert_int_equal(
		db_exec(db, "INSERT INTO schema_version VALUES (1000)", DB_NO_ARGS, NULL, &e), 0);
	assert_int_equal(db_commit(db, &e), 0);
	assert_int_equal(db_migrate(db, &e), -ERR_CONFLICT);
}

static void garbage_is_no_store(void **state)
{
	FILE *f = fopen("garbage.db", "w");
	struct db db;
	struct err e = {0};

	(void)state;
	assert_non_null(f);
	for (int i = 0; i < 500; i++)
		fputs("this is no database\n", f);
	fclose(f);
	assert_int_equal(db_sqlite_open("garbage.db", &db, &e), -ERR_IO);
	assert_int_equal(db_sqlite_open("no/such/folder.db", &db, &e), -ERR_IO);
}

static void the_wrapper_fails_once_where_it_is_told(void **state)
{
	struct db *inner = *state, db;
	struct db_fault fault = {.fail_at = 0};
	struct err e = {0};

	db_fault_open(&fault, inner, &db);
	for (uint64_t at = 1; at <= 4; at++) {
		int rc;

		fault.calls = 0;
		fault.fail_at = at;
		rc = db_begin(&db, &e);
		if (rc == 0)
			rc = db_end(&db,
				db_exec(&db, "INSERT INTO contacts VALUES ('x', 1)", DB_NO_ARGS,
					NULL, &e),
				&e);
		assert_int_equal(rc, at <= 3 ? -ERR_IO : 0);
		assert_int_equal(count(inner), at <= 3 ? 0 : 1);
		assert_false(inner->in_transaction);
	}
	db_close(&db);
}

/* ---- groups ---- */

static int add(struct db *db, const char *device, int rc, struct err *e)
{
	TRY(db_begin(db, e));
	if (db_exec(db, "INSERT INTO contacts VALUES (?1, 1)", DB_ARGS(db_text(device)), NULL, e) <
		0)
		rc = -ERR_IO;
	return db_end(db, rc, e);
}

static void a_group_is_durable_at_its_end(void **state)
{
	struct db *db = *state, second;
	struct err e = {0};

	db_group_begin(db);
	assert_false(db_group_is_open(db));
	assert_int_equal(add(db, "a", 0, &e), 0);
	assert_true(db_group_is_open(db));
	assert_int_equal(add(db, "b", -ERR_CONFLICT, &e), -ERR_CONFLICT);
	assert_int_equal(add(db, "c", 0, &e), 0);
	assert_int_equal(count(db), 2);
	assert_int_equal(db_group_end(db, &e), 0);
	assert_false(db_group_is_open(db));
	assert_int_equal(count(db), 2);
	/* Killed before the end of the next one. */
	db_group_begin(db);
	assert_int_equal(add(db, "d", 0, &e), 0);
	second = *db;
	db_close(&second);
	assert_int_equal(db_sqlite_open("store.db", db, &e), 0);
	assert_int_equal(count(db), 2);
}

static void a_group_without_changes_costs_nothing(void **state)
{
	struct db *inner = *state, db;
	struct db_fault fault = {.fail_at = 0};
	struct err e = {0};

	db_fault_open(&fault, inner, &db);
	db_group_begin(&db);
	assert_int_equal(db_group_end(&db, &e), 0);
	assert_int_equal(fault.calls, 0);
	db_close(&db);
}

/* Whatever call fails: what a transaction was said to have done is there after a good end, and
 * nothing of it after a bad one. */
static void a_group_that_fails_keeps_nothing(void **state)
{
	struct db *inner = *state, db;
	struct db_fault fault = {.fail_at = 0};
	struct err e = {0};
	bool failed = true;

	db_fault_open(&fault, inner, &db);
	for (uint64_t at = 1; failed; at++) {
		int64_t done = 0;
		int rc;

		fault.calls = 0;
		fault.fail_at = at;
		db_group_begin(&db);
		done += add(&db, "a", 0, &e) == 0;
		done += add(&db, "b", -ERR_CONFLICT, &e) == 0;
		done += add(&db, "c", 0, &e) == 0;
		rc = db_group_end(&db, &e);
		failed = fault.calls >= at;
		fault.fail_at = 0;
		assert_false(db_group_is_open(&db));
		assert_int_equal(count(inner), rc == 0 ? done : 0);
		assert_true(failed || done == 2);
		assert_int_equal(db_begin(&db, &e), 0);
		assert_int_equal(
			db_end(&db, db_exec(&db, "DELETE FROM contacts", DB_NO_ARGS, NULL, &e), &e),
			0);
	}
	db_close(&db);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_store, close_store)
	const struct CMUnitTest tests[] = {
		T(what_is_committed_is_there_after_reopening),
		T(a_row_that_is_there_is_a_conflict),
		T(values_come_back_as_they_went_in),
		T(a_missing_row_is_named),
		T(one_store_has_one_server),
		T(a_newer_schema_is_left_alone),
		T(garbage_is_no_store),
		T(the_wrapper_fails_once_where_it_is_told),
		T(a_group_is_durable_at_its_end),
		T(a_group_without_changes_costs_nothing),
		T(a_group_that_fails_keeps_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
