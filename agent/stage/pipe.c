#include "agent/stage/stage_priv.h"

void filter_free(struct filter **f)
{
	struct filter *at = *f, *up;

	for (; at; at = up) {
		up = at->up;
		at->ops->free(at);
	}
	*f = NULL;
}

/* The artifact's digest covers content that is not compressed. Of a raw file the slot takes the
 * digest anyway, and unpack_raw_mode has bound it to the signed tree: there the length alone is
 * watched, so that a small artifact cannot become a large file. */
static struct filter *add_content(struct filter *up, const struct artifact *a)
{
	bool raw = a->archive == ARCHIVE_RAW;

	if (a->compression == COMPRESSION_NONE)
		return up;
	return check_new(
		unzstd_new(up), "content", a->content_length, raw ? NULL : &a->content_digest);
}

int pipe_open(const struct stage_in *in, const struct artifact *a, struct filter **out_source,
	struct filter **out_end, struct err *e)
{
	struct filter *source;

	TRY(source_open(in, a, &source, e));
	*out_source = source;
	*out_end = add_content(check_new(source, "artifact", a->length, &a->digest), a);
	return 0;
}
