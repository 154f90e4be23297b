#include "lib/sys/fs.h"

#include <stdio.h>
#include <string.h>

void fs_dirname(const char *path, char *out, size_t cap)
{
	const char *slash = strrchr(path, '/');

	snprintf(out, cap, "%.*s", slash ? (int)(slash - path) : 0, path);
}

/* The name under which something is made before it is renamed into place. Always the same one, so
 * that what a power cut leaves behind is found and replaced by the next try. */
static int temp_name(const char *path, char out[FS_PATH_MAX], struct err *e)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	int n = snprintf(out, FS_PATH_MAX, "%.*s.%s.new", (int)(base - path), path, base);

	if (n < 0 || n >= FS_PATH_MAX)
		return err_set(e, ERR_TOO_LARGE, "%s: the path is too long", path);
	return 0;
}

static int read_all(struct fs *fs, int fd, size_t max, struct buf *out, struct err *e)
{
	size_t chunk = MIN(max + 1, 64 * 1024UL), total = 0, got;

	do {
		TRY(fs->ops->pread(fs, fd, buf_reserve(out, chunk), chunk, total, &got, e));
		out->n += got;
		total += got;
		if (total > max)
			return err_set(e, ERR_TOO_LARGE, "more than %zu bytes", max);
	} while (got == chunk);
	return 0;
}

int fs_read_file(struct fs *fs, const char *path, size_t max, struct buf *out, struct err *e)
{
	size_t before = out->n;
	int fd, rc;

	TRY(fs->ops->open(fs, path, FS_READ, &fd, e));
	rc = read_all(fs, fd, max, out, e);
	if (rc < 0) {
		out->n = before;
		rc = err_wrap(e, "%s", path);
		(void)!fs->ops->close(fs, fd, NULL);
		return rc;
	}
	return fs->ops->close(fs, fd, e);
}

/* The mode is set before the bytes are there, so that nobody reads a secret in between. */
static int fill_temp(
	struct fs *fs, const char *temp, const void *p, size_t n, uint32_t mode, struct err *e)
{
	int fd, rc;

	TRY(fs->ops->unlink(fs, temp, e));
	TRY(fs->ops->open(fs, temp, FS_CREATE | FS_EXCL, &fd, e));
	rc = fs->ops->chmod(fs, temp, mode, e);
	if (rc == 0)
		rc = fs->ops->pwrite(fs, fd, p, n, 0, e);
	if (rc == 0)
		rc = fs->ops->sync(fs, fd, e);
	if (rc < 0) {
		(void)!fs->ops->close(fs, fd, NULL);
		return rc;
	}
	return fs->ops->close(fs, fd, e);
}

/* Puts what was made as `temp` in the place of `path`, durably. */
static int put_in_place(struct fs *fs, const char *temp, const char *path, struct err *e)
{
	char dir[FS_PATH_MAX];

	TRY(fs->ops->rename(fs, temp, path, e));
	fs_dirname(path, dir, sizeof dir);
	return fs->ops->sync_dir(fs, dir, e);
}

int fs_write_file(
	struct fs *fs, const char *path, const void *p, size_t n, uint32_t mode, struct err *e)
{
	char temp[FS_PATH_MAX];
	int rc;

	TRY(temp_name(path, temp, e));
	rc = fill_temp(fs, temp, p, n, mode, e);
	if (rc == 0)
		rc = put_in_place(fs, temp, path, e);
	if (rc < 0)
		(void)!fs->ops->unlink(fs, temp, NULL);
	return rc;
}

int fs_replace_symlink(struct fs *fs, const char *target, const char *path, struct err *e)
{
	char temp[FS_PATH_MAX];
	int rc;

	TRY(temp_name(path, temp, e));
	TRY(fs->ops->unlink(fs, temp, e));
	rc = fs->ops->symlink(fs, target, temp, e);
	if (rc == 0)
		rc = put_in_place(fs, temp, path, e);
	if (rc < 0)
		(void)!fs->ops->unlink(fs, temp, NULL);
	return rc;
}

/* One folder of a path, and its name made durable. The parent is synced even when the folder was
 * there: an earlier call may have made it and then failed to sync. */
static int make_dir(struct fs *fs, const char *path, struct err *e)
{
	char parent[FS_PATH_MAX];

	TRY(fs->ops->mkdir(fs, path, 0755, e));
	fs_dirname(path, parent, sizeof parent);
	return fs->ops->sync_dir(fs, parent, e);
}

int fs_make_dirs(struct fs *fs, const char *path, struct err *e)
{
	char prefix[FS_PATH_MAX];

	for (const char *end = path; *end;) {
		end = strchr(end, '/');
		if (!end)
			end = path + strlen(path);
		if ((size_t)(end - path) >= sizeof prefix)
			return err_set(e, ERR_TOO_LARGE, "%s: the path is too long", path);
		snprintf(prefix, sizeof prefix, "%.*s", (int)(end - path), path);
		TRY(make_dir(fs, prefix, e));
		end += *end == '/';
	}
	return 0;
}

/* Names of one folder, gathered before any of them is removed: what a listing shows of a folder
 * that changes under it is nobody's promise. Each entry is its kind as one byte, then the name with
 * its NUL. */
static int gather(void *ctx, const char *name, enum fs_kind kind, struct err *e)
{
	struct buf *names = ctx;

	(void)e;
	buf_add_char(names, (char)kind);
	buf_add(names, name, strlen(name) + 1);
	return 0;
}

static int remove_dir(struct fs *fs, char path[FS_PATH_MAX], struct err *e);

static int remove_any(struct fs *fs, char path[FS_PATH_MAX], enum fs_kind kind, struct err *e)
{
	return kind == FS_DIR ? remove_dir(fs, path, e) : fs->ops->unlink(fs, path, e);
}

/* `path` is one buffer for the whole descent: a name is appended and taken off again. */
static int remove_dir(struct fs *fs, char path[FS_PATH_MAX], struct err *e)
{
	BUF_AUTO names = {0};
	size_t len = strlen(path);

	/* A folder that may not be written cannot be emptied by an agent that is not root. */
	TRY(fs->ops->chmod(fs, path, 0755, e));
	TRY(fs->ops->list(fs, path, gather, &names, e));
	for (size_t i = 0; i < names.n;) {
		enum fs_kind kind = (enum fs_kind)names.p[i];
		const char *name = (const char *)names.p + i + 1;
		size_t n = strlen(name);

		if (len + 1 + n >= FS_PATH_MAX)
			return err_set(e, ERR_TOO_LARGE, "%s: a path in it is too long", path);
		path[len] = '/';
		memcpy(path + len + 1, name, n + 1);
		TRY(remove_any(fs, path, kind, e));
		path[len] = '\0';
		i += 1 + n + 1;
	}
	return fs->ops->rmdir(fs, path, e);
}

int fs_remove_tree(struct fs *fs, const char *path, struct err *e)
{
	char at[FS_PATH_MAX], parent[FS_PATH_MAX];
	struct fs_stat st;
	size_t n = strlen(path);

	if (n >= sizeof at)
		return err_set(e, ERR_TOO_LARGE, "%s: the path is too long", path);
	memcpy(at, path, n + 1);
	TRY(fs->ops->stat(fs, path, &st, e));
	if (st.kind == FS_NONE)
		return 0;
	TRY(remove_any(fs, at, st.kind, e));
	fs_dirname(path, parent, sizeof parent);
	return fs->ops->sync_dir(fs, parent, e);
}
