/* What every file system behind the seam must do, tried on the machine's own. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/lib/fs_cases.h"

struct rooted {
	struct fs fs; /* first: the common cases know only this */
	char dir[32];
};

static int open_posix(void **state)
{
	static unsigned n;
	struct rooted *r = calloc(1, sizeof *r);
	struct err e;

	snprintf(r->dir, sizeof r->dir, "root.%u", n++);
	if (mkdir(r->dir, 0755) < 0 || fs_posix_open(r->dir, &r->fs, &e) < 0)
		return -1;
	*state = r;
	return 0;
}

static int close_posix(void **state)
{
	struct rooted *r = *state;

	fs_posix_close(&r->fs);
	free(r);
	return 0;
}

/* Only the machine's own file system can be tricked from outside. */
static void links_that_lead_out_are_not_followed(void **state)
{
	struct fs *fs = *state;
	struct buf out = {0};
	struct err e = {0};
	int fd;

	assert_int_equal(fs->ops->symlink(fs, "/etc", "out", &e), 0);
	assert_int_equal(fs->ops->symlink(fs, "../..", "up", &e), 0);
	assert_int_equal(fs->ops->symlink(fs, "/etc/hostname", "file", &e), 0);
	assert_int_equal(fs_read_file(fs, "out/passwd", 1 << 20, &out, &e), -ERR_DENIED);
	assert_int_equal(fs_read_file(fs, "file", 1 << 20, &out, &e), -ERR_DENIED);
	assert_int_equal(fs->ops->open(fs, "up/x", FS_CREATE, &fd, &e), -ERR_DENIED);
	assert_int_equal(fs->ops->mkdir(fs, "up/x", 0755, &e), -ERR_DENIED);
	assert_int_equal(fs->ops->unlink(fs, "out/hostname", &e), -ERR_DENIED);
	assert_int_equal(fs->ops->chmod(fs, "file", 0777, &e), -ERR_IO);
	assert_int_equal(fs_posix_open("nowhere", &(struct fs){0}, &e), -ERR_NOT_FOUND);
	buf_fini(&out);
}

/* Beneath "/" nothing lies outside, and a device's name may be an absolute link. */
static void absolute_links_lead_somewhere_from_the_root(void **state)
{
	struct rooted *r = *state;
	struct fs all;
	struct buf out = {0};
	struct err e = {0};
	char path[256], cwd[128];

	assert_non_null(getcwd(cwd, sizeof cwd));
	assert_int_equal(fs_write_file(&r->fs, "f", "there", 5, 0644, &e), 0);
	snprintf(path, sizeof path, "%s/%s/f", cwd, r->dir);
	assert_int_equal(r->fs.ops->symlink(&r->fs, path, "abs", &e), 0);
	assert_int_equal(fs_read_file(&r->fs, "abs", 64, &out, &e), -ERR_DENIED);
	assert_int_equal(fs_posix_open("/", &all, &e), 0);
	snprintf(path, sizeof path, "%s/%s/abs", cwd + 1, r->dir);
	assert_int_equal(fs_read_file(&all, path, 64, &out, &e), 0);
	assert_true(str_is(buf_str(&out), "there"));
	fs_posix_close(&all);
	buf_fini(&out);
}

static void a_fifo_is_no_file(void **state)
{
	struct rooted *r = *state;
	struct err e = {0};
	char name[64];
	int fd;

	snprintf(name, sizeof name, "%s/fifo", r->dir);
	assert_int_equal(mkfifo(name, 0600), 0);
	assert_int_equal(r->fs.ops->open(&r->fs, "fifo", FS_READ, &fd, &e), -ERR_DENIED);
}

static void direct_writes_arrive(void **state)
{
	static _Alignas(4096) uint8_t block[8192], back[8192];
	struct fs *fs = *state;
	struct err e = {0};
	size_t n;
	int fd;

	memset(block, 'x', sizeof block);
	assert_int_equal(fs->ops->open(fs, "d", FS_CREATE | FS_DIRECT, &fd, &e), 0);
	assert_int_equal(fs->ops->pwrite(fs, fd, block, sizeof block, 0, &e), 0);
	/* A tail that is no multiple of anything: refused by the kernel, done all the same. */
	assert_int_equal(fs->ops->pwrite(fs, fd, "tail", 4, sizeof block, &e), 0);
	assert_int_equal(fs->ops->sync(fs, fd, &e), 0);
	assert_int_equal(fs->ops->drop_cache(fs, fd, &e), 0);
	assert_int_equal(fs->ops->pread(fs, fd, back, sizeof back, 0, &n, &e), 0);
	assert_int_equal(n, sizeof back);
	assert_memory_equal(back, block, sizeof block);
	assert_int_equal(fs->ops->close(fs, fd, &e), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, open_posix, close_posix)

int main(void)
{
	const struct CMUnitTest common[] = {FS_CASES(CASE)};
	const struct CMUnitTest own[] = {
		CASE(links_that_lead_out_are_not_followed),
		CASE(absolute_links_lead_somewhere_from_the_root),
		CASE(a_fifo_is_no_file),
		CASE(direct_writes_arrive),
	};

	return cmocka_run_group_tests_name("posix", common, NULL, NULL) +
	       cmocka_run_group_tests_name("posix only", own, NULL, NULL);
}
