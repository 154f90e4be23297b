#include <stdlib.h>

#include "agent/stage/stage_priv.h"

struct source {
	struct filter f;
	const struct stage_pull *of;
	void *stream;
};

static int source_read(struct filter *f, void *p, size_t n, size_t *out_n, struct err *e)
{
	struct source *s = (struct source *)f;
	size_t got;

	if (s->of->cancel && atomic_load(s->of->cancel))
		return err_set(e, ERR_CANCELLED, "cancelled");
	TRY(s->of->source.read(s->stream, p, n, &got, e));
	if (s->of->done)
		atomic_fetch_add(s->of->done, got);
	*out_n = got;
	return 0;
}

static void source_free(struct filter *f)
{
	struct source *s = (struct source *)f;

	s->of->source.close(s->stream);
	free(s);
}

static const struct filter_ops ops = {"source", source_read, source_free};

int source_open(const struct stage_pull *p, struct filter **out, struct err *e)
{
	void *stream;

	TRY(p->source.open(p->source.self, p->artifact, p->part.at.artifact, &stream, e));
	struct source *s = mem_new(sizeof *s);
	*s = (struct source){.f = {.ops = &ops}, .of = p, .stream = stream};
	*out = &s->f;
	return 0;
}

void source_stop(struct filter *source)
{
	struct source *s = (struct source *)source;

	if (s->of->source.stop)
		s->of->source.stop(s->stream);
}
