#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include "agent/journal/journal.h"
#include "tests/lib/crashfs.h"

static struct err e;
static struct crashfs *c;
static struct fs *fs;

#define OK(x) assert_int_equal((x), 0)

static int set_up(void **state)
{
	(void)state;
	c = crashfs_new();
	fs = crashfs_fs(c);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	assert_int_equal(crashfs_open_fds(c), 0);
	crashfs_free(&c);
	return 0;
}

/* Record number k of a life: its soak says which one it is. */
static struct upd_record nth(ms_t k)
{
	struct upd_record r;

	upd_record_init(&r);
	if (k > 0)
		r.state = UPD_SOAKING;
	r.soak_done = k;
	return r;
}

static int save(struct journal *j, ms_t k)
{
	struct upd_record r = nth(k);

	return journal_save(j, &r, &e);
}

static int start(struct journal *j, ms_t *out_k)
{
	struct upd_record r;

	TRY(journal_open(fs, "state", j, &e));
	TRY(journal_load(j, &r, &e));
	assert_int_equal(r.state, r.soak_done > 0 ? UPD_SOAKING : UPD_IDLE);
	*out_k = r.soak_done;
	return 0;
}

static void begins_fresh_and_remembers(void **state)
{
	struct upd_record r;
	struct journal j;
	ms_t k;

	(void)state;
	OK(start(&j, &k));
	assert_int_equal(k, 0);
	assert_int_equal(j.seq, 1);
	for (ms_t i = 1; i <= 5; i++) {
		r = nth(i);
		OK(journal_save(&j, &r, &e));
		assert_int_equal(r.seq, 1 + i);
		crashfs_reboot(c, 0);
		OK(start(&j, &k));
		assert_int_equal(k, i);
	}
}

static void the_root_can_hold_it_too(void **state)
{
	struct upd_record r;
	struct journal j;
	struct fs_stat st;

	(void)state;
	OK(journal_open(fs, "", &j, &e));
	OK(journal_load(&j, &r, &e));
	OK(fs->ops->stat(fs, "state.1", &st, &e));
	assert_int_equal(st.size, JOURNAL_BLOCK);
	assert_int_equal(st.mode, 0600);
}

/* One life: start, then save up to record 4. Returns the last one that was durable when the power
 * went, or -1 when not even the start was done. */
static ms_t live(void)
{
	struct journal j;
	ms_t k;

	if (start(&j, &k) < 0)
		return -1;
	while (k < 4) {
		if (save(&j, k + 1) < 0)
			return k;
		k++;
	}
	return k;
}

static void no_cut_costs_more_than_one_step(void **state)
{
	unsigned cuts = 0;

	(void)state;
	for (uint64_t n = 1;; n++)
		for (uint64_t seed = 0; seed < 16; seed++, cuts++) {
			struct journal j;
			bool whole;
			ms_t done, k;

			crashfs_free(&c);
			c = crashfs_new();
			fs = crashfs_fs(c);
			crashfs_cut_at(c, n);
			done = live();
			whole = !crashfs_is_cut(c);
			crashfs_reboot(c, seed);
			if (start(&j, &k) < 0)
				fail_msg("cut at %llu, seed %llu: %s", (unsigned long long)n,
					(unsigned long long)seed, e.text);
			assert_true(k == done || k == done + 1);
			if (whole) {
				assert_int_equal(k, 4);
				printf("== journal: %u power cuts, at most one step lost\n", cuts);
				return;
			}
			/* and the second half of life goes on as if nothing had been */
			assert_int_equal(live(), 4);
			crashfs_reboot(c, 0);
			OK(start(&j, &k));
			assert_int_equal(k, 4);
		}
}

/* A process that was killed may leave a record that only the cache holds. What the next one loads
 * must stand. */
static void what_was_loaded_is_durable(void **state)
{
	(void)state;
	for (uint64_t n = 1; n <= 3; n++)
		for (uint64_t seed = 0; seed < 8; seed++) {
			struct journal j;
			ms_t before, k;

			crashfs_free(&c);
			c = crashfs_new();
			fs = crashfs_fs(c);
			OK(start(&j, &k));
			OK(save(&j, 1));
			crashfs_cut_at(c, crashfs_ops(c) + n);
			(void)!save(&j, 2);
			crashfs_revive(c);
			OK(start(&j, &before));
			crashfs_reboot(c, seed);
			OK(start(&j, &k));
			assert_int_equal(k, before);
		}
}

static void a_failed_save_leaves_the_record_before(void **state)
{
	static const int sys[] = {EIO, ENOSPC};

	(void)state;
	for (size_t s = 0; s < ARRAY_LEN(sys); s++)
		for (uint64_t n = 1; n <= 2; n++) {
			struct upd_record r = nth(2);
			struct journal j;
			ms_t k;

			crashfs_free(&c);
			c = crashfs_new();
			fs = crashfs_fs(c);
			OK(start(&j, &k));
			OK(save(&j, 1));
			crashfs_fail_at(c, crashfs_ops(c) + n, 1, sys[s]);
			if (journal_save(&j, &r, &e) == 0) {
				assert_int_equal(sys[s], ENOSPC); /* a sync takes no room */
				continue;
			}
			assert_int_equal(r.seq, 0);
			OK(save(&j, 3));
			crashfs_reboot(c, 0);
			OK(start(&j, &k));
			assert_int_equal(k, 3);
		}
}

/* ---- damage ---- */

/* Of a checksum any byte may be there already: then it becomes another one. */
static void overwrite(int fd, uint64_t at, const char *with)
{
	char was[8], is[8];
	size_t n = strlen(with), got;

	OK(fs->ops->pread(fs, fd, was, n, at, &got, &e));
	memcpy(is, with, n);
	if (got == n && memcmp(was, is, n) == 0)
		is[0] ^= 1;
	OK(fs->ops->pwrite(fs, fd, is, n, at, &e));
}

static void damage(const char *path, uint64_t at, const char *with)
{
	int fd;

	OK(fs->ops->open(fs, path, FS_WRITE, &fd, &e));
	if (with)
		overwrite(fd, at, with);
	else
		OK(fs->ops->truncate(fs, fd, at, &e));
	OK(fs->ops->close(fs, fd, &e));
	crashfs_settle(c);
}

static const struct {
	uint64_t at;
	const char *with; /* NULL: cut to this length */
} damages[] = {{0, "X"}, {8, "\xff\xff"}, {12, "\x7f"}, {60, "X"}, {4000, "X"}, {4092, "wrong"},
	{4095, NULL}, {0, NULL}};

static void one_bad_file_costs_one_step(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
		struct journal j;
		ms_t k;

		crashfs_free(&c);
		c = crashfs_new();
		fs = crashfs_fs(c);
		OK(start(&j, &k));
		OK(save(&j, 1)); /* number 2, in state.0 */
		OK(save(&j, 2)); /* number 3, in state.1 */
		damage("state/state.1", damages[i].at, damages[i].with);
		OK(start(&j, &k));
		assert_int_equal(k, 1);
		assert_true(j.behind);
		OK(save(&j, 7));
		OK(start(&j, &k));
		assert_int_equal(k, 7);
		assert_false(j.behind);
	}
}

/* Whole, and from before; the one right before it cannot be told from a save that did not come. */
static void an_older_copy_is_noticed(void **state)
{
	struct journal j;
	ms_t k;
	BUF_AUTO old = {0};

	(void)state;
	OK(start(&j, &k));
	assert_false(j.behind);
	OK(save(&j, 1));
	OK(save(&j, 2));
	OK(fs_read_file(fs, "state/state.1", 8192, &old, &e));
	for (ms_t n = 3; n <= 6; n++)
		OK(save(&j, n));
	OK(start(&j, &k));
	assert_false(j.behind);
	OK(fs_write_file(fs, "state/state.1", old.p, old.n, 0600, &e));
	OK(start(&j, &k));
	assert_int_equal(k, 5);
	assert_true(j.behind);
}

static void two_bad_files_need_a_person(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
		struct journal j;
		ms_t k;

		(void)state;
		crashfs_free(&c);
		c = crashfs_new();
		fs = crashfs_fs(c);
		OK(start(&j, &k));
		OK(save(&j, 1));
		damage("state/state.0", damages[i].at, damages[i].with);
		damage("state/state.1", damages[ARRAY_LEN(damages) - 1 - i].at,
			damages[ARRAY_LEN(damages) - 1 - i].with);
		assert_int_equal(start(&j, &k), -ERR_NEED_HAND);
		assert_non_null(strstr(e.text, "state/state.0"));
		assert_non_null(strstr(e.text, "state/state.1"));
	}
}

static int fail_pread(
	struct fs *f, int fd, void *p, size_t n, uint64_t off, size_t *out_n, struct err *err)
{
	(void)f;
	(void)fd;
	(void)p;
	(void)n;
	(void)off;
	(void)out_n;
	return err_sys(err, EIO, "read");
}

/* To go on with the older record because the newer one cannot be read just now would forget a step
 * that was carried out. */
static void an_unreadable_file_is_not_a_torn_one(void **state)
{
	struct fs_ops ops = *fs->ops;
	struct fs sick = {.ops = &ops, .self = fs->self};
	struct upd_record r;
	struct journal j;
	ms_t k;

	(void)state;
	OK(start(&j, &k));
	ops.pread = fail_pread;
	OK(journal_open(&sick, "state", &j, &e));
	assert_int_equal(journal_load(&j, &r, &e), -ERR_IO);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(begins_fresh_and_remembers),
		CASE(the_root_can_hold_it_too),
		CASE(no_cut_costs_more_than_one_step),
		CASE(what_was_loaded_is_durable),
		CASE(a_failed_save_leaves_the_record_before),
		CASE(one_bad_file_costs_one_step),
		CASE(an_older_copy_is_noticed),
		CASE(two_bad_files_need_a_person),
		CASE(an_unreadable_file_is_not_a_torn_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
