#include "tests/lib/crashfs_priv.h"

#include <errno.h>
#include <string.h>

static struct inode *file_of(struct crashfs *c, int fd)
{
	unsigned i = (unsigned)(fd - c->first_fd);

	return i < CRASHFS_FDS ? c->fds[i].f : NULL;
}

static int writable(struct crashfs *c, int fd, struct inode **out, struct err *e)
{
	struct inode *f = file_of(c, fd);

	TRY(crashfs_power(c, e));
	if (!f || !c->fds[fd - c->first_fd].writes)
		return err_sys(e, EBADF, "descriptor %d", fd);
	*out = f;
	return 0;
}

static int new_fd(struct crashfs *c, struct inode *f, unsigned flags, int *out, struct err *e)
{
	for (int i = 0; i < CRASHFS_FDS; i++)
		if (!c->fds[i].f) {
			c->fds[i] = (struct open_file){f, (flags & FS_READ) == 0};
			f->fds++;
			*out = c->first_fd + i;
			return 0;
		}
	return err_sys(e, EMFILE, "open");
}

static int create(struct crashfs *c, const char *path, struct walk *w, struct err *e)
{
	TRY(crashfs_count(c, TAKES_ROOM, e, "create %s", path));
	w->end = disk_new_inode(&c->disk, FS_FILE, 0644);
	disk_name(&c->disk, crashfs_parent(w), w->last, w->end);
	return crashfs_power(c, e);
}

static int make_empty(struct crashfs *c, const char *path, struct inode *f, struct err *e)
{
	TRY(crashfs_count(c, TAKES_NONE, e, "empty %s", path));
	disk_resize(&c->disk, f, 0);
	return crashfs_power(c, e);
}

int crashfs_do_open(struct fs *fs, const char *path, unsigned flags, int *out_fd, struct err *e)
{
	CRASHFS_LOCKED(fs);
	struct walk w;

	TRY(crashfs_walk(c, path, !(flags & FS_CREATE && flags & FS_EXCL), &w, e));
	if (!w.end && !(flags & FS_CREATE))
		return err_sys(e, ENOENT, "open %s", path);
	if (w.end && flags & FS_CREATE && flags & FS_EXCL)
		return err_sys(e, EEXIST, "open %s", path);
	if (w.end && w.end->kind != FS_FILE)
		return err_set(e, ERR_DENIED, "%s is no file", path);
	if (!w.end)
		TRY(create(c, path, &w, e));
	else if (flags & FS_TRUNC)
		TRY(make_empty(c, path, w.end, e));
	return new_fd(c, w.end, flags, out_fd, e);
}

int crashfs_do_close(struct fs *fs, int fd, struct err *e)
{
	CRASHFS_LOCKED(fs);
	struct inode *f = file_of(c, fd);

	if (!f)
		return err_sys(e, EBADF, "descriptor %d", fd);
	c->fds[fd - c->first_fd].f = NULL;
	disk_drop_fd(&c->disk, f);
	return crashfs_power(c, e);
}

int crashfs_do_pread(
	struct fs *fs, int fd, void *p, size_t n, uint64_t off, size_t *out_n, struct err *e)
{
	CRASHFS_LOCKED(fs);
	const struct inode *f = file_of(c, fd);
	size_t have;

	TRY(crashfs_power(c, e));
	if (!f)
		return err_sys(e, EBADF, "descriptor %d", fd);
	have = off < f->live.bytes.n ? MIN(n, f->live.bytes.n - off) : 0;
	if (have > 0)
		memcpy(p, f->live.bytes.p + off, have);
	*out_n = have;
	return 0;
}

int crashfs_do_pwrite(struct fs *fs, int fd, const void *p, size_t n, uint64_t off, struct err *e)
{
	CRASHFS_LOCKED(fs);
	struct inode *f;
	uint64_t more;

	TRY(writable(c, fd, &f, e));
	int rc = crashfs_count(
		c, TAKES_ROOM, e, "write %zu bytes at %llu", n, (unsigned long long)off);

	if (rc < 0 && c->half)
		disk_write(&c->disk, f, off, p, n / 2);
	TRY(rc);
	more = off + n > f->live.bytes.n ? off + n - f->live.bytes.n : 0;
	if (c->disk.used + more > c->room)
		return err_sys(e, ENOSPC, "write");
	disk_write(&c->disk, f, off, p, n);
	return crashfs_power(c, e);
}

int crashfs_do_truncate(struct fs *fs, int fd, uint64_t size, struct err *e)
{
	CRASHFS_LOCKED(fs);
	struct inode *f;

	TRY(writable(c, fd, &f, e));
	TRY(crashfs_count(c, TAKES_NONE, e, "truncate to %llu", (unsigned long long)size));
	disk_resize(&c->disk, f, size);
	return crashfs_power(c, e);
}

int crashfs_do_extent(struct fs *fs, int fd, struct fs_extent *out, struct err *e)
{
	CRASHFS_LOCKED(fs);
	const struct inode *f = file_of(c, fd);

	TRY(crashfs_power(c, e));
	if (!f)
		return err_sys(e, EBADF, "descriptor %d", fd);
	*out = (struct fs_extent){.size = f->live.bytes.n, .id = {(uintptr_t)f, 0}};
	return 0;
}

/* A sync that the power interrupts has done nothing for sure, so everything stays pending. */
static int sync_file(struct crashfs *c, struct inode *f, const char *what, struct err *e)
{
	if (crashfs_count(c, TAKES_NONE, e, "%s", what) < 0) {
		disk_fail_sync(f);
		return e ? -(int)e->code : -(int)ERR_IO;
	}
	TRY(crashfs_power(c, e));
	disk_sync(f);
	return 0;
}

int crashfs_do_sync(struct fs *fs, int fd, struct err *e)
{
	CRASHFS_LOCKED(fs);
	struct inode *f = file_of(c, fd);

	TRY(crashfs_power(c, e));
	if (!f)
		return err_sys(e, EBADF, "descriptor %d", fd);
	return sync_file(c, f, "sync", e);
}

int crashfs_do_drop_cache(struct fs *fs, int fd, struct err *e)
{
	CRASHFS_LOCKED(fs);
	struct inode *f = file_of(c, fd);

	TRY(crashfs_power(c, e));
	if (!f)
		return err_sys(e, EBADF, "descriptor %d", fd);
	TRY(sync_file(c, f, "drop the cache", e));
	disk_reread(&c->disk, f);
	return 0;
}
