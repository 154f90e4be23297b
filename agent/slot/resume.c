/* Going on with a component that an earlier run began. The part says what was durable; all of it is
 * read back before anything is built on it, and what it does not speak of is removed. */
#include <stdio.h>
#include <string.h>

#include "agent/slot/slot_priv.h"

#define PIECE ((size_t)256 * 1024)

/* Folders are as deep as names are: what is in none of the ledger's is removed whole. */
static int drop_strangers(struct slots *s, const char *inside, struct err *e)
{
	BUF_AUTO names = {0};
	char dir[PLACE_MAX], full[PLACE_MAX];
	const char *name;
	enum fs_kind kind;
	size_t at = 0;

	TRY(place_entry(dir, s->put_base, *inside ? inside : ".", e));
	TRY(place_names(s->fs, dir, &names, e));
	while (place_next(&names, &at, &name, &kind)) {
		TRY(place_entry(full, dir, name, e));
		const char *path = full + strlen(s->put_base) + 1;

		if (!ledger_has(&s->ledger, path))
			TRY(fs_remove_tree(s->fs, full, e));
		else if (kind == FS_DIR)
			TRY(drop_strangers(s, path, e));
	}
	return 0;
}

static int read_prefix(struct slots *s, int fd, uint64_t done, struct err *e)
{
	CLEANUP(mem_free) uint8_t *piece = mem_new(PIECE);
	size_t n;

	for (uint64_t at = 0; at < done; at += n) {
		TRY(s->fs->ops->pread(s->fs, fd, piece, (size_t)MIN(PIECE, done - at), at, &n, e));
		if (n == 0)
			return err_set(e, ERR_ALTERED, "a file is shorter than was noted");
		ledger_prefix(&s->ledger, piece, n);
	}
	return 0;
}

static int check_prefix(
	struct slots *s, const char *path, uint64_t done, const struct sha256 *want, struct err *e)
{
	struct sha256 is;
	int fd;

	TRY(s->fs->ops->open(s->fs, path, FS_READ, &fd, e));
	int rc = read_prefix(s, fd, done, e);
	(void)!s->fs->ops->close(s->fs, fd, NULL); /* was only read */
	TRY(rc);
	digest_look(&s->ledger.digest, &is);
	return sha256_eq(&is, want) ? 0 : err_set(e, ERR_ALTERED, "a file is not what was noted");
}

/* The last entry is the file that was being written, with the bytes that it had. */
static int reopen(struct slots *s, uint64_t size, struct err *e)
{
	struct tree_entry *last = &s->ledger.tree.v[s->ledger.tree.n - 1];
	struct sha256 want = last->digest;
	uint64_t done = last->size;
	char path[PLACE_MAX];
	struct fs_stat st;

	if (last->kind != TREE_FILE || done >= size)
		return err_set(e, ERR_ALTERED, "no file to go on with");
	TRY(place_entry(path, s->put_base, last->path, e));
	TRY(s->fs->ops->stat(s->fs, path, &st, e));
	if (st.kind != FS_FILE)
		return err_set(e, ERR_ALTERED, "no file, or another kind");
	/* It may have been completed since, and is read-only then. */
	TRY(s->fs->ops->chmod(s->fs, path, 0644, e));
	ledger_reopen(&s->ledger, size);
	TRY(check_prefix(s, path, done, &want, e));
	return writer_reopen(s->writer, path, size, done, last->executable, e);
}

static int bring_back(struct slots *s, const struct slot_part *part, struct err *e)
{
	struct tree whole = s->ledger.tree;
	struct fs_stat st;

	TRY(s->fs->ops->stat(s->fs, s->put_base, &st, e));
	if (st.kind == FS_DIR)
		TRY(drop_strangers(s, "", e));
	whole.n -= part->left > 0;
	TRY(readback_entries(s->fs, s->put_base, &whole, READBACK_CACHE, s->threads, e));
	return part->left > 0 ? reopen(s, part->size, e) : 0;
}

bool resume_part(struct slots *s, const struct component *c, struct slot_part *out_part)
{
	struct slot_part part;
	struct err why;

	if (part_load(s->fs, s->put_slot, c, &s->ledger, &s->part, &part, &why) < 0 ||
		part.at.artifact == 0 || bring_back(s, &part, &why) < 0)
		return false;
	*out_part = part;
	return true;
}
