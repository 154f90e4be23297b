#include <string.h>

#include "agent/slot/slot_priv.h"

/* What is done with a thing that belongs to nothing. */
typedef int stray_f(void *ctx, struct fs *fs, const char *path, enum fs_kind kind, struct err *e);

enum relation { STRAY, KEPT, ABOVE };

static enum relation relate(const struct sweep_keep *keep, const char *path)
{
	size_t n = strlen(path);

	for (unsigned i = 0; i < keep->n; i++) {
		if (strcmp(keep->path[i], path) == 0)
			return KEPT;
		if (strncmp(keep->path[i], path, n) == 0 && keep->path[i][n] == '/')
			return ABOVE;
	}
	return STRAY;
}

/* The folders above a kept path are few, at most LIMIT_TAR_DEPTH deep: recursion is bounded. */
static int walk(struct fs *fs, unsigned slot, const struct sweep_keep *keep, const char *inside,
	stray_f *stray, void *ctx, struct err *e)
{
	BUF_AUTO names = {0};
	char dir[PLACE_MAX], path[PLACE_MAX];
	const char *name;
	enum fs_kind kind;
	size_t at = 0;

	TRY(place_entry(dir, slot_path(slot), *inside ? inside : ".", e));
	TRY(place_names(fs, dir, &names, e));
	while (place_next(&names, &at, &name, &kind)) {
		TRY(place_entry(path, dir, name, e));
		const char *rel = path + strlen(slot_path(slot)) + 1;
		enum relation is = relate(keep, rel);

		if (is == ABOVE && kind == FS_DIR)
			TRY(walk(fs, slot, keep, rel, stray, ctx, e));
		else if (is != KEPT)
			TRY(stray(ctx, fs, path, kind, e));
	}
	return 0;
}

static int stray_remove(
	void *ctx, struct fs *fs, const char *path, enum fs_kind kind, struct err *e)
{
	(void)ctx;
	(void)kind;
	return fs_remove_tree(fs, path, e);
}

int sweep_remove(struct fs *fs, unsigned slot, const struct sweep_keep *keep, struct err *e)
{
	return walk(fs, slot, keep, "", stray_remove, NULL, e);
}

static int stray_refuse(
	void *ctx, struct fs *fs, const char *path, enum fs_kind kind, struct err *e)
{
	(void)ctx;
	(void)fs;
	(void)kind;
	return err_set(e, ERR_ALTERED, "%s belongs to no component", path);
}

int sweep_check(struct fs *fs, unsigned slot, const struct sweep_keep *keep, struct err *e)
{
	return walk(fs, slot, keep, "", stray_refuse, NULL, e);
}

static int stray_count(void *ctx, struct fs *fs, const char *path, enum fs_kind kind, struct err *e)
{
	BUF_AUTO names = {0};
	uint64_t *sum = ctx;
	char inside[PLACE_MAX];
	struct fs_stat st;
	const char *name;
	size_t at = 0;

	if (kind != FS_DIR) {
		TRY(fs->ops->stat(fs, path, &st, e));
		/* Another slot's name for the same file keeps its blocks. */
		*sum += st.kind == FS_FILE && st.links <= 1 ? st.size : 0;
		return 0;
	}
	TRY(place_names(fs, path, &names, e));
	while (place_next(&names, &at, &name, &kind)) {
		TRY(place_entry(inside, path, name, e));
		TRY(stray_count(ctx, fs, inside, kind, e));
	}
	return 0;
}

int sweep_bytes(
	struct fs *fs, unsigned slot, const struct sweep_keep *keep, uint64_t *out, struct err *e)
{
	uint64_t sum = 0;

	TRY(walk(fs, slot, keep, "", stray_count, &sum, e));
	*out = sum;
	return 0;
}
