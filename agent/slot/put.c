#include <assert.h>
#include <string.h>

#include "agent/slot/slot_priv.h"

/* ---- beginning ---- */

/* A file's bytes, then its name, then what speaks of it. */
static int settle_so_far(struct slots *s, struct err *e)
{
	const struct tree *t = &s->ledger.tree;
	size_t from = s->part.entries, whole = t->n - s->ledger.in_file;

	TRY(writer_sync(s->writer, e));
	TRY(settle_files(s->fs, s->put_base, t, from, whole, e));
	TRY(settle_names(s->fs, s->put_base, t, s->part.named, e));
	if (s->part.artifact > 0)
		return 0;
	return settle_dirs(s->fs, s->put_slot, s->put_base, &(struct tree){0}, e);
}

static void open_books(struct slots *s)
{
	books_open(s, settle_so_far);
	s->writer = writer_new(s->fs, s->threads > 1);
}

static int make_place(struct slots *s, const struct component *c, struct err *e)
{
	char above[PLACE_MAX];

	TRY(listing_remove(s->fs, s->put_slot, c->name, e));
	TRY(part_remove(s->fs, s->put_slot, c->name, e));
	TRY(fs_remove_tree(s->fs, s->put_base, e));
	fs_dirname(s->put_base, above, sizeof above);
	TRY(fs_make_dirs(s->fs, above, e));
	if (c->artifact.archive == ARCHIVE_TAR)
		TRY(s->fs->ops->mkdir(s->fs, s->put_base, 0755, e));
	return 0;
}

int put_begin(struct slots *s, unsigned slot, const struct component *c, bool anew,
	struct slot_part *out_part, struct err *e)
{
	assert(!s->putting);
	place_component(s->put_base, slot, c);
	s->put_slot = slot;
	s->put_component = *c;
	open_books(s);
	if (!anew && resume_part(s, c, out_part))
		return 0;
	books_close(s);
	TRY(make_place(s, c, e));
	open_books(s);
	*out_part = (struct slot_part){0};
	return 0;
}

/* ---- entries ---- */

/* The folders that the ledger added since `from`. */
static int make_dirs(struct slots *s, size_t from, struct err *e)
{
	char path[PLACE_MAX];

	for (size_t i = from; i < s->ledger.tree.n; i++) {
		if (s->ledger.tree.v[i].kind != TREE_DIR)
			continue;
		TRY(place_entry(path, s->put_base, s->ledger.tree.v[i].path, e));
		TRY(s->fs->ops->mkdir(s->fs, path, 0755, e));
	}
	return 0;
}

int put_dir(struct slots *s, const char *path, struct err *e)
{
	size_t from = s->ledger.tree.n;

	TRY(ledger_dir(&s->ledger, path, e));
	return make_dirs(s, from, e);
}

int put_link(struct slots *s, const char *path, const char *target, struct err *e)
{
	size_t from = s->ledger.tree.n;
	char full[PLACE_MAX];

	TRY(ledger_link(&s->ledger, path, target, e));
	TRY(make_dirs(s, from, e));
	TRY(place_entry(full, s->put_base, path, e));
	return s->fs->ops->symlink(s->fs, target, full, e);
}

int put_file(struct slots *s, const char *path, bool executable, uint64_t size, struct err *e)
{
	size_t from = s->ledger.tree.n;
	char full[PLACE_MAX];

	TRY(ledger_file(&s->ledger, path, executable, size, e));
	TRY(make_dirs(s, from, e));
	TRY(place_entry(full, s->put_base, path, e));
	TRY(writer_open(s->writer, full, size, executable, e));
	return s->ledger.in_file ? 0 : writer_close(s->writer, e);
}

/* ---- the end ---- */

int put_end(struct slots *s, struct err *e)
{
	const struct component *c = &s->put_component;
	struct tree *t = &s->ledger.tree;
	BUF_AUTO lines = {0};

	assert(s->putting);
	TRY(writer_drain(s->writer, e));
	TRY(settle_files(s->fs, s->put_base, t, MIN(s->part.entries, t->n), t->n, e));
	TRY(ledger_end(&s->ledger, &c->artifact.tree, &lines, e));
	TRY(settle_dirs(s->fs, s->put_slot, s->put_base, t, e));
	TRY(listing_save(s->fs, s->put_slot, c, &lines, e));
	TRY(part_remove(s->fs, s->put_slot, c->name, e));
	books_close(s);
	return 0;
}

void put_abort(struct slots *s, bool keep)
{
	if (!s->putting)
		return;
	keep = keep && s->part.artifact > 0;
	books_close(s);
	if (keep)
		return;
	/* What cannot be removed now is removed by the next put_begin or begin. */
	(void)!part_remove(s->fs, s->put_slot, s->put_component.name, NULL);
	(void)!fs_remove_tree(s->fs, s->put_base, NULL);
}
