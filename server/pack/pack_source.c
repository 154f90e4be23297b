#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "proto/wire/path.h"
#include "server/pack/pack_priv.h"

/* One folder on the way down. */
struct level {
	struct pack_source *s;
	const char *path; /* "" at the top */
};

static int scan(struct pack_source *s, const char *path, struct err *e);

static int scan_link(struct pack_source *s, const char *path, struct err *e)
{
	char target[LIMIT_TAR_NAME + 1];
	struct tree_entry x = {.kind = TREE_LINK, .path = (char *)path, .target = target};

	TRY(s->fs.ops->readlink(&s->fs, path, target, sizeof target, e));
	TRY(path_link_check(path, target, e));
	return tree_add(&s->tree, &x, e);
}

static int scan_file(
	struct pack_source *s, const char *path, const struct fs_stat *st, struct err *e)
{
	struct tree_entry x = {.kind = TREE_FILE,
		.executable = (st->mode & 0111) != 0,
		.size = st->size,
		.path = (char *)path};

	s->bytes += st->size;
	return tree_add(&s->tree, &x, e);
}

static int scan_dir(struct pack_source *s, const char *path, struct err *e)
{
	struct tree_entry x = {.kind = TREE_DIR, .path = (char *)path};

	TRY(tree_add(&s->tree, &x, e));
	return scan(s, path, e);
}

static int mode_check(const struct fs_stat *st, struct err *e)
{
	if (st->kind == FS_FILE && (st->mode & 06000))
		return err_set(e, ERR_BAD_INPUT, "setuid or setgid");
	if (st->size > LIMIT_ARTIFACT_BYTES)
		return err_set(e, ERR_TOO_LARGE, "%llu bytes", (unsigned long long)st->size);
	return 0;
}

static int scan_entry(struct pack_source *s, const char *path, struct err *e)
{
	struct fs_stat st;

	TRY(s->fs.ops->stat(&s->fs, path, &st, e));
	TRY(mode_check(&st, e));
	switch (st.kind) {
	case FS_DIR:
		return scan_dir(s, path, e);
	case FS_FILE:
		return scan_file(s, path, &st, e);
	case FS_SYMLINK:
		return scan_link(s, path, e);
	case FS_NONE:
	case FS_OTHER:
		break;
	}
	return err_set(e, ERR_BAD_INPUT, "neither file, folder nor link");
}

static int each_name(void *ctx, const char *name, enum fs_kind kind, struct err *e)
{
	const struct level *l = ctx;
	char path[FS_PATH_MAX], shown[160];
	int n = snprintf(path, sizeof path, "%s%s%s", l->path, l->path[0] ? "/" : "", name);

	(void)kind;
	if (n < 0 || (size_t)n >= sizeof path)
		return err_set(e, ERR_BAD_INPUT, "a name of more than %zu bytes", sizeof path);
	if (scan_entry(l->s, path, e) < 0)
		return err_wrap(e, "%s", str_printable(str_of(name), shown, sizeof shown));
	return 0;
}

/* Depth is bounded by what tree_add takes for a path. */
static int scan(struct pack_source *s, const char *path, struct err *e)
{
	struct level l = {s, path};

	return s->fs.ops->list(&s->fs, path, each_name, &l, e);
}

static int open_folder(const char *path, struct pack_source *s, struct err *e)
{
	int rc;

	TRY(fs_posix_open(path, &s->fs, e));
	rc = scan(s, "", e);
	if (rc == 0)
		rc = tree_sort(&s->tree, e);
	if (rc < 0)
		pack_source_close(s);
	return rc;
}

static int open_file(const char *path, const struct stat *st, struct pack_source *s, struct err *e)
{
	const char *name = strrchr(path, '/') + 1;
	char dir[PATH_MAX];

	if (st->st_mode & 06000)
		return err_set(e, ERR_BAD_INPUT, "setuid or setgid");
	snprintf(dir, sizeof dir, "%.*s", (int)(name - path), path);
	TRY(str_copy(str_of(name), s->file, sizeof s->file, e));
	s->executable = (st->st_mode & 0111) != 0;
	s->bytes = (uint64_t)st->st_size;
	return fs_posix_open(dir, &s->fs, e);
}

int pack_source_open(const char *path, struct pack_source *out, struct err *e)
{
	struct pack_source s = {.bytes = 0};
	char real[PATH_MAX];
	struct stat st;

	if (!realpath(path, real) || stat(real, &st) < 0)
		return err_sys(e, errno, "%s", path);
	if (S_ISDIR(st.st_mode)) {
		if (open_folder(real, &s, e) < 0)
			return err_wrap(e, "%s", path);
	} else if (S_ISREG(st.st_mode)) {
		if (open_file(real, &st, &s, e) < 0)
			return err_wrap(e, "%s", path);
	} else {
		return err_set(e, ERR_BAD_INPUT, "%s: neither file nor folder", path);
	}
	*out = s;
	return 0;
}

void pack_source_close(struct pack_source *s)
{
	tree_fini(&s->tree);
	fs_posix_close(&s->fs);
}
