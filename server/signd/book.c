#include "server/signd/book.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sys/fs.h"

#define CHUNK (64U * 1024)
#define TORN  (8 * LIMIT_SIGN_LINE) /* more than one write puts there */

/* ---- opening ---- */

static int read_at(struct book *b, uint64_t from, size_t n, struct buf *out, struct err *e)
{
	buf_clear(out);
	TRY(b->fs->ops->pread(b->fs, b->fd, buf_reserve(out, n), n, from, &n, e));
	out->n = n;
	return 0;
}

/* The line that ends where the log stood for certain. */
static int check_known(struct book *b, uint64_t size, struct err *e)
{
	uint64_t from = b->at.size > LIMIT_SIGN_LINE ? b->at.size - LIMIT_SIGN_LINE : 0;
	BUF_AUTO tail = {0};
	const char *start;
	struct str line;

	if (size < b->at.size)
		return err_set(e, ERR_ALTERED, "it has %llu bytes, %llu were written",
			(unsigned long long)size, (unsigned long long)b->at.size);
	if (!b->at.n)
		return 0;
	TRY(read_at(b, from, b->at.size - from, &tail, e));
	line = buf_str(&tail);
	if (!line.n || line.p[--line.n] != '\n')
		return err_set(e, ERR_ALTERED, "line %llu has no end", (unsigned long long)b->at.n);
	start = line.n ? memrchr(line.p, '\n', line.n) : NULL;
	if (start)
		line = (struct str){start + 1, line.n - (size_t)(start + 1 - line.p)};
	return chain_is_last(&b->at, line, e);
}

/* Lines that follow in a piece of the log; false when none does. */
static bool follow_piece(struct book *b, struct str piece)
{
	uint64_t before = b->at.size;
	struct str line;

	while (memchr(piece.p, '\n', piece.n) && str_split(&piece, '\n', &line) &&
		chain_check(&b->at, line, NULL) == 0 && piece.n)
		;
	return b->at.size > before;
}

/* What follows was written after the store had been told, or is the rest of a write that the power
 * was cut in. Nobody was answered by that, and it is cut off. */
static int follow(struct book *b, uint64_t size, struct err *e)
{
	BUF_AUTO piece = {0};

	while (b->at.size < size) {
		TRY(read_at(b, b->at.size, MIN(size - b->at.size, CHUNK), &piece, e));
		if (!piece.n || !follow_piece(b, buf_str(&piece)))
			break;
	}
	if (b->at.size == size)
		return 0;
	if (size - b->at.size > TORN)
		return err_set(e, ERR_ALTERED, "line %llu is not one that was written",
			(unsigned long long)b->at.n + 1);
	TRY(b->fs->ops->truncate(b->fs, b->fd, b->at.size, e));
	return b->fs->ops->sync(b->fs, b->fd, e);
}

static int open_file(struct book *b, const char *path, struct err *e)
{
	struct fs_stat st;

	TRY(b->fs->ops->stat(b->fs, path, &st, e));
	TRY(b->fs->ops->open(b->fs, path, st.kind == FS_NONE ? FS_CREATE : FS_WRITE, &b->fd, e));
	if (st.kind == FS_NONE)
		TRY(b->fs->ops->sync_dir(b->fs, "", e));
	TRY(check_known(b, st.size, e));
	return follow(b, st.size, e);
}

int book_open(
	struct book *b, struct fs *fs, const char *path, const struct chain *known, struct err *e)
{
	int rc;

	*b = (struct book){.fs = fs, .fd = -1, .at = *known};
	rc = open_file(b, path, e);
	if (rc < 0) {
		book_close(b);
		return err_wrap(e, "%s", path);
	}
	return 0;
}

/* Everything in it is durable already. */
void book_close(struct book *b)
{
	if (b->fd >= 0)
		(void)!b->fs->ops->close(b->fs, b->fd, NULL);
	b->fd = -1;
}

/* ---- adding ---- */

int book_add(struct book *b, const struct chain_note *notes, unsigned n, struct err *e)
{
	struct chain at = b->at;
	BUF_AUTO lines = {0};

	for (unsigned i = 0; i < n; i++)
		chain_add(&at, &notes[i], &lines);
	TRY(b->fs->ops->pwrite(b->fs, b->fd, lines.p, lines.n, b->at.size, e));
	TRY(b->fs->ops->sync(b->fs, b->fd, e));
	b->at = at;
	return 0;
}

/* ---- verifying ---- */

static void close_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

static int verify_line(struct chain *io, const char *line, ssize_t n, struct err *e)
{
	unsigned long long number = io->n + 1;

	if (line[n - 1] != '\n')
		return err_set(e, ERR_ALTERED, "line %llu has no end", number);
	if (chain_check(io, (struct str){line, (size_t)n - 1}, e) < 0)
		return err_wrap(e, "line %llu", number);
	return 0;
}

int book_verify(const char *path, struct chain *out, struct err *e)
{
	CLEANUP(close_file) FILE *f = fopen(path, "re");
	CLEANUP(mem_free) char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	*out = (struct chain){.n = 0};
	if (!f)
		return err_sys(e, errno, "%s", path);
	while ((n = getline(&line, &cap, f)) > 0)
		TRY(verify_line(out, line, n, e));
	return ferror(f) ? err_set(e, ERR_IO, "%s cannot be read", path) : 0;
}
