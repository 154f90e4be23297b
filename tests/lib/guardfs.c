#include "tests/lib/guardfs.h"

static struct guardfs *guard_of(struct fs *fs)
{
	return fs->self;
}

static struct fs *shown(struct fs *fs, const char *what, const char *path)
{
	struct guardfs *g = guard_of(fs);

	g->judge(g->ctx, what, path);
	return g->inner;
}

static int g_open(struct fs *fs, const char *path, unsigned flags, int *out_fd, struct err *e)
{
	struct fs *in = guard_of(fs)->inner;

	if (flags & (FS_WRITE | FS_CREATE | FS_TRUNC))
		in = shown(fs, "open", path);
	return in->ops->open(in, path, flags, out_fd, e);
}

static int g_close(struct fs *fs, int fd, struct err *e)
{
	struct fs *in = guard_of(fs)->inner;

	return in->ops->close(in, fd, e);
}

static int g_pread(
	struct fs *fs, int fd, void *p, size_t n, uint64_t off, size_t *out_n, struct err *e)
{
	struct fs *in = guard_of(fs)->inner;

	return in->ops->pread(in, fd, p, n, off, out_n, e);
}

static int g_pwrite(struct fs *fs, int fd, const void *p, size_t n, uint64_t off, struct err *e)
{
	struct fs *in = guard_of(fs)->inner;

	return in->ops->pwrite(in, fd, p, n, off, e);
}

static int g_truncate(struct fs *fs, int fd, uint64_t size, struct err *e)
{
	struct fs *in = guard_of(fs)->inner;

	return in->ops->truncate(in, fd, size, e);
}

static int g_extent(struct fs *fs, int fd, struct fs_extent *out, struct err *e)
{
	struct fs *in = guard_of(fs)->inner;

	return in->ops->extent(in, fd, out, e);
}

static int g_sync(struct fs *fs, int fd, struct err *e)
{
	struct fs *in = guard_of(fs)->inner;

	return in->ops->sync(in, fd, e);
}

static int g_drop_cache(struct fs *fs, int fd, struct err *e)
{
	struct fs *in = guard_of(fs)->inner;

	return in->ops->drop_cache(in, fd, e);
}

static int g_clone(struct fs *fs, const char *from, const char *to, struct err *e)
{
	struct fs *in = shown(fs, "clone", to);

	return in->ops->clone(in, from, to, e);
}

static int g_stat(struct fs *fs, const char *path, struct fs_stat *out, struct err *e)
{
	struct fs *in = guard_of(fs)->inner;

	return in->ops->stat(in, path, out, e);
}

static int g_chmod(struct fs *fs, const char *path, uint32_t mode, struct err *e)
{
	struct fs *in = shown(fs, "chmod", path);

	return in->ops->chmod(in, path, mode, e);
}

static int g_mkdir(struct fs *fs, const char *path, uint32_t mode, struct err *e)
{
	struct fs *in = shown(fs, "mkdir", path);

	return in->ops->mkdir(in, path, mode, e);
}

static int g_unlink(struct fs *fs, const char *path, struct err *e)
{
	struct fs *in = shown(fs, "unlink", path);

	return in->ops->unlink(in, path, e);
}

static int g_rmdir(struct fs *fs, const char *path, struct err *e)
{
	struct fs *in = shown(fs, "rmdir", path);

	return in->ops->rmdir(in, path, e);
}

static int g_rename(struct fs *fs, const char *from, const char *to, struct err *e)
{
	struct fs *in = shown(fs, "rename", from);

	shown(fs, "rename", to);
	return in->ops->rename(in, from, to, e);
}

static int g_symlink(struct fs *fs, const char *target, const char *path, struct err *e)
{
	struct fs *in = shown(fs, "symlink", path);

	return in->ops->symlink(in, target, path, e);
}

static int g_readlink(struct fs *fs, const char *path, char *out, size_t cap, struct err *e)
{
	struct fs *in = guard_of(fs)->inner;

	return in->ops->readlink(in, path, out, cap, e);
}

static int g_list(struct fs *fs, const char *path, fs_list_f *each, void *ctx, struct err *e)
{
	struct fs *in = guard_of(fs)->inner;

	return in->ops->list(in, path, each, ctx, e);
}

static int g_sync_dir(struct fs *fs, const char *path, struct err *e)
{
	struct fs *in = guard_of(fs)->inner;

	return in->ops->sync_dir(in, path, e);
}

static int g_room(struct fs *fs, const char *path, uint64_t *out_bytes, struct err *e)
{
	struct fs *in = guard_of(fs)->inner;

	return in->ops->room(in, path, out_bytes, e);
}

static const struct fs_ops ops = {
	.open = g_open,
	.close = g_close,
	.pread = g_pread,
	.pwrite = g_pwrite,
	.truncate = g_truncate,
	.extent = g_extent,
	.sync = g_sync,
	.drop_cache = g_drop_cache,
	.clone = g_clone,
	.stat = g_stat,
	.chmod = g_chmod,
	.mkdir = g_mkdir,
	.unlink = g_unlink,
	.rmdir = g_rmdir,
	.rename = g_rename,
	.symlink = g_symlink,
	.readlink = g_readlink,
	.list = g_list,
	.sync_dir = g_sync_dir,
	.room = g_room,
};

void guardfs_init(struct guardfs *g, struct fs *inner,
	void (*judge)(void *ctx, const char *what, const char *path), void *ctx)
{
	*g = (struct guardfs){.inner = inner, .judge = judge, .ctx = ctx};
	g->fs.ops = &ops;
	g->fs.self = g;
}
