/* What the parts of the simulated disk's front share: crashfs.c (faults and the tester's side),
 * crashfs_walk.c (paths), crashfs_file.c and crashfs_name.c (the calls). */
#ifndef TESTS_LIB_CRASHFS_PRIV_H
#define TESTS_LIB_CRASHFS_PRIV_H

#include <pthread.h>

#include "tests/lib/crashfs.h"
#include "tests/lib/crashfs_disk.h"

#define CRASHFS_FDS       64
#define CRASHFS_DEPTH_MAX 64

struct open_file {
	struct inode *f; /* NULL: free */
	bool writes;
};

struct crashfs {
	struct fs fs;
	pthread_mutex_t lock;
	struct disk disk;
	struct open_file fds[CRASHFS_FDS];
	int first_fd; /* descriptors of an earlier life mean nothing */
	uint64_t ops, cut_at, fail_at, fail_times, room;
	int fail_sys;
	bool is_cut, half;
	enum crashfs_clone clone;
	char last_op[1100];
};

struct crashfs *crashfs_lock(struct fs *fs);
void crashfs_unlock(struct crashfs **c);
#define CRASHFS_LOCKED(fs) CLEANUP(crashfs_unlock) struct crashfs *c = crashfs_lock(fs)

/* Fails once the power is gone. */
int crashfs_power(const struct crashfs *c, struct err *e) MUST_CHECK;

enum room_use { TAKES_NONE, TAKES_ROOM };

/* Counts an operation. Negative when it fails without effect. At the cut it takes effect in the
 * cache, so that the reboot decides, and crashfs_power fails from then on. */
int crashfs_count(struct crashfs *c, enum room_use use, struct err *e, const char *fmt, ...)
	PRINTF(4, 5) MUST_CHECK;

/* Where a path leads. */
struct walk {
	struct inode *trail[CRASHFS_DEPTH_MAX]; /* the folders from the root to here */
	unsigned depth;
	unsigned links;
	struct inode *end; /* what the last part names, or NULL */
	char last[256];    /* that part */
};

int crashfs_walk(struct crashfs *c, const char *path, bool follow_last, struct walk *w,
	struct err *e) MUST_CHECK;
/* To a place where a name can be made or removed. */
int crashfs_walk_to_place(
	struct crashfs *c, const char *path, struct walk *w, struct err *e) MUST_CHECK;
int crashfs_walk_to_existing(
	struct crashfs *c, const char *path, bool follow, struct walk *w, struct err *e) MUST_CHECK;
struct inode *crashfs_parent(const struct walk *w);

int crashfs_do_open(struct fs *fs, const char *path, unsigned flags, int *out_fd, struct err *e);
int crashfs_do_close(struct fs *fs, int fd, struct err *e);
int crashfs_do_pread(
	struct fs *fs, int fd, void *p, size_t n, uint64_t off, size_t *out_n, struct err *e);
int crashfs_do_pwrite(struct fs *fs, int fd, const void *p, size_t n, uint64_t off, struct err *e);
int crashfs_do_truncate(struct fs *fs, int fd, uint64_t size, struct err *e);
int crashfs_do_extent(struct fs *fs, int fd, struct fs_extent *out, struct err *e);
int crashfs_do_sync(struct fs *fs, int fd, struct err *e);
int crashfs_do_drop_cache(struct fs *fs, int fd, struct err *e);

extern const struct fs_ops crashfs_ops_table;

#endif
