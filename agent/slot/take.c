#include <stdlib.h>
#include <string.h>

#include "agent/slot/slot_priv.h"

static uint32_t mode_of(const struct tree_entry *t)
{
	return t->executable ? 0555 : 0444;
}

/* One taking over: files of one tree from one base to another. */
struct taking {
	struct fs *fs;
	struct writer *writer; /* for what cannot be shared */
	char from[PLACE_MAX], to[PLACE_MAX];
};

static int copy_bytes(struct taking *k, int fd, uint64_t size, struct err *e)
{
	const size_t piece = (size_t)256 * 1024;
	CLEANUP(mem_free) uint8_t *p = mem_new(piece);
	size_t n;

	for (uint64_t at = 0; at < size; at += n) {
		TRY(k->fs->ops->pread(k->fs, fd, p, (size_t)MIN(piece, size - at), at, &n, e));
		if (n == 0)
			return err_set(e, ERR_ALTERED, "it became shorter");
		TRY(writer_add(k->writer, p, n, e));
	}
	return writer_close(k->writer, e);
}

static int copy_file(struct taking *k, const char *from, const char *to, const struct tree_entry *t,
	struct err *e)
{
	int fd;

	TRY(k->fs->ops->open(k->fs, from, FS_READ, &fd, e));
	int rc = writer_open(k->writer, to, t->size, t->executable, e);
	if (rc == 0)
		rc = copy_bytes(k, fd, t->size, e);
	(void)!k->fs->ops->close(k->fs, fd, NULL); /* was only read */
	return rc;
}

/* Shares the file, or copies it where sharing is not to be had. A shared inode whose mode is wrong
 * is copied, too: to mend it would be to change the other slot. */
static int share_file(struct taking *k, const char *from, const char *to,
	const struct tree_entry *t, struct err *e)
{
	const struct fs_ops *ops = k->fs->ops;
	struct fs_stat st;
	struct err why;

	if (ops->clone(k->fs, from, to, &why) < 0)
		return copy_file(k, from, to, t, e);
	TRY(ops->stat(k->fs, to, &st, e));
	if (st.mode == mode_of(t))
		return 0;
	if (st.links <= 1)
		return ops->chmod(k->fs, to, mode_of(t), e);
	TRY(ops->unlink(k->fs, to, e));
	return copy_file(k, from, to, t, e);
}

static int take_entry(struct taking *k, const struct tree_entry *t, struct err *e)
{
	char from[PLACE_MAX], to[PLACE_MAX];

	TRY(place_entry(from, k->from, t->path, e));
	TRY(place_entry(to, k->to, t->path, e));
	switch (t->kind) {
	case TREE_DIR:
		return k->fs->ops->mkdir(k->fs, to, 0755, e);
	case TREE_LINK:
		return k->fs->ops->symlink(k->fs, t->target, to, e);
	case TREE_FILE:
		break;
	}
	return share_file(k, from, to, t, e);
}

static int take_entries(struct taking *k, const struct tree *t, struct err *e)
{
	/* Sorted: a folder comes before what is in it. */
	for (size_t i = 0; i < t->n; i++)
		TRY(take_entry(k, &t->v[i], e));
	return writer_drain(k->writer, e);
}

static int take_tree(struct slots *s, unsigned slot, unsigned from, const struct component *c,
	const struct tree *t, struct err *e)
{
	struct taking k = {.fs = s->fs, .writer = writer_new(s->fs, s->threads > 1)};
	BUF_AUTO lines = {0};

	place_component(k.from, from, c);
	place_component(k.to, slot, c);
	int rc = take_entries(&k, t, e);
	writer_free(&k.writer);
	TRY(rc);
	TRY(settle_tree(s->fs, slot, k.to, t, e));
	tree_encode(t, &lines);
	return listing_save(s->fs, slot, c, &lines, e);
}

/* Makes the place empty, and the folder itself for an archive. */
static int clear_place(struct slots *s, unsigned slot, const struct component *c, struct err *e)
{
	char base[PLACE_MAX], above[PLACE_MAX];

	place_component(base, slot, c);
	TRY(listing_remove(s->fs, slot, c->name, e));
	TRY(part_remove(s->fs, slot, c->name, e));
	TRY(fs_remove_tree(s->fs, base, e));
	fs_dirname(base, above, sizeof above);
	TRY(fs_make_dirs(s->fs, above, e));
	if (c->artifact.archive == ARCHIVE_RAW)
		return 0;
	return s->fs->ops->mkdir(s->fs, base, 0755, e);
}

/* Does slot `from` hold this component, byte for byte? Decodes its listing into *out then. */
static int is_held(struct slots *s, unsigned from, const struct component *c, struct tree *out,
	bool *out_is, struct err *e)
{
	struct slot_view v;
	char base[PLACE_MAX];
	struct err why = {0};
	bool is;

	TRY(status_load(s->fs, from, &v, e));
	if (v.mark != SLOT_VALID) {
		*out_is = false;
		return 0;
	}
	TRY(listing_load(s->fs, from, c, out, &is, e));
	if (is) {
		place_component(base, from, c);
		is = readback_tree(s->fs, base, out, READBACK_CACHE, s->threads, NULL, &why) == 0;
	}
	*out_is = is;
	return 0;
}

int take_component(struct slots *s, unsigned slot, unsigned from, const struct component *c,
	bool *out_taken, struct err *e)
{
	struct tree t;
	bool is = false;

	tree_init(&t);
	int rc = is_held(s, from, c, &t, &is, e);
	if (rc == 0 && is) {
		rc = clear_place(s, slot, c, e);
		if (rc == 0)
			rc = take_tree(s, slot, from, c, &t, e);
	}
	tree_fini(&t);
	if (rc < 0)
		return rc;
	*out_taken = is;
	return 0;
}
