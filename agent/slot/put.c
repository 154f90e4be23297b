#include <assert.h>
#include <string.h>

#include "agent/slot/slot_priv.h"

int put_begin(struct slots *s, unsigned slot, const struct component *c, struct err *e)
{
	char above[PLACE_MAX];

	assert(!s->putting);
	place_component(s->put_base, slot, c);
	TRY(listing_remove(s->fs, slot, c->name, e));
	TRY(fs_remove_tree(s->fs, s->put_base, e));
	fs_dirname(s->put_base, above, sizeof above);
	TRY(fs_make_dirs(s->fs, above, e));
	if (c->artifact.archive == ARCHIVE_TAR)
		TRY(s->fs->ops->mkdir(s->fs, s->put_base, 0755, e));
	ledger_init(&s->ledger);
	s->writer = writer_new(s->fs, s->threads > 1);
	s->put_slot = slot;
	s->put_component = *c;
	s->putting = true;
	return 0;
}

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

int put_data(struct slots *s, const void *p, size_t n, struct err *e)
{
	if (n == 0)
		return 0;
	TRY(ledger_data(&s->ledger, p, n, e));
	TRY(writer_add(s->writer, p, n, e));
	return s->ledger.in_file ? 0 : writer_close(s->writer, e);
}

int put_end(struct slots *s, struct err *e)
{
	BUF_AUTO lines = {0};

	assert(s->putting);
	TRY(ledger_end(&s->ledger, &s->put_component.artifact.tree, &lines, e));
	TRY(writer_drain(s->writer, e));
	TRY(settle_tree(s->fs, s->put_slot, s->put_base, &s->ledger.tree, e));
	TRY(listing_save(s->fs, s->put_slot, &s->put_component, &lines, e));
	writer_free(&s->writer);
	ledger_fini(&s->ledger);
	s->putting = false;
	return 0;
}

void put_abort(struct slots *s)
{
	if (!s->putting)
		return;
	writer_free(&s->writer);
	ledger_fini(&s->ledger);
	s->putting = false;
	/* What cannot be removed now is removed by the next put_begin or begin. */
	(void)!fs_remove_tree(s->fs, s->put_base, NULL);
}
