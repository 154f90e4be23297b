#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "agent/stage/stage_priv.h"

#define IN_SIZE ((size_t)128 * 1024)

struct unzstd {
	struct filter f;
	ZSTD_DCtx *ctx;
	ZSTD_inBuffer in;
	bool in_frame;            /* a frame was begun and is not complete */
	uint64_t before, content; /* of the artifact, before `bytes`; of the content, so far */
	struct borders *borders;
	uint8_t bytes[IN_SIZE];
};

static int refuse(size_t code, struct err *e)
{
	if (ZSTD_getErrorCode(code) == ZSTD_error_frameParameter_windowTooLarge)
		return err_set(e, ERR_TOO_LARGE, "zstd: a window of more than %d MiB is needed",
			1 << (LIMIT_ZSTD_WINDOW_LOG - 20));
	return err_set(e, ERR_ALTERED, "zstd: %s", ZSTD_getErrorName(code));
}

/* *out_more is false at the end of what comes from above. */
static int refill(struct unzstd *u, bool *out_more, struct err *e)
{
	size_t n;

	u->before += u->in.size;
	u->in = (ZSTD_inBuffer){u->bytes, 0, 0};
	TRY(filter_read(u->f.up, u->bytes, sizeof u->bytes, &n, e));
	u->in = (ZSTD_inBuffer){u->bytes, n, 0};
	*out_more = n > 0;
	return 0;
}

static int unzstd_read(struct filter *f, void *p, size_t n, size_t *out_n, struct err *e)
{
	struct unzstd *u = (struct unzstd *)f;
	ZSTD_outBuffer out = {p, n, 0};
	bool more = true;

	while (out.pos == 0) {
		bool fed = u->in.pos < u->in.size;
		size_t rc = ZSTD_decompressStream(u->ctx, &out, &u->in);

		if (ZSTD_isError(rc))
			return refuse(rc, e);
		/* Between frames, and with nothing to read, it asks for the beginning of a next
		 * one, which need not come. */
		if (fed || u->in_frame)
			u->in_frame = rc != 0;
		if (fed && rc == 0)
			borders_add(u->borders, u->before + u->in.pos, u->content + out.pos);
		if (out.pos > 0 || u->in.pos < u->in.size)
			continue;
		TRY(refill(u, &more, e));
		if (!more && u->in_frame)
			return err_set(e, ERR_ALTERED, "zstd: cut off");
		if (!more)
			break;
	}
	u->content += out.pos;
	*out_n = out.pos;
	return 0;
}

static void unzstd_free(struct filter *f)
{
	struct unzstd *u = (struct unzstd *)f;

	ZSTD_freeDCtx(u->ctx);
	free(u);
}

static const struct filter_ops ops = {"zstd", unzstd_read, unzstd_free};

struct filter *unzstd_new(struct filter *up, const struct foothold *begin, struct borders *borders)
{
	struct unzstd *u = mem_new(sizeof *u);

	u->f = (struct filter){.ops = &ops, .up = up};
	u->ctx = ZSTD_createDCtx();
	if (!u->ctx)
		abort();
	if (ZSTD_isError(
		    ZSTD_DCtx_setParameter(u->ctx, ZSTD_d_windowLogMax, LIMIT_ZSTD_WINDOW_LOG)))
		abort();
	u->in = (ZSTD_inBuffer){u->bytes, 0, 0};
	u->in_frame = false;
	u->before = begin->artifact;
	u->content = begin->content;
	u->borders = borders;
	return &u->f;
}
