#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "keys/folder.h"
#include "tests/lib/trepo.h"

/* "own" has the first files; "other" gets what a case makes newer. */
struct world {
	struct trepo r;
	struct fs own, other;
	unsigned taken;
	struct err e;
};

static int world_open(void **state)
{
	struct world *w = mem_new(sizeof *w);

	assert_int_equal(system("rm -rf own other && mkdir own other"), 0);
	trepo_init(&w->r, TREPO_IMAGE, TREPO_NOW);
	trepo_publish(&w->r);
	trepo_save(&w->r, "own");
	assert_int_equal(fs_posix_open("own", &w->own, &w->e), 0);
	assert_int_equal(fs_posix_open("other", &w->other, &w->e), 0);
	*state = w;
	return 0;
}

static int world_close(void **state)
{
	struct world *w = *state;

	fs_posix_close(&w->own);
	fs_posix_close(&w->other);
	trepo_fini(&w->r);
	mem_free(&w);
	return 0;
}

static void update_is(struct world *w, enum err_code want, unsigned taken)
{
	w->taken = 0;
	if (folder_update(&w->own, &w->other, &w->taken, &w->e) != -(int)want)
		fail_msg("wanted %s: %s", err_name(want), w->e.text);
	assert_int_equal(w->taken, taken);
}

static void newest_is(struct world *w, const char *role, uint64_t version)
{
	uint64_t lowest, highest;

	assert_int_equal(folder_span(&w->own, role, &lowest, &highest, &w->e), 0);
	assert_int_equal(lowest, 1);
	assert_int_equal(highest, version);
}

static void what_is_newer_and_proved_is_taken(void **state)
{
	struct world *w = *state;

	update_is(w, ERR_OK, 0); /* an empty folder */
	trepo_set_version(&w->r, TREPO_ROOT, 2);
	trepo_set_version(&w->r, TREPO_TARGETS, 5);
	trepo_set_version(&w->r, TREPO_SAFETY, 3);
	trepo_publish(&w->r);
	trepo_save(&w->r, "other");
	update_is(w, ERR_OK, 3);
	newest_is(w, "root", 2);
	newest_is(w, "targets", 5);
	newest_is(w, "safety", 3);
	newest_is(w, "engineering", 1);
	update_is(w, ERR_OK, 0);
}

static void a_root_of_strangers_is_refused(void **state)
{
	struct world *w = *state;
	struct trepo stranger;

	trepo_init(&stranger, TREPO_IMAGE, TREPO_NOW);
	trepo_set_version(&stranger, TREPO_ROOT, 2);
	trepo_publish(&stranger);
	trepo_save(&stranger, "other");
	update_is(w, ERR_UNSIGNED, 0);
	newest_is(w, "root", 1);
	trepo_fini(&stranger);
}

static void a_role_file_of_strangers_stays_where_it_is(void **state)
{
	struct world *w = *state;

	trepo_set_version(&w->r, TREPO_SAFETY, 2);
	trepo_new_keys(&w->r, TREPO_SAFETY, 1);
	trepo_sign(&w->r, TREPO_SAFETY);
	trepo_save(&w->r, "other");
	update_is(w, ERR_OK, 0);
	newest_is(w, "safety", 1);
}

static void older_files_are_not_taken(void **state)
{
	struct world *w = *state;

	trepo_save(&w->r, "other");
	trepo_set_version(&w->r, TREPO_SAFETY, 7);
	trepo_sign(&w->r, TREPO_SAFETY);
	trepo_save(&w->r, "own");
	update_is(w, ERR_OK, 0);
	newest_is(w, "safety", 7);
}

static void a_file_that_waits_gives_way_to_the_whole_one(void **state)
{
	struct world *w = *state;
	struct trepo_role *safety = &w->r.role[TREPO_SAFETY];
	const struct sign_key *first = &safety->keys[0];
	BUF_AUTO waiting = {0};

	trepo_new_keys(&w->r, TREPO_SAFETY, 2);
	trepo_rebuild_delegations(&w->r);
	trepo_set_version(&w->r, TREPO_TARGETS, 2);
	trepo_set_version(&w->r, TREPO_SAFETY, 2);
	trepo_publish(&w->r);
	trepo_save(&w->r, "other");
	assert_int_equal(sign_meta(safety->part, &first, 1, &waiting, &w->e), 0);
	assert_int_equal(folder_write(&w->own, "safety", 2, &waiting, &w->e), 0);
	update_is(w, ERR_OK, 2); /* targets and safety */
	update_is(w, ERR_OK, 0);
	assert_int_equal(folder_write(&w->other, "safety", 2, &waiting, &w->e), 0);
	update_is(w, ERR_OK, 0);
}

static void a_file_under_another_number_is_refused(void **state)
{
	struct world *w = *state;
	CLEANUP(meta_fini) struct meta m = {0};

	assert_int_equal(rename("own/1.safety.json", "own/4.safety.json"), 0);
	assert_int_equal(folder_meta(&w->own, "safety", 4, &m, &w->e), -ERR_MIXED);
	assert_int_equal(folder_meta(&w->own, "safety", 1, &m, &w->e), -ERR_NOT_FOUND);
	assert_int_equal(folder_meta(&w->own, "../own/x", 1, &m, &w->e), -ERR_NOT_FOUND);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_is_newer_and_proved_is_taken),
		CASE(a_root_of_strangers_is_refused),
		CASE(a_role_file_of_strangers_stays_where_it_is),
		CASE(older_files_are_not_taken),
		CASE(a_file_that_waits_gives_way_to_the_whole_one),
		CASE(a_file_under_another_number_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
