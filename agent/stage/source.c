#include <stdlib.h>

#include "agent/stage/stage_priv.h"

struct source {
	struct filter f;
	const struct stage_in *in;
	void *stream;
};

static int source_read(struct filter *f, void *p, size_t n, size_t *out_n, struct err *e)
{
	struct source *s = (struct source *)f;
	size_t got;

	if (s->in->cancel && atomic_load(s->in->cancel))
		return err_set(e, ERR_CANCELLED, "cancelled");
	TRY(s->in->source.read(s->stream, p, n, &got, e));
	if (s->in->done)
		atomic_fetch_add(s->in->done, got);
	*out_n = got;
	return 0;
}

static void source_free(struct filter *f)
{
	struct source *s = (struct source *)f;

	s->in->source.close(s->stream);
	free(s);
}

static const struct filter_ops ops = {"source", source_read, source_free};

int source_open(
	const struct stage_in *in, const struct artifact *a, struct filter **out, struct err *e)
{
	void *stream;

	TRY(in->source.open(in->source.self, a, &stream, e));
	struct source *s = mem_new(sizeof *s);
	*s = (struct source){.f = {.ops = &ops}, .in = in, .stream = stream};
	*out = &s->f;
	return 0;
}

void source_stop(struct filter *source)
{
	struct source *s = (struct source *)source;

	if (s->in->source.stop)
		s->in->source.stop(s->stream);
}
