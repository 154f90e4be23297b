#include "agent/stage/stage_priv.h"

/* Enough to keep everybody busy, and little enough for a small device. */
#define PIECE  ((size_t)256 * 1024)
#define PIECES 4U

void filter_free(struct filter **f)
{
	struct filter *at = *f, *up;

	for (; at; at = up) {
		up = at->up;
		at->ops->free(at);
	}
	*f = NULL;
}

static int read_end(void *ctx, void *p, size_t n, size_t *out_n, struct err *e)
{
	struct pipe *pipe = ctx;

	return filter_read(pipe->end, p, n, out_n, e);
}

static void stop_source(void *ctx)
{
	struct pipe *pipe = ctx;

	source_stop(pipe->source);
}

/* The digest of the content is as much work as decompressing it: it has a thread of its own. */
static int add_to_sum(void *ctx, const void *p, size_t n, struct err *e)
{
	struct pipe *pipe = ctx;
	struct sha256 is;

	digest_add(&pipe->sum, p, n);
	if (n > 0)
		return 0;
	digest_fini(&pipe->sum, &is);
	if (!sha256_eq(&is, &pipe->want))
		return err_set(e, ERR_ALTERED, "the content has another digest");
	return 0;
}

/* The artifact's digest covers content that is not compressed. Of a raw file the slot takes the
 * digest anyway, and laydown_raw_mode has bound it to the signed tree: there the length alone is
 * watched, so that a small artifact cannot become a large file. */
static void add_content(struct pipe *p, const struct artifact *a)
{
	if (a->compression == COMPRESSION_NONE)
		return;
	p->end = check_new(unzstd_new(p->end), "content", a->content_length, NULL);
	p->has_sum = a->archive == ARCHIVE_TAR;
	p->want = a->content_digest;
	if (p->has_sum)
		digest_init(&p->sum);
}

int pipe_open(const struct stage_pull *p, struct pipe *out, struct err *e)
{
	const struct artifact *a = p->artifact;
	struct ahead_in ahead = {.read = read_end,
		.stop = stop_source,
		.ctx = out,
		.also_ctx = out,
		.piece = PIECE,
		.pieces = PIECES,
		.overlap = p->overlap};
	struct filter *source;

	TRY(source_open(p, &source, e));
	*out = (struct pipe){.source = source};
	out->end = check_new(source, "artifact", a->length, &a->digest);
	add_content(out, a);
	ahead.also = out->has_sum ? add_to_sum : NULL;
	out->ahead = ahead_new(&ahead);
	return 0;
}

int pipe_take(struct pipe *p, const void **out_p, size_t *out_n, struct err *e)
{
	return ahead_take(p->ahead, out_p, out_n, e);
}

void pipe_close(struct pipe *p)
{
	ahead_free(&p->ahead);
	filter_free(&p->end);
	digest_fini(&p->sum, NULL);
}
