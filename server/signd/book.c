#include "server/signd/book.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sys/fs.h"

/* ---- opening ---- */

static int read_tail(struct book *b, uint64_t size, struct buf *out, struct err *e)
{
	uint64_t from = size > 2 * LIMIT_SIGN_LINE ? size - 2 * LIMIT_SIGN_LINE : 0;
	size_t n;

	TRY(b->fs->ops->pread(
		b->fs, b->fd, buf_reserve(out, size - from), size - from, from, &n, e));
	out->n += n;
	return 0;
}

/* Cuts half a line off, and reads the last whole one. */
static int find_end(struct book *b, uint64_t size, struct err *e)
{
	BUF_AUTO tail = {0};
	struct str line;
	const char *end, *start;

	TRY(read_tail(b, size, &tail, e));
	end = tail.n ? memrchr(tail.p, '\n', tail.n) : NULL;
	b->size = end ? size - (tail.n - (size_t)(end + 1 - (const char *)tail.p)) : 0;
	if (!end && size > LIMIT_SIGN_LINE)
		return err_set(e, ERR_ALTERED, "it ends with what is no line");
	if (b->size < size) {
		TRY(b->fs->ops->truncate(b->fs, b->fd, b->size, e));
		TRY(b->fs->ops->sync(b->fs, b->fd, e));
	}
	if (!end)
		return 0;
	start = memrchr(tail.p, '\n', (size_t)(end - (const char *)tail.p));
	start = start ? start + 1 : (const char *)tail.p;
	line = (struct str){start, (size_t)(end - start)};
	return chain_read(line, &b->at, e);
}

static int check_known(const struct book *b, const struct chain *known, struct err *e)
{
	if (b->at.n < known->n)
		return err_set(e, ERR_ALTERED, "it has %llu lines, %llu were written",
			(unsigned long long)b->at.n, (unsigned long long)known->n);
	if (b->at.n == known->n && !sha256_eq(&b->at.last, &known->last))
		return err_set(e, ERR_ALTERED, "its last line is not the one that was written");
	return 0;
}

static int open_file(struct book *b, const char *path, const struct chain *known, struct err *e)
{
	struct fs_stat st;

	TRY(b->fs->ops->stat(b->fs, path, &st, e));
	TRY(b->fs->ops->open(b->fs, path, st.kind == FS_NONE ? FS_CREATE : FS_WRITE, &b->fd, e));
	if (st.kind == FS_NONE)
		TRY(b->fs->ops->sync_dir(b->fs, "", e));
	TRY(find_end(b, st.size, e));
	return check_known(b, known, e);
}

int book_open(
	struct book *b, struct fs *fs, const char *path, const struct chain *known, struct err *e)
{
	int rc;

	*b = (struct book){.fs = fs, .fd = -1};
	rc = open_file(b, path, known, e);
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
	TRY(b->fs->ops->pwrite(b->fs, b->fd, lines.p, lines.n, b->size, e));
	TRY(b->fs->ops->sync(b->fs, b->fd, e));
	b->size += lines.n;
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
