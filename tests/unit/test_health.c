/* Checks of the machine's owner: when they count, and running real ones. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/core/health.h"
#include "agent/health/health.h"
#include "tests/lib/expect.h"

/* ---- what rounds come to ---- */

static const struct {
	const char *rounds; /* '.': all required ones passed; 'x': one failed */
	enum health_verdict want;
	ms_t next; /* after the last, which ended at 100 s */
} cases[] = {
	{"", HEALTH_WAITS, 5000},
	{".", HEALTH_GREEN, 130000},
	{"x", HEALTH_WAITS, 102000},
	{"xx", HEALTH_WAITS, 102000},
	{"xxx", HEALTH_RED, 102000},
	{"xxxx", HEALTH_RED, 102000},
	{"xx.", HEALTH_GREEN, 130000},
	{"xx.xx", HEALTH_WAITS, 102000},
	{"..x", HEALTH_WAITS, 102000},
	{".x.x.x.", HEALTH_GREEN, 130000},
};

static void so_many_in_a_row_are_red(void **state UNUSED)
{
	struct health_rule r = {.interval = SEC(30), .retry = SEC(2), .tries = 3};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct health_state s;

		health_init(&s, 5000);
		for (const char *p = cases[i].rounds; *p; p++)
			health_step(&r, &s, *p == 'x' ? 2 : 0, SEC(100));
		assert_int_equal(health_eval(&r, &s), cases[i].want);
		assert_int_equal(s.next, cases[i].next);
		assert_int_equal(s.rounds, strlen(cases[i].rounds));
	}
}

/* ---- real ones ---- */

static char here[200];

static void put(const char *path, const char *script, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fprintf(f, "#!/bin/sh\n%s\n", script);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static int begin(void **state UNUSED)
{
	static const char *const folders[] = {"weak", "weak/required.d", "weak/wanted.d", "strong",
		"strong/required.d", "strong/wanted.d"};

	assert_non_null(getcwd(here, sizeof here));
	strcat(here, "/health.XXXXXX");
	assert_non_null(mkdtemp(here));
	assert_int_equal(chdir(here), 0);
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		assert_int_equal(mkdir(folders[i], 0755), 0);
	return 0;
}

static int end(void **state UNUSED)
{
	return chdir("..");
}

static struct health_round run(ms_t timeout, const atomic_bool *cancel)
{
	struct health_in in = {
		.slot_dir = "/slot", .release = "toy-1", .timeout = timeout, .cancel = cancel};
	struct health_round r = {0};
	BUF_AUTO dirs = {0};
	struct err e;

	buf_addf(&dirs, "%s/weak:%s/nowhere:%s/strong", here, here, here);
	in.dirs = buf_cstr(&dirs);
	expect_ok(health_run(&in, &r, &e), &e);
	return r;
}

static void expect_one(
	const struct health_check *c, const char *name, bool required, const char *text)
{
	expect_text(c->name, name);
	assert_int_equal(c->required, required);
	assert_int_equal(c->ok, *text == 0);
	expect_text(c->text, text);
}

static void no_checks_is_a_round_that_passes(void **state UNUSED)
{
	struct health_round r = run(SEC(5), NULL);

	assert_int_equal(r.n, 0);
	assert_int_equal(r.failed, 0);
}

static void all_run_and_failures_are_told(void **state UNUSED)
{
	put("weak/required.d/20-says", "echo disk full >&2; exit 3", 0755);
	put("weak/required.d/10-fine",
		"[ $BACKSTAY_SLOT_DIR = /slot ] && [ $BACKSTAY_RELEASE = toy-1 ]", 0755);
	put("weak/required.d/30-killed", "kill -USR1 $$", 0755);
	put("strong/required.d/40-forgotten", "exit 0", 0644);
	put("strong/wanted.d/10-warns", "printf 'a\\nb\\001\\n\\n'; exit 1", 0755);
	put("strong/wanted.d/backup~", "exit 1", 0755);
	put("strong/wanted.d/.hidden", "exit 1", 0755);

	struct health_round r = run(SEC(5), NULL);

	assert_int_equal(r.n, 5);
	assert_int_equal(r.failed, 3);
	expect_one(&r.v[0], "required.d/10-fine", true, "");
	expect_one(&r.v[1], "required.d/20-says", true, "exit 3: disk full");
	expect_text(buf_cstr(&r.v[1].output), "disk full\n");
	expect_one(&r.v[2], "required.d/30-killed", true, "ended by signal 10");
	assert_false(r.v[3].ok);
	expect_text(r.v[3].name, "required.d/40-forgotten");
	expect_one(&r.v[4], "wanted.d/10-warns", false, "exit 1: b?");
	health_round_fini(&r);
}

static void of_one_name_the_strongest_counts(void **state UNUSED)
{
	put("weak/required.d/1", "exit 1", 0755);
	put("strong/required.d/1", "exit 0", 0755);
	put("weak/required.d/2", "exit 1", 0755);
	assert_int_equal(symlink("/dev/null", "strong/required.d/2"), 0);
	put("weak/required.d/3", "exit 1", 0755);
	assert_int_equal(symlink("gone", "strong/required.d/3"), 0);
	put("weak/wanted.d/1", "exit 0", 0755);

	struct health_round r = run(SEC(5), NULL);

	assert_int_equal(r.n, 2);
	expect_one(&r.v[0], "required.d/1", true, "");
	expect_one(&r.v[1], "wanted.d/1", false, "");
	health_round_fini(&r);
}

static void time_and_output_are_bounded(void **state UNUSED)
{
	put("weak/required.d/1", "sleep 1000 & echo begun; wait", 0755);
	put("weak/required.d/2", "yes | head -c 100000; exit 1", 0755);

	struct health_round r = run(300, NULL);

	assert_int_equal(r.failed, 2);
	expect_one(&r.v[0], "required.d/1", true, "not done within 0.3 s: begun");
	assert_int_equal(r.v[1].output.n, HEALTH_OUTPUT_MAX);
	health_round_fini(&r);
}

static void too_many_are_a_failure(void **state UNUSED)
{
	char path[64];

	for (int i = 0; i < HEALTH_CHECKS_MAX; i++) {
		snprintf(path, sizeof path, "weak/required.d/%02d", i);
		put(path, "exit 0", 0755);
	}
	struct health_round r = run(SEC(5), NULL);

	assert_int_equal(r.n, HEALTH_CHECKS_MAX);
	assert_int_equal(r.failed, 1);
	expect_one(
		&r.v[HEALTH_CHECKS_MAX - 1], "required.d", true, "there are more than 31 checks");
	health_round_fini(&r);
}

static void a_folder_that_is_none_has_no_checks(void **state UNUSED)
{
	assert_int_equal(rmdir("weak/required.d"), 0);
	put("weak/required.d", "exit 1", 0755);

	struct health_round r = run(SEC(5), NULL);

	assert_int_equal(r.n, 0);
}

static void a_cancelled_round_does_not_count(void **state UNUSED)
{
	struct health_round r = {.n = 7};
	atomic_bool cancel = true;
	BUF_AUTO dirs = {0};
	struct health_in in = {
		.slot_dir = "", .release = "", .timeout = SEC(60), .cancel = &cancel};
	struct err e;

	put("weak/required.d/1", "sleep 1000", 0755);
	buf_addf(&dirs, "%s/weak", here);
	in.dirs = buf_cstr(&dirs);
	expect_err(health_run(&in, &r, &e), &e, ERR_CANCELLED, "required.d/1", "");
	assert_int_equal(r.n, 7);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(so_many_in_a_row_are_red),
		CASE(no_checks_is_a_round_that_passes),
		CASE(all_run_and_failures_are_told),
		CASE(of_one_name_the_strongest_counts),
		CASE(time_and_output_are_bounded),
		CASE(too_many_are_a_failure),
		CASE(a_folder_that_is_none_has_no_checks),
		CASE(a_cancelled_round_does_not_count),
	};

	return cmocka_run_group_tests_name("health", tests, NULL, NULL);
}
