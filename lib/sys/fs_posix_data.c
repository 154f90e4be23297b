#include "lib/sys/fs_posix_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
	unsigned flag;
	int posix;
} flag_map[] = {
	{FS_READ, O_RDONLY},
	{FS_WRITE, O_RDWR},
	{FS_CREATE, O_RDWR | O_CREAT},
	{FS_EXCL, O_EXCL},
	{FS_TRUNC, O_TRUNC},
	{FS_DIRECT, O_DIRECT},
};

static int posix_flags(unsigned flags)
{
	int out = O_NONBLOCK; /* a FIFO must not hold the agent up */

	for (size_t i = 0; i < ARRAY_LEN(flag_map); i++)
		if (flags & flag_map[i].flag)
			out |= flag_map[i].posix;
	return out;
}

int fs_posix_data_open(struct fs *fs, const char *path, unsigned flags, int *out_fd, struct err *e)
{
	int how = posix_flags(flags);
	struct stat st;
	int fd;

	fd = fs_posix_beneath(fs, path, how, 0644);
	if (fd < 0 && errno == EINVAL && how & O_DIRECT)
		fd = fs_posix_beneath(fs, path, how & ~O_DIRECT, 0644);
	if (fd < 0)
		return err_sys(e, errno, "open %s", path);
	if (fstat(fd, &st) < 0 || !(S_ISREG(st.st_mode) || S_ISBLK(st.st_mode))) {
		close(fd);
		return err_set(e, ERR_DENIED, "%s is no file", path);
	}
	*out_fd = fd;
	return 0;
}

int fs_posix_data_close(struct fs *fs, int fd, struct err *e)
{
	(void)fs;
	if (close(fd) < 0 && errno != EINTR)
		return err_sys(e, errno, "close");
	return 0;
}

/* Some file systems take O_DIRECT at open and refuse it at the first transfer. Returns true when
 * the transfer is worth repeating. */
static bool is_worth_repeating(int fd)
{
	int flags;

	if (errno == EINTR)
		return true;
	if (errno != EINVAL)
		return false;
	flags = fcntl(fd, F_GETFL);
	return flags >= 0 && flags & O_DIRECT && fcntl(fd, F_SETFL, flags & ~O_DIRECT) == 0;
}

int fs_posix_data_pread(
	struct fs *fs, int fd, void *p, size_t n, uint64_t off, size_t *out_n, struct err *e)
{
	size_t done = 0;

	(void)fs;
	while (done < n) {
		ssize_t got = pread(fd, (char *)p + done, n - done, (off_t)(off + done));

		if (got < 0 && is_worth_repeating(fd))
			continue;
		if (got < 0)
			return err_sys(e, errno, "read");
		if (got == 0)
			break;
		done += (size_t)got;
	}
	*out_n = done;
	return 0;
}

int fs_posix_data_pwrite(
	struct fs *fs, int fd, const void *p, size_t n, uint64_t off, struct err *e)
{
	size_t done = 0;

	(void)fs;
	while (done < n) {
		ssize_t put = pwrite(fd, (const char *)p + done, n - done, (off_t)(off + done));

		if (put < 0 && is_worth_repeating(fd))
			continue;
		if (put < 0)
			return err_sys(e, errno, "write");
		done += (size_t)put;
	}
	return 0;
}

int fs_posix_data_truncate(struct fs *fs, int fd, uint64_t size, struct err *e)
{
	(void)fs;
	return ftruncate(fd, (off_t)size) < 0 ? err_sys(e, errno, "truncate") : 0;
}

/* A block device has no size of its own in stat: where its end is, seeking tells. */
int fs_posix_data_extent(struct fs *fs, int fd, struct fs_extent *out, struct err *e)
{
	off_t end = lseek(fd, 0, SEEK_END);
	struct stat st;

	(void)fs;
	if (end < 0 || fstat(fd, &st) < 0)
		return err_sys(e, errno, "size");
	*out = (struct fs_extent){.size = (uint64_t)end, .id = {st.st_rdev, 0}};
	if (!S_ISBLK(st.st_mode)) {
		out->id[0] = st.st_dev;
		out->id[1] = st.st_ino;
	}
	return 0;
}

int fs_posix_data_sync(struct fs *fs, int fd, struct err *e)
{
	(void)fs;
	return fsync(fd) < 0 ? err_sys(e, errno, "sync") : 0;
}

int fs_posix_data_drop_cache(struct fs *fs, int fd, struct err *e)
{
	int rc;

	(void)fs;
	/* Only clean pages can be dropped. */
	if (fsync(fd) < 0)
		return err_sys(e, errno, "sync");
	/* Of a block device all of it; who is not allowed to drops what the advice reaches. */
	if (ioctl(fd, BLKFLSBUF, 0) == 0)
		return 0;
	rc = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	return rc != 0 ? err_sys(e, rc, "drop the cache") : 0;
}

/* Returns 0, or -1 with the errno of the ioctl; `to` is gone again then. */
static int reflink(int from_fd, const struct place *to)
{
	FD_AUTO fd = -1;
	struct stat st;
	int sys;

	if (fstat(from_fd, &st) < 0)
		return -1;
	fd = openat(to->dir, to->base, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -1;
	if (ioctl(fd, FICLONE, from_fd) == 0 && fchmod(fd, st.st_mode & 07777) == 0)
		return 0;
	sys = errno;
	unlinkat(to->dir, to->base, 0);
	errno = sys;
	return -1;
}

/* What a file system says that has no reflinks, or none between these two places. */
static bool is_unsupported(int sys)
{
	return sys == EOPNOTSUPP || sys == ENOTTY || sys == EXDEV || sys == EINVAL || sys == ENOSYS;
}

int fs_posix_data_clone(struct fs *fs, const char *from, const char *to, struct err *e)
{
	PLACE_AUTO src = {.dir = -1};
	PLACE_AUTO dst = {.dir = -1};
	FD_AUTO fd = -1;

	TRY(fs_posix_place(fs, from, &src, e));
	TRY(fs_posix_place(fs, to, &dst, e));
	fd = openat(src.dir, src.base, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return err_sys(e, errno, "open %s", from);
	if (reflink(fd, &dst) == 0)
		return 0;
	if (!is_unsupported(errno))
		return err_sys(e, errno, "clone %s to %s", from, to);
	if (linkat(src.dir, src.base, dst.dir, dst.base, 0) == 0)
		return 0;
	if (is_unsupported(errno) || errno == EPERM || errno == EMLINK)
		return err_set(e, ERR_NOT_FOUND, "%s: neither reflink nor hard link", to);
	return err_sys(e, errno, "link %s to %s", from, to);
}
