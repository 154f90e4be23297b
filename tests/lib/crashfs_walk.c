#include "tests/lib/crashfs_priv.h"

#include <errno.h>
#include <string.h>

#define LINKS_MAX 8

static int follow_parts(struct walk *w, struct str path, bool follow_last, struct err *e);

static int go_up(struct walk *w, struct err *e)
{
	if (w->depth == 1)
		return err_sys(e, EXDEV, "it leads out");
	w->depth--;
	w->end = w->trail[w->depth - 1];
	return 0;
}

static int go_down(struct walk *w, struct str part, struct err *e)
{
	struct inode *here = w->trail[w->depth - 1];

	if (here->kind != FS_DIR)
		return err_sys(e, ENOTDIR, "no folder");
	TRY(str_copy(part, w->last, sizeof w->last, e));
	w->end = disk_find(&here->live_in, part.p, part.n);
	return 0;
}

static int follow_link(struct walk *w, struct err *e)
{
	struct str target = str_of(w->end->target);

	w->end = w->trail[w->depth - 1];
	if (++w->links > LINKS_MAX)
		return err_sys(e, ELOOP, "too many links");
	if (target.n > 0 && target.p[0] == '/')
		return err_sys(e, EXDEV, "it leads out");
	return follow_parts(w, target, true, e);
}

static int step_into(struct walk *w, struct err *e)
{
	if (!w->end)
		return err_sys(e, ENOENT, "%s", w->last);
	if (w->end->kind != FS_DIR)
		return err_sys(e, ENOTDIR, "%s", w->last);
	if (w->depth == CRASHFS_DEPTH_MAX)
		return err_sys(e, ENAMETOOLONG, "%s", w->last);
	w->trail[w->depth++] = w->end;
	return 0;
}

static int follow_parts(struct walk *w, struct str path, bool follow_last, struct err *e)
{
	struct str part;

	while (str_split(&path, '/', &part)) {
		bool is_last = !path.p || path.n == 0;

		if (part.n == 0 || str_is(part, "."))
			continue;
		if (str_is(part, ".."))
			TRY(go_up(w, e));
		else
			TRY(go_down(w, part, e));
		if (w->end && w->end->kind == FS_SYMLINK && (!is_last || follow_last))
			TRY(follow_link(w, e));
		if (!is_last && w->end != w->trail[w->depth - 1])
			TRY(step_into(w, e));
	}
	return 0;
}

/* "d/..": not even where it would stay beneath. */
static int check_path(const char *path, struct err *e)
{
	struct str rest = str_of(path), part;

	if (strlen(path) >= FS_PATH_MAX)
		return err_set(e, ERR_TOO_LARGE, "%s: the path is too long", path);
	if (*path == '/')
		return err_sys(e, EXDEV, "%s", path);
	while (str_split(&rest, '/', &part))
		if (str_is(part, ".."))
			return err_sys(e, EXDEV, "%s", path);
	return 0;
}

int crashfs_walk(
	struct crashfs *c, const char *path, bool follow_last, struct walk *w, struct err *e)
{
	*w = (struct walk){.trail = {c->disk.root}, .depth = 1, .end = c->disk.root};
	TRY(crashfs_power(c, e));
	TRY(check_path(path, e));
	if (follow_parts(w, str_of(path), follow_last, e) < 0)
		return err_wrap(e, "%s", path);
	return 0;
}

int crashfs_walk_to_place(struct crashfs *c, const char *path, struct walk *w, struct err *e)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;

	if (!*base || strcmp(base, ".") == 0)
		return err_set(e, ERR_BAD_INPUT, "\"%s\" names nothing", path);
	return crashfs_walk(c, path, false, w, e);
}

int crashfs_walk_to_existing(
	struct crashfs *c, const char *path, bool follow, struct walk *w, struct err *e)
{
	TRY(crashfs_walk(c, path, follow, w, e));
	return w->end ? 0 : err_sys(e, ENOENT, "%s", path);
}

struct inode *crashfs_parent(const struct walk *w)
{
	return w->trail[w->depth - 1];
}
