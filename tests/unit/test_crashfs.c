/* The simulated disk: that it is a file system like any other, and that it loses what it says. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include "tests/lib/crashfs.h"
#include "tests/lib/fs_cases.h"

static struct err e;
static struct crashfs *c;
static struct fs *fs;

#define OK(x)      assert_int_equal((x), 0)
#define FAIL(x, k) assert_int_equal((x), -(k))

static int set_up(void **state)
{
	c = crashfs_new();
	fs = crashfs_fs(c);
	*state = fs;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	assert_int_equal(crashfs_open_fds(c), 0);
	crashfs_free(&c);
	return 0;
}

static int create(const char *path)
{
	int fd;

	OK(fs->ops->open(fs, path, FS_CREATE, &fd, &e));
	return fd;
}

static void put(int fd, const char *text, uint64_t off)
{
	OK(fs->ops->pwrite(fs, fd, text, strlen(text), off, &e));
}

/* NULL when there is no such file. */
static const char *content(const char *path)
{
	static struct buf out;

	buf_clear(&out);
	if (fs_read_file(fs, path, 1 << 20, &out, &e) < 0)
		return NULL;
	return buf_cstr(&out);
}

static bool is(const char *path, const char *want)
{
	const char *got = content(path);

	return want ? got && strcmp(got, want) == 0 : !got;
}

static void synced_state_survives(void **state)
{
	int fd = create("f");

	(void)state;
	put(fd, "abc", 0);
	OK(fs->ops->chmod(fs, "f", 0600, &e));
	OK(fs->ops->sync(fs, fd, &e));
	OK(fs->ops->sync_dir(fs, "", &e));
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct fs_stat st;

		crashfs_reboot(c, seed);
		assert_true(is("f", "abc"));
		OK(fs->ops->stat(fs, "f", &st, &e));
		assert_int_equal(st.mode, 0600);
	}
}

static void a_file_whose_folder_was_not_synced_may_be_gone(void **state)
{
	unsigned seen = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 40; seed++) {
		struct crashfs *one = crashfs_new();
		struct fs *other = crashfs_fs(one);
		struct fs_stat st;
		int fd;

		OK(other->ops->open(other, "f", FS_CREATE, &fd, &e));
		OK(other->ops->pwrite(other, fd, "abc", 3, 0, &e));
		OK(other->ops->sync(other, fd, &e));
		crashfs_reboot(one, seed);
		OK(other->ops->stat(other, "f", &st, &e));
		seen |= st.kind == FS_NONE ? 1 : 2;
		if (st.kind != FS_NONE)
			assert_int_equal(st.size, 3);
		if (seed < 2)
			assert_int_equal(st.kind != FS_NONE, seed);
		crashfs_free(&one);
	}
	assert_int_equal(seen, 3);
}

/* The mistake that every updater makes once: rename before sync. */
static void a_rename_before_the_sync_may_show_an_empty_file(void **state)
{
	unsigned empty = 0, old = 0, new = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 60; seed++) {
		int fd;

		OK(fs_write_file(fs, "f", "old", 3, 0644, &e));
		crashfs_settle(c);
		fd = create("g");
		put(fd, "new", 0);
		OK(fs->ops->close(fs, fd, &e));
		OK(fs->ops->rename(fs, "g", "f", &e));
		OK(fs->ops->sync_dir(fs, "", &e));
		crashfs_reboot(c, seed);
		empty += is("f", "");
		old += is("f", "old");
		new += is("f", "new");
	}
	assert_int_equal(old, 0); /* the folder was synced */
	assert_true(empty > 0 && new > 0);
	assert_int_equal(empty + new, 60);
}

static void a_rename_is_whole_or_not_at_all(void **state)
{
	unsigned moved = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 60; seed++) {
		bool has_a, has_b;

		OK(fs_remove_tree(fs, "d", &e));
		OK(fs_make_dirs(fs, "d", &e));
		OK(fs_write_file(fs, "a", "1", 1, 0644, &e));
		OK(fs_write_file(fs, "d/b", "2", 1, 0644, &e));
		crashfs_settle(c);
		OK(fs->ops->rename(fs, "a", "d/b", &e));
		if (seed % 3 == 0)
			OK(fs->ops->sync_dir(fs, "d", &e));
		crashfs_reboot(c, seed);
		has_a = is("a", "1");
		has_b = is("d/b", "1");
		assert_true(has_a != has_b);
		if (has_a)
			assert_true(is("d/b", "2"));
		if (seed % 3 == 0)
			assert_true(has_b);
		moved += has_b;
	}
	assert_true(moved > 20 && moved < 60);
}

/* What is renamed away from a name must have come to it first. */
static void names_keep_their_order(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 60; seed++) {
		struct fs_stat st;
		bool z;

		OK(fs_remove_tree(fs, "x", &e));
		OK(fs_remove_tree(fs, "z", &e));
		crashfs_settle(c);
		OK(fs->ops->mkdir(fs, "x", 0755, &e));
		OK(fs->ops->rename(fs, "x", "y", &e));
		OK(fs->ops->rename(fs, "y", "z", &e));
		crashfs_reboot(c, seed);
		OK(fs->ops->stat(fs, "z", &st, &e));
		z = st.kind == FS_DIR;
		OK(fs->ops->stat(fs, "x", &st, &e));
		assert_false(z && st.kind == FS_DIR);
		OK(fs->ops->stat(fs, "y", &st, &e));
		assert_false(z && st.kind == FS_DIR);
		OK(fs_remove_tree(fs, "y", &e));
	}
}

static void unsynced_bytes_are_lost_sector_by_sector(void **state)
{
	unsigned whole = 0, none = 0, torn = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 60; seed++) {
		char text[4096 + 1], back[4096];
		size_t n;
		int fd = create("f");

		memset(text, 'o', sizeof text);
		OK(fs->ops->pwrite(fs, fd, text, 4096, 0, &e));
		OK(fs->ops->sync(fs, fd, &e));
		OK(fs->ops->sync_dir(fs, "", &e));
		memset(text, 'n', sizeof text);
		OK(fs->ops->pwrite(fs, fd, text, 4096, 0, &e));
		crashfs_reboot(c, seed);
		fd = create("f");
		OK(fs->ops->pread(fs, fd, back, sizeof back, 0, &n, &e));
		OK(fs->ops->close(fs, fd, &e));
		assert_int_equal(n, 4096);
		for (unsigned s = 0; s < 4096; s += 512)
			assert_memory_equal(back + s,
				back[s] == 'o' ? memset(text, 'o', 512) : memset(text, 'n', 512),
				512);
		if (memchr(back, 'o', n) && memchr(back, 'n', n))
			torn++;
		else if (back[0] == 'n')
			whole++;
		else
			none++;
	}
	assert_true(whole > 0 && none > 0 && torn > 0);
}

/* Size and bytes go their own ways: what was not written below the size reads as zeros. */
static void a_grown_file_may_hold_zeros(void **state)
{
	unsigned zeros = 0, shorter = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 60; seed++) {
		struct fs_stat st;
		char back[1024] = "";
		size_t n;
		int fd;

		OK(fs_write_file(fs, "f", "", 0, 0644, &e));
		crashfs_settle(c);
		fd = create("f");
		for (unsigned i = 0; i < 2; i++) {
			memset(back, 'x', sizeof back);
			OK(fs->ops->pwrite(fs, fd, back, 512, i * 512, &e));
		}
		crashfs_reboot(c, seed);
		OK(fs->ops->stat(fs, "f", &st, &e));
		assert_true(st.size % 512 == 0 && st.size <= 1024);
		fd = create("f");
		OK(fs->ops->pread(fs, fd, back, sizeof back, 0, &n, &e));
		OK(fs->ops->close(fs, fd, &e));
		zeros += n > 0 && memchr(back, 0, n) != NULL;
		shorter += n < 1024;
	}
	assert_true(zeros > 0 && shorter > 0);
}

static void the_cut_ends_everything(void **state)
{
	struct fs_stat st;
	uint64_t room;
	char text[8];
	size_t n;
	int fd, other;

	(void)state;
	OK(fs_make_dirs(fs, "d", &e));
	fd = create("f");
	put(fd, "abc", 0);
	crashfs_reset_ops(c);
	crashfs_cut_at(c, 2);
	put(fd, "def", 3);
	assert_false(crashfs_is_cut(c));
	FAIL(fs->ops->sync(fs, fd, &e), ERR_IO);
	assert_true(crashfs_is_cut(c));
	assert_string_equal(crashfs_last_op(c), "2: sync");
	assert_string_equal(e.text, "the power is gone");
	FAIL(fs->ops->pread(fs, fd, text, 1, 0, &n, &e), ERR_IO);
	FAIL(fs->ops->pwrite(fs, fd, "x", 1, 0, &e), ERR_IO);
	FAIL(fs->ops->open(fs, "f", FS_READ, &other, &e), ERR_IO);
	FAIL(fs->ops->stat(fs, "f", &st, &e), ERR_IO);
	FAIL(fs->ops->unlink(fs, "f", &e), ERR_IO);
	FAIL(fs->ops->sync_dir(fs, "", &e), ERR_IO);
	FAIL(fs->ops->room(fs, "", &room, &e), ERR_IO);
	FAIL(fs->ops->close(fs, fd, &e), ERR_IO);
	assert_int_equal(crashfs_ops(c), 2);
	crashfs_reboot(c, 0);
	assert_false(crashfs_is_cut(c));
	assert_int_equal(crashfs_ops(c), 0);
	assert_true(is("f", NULL));
	OK(fs->ops->stat(fs, "d", &st, &e));
	assert_int_equal(st.kind, FS_DIR);
	FAIL(fs->ops->sync(fs, fd, &e), ERR_IO); /* a descriptor of the earlier life */
}

/* Every operation counts, and the one at the cut may have happened or not. */
static void a_cut_at_each_operation_leaves_old_or_new(void **state)
{
	uint64_t n, ops = 0;
	unsigned old = 0, new = 0;

	(void)state;
	for (n = 1; ops == 0; n++)
		for (uint64_t seed = 0; seed < 12; seed++) {
			OK(fs_write_file(fs, "f", "old", 3, 0644, &e));
			crashfs_settle(c);
			crashfs_cut_at(c, n);
			if (fs_write_file(fs, "f", "new", 3, 0644, &e) == 0)
				ops = n;
			crashfs_reboot(c, seed);
			if (ops > 0)
				assert_true(is("f", "new"));
			old += is("f", "old");
			new += is("f", "new");
		}
	assert_int_equal(old + new, (n - 1) * 12);
	assert_true(n > 6 && old > 0 && new > 12);
}

static void a_revived_process_sees_the_cache(void **state)
{
	int fd = create("f");

	(void)state;
	put(fd, "abc", 0);
	crashfs_cut_at(c, crashfs_ops(c) + 1);
	FAIL(fs->ops->pwrite(fs, fd, "x", 1, 3, &e), ERR_IO);
	crashfs_revive(c);
	assert_true(is("f", "abcx"));
	crashfs_reboot(c, 0);
	assert_true(is("f", NULL));
}

static void an_operation_can_fail_alone(void **state)
{
	int fd;

	(void)state;
	crashfs_fail_at(c, 1, 2, EIO);
	FAIL(fs->ops->open(fs, "f", FS_CREATE, &fd, &e), ERR_IO);
	FAIL(fs->ops->mkdir(fs, "d", 0755, &e), ERR_IO);
	OK(fs->ops->mkdir(fs, "d", 0755, &e));
	assert_true(is("f", NULL));
	crashfs_fail_at(c, crashfs_ops(c) + 1, 1, ENOSPC);
	OK(fs->ops->sync_dir(fs, "", &e)); /* takes no room */
	FAIL(fs->ops->symlink(fs, "d", "l", &e), ERR_NO_SPACE);
	OK(fs->ops->symlink(fs, "d", "l", &e));
}

/* A sync that failed once has lost the bytes, whatever the next one says. */
static void a_second_sync_does_not_heal_the_first(void **state)
{
	char back[4] = "";
	size_t n;
	int fd = create("f");

	(void)state;
	OK(fs->ops->sync_dir(fs, "", &e));
	put(fd, "abc", 0);
	crashfs_fail_at(c, crashfs_ops(c) + 1, 1, EIO);
	FAIL(fs->ops->sync(fs, fd, &e), ERR_IO);
	OK(fs->ops->sync(fs, fd, &e));
	assert_true(is("f", "abc"));
	OK(fs->ops->drop_cache(fs, fd, &e));
	assert_true(is("f", ""));
	put(fd, "abc", 0);
	OK(fs->ops->sync(fs, fd, &e));
	OK(fs->ops->drop_cache(fs, fd, &e));
	OK(fs->ops->pread(fs, fd, back, 3, 0, &n, &e));
	assert_string_equal(back, "abc");
	OK(fs->ops->close(fs, fd, &e));
}

static void room_is_short(void **state)
{
	uint64_t room;
	int fd;

	(void)state;
	crashfs_set_room(c, 1000);
	fd = create("f");
	OK(fs->ops->pwrite(fs, fd, &(char[900]){0}, 900, 0, &e));
	OK(fs->ops->room(fs, "", &room, &e));
	assert_int_equal(room, 100);
	FAIL(fs->ops->pwrite(fs, fd, &(char[900]){0}, 900, 900, &e), ERR_NO_SPACE);
	OK(fs->ops->pwrite(fs, fd, &(char[900]){0}, 900, 0, &e));
	OK(fs->ops->clone(fs, "f", "g", &e));
	OK(fs->ops->unlink(fs, "f", &e));
	OK(fs->ops->unlink(fs, "g", &e));
	OK(fs->ops->room(fs, "", &room, &e));
	assert_int_equal(room, 100); /* still open */
	OK(fs->ops->close(fs, fd, &e));
	OK(fs->ops->room(fs, "", &room, &e));
	assert_int_equal(room, 1000);
}

static void clone_shares_or_copies_or_refuses(void **state)
{
	struct fs_stat st;
	int fd;

	(void)state;
	OK(fs_write_file(fs, "a", "abc", 3, 0755, &e));
	OK(fs->ops->clone(fs, "a", "b", &e));
	OK(fs->ops->stat(fs, "b", &st, &e));
	assert_int_equal(st.links, 2);
	crashfs_set_clone(c, CRASHFS_REFLINK);
	OK(fs->ops->clone(fs, "a", "r", &e));
	OK(fs->ops->stat(fs, "r", &st, &e));
	assert_int_equal(st.links, 1);
	assert_int_equal(st.mode, 0755);
	fd = create("a");
	put(fd, "x", 0);
	OK(fs->ops->close(fs, fd, &e));
	assert_true(is("b", "xbc"));
	assert_true(is("r", "abc"));
	OK(fs->ops->sync_dir(fs, "", &e));
	crashfs_reboot(c, 0);
	assert_true(is("b", "abc"));
	assert_true(is("r", "")); /* its own bytes were never synced */
	crashfs_set_clone(c, CRASHFS_NO_CLONE);
	FAIL(fs->ops->clone(fs, "a", "n", &e), ERR_NOT_FOUND);
}

static void a_copy_goes_its_own_way(void **state)
{
	struct crashfs *other;

	(void)state;
	OK(fs_make_dirs(fs, "d/e", &e));
	OK(fs_write_file(fs, "d/e/f", "abc", 3, 0644, &e));
	OK(fs->ops->symlink(fs, "d/e", "l", &e));
	OK(fs->ops->clone(fs, "d/e/f", "g", &e));
	crashfs_settle(c);
	other = crashfs_dup(c);
	OK(fs_write_file(fs, "d/e/f", "xyz", 3, 0644, &e));
	crashfs_free(&c);
	c = other;
	fs = crashfs_fs(c);
	assert_true(is("l/f", "abc"));
	assert_true(is("g", "abc"));
}

static void the_same_seed_gives_the_same_disk(void **state)
{
	char first[20][64];

	(void)state;
	for (unsigned round = 0; round < 2; round++)
		for (uint64_t seed = 0; seed < 20; seed++) {
			struct crashfs *kept = c;
			char now[64] = "";

			c = crashfs_new();
			fs = crashfs_fs(c);
			for (unsigned i = 0; i < 6; i++) {
				char name[8];
				int fd;

				snprintf(name, sizeof name, "f%u", i);
				fd = create(name);
				put(fd, "abc", 0);
				OK(fs->ops->close(fs, fd, &e));
			}
			crashfs_reboot(c, seed);
			for (unsigned i = 0; i < 6; i++) {
				char name[8];

				snprintf(name, sizeof name, "f%u", i);
				snprintf(now + strlen(now), sizeof now - strlen(now), "%s,",
					content(name) ? content(name) : "-");
			}
			if (round == 0)
				strcpy(first[seed], now);
			else
				assert_string_equal(now, first[seed]);
			crashfs_free(&c);
			c = kept;
			fs = crashfs_fs(c);
		}
	assert_string_equal(first[0], "-,-,-,-,-,-,");
	assert_string_equal(first[1], "abc,abc,abc,abc,abc,abc,");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest common[] = {FS_CASES(CASE)};
	const struct CMUnitTest own[] = {
		CASE(synced_state_survives),
		CASE(a_file_whose_folder_was_not_synced_may_be_gone),
		CASE(a_rename_before_the_sync_may_show_an_empty_file),
		CASE(a_rename_is_whole_or_not_at_all),
		CASE(names_keep_their_order),
		CASE(unsynced_bytes_are_lost_sector_by_sector),
		CASE(a_grown_file_may_hold_zeros),
		CASE(the_cut_ends_everything),
		CASE(a_cut_at_each_operation_leaves_old_or_new),
		CASE(a_revived_process_sees_the_cache),
		CASE(an_operation_can_fail_alone),
		CASE(a_second_sync_does_not_heal_the_first),
		CASE(room_is_short),
		CASE(clone_shares_or_copies_or_refuses),
		CASE(a_copy_goes_its_own_way),
		CASE(the_same_seed_gives_the_same_disk),
	};

	return cmocka_run_group_tests_name("crashfs", common, NULL, NULL) +
	       cmocka_run_group_tests_name("crashfs only", own, NULL, NULL);
}
