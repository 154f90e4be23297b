#include "agent/stage/stage_priv.h"

static int unpack_raw(
	struct pipe *from, const struct stage_sink *to, const struct slot_part *part, struct err *e)
{
	const void *p;
	size_t n;

	TRY(pipe_pass(from, part->at.skip, NULL, e));
	TRY(pipe_take(from, &p, &n, e));
	while (n > 0) {
		TRY(to->data(to->self, p, n, e));
		TRY(pipe_foothold(from, from->at, to, e));
		TRY(pipe_take(from, &p, &n, e));
	}
	return 0;
}

int stage_unpack(const struct stage_pull *p, struct err *e)
{
	struct pipe pipe;

	if (p->source.unpack)
		return p->source.unpack(p->source.self, p, e);
	TRY(pipe_open(p, &pipe, e));
	int rc = p->artifact->archive == ARCHIVE_TAR
			 ? unpack_tar(&pipe, &p->sink, p->artifact->content_length, &p->part, e)
			 : unpack_raw(&pipe, &p->sink, &p->part, e);
	pipe_close(&pipe);
	return rc;
}
