#include "lib/sys/fs_posix_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ".." is refused even where it would stay beneath: what a name means must not depend on links. */
static bool has_dotdot(const char *path)
{
	struct str rest = str_of(path), part;

	while (str_split(&rest, '/', &part))
		if (str_is(part, ".."))
			return true;
	return false;
}

int fs_posix_beneath(struct fs *fs, const char *path, int flags, mode_t mode)
{
	const struct fs_posix *self = fs->self;
	struct open_how how = {
		.flags = (uint64_t)flags | O_CLOEXEC,
		.mode = flags & O_CREAT ? mode : 0,
		.resolve = self->within | RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	if (has_dotdot(path)) {
		errno = EXDEV;
		return -1;
	}
	do
		fd = syscall(SYS_openat2, self->root, *path ? path : ".", &how, sizeof how);
	while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	return (int)fd;
}

void fs_posix_drop(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

void fs_posix_leave(const struct place *p)
{
	fs_posix_drop(&p->dir);
}

int fs_posix_place(struct fs *fs, const char *path, struct place *out, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char dir[FS_PATH_MAX];

	if (strlen(path) >= sizeof dir)
		return err_set(e, ERR_TOO_LARGE, "%s: the path is too long", path);
	out->base = slash ? slash + 1 : path;
	if (!*out->base || strcmp(out->base, ".") == 0 || strcmp(out->base, "..") == 0)
		return err_set(e, ERR_BAD_INPUT, "\"%s\" names nothing", path);
	fs_dirname(path, dir, sizeof dir);
	if (slash == path)
		return err_set(e, ERR_DENIED, "%s: an absolute name", path);
	out->dir = fs_posix_beneath(fs, dir, O_PATH | O_DIRECTORY, 0);
	if (out->dir < 0)
		return err_sys(e, errno, "%s", path);
	return 0;
}

static enum fs_kind kind_of(mode_t mode)
{
	if (S_ISREG(mode))
		return FS_FILE;
	if (S_ISDIR(mode))
		return FS_DIR;
	return S_ISLNK(mode) ? FS_SYMLINK : FS_OTHER;
}

static int posix_stat(struct fs *fs, const char *path, struct fs_stat *out, struct err *e)
{
	FD_AUTO fd = -1;
	struct stat st;

	fd = fs_posix_beneath(fs, path, O_PATH | O_NOFOLLOW, 0);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
		*out = (struct fs_stat){.kind = FS_NONE};
		return 0;
	}
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, errno, "stat %s", path);
	*out = (struct fs_stat){
		.kind = kind_of(st.st_mode),
		.mode = st.st_mode & 07777,
		.size = (uint64_t)st.st_size,
		.links = (uint32_t)st.st_nlink,
	};
	return 0;
}

static int posix_chmod(struct fs *fs, const char *path, uint32_t mode, struct err *e)
{
	PLACE_AUTO at = {.dir = -1};

	TRY(fs_posix_place(fs, path, &at, e));
	if (fchmodat(at.dir, at.base, mode, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, errno, "chmod %s", path);
	return 0;
}

static int posix_mkdir(struct fs *fs, const char *path, uint32_t mode, struct err *e)
{
	PLACE_AUTO at = {.dir = -1};
	struct stat st;

	TRY(fs_posix_place(fs, path, &at, e));
	if (mkdirat(at.dir, at.base, mode) == 0)
		return 0;
	if (errno == EEXIST && fstatat(at.dir, at.base, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISDIR(st.st_mode))
		return 0;
	return err_sys(e, errno, "mkdir %s", path);
}

static int remove_name(struct fs *fs, const char *path, int flags, struct err *e)
{
	PLACE_AUTO at = {.dir = -1};

	TRY(fs_posix_place(fs, path, &at, e));
	if (unlinkat(at.dir, at.base, flags) < 0 && errno != ENOENT)
		return err_sys(e, errno, "remove %s", path);
	return 0;
}

static int posix_unlink(struct fs *fs, const char *path, struct err *e)
{
	return remove_name(fs, path, 0, e);
}

static int posix_rmdir(struct fs *fs, const char *path, struct err *e)
{
	return remove_name(fs, path, AT_REMOVEDIR, e);
}

static int posix_rename(struct fs *fs, const char *from, const char *to, struct err *e)
{
	PLACE_AUTO src = {.dir = -1};
	PLACE_AUTO dst = {.dir = -1};

	TRY(fs_posix_place(fs, from, &src, e));
	TRY(fs_posix_place(fs, to, &dst, e));
	if (renameat(src.dir, src.base, dst.dir, dst.base) < 0)
		return err_sys(e, errno, "rename %s to %s", from, to);
	return 0;
}

static int posix_symlink(struct fs *fs, const char *target, const char *path, struct err *e)
{
	PLACE_AUTO at = {.dir = -1};

	TRY(fs_posix_place(fs, path, &at, e));
	if (symlinkat(target, at.dir, at.base) < 0)
		return err_sys(e, errno, "symlink %s", path);
	return 0;
}

static int posix_readlink(struct fs *fs, const char *path, char *out, size_t cap, struct err *e)
{
	PLACE_AUTO at = {.dir = -1};
	char target[FS_PATH_MAX];
	ssize_t n;

	TRY(fs_posix_place(fs, path, &at, e));
	n = readlinkat(at.dir, at.base, target, sizeof target);
	if (n < 0)
		return err_sys(e, errno, "readlink %s", path);
	if ((size_t)n >= MIN(cap, sizeof target))
		return err_set(e, ERR_TOO_LARGE, "%s: the link's target is too long", path);
	memcpy(out, target, (size_t)n);
	out[n] = '\0';
	return 0;
}

static enum fs_kind kind_of_entry(int dir, const struct dirent *d)
{
	struct stat st;

	if (d->d_type != DT_UNKNOWN)
		return kind_of(DTTOIF(d->d_type));
	return fstatat(dir, d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? FS_OTHER
								     : kind_of(st.st_mode);
}

static int each_entry(DIR *dir, fs_list_f *each, void *ctx, struct err *e)
{
	struct dirent *d;
	int rc = 0;

	while (rc == 0 && (errno = 0, d = readdir(dir)))
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			rc = each(ctx, d->d_name, kind_of_entry(dirfd(dir), d), e);
	if (rc == 0 && errno != 0)
		return err_sys(e, errno, "list");
	return rc;
}

static int posix_list(struct fs *fs, const char *path, fs_list_f *each, void *ctx, struct err *e)
{
	int fd = fs_posix_beneath(fs, path, O_RDONLY | O_DIRECTORY, 0);
	DIR *dir;
	int rc;

	if (fd < 0)
		return err_sys(e, errno, "list %s", path);
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return err_sys(e, errno, "list %s", path);
	}
	rc = each_entry(dir, each, ctx, e);
	closedir(dir);
	return rc;
}

static int posix_sync_dir(struct fs *fs, const char *path, struct err *e)
{
	FD_AUTO fd = fs_posix_beneath(fs, path, O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0 || fsync(fd) < 0)
		return err_sys(e, errno, "sync folder \"%s\"", path);
	return 0;
}

static int posix_room(struct fs *fs, const char *path, uint64_t *out_bytes, struct err *e)
{
	FD_AUTO fd = fs_posix_beneath(fs, path, O_RDONLY | O_NONBLOCK, 0);
	struct statvfs v;

	if (fd < 0 || fstatvfs(fd, &v) < 0)
		return err_sys(e, errno, "room of %s", path);
	*out_bytes = (uint64_t)v.f_bavail * v.f_frsize;
	return 0;
}

static const struct fs_ops posix_ops = {
	.open = fs_posix_data_open,
	.close = fs_posix_data_close,
	.pread = fs_posix_data_pread,
	.pwrite = fs_posix_data_pwrite,
	.truncate = fs_posix_data_truncate,
	.extent = fs_posix_data_extent,
	.sync = fs_posix_data_sync,
	.drop_cache = fs_posix_data_drop_cache,
	.clone = fs_posix_data_clone,
	.stat = posix_stat,
	.chmod = posix_chmod,
	.mkdir = posix_mkdir,
	.unlink = posix_unlink,
	.rmdir = posix_rmdir,
	.rename = posix_rename,
	.symlink = posix_symlink,
	.readlink = posix_readlink,
	.list = posix_list,
	.sync_dir = posix_sync_dir,
	.room = posix_room,
};

int fs_posix_open(const char *root, struct fs *out, struct err *e)
{
	struct fs_posix *self;
	int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, errno, "%s", root);
	self = mem_new(sizeof *self);
	self->root = fd;
	/* Nothing lies outside "/": there a link may be an absolute one. */
	self->within = strcmp(root, "/") == 0 ? 0 : RESOLVE_BENEATH;
	*out = (struct fs){.ops = &posix_ops, .self = self};
	return 0;
}

void fs_posix_close(struct fs *fs)
{
	struct fs_posix *self = fs->self;

	if (self)
		fs_posix_drop(&self->root);
	mem_free(&fs->self);
}
