/* Rows of the audit log from before there was a chain. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/repo/audit.h"

#define ROWS 3

static struct db db;
static struct err e;

static int open_store(void **state UNUSED)
{
	unlink("store.db");
	unlink("store.db-wal");
	expect_ok(db_sqlite_open("store.db", &db, &e), &e);
	expect_ok(db_begin(&db, &e), &e);
	for (int i = 0; i < ROWS; i++) {
		struct audit_row a = {.at = 1000 + i, .who = "ann", .what = "publish"};

		snprintf(a.text, sizeof(a.text), "row %d", i);
		expect_ok(audit_add(&db, &a, &e), &e);
	}
	return 0;
}

static int close_store(void **state UNUSED)
{
	expect_ok(db_commit(&db, &e), &e);
	db_close(&db);
	return 0;
}

struct chain {
	unsigned n;
	struct sha256 v[ROWS];
};

static int keep(void *ctx, const struct audit_row *a UNUSED, const struct sha256 *chain,
	struct err *why UNUSED)
{
	struct chain *c = ctx;

	c->v[c->n++] = *chain;
	return 0;
}

static struct chain chain_now(void)
{
	struct chain c = {.n = 0};

	expect_ok(audit_each(&db, 0, ROWS + 1, keep, &c, &e), &e);
	assert_int_equal(c.n, ROWS);
	return c;
}

static void unchain(const char *where)
{
	char sql[80];

	snprintf(sql, sizeof(sql), "UPDATE audit SET chain = NULL %s", where);
	expect_ok(db_exec(&db, sql, DB_NO_ARGS, NULL, &e), &e);
}

/* As if they had been written with it. */
static void old_rows_are_chained(void **state UNUSED)
{
	struct chain before = chain_now(), after;

	unchain("");
	after = chain_now();
	assert_true(sha256_is_zero(&after.v[0]));
	expect_ok(audit_chain_old(&db, &e), &e);
	after = chain_now();
	assert_memory_equal(after.v, before.v, sizeof(before.v));
	expect_ok(audit_chain_old(&db, &e), &e);
	after = chain_now();
	assert_memory_equal(after.v, before.v, sizeof(before.v));
}

/* Who changes a row and takes its value away does not get it a new one. */
static void one_row_is_not_chained_anew(void **state UNUSED)
{
	struct chain after;

	unchain("WHERE n = 2");
	expect_ok(audit_chain_old(&db, &e), &e);
	after = chain_now();
	assert_false(sha256_is_zero(&after.v[0]));
	assert_true(sha256_is_zero(&after.v[1]));
	assert_false(sha256_is_zero(&after.v[2]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(old_rows_are_chained, open_store, close_store),
		cmocka_unit_test_setup_teardown(
			one_row_is_not_chained_anew, open_store, close_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
