#include "agent/tele/tele_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool parse_name(const char *file, struct tele_entry *out)
{
	struct str rest = str_of(file), number, name = {0}, end;

	if (!str_split(&rest, '.', &number) || !str_split(&rest, '.', &end))
		return false;
	if (!str_is(end, "json")) {
		name = end;
		if (!str_split(&rest, '.', &end) || !str_is(end, "json"))
			return false;
	}
	return rest.n == 0 && str_to_u64(number, 0, UINT64_MAX, &out->seq, NULL) == 0 &&
	       str_copy(name, out->name, sizeof out->name, NULL) == 0;
}

static int add_entry(void *ctx, const char *name, enum fs_kind kind, struct err *e)
{
	struct tele_folder *f = ctx;
	struct tele_entry entry;

	(void)e;
	if (kind != FS_FILE || !parse_name(name, &entry))
		return 0;
	f->v = mem_resize(f->v, (f->n + 1) * sizeof *f->v);
	f->v[f->n++] = entry;
	return 0;
}

static int by_seq(const void *a, const void *b)
{
	const struct tele_entry *x = a, *y = b;

	return (x->seq > y->seq) - (x->seq < y->seq);
}

int tele_folder_list(struct fs *fs, const char *dir, struct tele_folder *out, struct err *e)
{
	FOLDER_AUTO f = {0};
	int rc = fs->ops->list(fs, dir, add_entry, &f, e);

	if (rc < 0 && rc != -(int)ERR_NOT_FOUND)
		return rc;
	if (f.n)
		qsort(f.v, f.n, sizeof *f.v, by_seq);
	*out = f;
	f = (struct tele_folder){0};
	return 0;
}

void tele_folder_fini(struct tele_folder *f)
{
	mem_free(&f->v);
	f->n = 0;
}

int tele_folder_make(struct fs *fs, const char *dir, struct err *e)
{
	struct fs_stat st;

	TRY(fs->ops->stat(fs, dir, &st, e));
	return st.kind == FS_DIR ? 0 : fs_make_dirs(fs, dir, e);
}

void tele_folder_path(const char *dir, const struct tele_entry *entry, char out[FS_PATH_MAX])
{
	snprintf(out, FS_PATH_MAX, "%s/%" PRIu64 "%s%s.json", dir, entry->seq,
		entry->name[0] ? "." : "", entry->name);
}

int tele_folder_trim(struct fs *fs, const char *dir, unsigned max, struct err *e)
{
	FOLDER_AUTO f = {0};
	char path[FS_PATH_MAX];

	TRY(tele_folder_list(fs, dir, &f, e));
	for (unsigned i = 0; i + max < f.n; i++) {
		tele_folder_path(dir, &f.v[i], path);
		TRY(fs->ops->unlink(fs, path, e));
	}
	return 0;
}
