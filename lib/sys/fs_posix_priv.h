/* What the two halves of the machine's file system share: names (fs_posix.c) and bytes
 * (fs_posix_data.c). */
#ifndef LIB_SYS_FS_POSIX_PRIV_H
#define LIB_SYS_FS_POSIX_PRIV_H

#include <sys/types.h>

#include "lib/sys/fs.h"

struct fs_posix {
	int root;        /* O_PATH */
	uint64_t within; /* RESOLVE_BENEATH, or 0 where the root is that of the machine */
};

/* Closes it unless it is negative. */
void fs_posix_drop(const int *fd);
#define FD_AUTO CLEANUP(fs_posix_drop) int

/* openat2: the kernel resolves the name and refuses to leave the root, whatever links stand on the
 * way and whoever exchanges them meanwhile. The descriptor, or -1 and errno. */
int fs_posix_beneath(struct fs *fs, const char *path, int flags, mode_t mode);

/* Most system calls that change names have no form that resolves beneath a root. So the folder is
 * opened that way, and the call gets its descriptor and a last part without '/', "." or "..". */
struct place {
	int dir;
	const char *base; /* borrowed from the path */
};

void fs_posix_leave(const struct place *p);
#define PLACE_AUTO CLEANUP(fs_posix_leave) struct place

int fs_posix_place(struct fs *fs, const char *path, struct place *out, struct err *e) MUST_CHECK;

int fs_posix_data_open(
	struct fs *fs, const char *path, unsigned flags, int *out_fd, struct err *e) MUST_CHECK;
int fs_posix_data_close(struct fs *fs, int fd, struct err *e) MUST_CHECK;
int fs_posix_data_pread(struct fs *fs, int fd, void *p, size_t n, uint64_t off, size_t *out_n,
	struct err *e) MUST_CHECK;
int fs_posix_data_pwrite(
	struct fs *fs, int fd, const void *p, size_t n, uint64_t off, struct err *e) MUST_CHECK;
int fs_posix_data_truncate(struct fs *fs, int fd, uint64_t size, struct err *e) MUST_CHECK;
int fs_posix_data_extent(struct fs *fs, int fd, struct fs_extent *out, struct err *e) MUST_CHECK;
int fs_posix_data_sync(struct fs *fs, int fd, struct err *e) MUST_CHECK;
int fs_posix_data_drop_cache(struct fs *fs, int fd, struct err *e) MUST_CHECK;
int fs_posix_data_clone(struct fs *fs, const char *from, const char *to, struct err *e) MUST_CHECK;

#endif
