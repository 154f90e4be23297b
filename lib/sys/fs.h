/* The durability seam: everything of the agent that must survive a power cut goes through a struct
 * fs. The product has one implementation (fs_posix.c); tests/lib/crashfs.c is a simulated disk that
 * loses, tears and reorders whatever was not synced.
 *
 * Paths are relative to the root the fs was opened on, use '/', and never leave it: no "..", no
 * absolute name, and no symbolic link that points out is followed (openat2 RESOLVE_BENEATH);
 * ERR_DENIED or ERR_BAD_INPUT otherwise. Nothing is durable before the matching call returns: file
 * data after sync, names (create, rename, symlink, link, unlink, mkdir) after sync_dir of the
 * folder that holds them. Every call may be made from any thread, but one fd by one thread at a
 * time. */
#ifndef LIB_SYS_FS_H
#define LIB_SYS_FS_H

#include "lib/buf.h"

enum fs_kind { FS_NONE, FS_FILE, FS_DIR, FS_SYMLINK, FS_OTHER };

struct fs_stat {
	enum fs_kind kind; /* FS_NONE: there is nothing of that name */
	uint32_t mode;     /* permission bits, 07777 */
	uint64_t size;
	uint32_t links;
};

/* What is open: two names of the same file or block device have the same `id`. */
struct fs_extent {
	uint64_t size; /* bytes; of a block device its capacity */
	uint64_t id[2];
};

/* Open flags; exactly one of the first three. FS_WRITE opens an existing file for read and
 * write, FS_CREATE makes a missing one with mode 0644. FS_EXCL with FS_CREATE: there must be none
 * of that name; with FS_WRITE on a block device: it is ours alone until close, ERR_BUSY when it is
 * mounted or belongs to somebody else. FS_DIRECT bypasses the page cache where the
 * file system can; alignment of offsets, lengths and buffers to 4096 is the caller's business;
 * where it is refused, ordinary I/O is used. */
#define FS_READ   0x01U
#define FS_WRITE  0x02U
#define FS_CREATE 0x04U
#define FS_EXCL   0x08U
#define FS_TRUNC  0x10U
#define FS_DIRECT 0x20U

struct fs;

/* Called once per entry, without "." and ".."; a non-zero return ends the listing and is handed up.
 */
typedef int fs_list_f(void *ctx, const char *name, enum fs_kind kind, struct err *e);

struct fs_ops {
	int (*open)(struct fs *, const char *path, unsigned flags, int *out_fd,
		struct err *) MUST_CHECK;
	/* Reports failures of delayed writes. The fd is gone in any case. */
	int (*close)(struct fs *, int fd, struct err *) MUST_CHECK;
	/* *out_n < n only at the end of the file. */
	int (*pread)(struct fs *, int fd, void *p, size_t n, uint64_t off, size_t *out_n,
		struct err *) MUST_CHECK;
	int (*pwrite)(struct fs *, int fd, const void *p, size_t n, uint64_t off,
		struct err *) MUST_CHECK;
	int (*truncate)(struct fs *, int fd, uint64_t size, struct err *) MUST_CHECK;
	int (*extent)(struct fs *, int fd, struct fs_extent *out, struct err *) MUST_CHECK;
	/* Data, size and mode are durable on return. */
	int (*sync)(struct fs *, int fd, struct err *) MUST_CHECK;
	/* Syncs and drops the file from the cache, so that a later read sees the device. */
	int (*drop_cache)(struct fs *, int fd, struct err *) MUST_CHECK;
	/* Copies all of `from` into the new file `to`, sharing blocks: reflink, else a hard link;
	 * ERR_NOT_FOUND when the file system can do neither, and the caller copies. */
	int (*clone)(struct fs *, const char *from, const char *to, struct err *) MUST_CHECK;
	int (*stat)(struct fs *, const char *path, struct fs_stat *out,
		struct err *) MUST_CHECK; /* does not follow */
	int (*chmod)(struct fs *, const char *path, uint32_t mode, struct err *) MUST_CHECK;
	int (*mkdir)(struct fs *, const char *path, uint32_t mode,
		struct err *) MUST_CHECK; /* ok if it is there */
	int (*unlink)(struct fs *, const char *path,
		struct err *) MUST_CHECK; /* file or link; ok if missing */
	int (*rmdir)(
		struct fs *, const char *path, struct err *) MUST_CHECK; /* empty; ok if missing */
	int (*rename)(struct fs *, const char *from, const char *to,
		struct err *) MUST_CHECK; /* replaces `to` */
	int (*symlink)(struct fs *, const char *target, const char *path, struct err *) MUST_CHECK;
	int (*readlink)(
		struct fs *, const char *path, char *out, size_t cap, struct err *) MUST_CHECK;
	int (*list)(
		struct fs *, const char *path, fs_list_f *each, void *ctx, struct err *) MUST_CHECK;
	int (*sync_dir)(
		struct fs *, const char *path, struct err *) MUST_CHECK; /* "" is the root */
	/* Bytes that may still be written here. */
	int (*room)(struct fs *, const char *path, uint64_t *out_bytes, struct err *) MUST_CHECK;
};

struct fs {
	const struct fs_ops *ops;
	void *self; /* the implementation's */
};

/* The machine's file system beneath `root`, which must exist. */
int fs_posix_open(const char *root, struct fs *out, struct err *e) MUST_CHECK;
void fs_posix_close(struct fs *fs);

/* ---- what everybody needs, made of the calls above (fs.c) ---- */

/* The whole file, at most `max` bytes; ERR_NOT_FOUND, ERR_TOO_LARGE. Appends to *out. */
int fs_read_file(
	struct fs *fs, const char *path, size_t max, struct buf *out, struct err *e) MUST_CHECK;

/* Replaces a file atomically: temporary beside it, sync, rename, sync_dir. Durable on return; on
 * failure the old content stands, or, when only the last sync failed, the new one. Nothing but
 * perhaps ".NAME.new" is left behind, and the next try replaces it. */
int fs_write_file(struct fs *fs, const char *path, const void *p, size_t n, uint32_t mode,
	struct err *e) MUST_CHECK;

/* The same for a symbolic link; atomic and durable on return. */
int fs_replace_symlink(
	struct fs *fs, const char *target, const char *path, struct err *e) MUST_CHECK;

/* mkdir -p, durable on return. */
int fs_make_dirs(struct fs *fs, const char *path, struct err *e) MUST_CHECK;

/* Removes a tree; ok if missing. Durable after a sync_dir of the parent, which is done here. */
int fs_remove_tree(struct fs *fs, const char *path, struct err *e) MUST_CHECK;

/* The folder of a path: "" for a name without '/'. */
void fs_dirname(const char *path, char *out, size_t cap);

#define FS_PATH_MAX 512

#endif
