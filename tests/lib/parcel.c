#include "tests/lib/parcel.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "proto/trust/digest.h"

#define BLOCK 512U

/* ---- tar ---- */

static void pad(struct buf *tar)
{
	static const uint8_t zeros[BLOCK];

	buf_add(tar, zeros, (BLOCK - tar->n % BLOCK) % BLOCK);
}

static void put_octal(char *field, size_t n, uint64_t v)
{
	field[n - 1] = '\0';
	for (size_t i = n - 1; i-- > 0; v >>= 3)
		field[i] = (char)('0' + (v & 7));
}

static void header(struct buf *tar, char type, const char *name, const char *link, uint32_t mode,
	uint64_t size)
{
	char h[BLOCK] = {0};
	unsigned sum = 0;

	memcpy(h, name, MIN(strlen(name), (size_t)100));
	put_octal(h + 100, 8, mode);
	put_octal(h + 108, 8, 0);
	put_octal(h + 116, 8, 0);
	put_octal(h + 124, 12, size);
	put_octal(h + 136, 12, 1700000000);
	memset(h + 148, ' ', 8);
	h[156] = type;
	memcpy(h + 157, link, MIN(strlen(link), (size_t)100));
	memcpy(h + 257, "ustar\00000", 8);
	for (size_t i = 0; i < BLOCK; i++)
		sum += (uint8_t)h[i];
	put_octal(h + 148, 7, sum);
	buf_add(tar, h, BLOCK);
}

/* "LENGTH KEY=VALUE\n", where the length counts itself. */
static void pax_record(struct buf *out, const char *key, const char *value)
{
	size_t body = strlen(key) + strlen(value) + 3, n = body + 1;
	char digits[24];

	while (n != body + (size_t)snprintf(digits, sizeof digits, "%zu", n))
		n++;
	buf_addf(out, "%zu %s=%s\n", n, key, value);
}

static void pax(struct buf *tar, const char *name, const char *link)
{
	BUF_AUTO records = {0};

	if (strlen(name) > 100)
		pax_record(&records, "path", name);
	if (strlen(link) > 100)
		pax_record(&records, "linkpath", link);
	if (!records.n)
		return;
	header(tar, 'x', "pax", "", 0644, records.n);
	buf_add(tar, records.p, records.n);
	pad(tar);
}

void parcel_tar_entry(struct buf *tar, const struct parcel_entry *x)
{
	bool is_file = x->type == '0';
	const char *link = is_file || !x->body ? "" : x->body;
	const char *body = is_file && x->body ? x->body : "";

	pax(tar, x->path, link);
	header(tar, x->type, x->path, link,
		x->mode          ? x->mode
		: x->type == '5' ? 0755
				 : 0644,
		strlen(body));
	buf_add(tar, body, strlen(body));
	pad(tar);
}

void parcel_tar(struct buf *tar, const struct parcel_entry *v)
{
	static const uint8_t zeros[2 * BLOCK];

	for (; v->type; v++)
		parcel_tar_entry(tar, v);
	buf_add(tar, zeros, sizeof zeros);
}

/* Begun before its length is known, so that a frame says how large a window it wants. */
static void compress_part(ZSTD_CCtx *z, struct str part, ZSTD_EndDirective how, struct buf *out)
{
	size_t room = ZSTD_compressBound(part.n) + 64, left;
	ZSTD_inBuffer in = {part.p, part.n, 0};

	do {
		ZSTD_outBuffer o = {buf_reserve(out, room), room, 0};

		left = ZSTD_compressStream2(z, &o, &in, how);
		assert(!ZSTD_isError(left));
		out->n += o.pos;
	} while (in.pos < in.size || (how == ZSTD_e_end && left > 0));
}

void parcel_zstd(struct str plain, int level, int window_log, struct buf *out)
{
	ZSTD_CCtx *z = ZSTD_createCCtx();
	size_t half = plain.n / 2;

	ZSTD_CCtx_setParameter(z, ZSTD_c_compressionLevel, level);
	if (window_log)
		ZSTD_CCtx_setParameter(z, ZSTD_c_windowLog, window_log);
	compress_part(z, (struct str){plain.p, half}, ZSTD_e_continue, out);
	compress_part(z, (struct str){plain.p + half, plain.n - half}, ZSTD_e_end, out);
	ZSTD_freeCCtx(z);
}

/* ---- trees ---- */

static bool has(const struct tree *t, const char *path)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->v[i].path, path) == 0)
			return true;
	return false;
}

static void add_folders(struct tree *t, const char *path)
{
	char above[LIMIT_TAR_NAME + 1];

	for (const char *s = strchr(path, '/'); s; s = strchr(s + 1, '/')) {
		snprintf(above, sizeof above, "%.*s", (int)(s - path), path);
		if (!has(t, above))
			(void)!tree_add(t, &(struct tree_entry){.path = above}, NULL);
	}
}

static void digest_tree(struct tree *t, struct sha256 *out)
{
	BUF_AUTO lines = {0};

	assert(tree_sort(t, NULL) == 0);
	tree_encode(t, &lines);
	digest_of(lines.p, lines.n, out);
	tree_fini(t);
}

/* "./a/" is "a". */
static void plain(const char *path, char out[LIMIT_TAR_NAME + 1])
{
	size_t n;

	while (strncmp(path, "./", 2) == 0)
		path += 2;
	n = (size_t)snprintf(out, LIMIT_TAR_NAME + 1, "%s", path);
	n = MIN(n, (size_t)LIMIT_TAR_NAME);
	while (n > 1 && out[n - 1] == '/')
		out[--n] = 0;
}

void parcel_tree(const struct parcel_entry *v, struct sha256 *out)
{
	char path[LIMIT_TAR_NAME + 1];
	struct tree t;

	tree_init(&t);
	for (; v->type; v++) {
		struct tree_entry x = {.kind = TREE_DIR, .path = path};
		const char *body = v->body ? v->body : "";

		plain(v->path, path);

		if (v->type == '0') {
			x.kind = TREE_FILE;
			x.executable = (v->mode & 0111) != 0;
			x.size = strlen(body);
			digest_of(body, strlen(body), &x.digest);
		} else if (v->type == '2') {
			x.kind = TREE_LINK;
			x.target = (char *)(uintptr_t)body;
		}
		add_folders(&t, path);
		/* What no tree takes is the reader's business to refuse. */
		if (!has(&t, path))
			(void)!tree_add(&t, &x, NULL);
	}
	digest_tree(&t, out);
}

void parcel_raw_tree(struct str content, bool executable, struct sha256 *out)
{
	struct tree_entry x = {.kind = TREE_FILE,
		.executable = executable,
		.size = content.n,
		.path = (char *)(uintptr_t) "."};
	struct tree t;

	tree_init(&t);
	digest_of(content.p, content.n, &x.digest);
	assert(tree_add(&t, &x, NULL) == 0);
	digest_tree(&t, out);
}

/* ---- components ---- */

void parcel_wrap(
	struct component *c, struct str content, enum compression how, struct buf *out_artifact)
{
	struct artifact *a = &c->artifact;

	if (how == COMPRESSION_ZSTD)
		parcel_zstd(content, 3, 0, out_artifact);
	else
		buf_add(out_artifact, content.p, content.n);
	a->compression = how;
	a->length = out_artifact->n;
	digest_of(out_artifact->p, out_artifact->n, &a->digest);
	a->content_length = content.n;
	digest_of(content.p, content.n, &a->content_digest);
}

static void name_it(struct component *c, const char *name, const char *path)
{
	*c = (struct component){.kind = COMPONENT_MODEL};
	snprintf(c->name, sizeof c->name, "%s", name);
	snprintf(c->path, sizeof c->path, "%s", path);
}

void parcel_make_tar(struct component *c, const char *name, const char *path,
	const struct parcel_entry *v, enum compression how, struct buf *out_artifact)
{
	BUF_AUTO tar = {0};

	name_it(c, name, path);
	parcel_tar(&tar, v);
	parcel_wrap(c, buf_str(&tar), how, out_artifact);
	c->artifact.archive = ARCHIVE_TAR;
	parcel_tree(v, &c->artifact.tree);
}

void parcel_make_raw(struct component *c, const char *name, const char *path, struct str content,
	enum compression how, struct buf *out_artifact)
{
	name_it(c, name, path);
	parcel_wrap(c, content, how, out_artifact);
	c->artifact.archive = ARCHIVE_RAW;
	parcel_raw_tree(content, false, &c->artifact.tree);
}
