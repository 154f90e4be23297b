#include "tests/lib/crashfs_priv.h"

#include <errno.h>
#include <string.h>

static int no_such_name_yet(const struct walk *w, const char *path, struct err *e)
{
	return w->end ? err_sys(e, EEXIST, "%s", path) : 0;
}

static void reflink(struct crashfs *c, const struct walk *src, const struct walk *dst)
{
	struct inode *f = disk_new_inode(&c->disk, FS_FILE, 0600);

	disk_name(&c->disk, crashfs_parent(dst), dst->last, f);
	disk_write(&c->disk, f, 0, src->end->live.bytes.p, src->end->live.bytes.n);
	disk_chmod(f, src->end->live.mode);
}

static int crash_clone(struct fs *fs, const char *from, const char *to, struct err *e)
{
	CRASHFS_LOCKED(fs);
	struct walk src, dst;

	TRY(crashfs_walk_to_existing(c, from, false, &src, e));
	TRY(crashfs_walk_to_place(c, to, &dst, e));
	TRY(no_such_name_yet(&dst, to, e));
	if (c->clone == CRASHFS_NO_CLONE)
		return err_set(e, ERR_NOT_FOUND, "%s: neither reflink nor hard link", to);
	TRY(crashfs_count(c, TAKES_ROOM, e, "clone %s to %s", from, to));
	if (c->clone == CRASHFS_LINK)
		disk_name(&c->disk, crashfs_parent(&dst), dst.last, src.end);
	else
		reflink(c, &src, &dst);
	return crashfs_power(c, e);
}

static int crash_stat(struct fs *fs, const char *path, struct fs_stat *out, struct err *e)
{
	CRASHFS_LOCKED(fs);
	struct walk w;
	struct err why = {0};

	if (crashfs_walk(c, path, false, &w, &why) < 0) {
		if (why.sys != ENOENT && why.sys != ENOTDIR) {
			if (e)
				*e = why;
			return -(int)why.code;
		}
		w.end = NULL;
	}
	*out = (struct fs_stat){.kind = FS_NONE};
	if (w.end)
		*out = (struct fs_stat){
			.kind = w.end->kind,
			.mode = w.end->live.mode,
			.size = w.end->live.bytes.n,
			.links = w.end->kind == FS_FILE ? w.end->links : 1,
		};
	return 0;
}

static int crash_chmod(struct fs *fs, const char *path, uint32_t mode, struct err *e)
{
	CRASHFS_LOCKED(fs);
	struct walk w;

	TRY(crashfs_walk_to_existing(c, path, false, &w, e));
	if (w.end->kind == FS_SYMLINK)
		return err_sys(e, EOPNOTSUPP, "chmod %s", path);
	TRY(crashfs_count(c, TAKES_NONE, e, "chmod %s", path));
	disk_chmod(w.end, mode);
	return crashfs_power(c, e);
}

static int crash_mkdir(struct fs *fs, const char *path, uint32_t mode, struct err *e)
{
	CRASHFS_LOCKED(fs);
	struct walk w;

	TRY(crashfs_walk_to_place(c, path, &w, e));
	if (w.end && w.end->kind == FS_DIR)
		return 0;
	TRY(no_such_name_yet(&w, path, e));
	TRY(crashfs_count(c, TAKES_ROOM, e, "mkdir %s", path));
	disk_name(&c->disk, crashfs_parent(&w), w.last, disk_new_inode(&c->disk, FS_DIR, mode));
	return crashfs_power(c, e);
}

static int crash_unlink(struct fs *fs, const char *path, struct err *e)
{
	CRASHFS_LOCKED(fs);
	struct walk w;

	TRY(crashfs_walk_to_place(c, path, &w, e));
	if (!w.end)
		return 0;
	if (w.end->kind == FS_DIR)
		return err_sys(e, EISDIR, "remove %s", path);
	TRY(crashfs_count(c, TAKES_NONE, e, "unlink %s", path));
	disk_name(&c->disk, crashfs_parent(&w), w.last, NULL);
	return crashfs_power(c, e);
}

static int crash_rmdir(struct fs *fs, const char *path, struct err *e)
{
	CRASHFS_LOCKED(fs);
	struct walk w;

	TRY(crashfs_walk_to_place(c, path, &w, e));
	if (!w.end)
		return 0;
	if (w.end->kind != FS_DIR)
		return err_sys(e, ENOTDIR, "remove %s", path);
	if (w.end->live_in.n > 0)
		return err_sys(e, ENOTEMPTY, "remove %s", path);
	TRY(crashfs_count(c, TAKES_NONE, e, "rmdir %s", path));
	disk_name(&c->disk, crashfs_parent(&w), w.last, NULL);
	return crashfs_power(c, e);
}

static int check_replaced(
	const struct inode *moved, const struct inode *replaced, const char *to, struct err *e)
{
	if (!replaced)
		return 0;
	if (moved->kind == FS_DIR && replaced->kind != FS_DIR)
		return err_sys(e, ENOTDIR, "rename to %s", to);
	if (moved->kind != FS_DIR && replaced->kind == FS_DIR)
		return err_sys(e, EISDIR, "rename to %s", to);
	return replaced->live_in.n > 0 ? err_sys(e, ENOTEMPTY, "rename to %s", to) : 0;
}

static int crash_rename(struct fs *fs, const char *from, const char *to, struct err *e)
{
	CRASHFS_LOCKED(fs);
	struct walk src, dst;

	TRY(crashfs_walk_to_place(c, from, &src, e));
	TRY(crashfs_walk_to_place(c, to, &dst, e));
	if (!src.end)
		return err_sys(e, ENOENT, "rename %s", from);
	TRY(check_replaced(src.end, dst.end, to, e));
	for (unsigned i = 0; i < dst.depth; i++)
		if (dst.trail[i] == src.end)
			return err_sys(e, EINVAL, "rename %s into itself", from);
	TRY(crashfs_count(c, TAKES_ROOM, e, "rename %s to %s", from, to));
	if (src.end != dst.end)
		disk_rename(
			&c->disk, crashfs_parent(&src), src.last, crashfs_parent(&dst), dst.last);
	return crashfs_power(c, e);
}

static int crash_symlink(struct fs *fs, const char *target, const char *path, struct err *e)
{
	CRASHFS_LOCKED(fs);
	struct walk w;
	struct inode *f;

	TRY(crashfs_walk_to_place(c, path, &w, e));
	TRY(no_such_name_yet(&w, path, e));
	if (strlen(target) >= sizeof f->target)
		return err_sys(e, ENAMETOOLONG, "symlink %s", path);
	TRY(crashfs_count(c, TAKES_ROOM, e, "symlink %s to %s", path, target));
	f = disk_new_inode(&c->disk, FS_SYMLINK, 0777);
	strcpy(f->target, target);
	disk_name(&c->disk, crashfs_parent(&w), w.last, f);
	return crashfs_power(c, e);
}

static int crash_readlink(struct fs *fs, const char *path, char *out, size_t cap, struct err *e)
{
	CRASHFS_LOCKED(fs);
	struct walk w;

	TRY(crashfs_walk_to_existing(c, path, false, &w, e));
	if (w.end->kind != FS_SYMLINK)
		return err_sys(e, EINVAL, "readlink %s", path);
	if (strlen(w.end->target) >= cap)
		return err_set(e, ERR_TOO_LARGE, "%s: the link's target is too long", path);
	strcpy(out, w.end->target);
	return 0;
}

static int find_folder(struct crashfs *c, const char *path, struct inode **out, struct err *e)
{
	struct walk w;

	TRY(crashfs_walk_to_existing(c, path, true, &w, e));
	if (w.end->kind != FS_DIR)
		return err_sys(e, ENOTDIR, "%s", path);
	*out = w.end;
	return 0;
}

/* The callback may call the file system again, so it runs without the lock and on a copy. */
static int crash_list(struct fs *fs, const char *path, fs_list_f *each, void *ctx, struct err *e)
{
	BUF_AUTO names = {0};

	{
		CRASHFS_LOCKED(fs);
		struct inode *dir;

		TRY(find_folder(c, path, &dir, e));
		for (unsigned i = 0; i < dir->live_in.n; i++) {
			const struct entry *x = &dir->live_in.v[i];

			buf_add_char(&names, (char)x->to->kind);
			buf_add(&names, x->name, strlen(x->name) + 1);
		}
	}
	for (size_t i = 0; i < names.n;) {
		const char *name = (const char *)names.p + i + 1;

		TRY(each(ctx, name, (enum fs_kind)names.p[i], e));
		i += 1 + strlen(name) + 1;
	}
	return 0;
}

static int crash_sync_dir(struct fs *fs, const char *path, struct err *e)
{
	CRASHFS_LOCKED(fs);
	struct inode *dir;

	TRY(find_folder(c, path, &dir, e));
	TRY(crashfs_count(c, TAKES_NONE, e, "sync folder \"%s\"", path));
	TRY(crashfs_power(c, e));
	disk_sync_dir(&c->disk, dir);
	return 0;
}

static int crash_room(struct fs *fs, const char *path, uint64_t *out_bytes, struct err *e)
{
	CRASHFS_LOCKED(fs);
	struct walk w;

	TRY(crashfs_walk_to_existing(c, path, true, &w, e));
	*out_bytes = c->room > c->disk.used ? c->room - c->disk.used : 0;
	return 0;
}

const struct fs_ops crashfs_ops_table = {
	.open = crashfs_do_open,
	.close = crashfs_do_close,
	.pread = crashfs_do_pread,
	.pwrite = crashfs_do_pwrite,
	.truncate = crashfs_do_truncate,
	.extent = crashfs_do_extent,
	.sync = crashfs_do_sync,
	.drop_cache = crashfs_do_drop_cache,
	.clone = crash_clone,
	.stat = crash_stat,
	.chmod = crash_chmod,
	.mkdir = crash_mkdir,
	.unlink = crash_unlink,
	.rmdir = crash_rmdir,
	.rename = crash_rename,
	.symlink = crash_symlink,
	.readlink = crash_readlink,
	.list = crash_list,
	.sync_dir = crash_sync_dir,
	.room = crash_room,
};
