#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>

#include "server/pack/pack_priv.h"

static void tell(struct packing *p, size_t more)
{
	p->done += more;
	if (p->spec->progress)
		p->spec->progress(p->spec->ctx, p->component, p->done, p->total);
}

static int changed(const char *path, struct err *e)
{
	char shown[160];

	return err_set(e, ERR_CONFLICT, "%s changed while it was packed",
		str_printable(str_of(path), shown, sizeof shown));
}

/* Given the bytes of one file as they are read. */
typedef int bytes_f(void *ctx, const void *bytes, size_t n, struct err *e);

/* The open file, to its end; a file that grew or shrank since it was looked at is refused, because
 * its header is written already. */
static int read_open(struct packing *p, struct pack_source *s, int fd, const char *path,
	uint64_t size, bytes_f *each, void *ctx, struct digest *d, struct err *e)
{
	CLEANUP(mem_free) uint8_t *block = mem_new(PACK_BLOCK);
	size_t n = PACK_BLOCK;

	while (n == PACK_BLOCK) {
		TRY(s->fs.ops->pread(&s->fs, fd, block, PACK_BLOCK, d->n, &n, e));
		if (n > size - d->n)
			return changed(path, e);
		digest_add(d, block, n);
		if (n > 0)
			TRY(each(ctx, block, n, e));
		tell(p, n);
	}
	return d->n == size ? 0 : changed(path, e);
}

static int read_file(struct packing *p, struct pack_source *s, const char *path, uint64_t size,
	bytes_f *each, void *ctx, struct sha256 *out_digest, struct err *e)
{
	struct digest d;
	int fd, rc;

	TRY(s->fs.ops->open(&s->fs, path, FS_READ, &fd, e));
	digest_init(&d);
	rc = read_open(p, s, fd, path, size, each, ctx, &d, e);
	digest_fini(&d, rc < 0 ? NULL : out_digest);
	(void)!s->fs.ops->close(&s->fs, fd, NULL); /* nothing was written to it */
	return rc;
}

/* ---- a single file ---- */

struct image {
	struct pack_sink *to;
	struct buf head; /* its first bytes */
};

static int to_sink(void *ctx, const void *bytes, size_t n, struct err *e)
{
	struct image *image = ctx;

	if (image->head.n < FSIMAGE_HEAD)
		buf_add(&image->head, bytes, MIN(n, FSIMAGE_HEAD - image->head.n));
	return pack_sink_add(image->to, bytes, n, e);
}

static void tree_digest(const struct tree *t, struct sha256 *out)
{
	BUF_AUTO lines = {0};

	tree_encode(t, &lines);
	digest_of(lines.p, lines.n, out);
}

int pack_raw(struct packing *p, struct pack_source *s, struct pack_sink *to, struct artifact *out,
	struct err *e)
{
	struct tree_entry x = {.kind = TREE_FILE,
		.executable = s->executable,
		.size = s->bytes,
		.path = (char[]){"."}};
	struct tree one = {.v = &x, .n = 1, .cap = 1};

	struct image image = {.to = to};
	int rc = read_file(p, s, s->file, s->bytes, to_sink, &image, &x.digest, e);

	if (rc == 0)
		rc = fsimage_check(p->filesystem, buf_str(&image.head), s->bytes, e);
	buf_fini(&image.head);
	TRY(rc);
	TRY(pack_sink_commit(to, out, e));
	out->archive = ARCHIVE_RAW;
	tree_digest(&one, &out->tree);
	return 0;
}

/* ---- a folder ---- */

struct tar {
	struct archive *a;
	struct pack_sink *to;
	struct err err; /* of the sink: libarchive's callback cannot hand it up */
};

static la_ssize_t push(struct archive *a, void *ctx, const void *p, size_t n)
{
	struct tar *t = ctx;

	if (pack_sink_add(t->to, p, n, &t->err) == 0)
		return (la_ssize_t)n;
	archive_set_error(a, EIO, "%s", t->err.text);
	return -1;
}

static int broken(struct tar *t, struct err *e)
{
	const char *why = archive_error_string(t->a);

	if (t->err.code != ERR_OK) {
		*e = t->err;
		return -(int)e->code;
	}
	return err_set(e, ERR_IO, "tar: %s", why ? why : "cannot be written");
}

static int to_tar(void *ctx, const void *bytes, size_t n, struct err *e)
{
	struct tar *t = ctx;

	return archive_write_data(t->a, bytes, n) == (la_ssize_t)n ? 0 : broken(t, e);
}

static void entry_release(struct archive_entry **x)
{
	archive_entry_free(*x);
}

/* Owner, times and everything else that differs between machines stay zero. */
static int put_header(struct tar *t, const struct tree_entry *x, struct err *e)
{
	CLEANUP(entry_release) struct archive_entry *h = archive_entry_new();

	if (!h)
		abort();
	archive_entry_set_pathname(h, x->path);
	archive_entry_set_mtime(h, 0, 0);
	switch (x->kind) {
	case TREE_DIR:
		archive_entry_set_mode(h, AE_IFDIR | 0755);
		break;
	case TREE_FILE:
		archive_entry_set_mode(h, AE_IFREG | (x->executable ? 0755 : 0644));
		archive_entry_set_size(h, (la_int64_t)x->size);
		break;
	case TREE_LINK:
		archive_entry_set_mode(h, AE_IFLNK | 0777);
		archive_entry_set_symlink(h, x->target);
		break;
	}
	return archive_write_header(t->a, h) == ARCHIVE_OK ? 0 : broken(t, e);
}

static int put_all(struct packing *p, struct pack_source *s, struct tar *t, struct err *e)
{
	for (size_t i = 0; i < s->tree.n; i++) {
		struct tree_entry *x = &s->tree.v[i];

		TRY(put_header(t, x, e));
		if (x->kind == TREE_FILE)
			TRY(read_file(p, s, x->path, x->size, to_tar, t, &x->digest, e));
	}
	return archive_write_close(t->a) == ARCHIVE_OK ? 0 : broken(t, e);
}

/* GNU's format takes long names and large files, and names as the bytes that they are: a pax header
 * would depend on the locale. */
static int open_tar(struct tar *t, struct err *e)
{
	if (archive_write_set_format_gnutar(t->a) == ARCHIVE_OK &&
		archive_write_set_bytes_per_block(t->a, PACK_BLOCK) == ARCHIVE_OK &&
		archive_write_set_bytes_in_last_block(t->a, 1) == ARCHIVE_OK &&
		archive_write_open(t->a, t, NULL, push, NULL) == ARCHIVE_OK)
		return 0;
	return broken(t, e);
}

int pack_tar(struct packing *p, struct pack_source *s, struct pack_sink *to, struct artifact *out,
	struct err *e)
{
	struct tar t = {.a = archive_write_new(), .to = to};
	int rc;

	if (!t.a)
		abort();
	rc = open_tar(&t, e);
	if (rc == 0)
		rc = put_all(p, s, &t, e);
	archive_write_free(t.a);
	TRY(rc);
	TRY(pack_sink_commit(to, out, e));
	out->archive = ARCHIVE_TAR;
	tree_digest(&s->tree, &out->tree);
	return 0;
}
