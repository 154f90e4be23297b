#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

#include "server/pack/pack_priv.h"

#define GROWING "artifacts/.growing"

/* A frame holds so much content: between two of them a transfer that was cut off goes on
 * (docs/adr/0017). */
#define FRAME ((uint64_t)4 << 20)

struct pack_sink {
	struct fs *fs;
	int fd;          /* -1: closed */
	ZSTD_CCtx *zstd; /* NULL: not compressed */
	struct digest content, artifact;
	uint8_t *block; /* compressed bytes on their way */
	size_t block_n;
};

/* What a device must hold to decompress: half of what level 9 would take, for half a percent of
 * size. */
#define WINDOW_LOG 21

static int compressor(int level, ZSTD_CCtx **out, struct err *e)
{
	ZSTD_CCtx *z = ZSTD_createCCtx();
	size_t rc;

	if (!z)
		abort();
	rc = ZSTD_CCtx_setParameter(z, ZSTD_c_compressionLevel, level);
	if (!ZSTD_isError(rc))
		rc = ZSTD_CCtx_setParameter(z, ZSTD_c_windowLog, WINDOW_LOG);
	if (ZSTD_isError(rc)) {
		ZSTD_freeCCtx(z);
		return err_set(e, ERR_BUG, "zstd refuses level %d", level);
	}
	*out = z;
	return 0;
}

int pack_sink_open(struct fs *out, int level, struct pack_sink **s, struct err *e)
{
	struct pack_sink *k = mem_new(sizeof *k);

	k->fs = out;
	k->fd = -1;
	k->block_n = ZSTD_CStreamOutSize();
	k->block = mem_new(k->block_n);
	digest_init(&k->content);
	digest_init(&k->artifact);
	*s = k;
	if (level)
		TRY(compressor(level, &k->zstd, e));
	return out->ops->open(out, GROWING, FS_CREATE | FS_TRUNC, &k->fd, e);
}

static int put(struct pack_sink *s, const void *p, size_t n, struct err *e)
{
	uint64_t at = s->artifact.n;

	digest_add(&s->artifact, p, n);
	return s->fs->ops->pwrite(s->fs, s->fd, p, n, at, e);
}

static int compress(
	struct pack_sink *s, const void *p, size_t n, ZSTD_EndDirective how, struct err *e)
{
	ZSTD_inBuffer in = {p, n, 0};
	size_t left;

	do {
		ZSTD_outBuffer out = {s->block, s->block_n, 0};

		left = ZSTD_compressStream2(s->zstd, &out, &in, how);
		if (ZSTD_isError(left))
			return err_set(e, ERR_BUG, "zstd: %s", ZSTD_getErrorName(left));
		TRY(put(s, s->block, out.pos, e));
	} while (how == ZSTD_e_end ? left > 0 : in.pos < in.size);
	return 0;
}

/* The same bytes give the same frames, however they come. */
static int compress_frames(
	struct pack_sink *s, const uint8_t *p, size_t n, uint64_t at, struct err *e)
{
	for (size_t part; n > 0; p += part, n -= part, at += part) {
		uint64_t room = FRAME - at % FRAME;

		part = (size_t)MIN(room, n);
		TRY(compress(s, p, part, part == room ? ZSTD_e_end : ZSTD_e_continue, e));
	}
	return 0;
}

int pack_sink_add(struct pack_sink *s, const void *p, size_t n, struct err *e)
{
	uint64_t at = s->content.n;

	digest_add(&s->content, p, n);
	return s->zstd ? compress_frames(s, p, n, at, e) : put(s, p, n, e);
}

/* What lies there under this digest already are these very bytes. */
static int settle(struct pack_sink *s, const struct sha256 *digest, struct err *e)
{
	char name[SHA256_TEXT], path[96];
	int fd = s->fd, rc;

	rc = s->fs->ops->sync(s->fs, fd, e);
	s->fd = -1;
	if (rc < 0) {
		(void)!s->fs->ops->close(s->fs, fd, NULL);
		return rc;
	}
	TRY(s->fs->ops->close(s->fs, fd, e));
	sha256_format(digest, name);
	snprintf(path, sizeof path, "artifacts/%s", name);
	TRY(s->fs->ops->rename(s->fs, GROWING, path, e));
	return s->fs->ops->sync_dir(s->fs, "artifacts", e);
}

int pack_sink_commit(struct pack_sink *s, struct artifact *out, struct err *e)
{
	struct artifact a = *out;

	/* What ends with a frame needs no empty one behind it; what is nothing needs one. */
	if (s->zstd && (s->content.n == 0 || s->content.n % FRAME != 0))
		TRY(compress(s, NULL, 0, ZSTD_e_end, e));
	a.length = s->artifact.n;
	a.content_length = s->content.n;
	digest_fini(&s->artifact, &a.digest);
	digest_fini(&s->content, &a.content_digest);
	TRY(settle(s, &a.digest, e));
	*out = a;
	return 0;
}

void pack_sink_close(struct pack_sink **s)
{
	struct pack_sink *k = *s;

	if (!k)
		return;
	if (k->fd >= 0) {
		(void)!k->fs->ops->close(k->fs, k->fd, NULL);
		(void)!k->fs->ops->unlink(k->fs, GROWING, NULL);
	}
	digest_fini(&k->content, NULL);
	digest_fini(&k->artifact, NULL);
	ZSTD_freeCCtx(k->zstd);
	mem_free(&k->block);
	mem_free(s);
}
