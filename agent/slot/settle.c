#include <string.h>

#include "agent/slot/slot_priv.h"

static int sync_file(struct fs *fs, const char *path, struct err *e)
{
	int fd;

	TRY(fs->ops->open(fs, path, FS_READ, &fd, e));
	int rc = fs->ops->sync(fs, fd, e);
	int closed = fs->ops->close(fs, fd, rc < 0 ? NULL : e);
	return rc < 0 ? rc : closed;
}

/* From the component's place up to the slot, so that the way down to it is durable, too. */
static int sync_above(struct fs *fs, unsigned slot, const char *base, struct err *e)
{
	char dir[PLACE_MAX], up[PLACE_MAX];

	fs_dirname(base, dir, sizeof dir);
	while (strcmp(dir, slot_path(slot)) != 0) {
		TRY(fs->ops->sync_dir(fs, dir, e));
		fs_dirname(dir, up, sizeof up);
		memcpy(dir, up, sizeof dir);
	}
	return fs->ops->sync_dir(fs, dir, e);
}

int settle_files(struct fs *fs, const char *base, const struct tree *t, size_t from, size_t to,
	struct err *e)
{
	char path[PLACE_MAX];

	for (size_t i = from; i < to; i++) {
		if (t->v[i].kind != TREE_FILE)
			continue;
		TRY(place_entry(path, base, t->v[i].path, e));
		TRY(sync_file(fs, path, e));
	}
	return 0;
}

int settle_names(struct fs *fs, const char *base, const struct tree *t, size_t from, struct err *e)
{
	char path[PLACE_MAX], dir[PLACE_MAX], synced[PLACE_MAX] = "";

	for (size_t i = from; i < t->n; i++) {
		TRY(place_entry(path, base, t->v[i].path, e));
		fs_dirname(path, dir, sizeof dir);
		/* Neighbours mostly lie in one folder. */
		if (strcmp(dir, synced) == 0)
			continue;
		TRY(fs->ops->sync_dir(fs, dir, e));
		memcpy(synced, dir, sizeof synced);
	}
	return 0;
}

int settle_dirs(struct fs *fs, unsigned slot, const char *base, const struct tree *t, struct err *e)
{
	char path[PLACE_MAX];
	struct fs_stat st;

	for (size_t i = 0; i < t->n; i++) {
		if (t->v[i].kind != TREE_DIR)
			continue;
		TRY(place_entry(path, base, t->v[i].path, e));
		TRY(fs->ops->sync_dir(fs, path, e));
	}
	TRY(fs->ops->stat(fs, base, &st, e));
	if (st.kind == FS_DIR)
		TRY(fs->ops->sync_dir(fs, base, e));
	return sync_above(fs, slot, base, e);
}

int settle_tree(struct fs *fs, unsigned slot, const char *base, const struct tree *t, struct err *e)
{
	TRY(settle_files(fs, base, t, 0, t->n, e));
	return settle_dirs(fs, slot, base, t, e);
}
