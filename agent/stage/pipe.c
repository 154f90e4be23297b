#include "agent/stage/stage_priv.h"

/* Enough to keep everybody busy, and little enough for a small device. */
#define PIECE  ((size_t)256 * 1024)
#define PIECES 4U
/* What becomes of footholds is the slot's to say. */
#define FOOTHOLD_EVERY ((uint64_t)1024 * 1024)

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
static void add_content(struct pipe *p, const struct artifact *a, const struct foothold *begin)
{
	p->framed = a->compression != COMPRESSION_NONE;
	if (!p->framed)
		return;
	p->end = check_new(unzstd_new(p->end, begin, &p->borders), "content",
		a->content_length - begin->content, NULL);
	p->has_sum = a->archive == ARCHIVE_TAR && begin->artifact == 0;
	p->want = a->content_digest;
	if (p->has_sum)
		digest_init(&p->sum);
}

int pipe_open(const struct stage_pull *p, struct pipe *out, struct err *e)
{
	const struct artifact *a = p->artifact;
	const struct foothold *begin = &p->part.at;
	struct ahead_in ahead = {.read = read_end,
		.stop = stop_source,
		.ctx = out,
		.also_ctx = out,
		.piece = PIECE,
		.pieces = PIECES,
		.overlap = p->overlap};
	struct filter *source;

	TRY(source_open(p, &source, e));
	*out = (struct pipe){.source = source, .at = begin->content, .told = begin->artifact};
	out->every = p->foothold_every ? p->foothold_every : FOOTHOLD_EVERY;
	borders_init(&out->borders);
	out->end = check_new(source, "artifact", a->length - begin->artifact,
		begin->artifact == 0 ? &a->digest : NULL);
	add_content(out, a, begin);
	ahead.also = out->has_sum ? add_to_sum : NULL;
	out->ahead = ahead_new(&ahead);
	return 0;
}

int pipe_take(struct pipe *p, const void **out_p, size_t *out_n, struct err *e)
{
	if (p->rest_n == 0)
		TRY(ahead_take(p->ahead, &p->rest, &p->rest_n, e));
	*out_p = p->rest;
	*out_n = p->rest_n;
	p->at += p->rest_n;
	p->rest_n = 0;
	return 0;
}

void pipe_give_back(struct pipe *p, const void *rest, size_t n)
{
	p->rest = rest;
	p->rest_n = n;
	p->at -= n;
}

int pipe_pass(struct pipe *p, uint64_t n, const struct stage_sink *to, struct err *e)
{
	const void *piece;
	size_t got;

	while (n > 0) {
		TRY(pipe_take(p, &piece, &got, e));
		if (got == 0)
			return err_set(e, ERR_ALTERED, "the content ends early");
		size_t use = (size_t)MIN(n, got);

		pipe_give_back(p, (const uint8_t *)piece + use, got - use);
		n -= use;
		if (!to)
			continue;
		TRY(to->data(to->self, piece, use, e));
		TRY(pipe_foothold(p, p->at, to, e));
	}
	return 0;
}

int pipe_foothold(struct pipe *p, uint64_t at, const struct stage_sink *to, struct err *e)
{
	struct foothold f = {at, at, 0};

	if (!to->foothold || (p->framed && !borders_find(&p->borders, at, &f)))
		return 0;
	if (f.artifact - MIN(p->told, f.artifact) < p->every)
		return 0;
	f.skip = at - f.content;
	p->told = f.artifact;
	return to->foothold(to->self, &f, e);
}

void pipe_close(struct pipe *p)
{
	ahead_free(&p->ahead);
	filter_free(&p->end);
	digest_fini(&p->sum, NULL);
	borders_fini(&p->borders);
}
