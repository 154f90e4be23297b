#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/lib/fs_cases.h"

static struct err e;

#define OK(x)      assert_int_equal((x), 0)
#define FAIL(x, c) assert_int_equal((x), -(c))

static void put(struct fs *fs, const char *path, const char *text)
{
	OK(fs_write_file(fs, path, text, strlen(text), 0644, &e));
}

static void expect(struct fs *fs, const char *path, const char *text)
{
	struct buf out = {0};

	OK(fs_read_file(fs, path, 1 << 20, &out, &e));
	assert_string_equal(buf_cstr(&out), text);
	buf_fini(&out);
}

static enum fs_kind kind(struct fs *fs, const char *path)
{
	struct fs_stat st;

	OK(fs->ops->stat(fs, path, &st, &e));
	return st.kind;
}

void fs_case_bytes(void **state)
{
	struct fs *fs = *state;
	char back[32] = "";
	struct fs_stat st;
	size_t n = 77;
	int fd;

	OK(fs->ops->open(fs, "f", FS_CREATE, &fd, &e));
	OK(fs->ops->pwrite(fs, fd, "hello", 5, 0, &e));
	OK(fs->ops->pwrite(fs, fd, "J", 1, 0, &e));
	OK(fs->ops->pwrite(fs, fd, "!", 1, 9000, &e)); /* a hole reads as zeros */
	OK(fs->ops->pread(fs, fd, back, 8, 0, &n, &e));
	assert_int_equal(n, 8);
	assert_memory_equal(back, "Jello\0\0\0", 8);
	OK(fs->ops->pread(fs, fd, back, 8, 8997, &n, &e));
	assert_int_equal(n, 4);
	assert_memory_equal(back, "\0\0\0!", 4);
	OK(fs->ops->pread(fs, fd, back, 8, 9001, &n, &e));
	assert_int_equal(n, 0);
	OK(fs->ops->truncate(fs, fd, 3, &e));
	OK(fs->ops->truncate(fs, fd, 5, &e)); /* what was cut off does not come back */
	OK(fs->ops->pread(fs, fd, back, 8, 0, &n, &e));
	assert_int_equal(n, 5);
	assert_memory_equal(back, "Jel\0\0", 5);
	OK(fs->ops->sync(fs, fd, &e));
	OK(fs->ops->drop_cache(fs, fd, &e));
	OK(fs->ops->stat(fs, "f", &st, &e));
	assert_int_equal(st.kind, FS_FILE);
	assert_int_equal(st.size, 5);
	assert_int_equal(st.links, 1);
	OK(fs->ops->close(fs, fd, &e));
}

void fs_case_extent(void **state)
{
	struct fs *fs = *state;
	struct fs_extent one, two, other;
	int fd, again, third;

	put(fs, "f", "abc");
	put(fs, "g", "abcde");
	OK(fs->ops->symlink(fs, "f", "l", &e));
	OK(fs->ops->open(fs, "f", FS_WRITE | FS_EXCL, &fd, &e));
	OK(fs->ops->open(fs, "l", FS_WRITE | FS_EXCL, &again, &e));
	OK(fs->ops->open(fs, "g", FS_READ, &third, &e));
	OK(fs->ops->extent(fs, fd, &one, &e));
	OK(fs->ops->extent(fs, again, &two, &e));
	OK(fs->ops->extent(fs, third, &other, &e));
	assert_int_equal(one.size, 3);
	assert_int_equal(other.size, 5);
	assert_memory_equal(one.id, two.id, sizeof one.id);
	assert_memory_not_equal(one.id, other.id, sizeof one.id);
	OK(fs->ops->pwrite(fs, again, "!", 1, 3, &e));
	OK(fs->ops->extent(fs, fd, &one, &e));
	assert_int_equal(one.size, 4);
	OK(fs->ops->close(fs, third, &e));
	OK(fs->ops->close(fs, again, &e));
	OK(fs->ops->close(fs, fd, &e));
}

void fs_case_open_flags(void **state)
{
	struct fs *fs = *state;
	char back[4];
	size_t n;
	int fd;

	FAIL(fs->ops->open(fs, "f", FS_READ, &fd, &e), ERR_NOT_FOUND);
	FAIL(fs->ops->open(fs, "f", FS_WRITE, &fd, &e), ERR_NOT_FOUND);
	put(fs, "f", "abc");
	FAIL(fs->ops->open(fs, "f", FS_CREATE | FS_EXCL, &fd, &e), ERR_IO);
	OK(fs->ops->open(fs, "f", FS_READ, &fd, &e));
	FAIL(fs->ops->pwrite(fs, fd, "x", 1, 0, &e), ERR_IO);
	OK(fs->ops->close(fs, fd, &e));
	OK(fs->ops->open(fs, "f", FS_WRITE, &fd, &e));
	OK(fs->ops->pread(fs, fd, back, 3, 0, &n, &e));
	assert_int_equal(n, 3);
	OK(fs->ops->close(fs, fd, &e));
	OK(fs->ops->open(fs, "f", FS_WRITE | FS_TRUNC, &fd, &e));
	OK(fs->ops->close(fs, fd, &e));
	expect(fs, "f", "");
	OK(fs->ops->mkdir(fs, "d", 0755, &e));
	assert_true(fs->ops->open(fs, "d", FS_READ, &fd, &e) < 0);
	FAIL(fs->ops->open(fs, "none/f", FS_CREATE, &fd, &e), ERR_NOT_FOUND);
}

/* A file lives as long as somebody has it open. */
void fs_case_names(void **state)
{
	struct fs *fs = *state;
	char back[8];
	size_t n;
	int fd;

	put(fs, "f", "abc");
	OK(fs->ops->open(fs, "f", FS_READ, &fd, &e));
	OK(fs->ops->unlink(fs, "f", &e));
	assert_int_equal(kind(fs, "f"), FS_NONE);
	OK(fs->ops->pread(fs, fd, back, 8, 0, &n, &e));
	assert_int_equal(n, 3);
	OK(fs->ops->close(fs, fd, &e));
	OK(fs->ops->unlink(fs, "f", &e));
	put(fs, "f", "abc");
	assert_int_equal(kind(fs, "f/x"), FS_NONE);
}

void fs_case_folders(void **state)
{
	struct fs *fs = *state;

	OK(fs->ops->mkdir(fs, "d", 0755, &e));
	OK(fs->ops->mkdir(fs, "d", 0755, &e));
	put(fs, "d/f", "abc");
	assert_true(fs->ops->rmdir(fs, "d", &e) < 0);
	assert_true(fs->ops->unlink(fs, "d", &e) < 0);
	assert_true(fs->ops->mkdir(fs, "d/f", 0755, &e) < 0);
	OK(fs->ops->unlink(fs, "d/f", &e));
	OK(fs->ops->rmdir(fs, "d", &e));
	OK(fs->ops->rmdir(fs, "d", &e));
	assert_int_equal(kind(fs, "d"), FS_NONE);
	OK(fs->ops->sync_dir(fs, "", &e));
	FAIL(fs->ops->sync_dir(fs, "d", &e), ERR_NOT_FOUND);
}

void fs_case_rename(void **state)
{
	struct fs *fs = *state;

	put(fs, "a", "1");
	put(fs, "b", "2");
	OK(fs->ops->rename(fs, "a", "b", &e));
	assert_int_equal(kind(fs, "a"), FS_NONE);
	expect(fs, "b", "1");
	OK(fs->ops->mkdir(fs, "d", 0755, &e));
	OK(fs->ops->rename(fs, "b", "d/c", &e));
	expect(fs, "d/c", "1");
	OK(fs->ops->rename(fs, "d", "moved", &e));
	expect(fs, "moved/c", "1");
	FAIL(fs->ops->rename(fs, "none", "x", &e), ERR_NOT_FOUND);
	put(fs, "x", "3");
	assert_true(fs->ops->rename(fs, "x", "moved", &e) < 0);
	assert_true(fs->ops->rename(fs, "moved", "x", &e) < 0);
}

void fs_case_links(void **state)
{
	struct fs *fs = *state;
	char target[64];
	struct fs_stat st;

	OK(fs->ops->mkdir(fs, "d", 0755, &e));
	put(fs, "d/f", "abc");
	OK(fs->ops->symlink(fs, "d", "current", &e));
	OK(fs->ops->readlink(fs, "current", target, sizeof target, &e));
	assert_string_equal(target, "d");
	FAIL(fs->ops->readlink(fs, "current", target, 1, &e), ERR_TOO_LARGE);
	OK(fs->ops->stat(fs, "current", &st, &e));
	assert_int_equal(st.kind, FS_SYMLINK);
	expect(fs, "current/f", "abc");
	OK(fs->ops->symlink(fs, "f", "d/g", &e));
	expect(fs, "current/g", "abc");
	assert_true(fs->ops->symlink(fs, "x", "current", &e) < 0);
	assert_true(fs->ops->readlink(fs, "d/f", target, sizeof target, &e) < 0);
	OK(fs->ops->unlink(fs, "current", &e));
	expect(fs, "d/f", "abc");
}

void fs_case_clone(void **state)
{
	struct fs *fs = *state;
	struct fs_stat st;

	put(fs, "a", "abc");
	OK(fs->ops->chmod(fs, "a", 0755, &e));
	OK(fs->ops->clone(fs, "a", "b", &e));
	expect(fs, "b", "abc");
	OK(fs->ops->stat(fs, "b", &st, &e));
	assert_int_equal(st.mode, 0755);
	assert_true(fs->ops->clone(fs, "a", "b", &e) < 0);
	FAIL(fs->ops->clone(fs, "none", "c", &e), ERR_NOT_FOUND);
	OK(fs->ops->unlink(fs, "a", &e));
	expect(fs, "b", "abc");
}

static int count(void *ctx, const char *name, enum fs_kind kind_, struct err *err)
{
	unsigned *seen = ctx;

	(void)err;
	if (strcmp(name, "f") == 0 && kind_ == FS_FILE)
		*seen |= 1;
	else if (strcmp(name, "d") == 0 && kind_ == FS_DIR)
		*seen |= 2;
	else if (strcmp(name, "l") == 0 && kind_ == FS_SYMLINK)
		*seen |= 4;
	else
		*seen |= 8;
	return 0;
}

static int refuse(void *ctx, const char *name, enum fs_kind kind_, struct err *err)
{
	(void)ctx;
	(void)name;
	(void)kind_;
	return err_set(err, ERR_BUSY, "enough");
}

void fs_case_list(void **state)
{
	struct fs *fs = *state;
	unsigned seen = 0;

	put(fs, "f", "abc");
	OK(fs->ops->mkdir(fs, "d", 0755, &e));
	put(fs, "d/deeper", "abc");
	OK(fs->ops->symlink(fs, "f", "l", &e));
	OK(fs->ops->list(fs, "", count, &seen, &e));
	assert_int_equal(seen, 7);
	FAIL(fs->ops->list(fs, "", refuse, NULL, &e), ERR_BUSY);
	assert_true(fs->ops->list(fs, "f", count, &seen, &e) < 0);
	FAIL(fs->ops->list(fs, "none", count, &seen, &e), ERR_NOT_FOUND);
}

void fs_case_bad_paths(void **state)
{
	static const char *const bad[] = {"/f", "../f", "d/../f", "..", "", ".", "d/.."};
	struct fs *fs = *state;
	int fd;

	OK(fs->ops->mkdir(fs, "d", 0755, &e));
	put(fs, "f", "abc");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_true(fs->ops->open(fs, bad[i], FS_READ, &fd, &e) < 0);
		assert_true(fs->ops->open(fs, bad[i], FS_CREATE, &fd, &e) < 0);
		assert_true(fs->ops->unlink(fs, bad[i], &e) < 0);
		assert_true(fs->ops->mkdir(fs, bad[i], 0755, &e) < 0);
		assert_true(fs->ops->rename(fs, "f", bad[i], &e) < 0);
		assert_true(fs->ops->symlink(fs, "f", bad[i], &e) < 0);
	}
	expect(fs, "f", "abc");
}

void fs_case_modes(void **state)
{
	struct fs *fs = *state;
	struct fs_stat st;

	OK(fs_write_file(fs, "key", "secret", 6, 0600, &e));
	OK(fs->ops->stat(fs, "key", &st, &e));
	assert_int_equal(st.mode, 0600);
	OK(fs->ops->chmod(fs, "key", 0755, &e));
	OK(fs->ops->stat(fs, "key", &st, &e));
	assert_int_equal(st.mode, 0755);
	FAIL(fs->ops->chmod(fs, "none", 0755, &e), ERR_NOT_FOUND);
}

void fs_case_write_file(void **state)
{
	struct fs *fs = *state;
	unsigned seen = 0;

	put(fs, "f", "one");
	put(fs, "f", "two");
	expect(fs, "f", "two");
	put(fs, ".f.new", "left behind by a power cut");
	put(fs, "f", "three");
	expect(fs, "f", "three");
	OK(fs->ops->list(fs, "", count, &seen, &e));
	assert_int_equal(seen, 1);
	FAIL(fs_write_file(fs, "none/f", "x", 1, 0644, &e), ERR_NOT_FOUND);
}

void fs_case_read_file(void **state)
{
	struct fs *fs = *state;
	struct buf out = {0};

	buf_add_str(&out, "<");
	FAIL(fs_read_file(fs, "f", 10, &out, &e), ERR_NOT_FOUND);
	put(fs, "f", "0123456789");
	OK(fs_read_file(fs, "f", 10, &out, &e));
	assert_string_equal(buf_cstr(&out), "<0123456789");
	FAIL(fs_read_file(fs, "f", 9, &out, &e), ERR_TOO_LARGE);
	assert_string_equal(buf_cstr(&out), "<0123456789");
	buf_fini(&out);
}

void fs_case_replace_symlink(void **state)
{
	struct fs *fs = *state;
	char target[64];

	OK(fs_replace_symlink(fs, "slots/a", "current", &e));
	OK(fs_replace_symlink(fs, "slots/b", "current", &e));
	OK(fs->ops->readlink(fs, "current", target, sizeof target, &e));
	assert_string_equal(target, "slots/b");
	OK(fs->ops->symlink(fs, "x", ".current.new", &e));
	OK(fs_replace_symlink(fs, "slots/a", "current", &e));
	OK(fs->ops->readlink(fs, "current", target, sizeof target, &e));
	assert_string_equal(target, "slots/a");
	assert_int_equal(kind(fs, ".current.new"), FS_NONE);
}

void fs_case_make_dirs(void **state)
{
	struct fs *fs = *state;

	OK(fs_make_dirs(fs, "", &e));
	OK(fs_make_dirs(fs, "a/b/c", &e));
	OK(fs_make_dirs(fs, "a/b/c", &e));
	OK(fs_make_dirs(fs, "a/d", &e));
	assert_int_equal(kind(fs, "a/b/c"), FS_DIR);
	assert_int_equal(kind(fs, "a/d"), FS_DIR);
	put(fs, "a/f", "abc");
	assert_true(fs_make_dirs(fs, "a/f/g", &e) < 0);
}

void fs_case_remove_tree(void **state)
{
	struct fs *fs = *state;

	OK(fs_make_dirs(fs, "t/a/b", &e));
	OK(fs_make_dirs(fs, "kept", &e));
	put(fs, "kept/f", "abc");
	put(fs, "t/f", "abc");
	put(fs, "t/a/b/f", "abc");
	OK(fs->ops->symlink(fs, "../kept", "t/l", &e));
	OK(fs->ops->chmod(fs, "t/a", 0500, &e));
	OK(fs_remove_tree(fs, "t", &e));
	OK(fs_remove_tree(fs, "t", &e));
	assert_int_equal(kind(fs, "t"), FS_NONE);
	expect(fs, "kept/f", "abc");
	OK(fs_remove_tree(fs, "kept/f", &e));
	assert_int_equal(kind(fs, "kept"), FS_DIR);
}

void fs_case_room(void **state)
{
	struct fs *fs = *state;
	uint64_t room = 0;

	OK(fs->ops->room(fs, "", &room, &e));
	assert_true(room > 0);
	FAIL(fs->ops->room(fs, "none", &room, &e), ERR_NOT_FOUND);
}
